/* SPDX-License-Identifier: MIT */
/* See fake.h. Locks are real, so that cases may use threads. */
#include "fake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/printk.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"
#include "mem/layout.h"
#include "threads.h"

struct fake_domain *fake_domains[FAKE_DOMAINS];
struct fake_frame fake_frames[FAKE_FRAMES];
/* None has a word that inline functions know: they call those below. */
struct frame unit_frames[FAKE_FRAMES];
static uint64_t some_pages = ~0UL;
uint64_t *frame_pages = &some_pages, frame_limit = FAKE_FRAMES;
int fake_alloc_budget;
char fake_guest_memory[65536] __aligned(4096);

static char arena[FAKE_FRAMES][PAGE_SIZE] __aligned(4096);
static long allocations; /* outstanding */
static int at_start;     /* frames in use when the case begins */
static spinlock_t frames_lock;

DEFINE_PER_CPU(struct vcpu *, current);
DEFINE_PER_CPU(uint64_t, softirq_pending);
DEFINE_PER_CPU(uint64_t, cpu_number);
struct domain *dom0;
void (*send_global_virq)(unsigned int virq);
void (*send_guest_virq)(struct vcpu *v, unsigned int virq);

/* Locks. */

void spin_lock(spinlock_t *l)
{
	uint16_t ticket = __atomic_fetch_add(&l->tail, 1, __ATOMIC_SEQ_CST);

	while (atomic_read(&l->head) != ticket)
		thread_yield();
}
void spin_lock_peer(spinlock_t *l)
{
	spin_lock(l);
}
void spin_unlock(spinlock_t *l)
{
	if (l->head == l->tail)
		abort();
	atomic_set(&l->head, (uint16_t)(l->head + 1));
}
unsigned long spin_lock_irqsave(spinlock_t *l)
{
	spin_lock(l);
	return 0;
}
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	(void)flags;
	spin_unlock(l);
}
bool spin_is_locked(const spinlock_t *l)
{
	return l->head != l->tail;
}

/* The heap. */

static bool may_allocate(void)
{
	if (fake_alloc_budget <= 0)
		return fake_alloc_budget < 0;
	fake_alloc_budget--;
	return true;
}
void *xzalloc(size_t size)
{
	if (!may_allocate())
		return NULL;
	atomic_add(&allocations, 1);
	return calloc(1, size ? size : 1);
}
void *xmalloc(size_t size)
{
	return xzalloc(size);
}
void *xzalloc_array(size_t size, size_t n)
{
	size_t all;

	return __builtin_mul_overflow(size, n, &all) ? NULL : xzalloc(all);
}
void xfree(void *p)
{
	if (p)
		atomic_sub(&allocations, 1);
	free(p);
}

/* Frames. */

void *unit_maddr_to_virt(paddr_t p);
void *unit_maddr_to_virt(paddr_t p)
{
	return (char *)arena + p;
}
paddr_t virt_to_maddr(const void *p)
{
	return (paddr_t)((const char *)p - (char *)arena);
}
static mfn_t take_frame(domid_t owner)
{
	mfn_t mfn = INVALID_MFN;

	spin_lock(&frames_lock);
	for (uint64_t i = 1; i < FAKE_FRAMES; i++) {
		if (fake_frames[i].used)
			continue;
		fake_frames[i] = (struct fake_frame){
			.used = true, .owner = owner, .refs = 1};
		mfn = _mfn(i);
		break;
	}
	spin_unlock(&frames_lock);
	return mfn;
}
void *alloc_page_virt(unsigned int flags)
{
	mfn_t mfn;

	if (!may_allocate())
		return NULL;
	mfn = take_frame(DOMID_XEN);
	if (mfn_eq(mfn, INVALID_MFN))
		return NULL;
	memset(mfn_to_virt(mfn), flags & ALLOC_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return mfn_to_virt(mfn);
}
static void drop_ref(struct fake_frame *f)
{
	if (f->refs <= 0)
		abort();
	if (--f->refs == 0)
		f->used = false;
}
void free_page_virt(void *p)
{
	spin_lock(&frames_lock);
	drop_ref(fake_frame(virt_to_mfn(p)));
	spin_unlock(&frames_lock);
}
bool get_page(mfn_t mfn, domid_t owner)
{
	struct fake_frame *f = fake_frame(mfn);
	bool ok;

	if (mfn_x(mfn) >= FAKE_FRAMES)
		return false;
	spin_lock(&frames_lock);
	ok = f->used && f->owner == owner;
	f->refs += ok;
	spin_unlock(&frames_lock);
	return ok;
}
void (*fake_another_cpu)(void);
bool get_page_any(mfn_t mfn, domid_t *owner)
{
	void (*fn)(void) = fake_another_cpu;

	fake_another_cpu = NULL;
	if (fn)
		fn();
	*owner = fake_frame(mfn)->owner;
	return get_page(mfn, *owner);
}
void put_page(mfn_t mfn)
{
	spin_lock(&frames_lock);
	drop_ref(fake_frame(mfn));
	spin_unlock(&frames_lock);
}
bool get_page_type(mfn_t mfn, enum frame_type t)
{
	struct fake_frame *f = fake_frame(mfn);
	bool ok;

	spin_lock(&frames_lock);
	ok = t == FRAME_WRITABLE && !f->shared;
	f->type_refs += ok;
	spin_unlock(&frames_lock);
	return ok;
}
void put_page_type(mfn_t mfn)
{
	spin_lock(&frames_lock);
	if (fake_frame(mfn)->type_refs-- <= 0)
		abort();
	spin_unlock(&frames_lock);
}
bool get_page_and_type(mfn_t mfn, domid_t owner, enum frame_type t)
{
	if (!get_page(mfn, owner))
		return false;
	if (get_page_type(mfn, t))
		return true;
	put_page(mfn);
	return false;
}
void put_page_and_type(mfn_t mfn)
{
	put_page_type(mfn);
	put_page(mfn);
}
enum frame_type frame_type(mfn_t mfn)
{
	return fake_frame(mfn)->shared ? FRAME_SHARED : FRAME_WRITABLE;
}
/* A word for those who read the type from it. */
struct frame *mfn_to_frame(mfn_t mfn)
{
	static __thread struct frame f;

	f.word = word_make(fake_frame(mfn)->owner, frame_type(mfn), 1, 0);
	return &f;
}
bool mfn_valid(mfn_t mfn)
{
	return mfn_x(mfn) && mfn_x(mfn) < FAKE_FRAMES;
}
domid_t frame_owner(mfn_t mfn)
{
	return fake_frame(mfn)->owner;
}
bool frame_release(mfn_t mfn, domid_t owner)
{
	struct fake_frame *f = fake_frame(mfn);
	bool had;

	spin_lock(&frames_lock);
	had = f->used && f->owner == owner && f->owners_ref;
	if (had) {
		f->owners_ref = false;
		drop_ref(f);
	}
	spin_unlock(&frames_lock);
	return had;
}
void *domain_shared_page(struct domain *d)
{
	void *page = alloc_page_virt(ALLOC_ZERO);
	struct fake_frame *f;

	if (!page)
		return NULL;
	f = fake_frame(virt_to_mfn(page));
	f->owner = d->id;
	f->shared = true;
	return page;
}
void domain_put_shared_page(void *page)
{
	free_page_virt(page);
}

/* The p2m. */

static struct fake_domain *of_p2m(struct p2m *p)
{
	return container_of(p, struct fake_domain, d.p2m);
}
mfn_t p2m_lookup(struct p2m *p, gfn_t gfn, enum p2m_type *type,
		 unsigned int *order)
{
	struct fake_p2m_entry e = {INVALID_MFN, P2M_NONE};

	if (gfn_x(gfn) < FAKE_GFNS)
		e = of_p2m(p)->p2m[gfn_x(gfn)];
	if (type)
		*type = e.type;
	if (order)
		*order = 0;
	return e.mfn;
}
int p2m_set(struct p2m *p, gfn_t gfn, mfn_t mfn, uint64_t nr,
	    enum p2m_type type)
{
	if (nr != 1 || !spin_is_locked(&p->lock))
		abort();
	if (gfn_x(gfn) >= FAKE_GFNS)
		return -EINVAL;
	if (!may_allocate())
		return -ENOMEM;
	of_p2m(p)->p2m[gfn_x(gfn)] = (struct fake_p2m_entry){mfn, type};
	return 0;
}
int p2m_clear(struct p2m *p, gfn_t gfn, uint64_t nr)
{
	if (nr != 1 || !spin_is_locked(&p->lock) || gfn_x(gfn) >= FAKE_GFNS)
		abort();
	of_p2m(p)->p2m[gfn_x(gfn)] =
		(struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
	p->changes++;
	return 0;
}
void p2m_find(struct p2m *p, gfn_t gfn, struct p2m_place *at)
{
	if (!spin_is_locked(&p->lock))
		abort();
	*at = (struct p2m_place){.gfn = gfn, .level = 1};
	at->mfn = p2m_lookup(p, gfn, &at->type, NULL);
}
int p2m_replace(struct p2m *p, const struct p2m_place *at, mfn_t mfn,
		enum p2m_type type)
{
	return type == P2M_NONE ? p2m_clear(p, at->gfn, 1)
				: p2m_set(p, at->gfn, mfn, 1, type);
}
void p2m_flush(struct p2m *p)
{
	if (p->flushed < p->changes)
		of_p2m(p)->flushes++;
	p->flushed = p->changes;
}
void *fake_page(struct domain *d, uint64_t gfn)
{
	return mfn_to_virt(fake_mfn(d, gfn));
}
mfn_t fake_mfn(struct domain *d, uint64_t gfn)
{
	return p2m_lookup(&d->p2m, _gfn(gfn), NULL, NULL);
}

/* Domains. */

static struct fake_domain *of_domain(struct domain *d)
{
	return container_of(d, struct fake_domain, d);
}
struct domain *get_domain(domid_t id)
{
	struct domain *d = NULL;

	if (id == DOMID_SELF)
		d = current->domain;
	else if (id < FAKE_DOMAINS && fake_domains[id] &&
		 !fake_domains[id]->frozen)
		d = &fake_domains[id]->d;
	if (d)
		hold_domain(d);
	return d;
}
void put_domain(struct domain *d)
{
	if (atomic_sub(&d->refs, 1) == 0)
		abort(); /* the case itself holds the last one */
}
struct domain *next_domain(unsigned int id)
{
	for (; id < FAKE_DOMAINS; id++)
		if (fake_domains[id])
			return get_domain((domid_t)id);
	return NULL;
}
int domain_check_privilege(struct domain *caller, struct domain *target)
{
	return caller == target || caller->privileged ? 0 : -EPERM;
}
int fake_paused;

void domain_pause(struct domain *d)
{
	(void)d;
	fake_paused++;
}
void domain_unpause(struct domain *d)
{
	(void)d;
	fake_paused--;
}
void vcpu_wake(struct vcpu *v)
{
	atomic_add(&of_domain(v->domain)->woken[v->id], 1);
}
void vcpu_kick(struct vcpu *v)
{
	vcpu_wake(v);
}
static void event_notify(struct vcpu *v)
{
	atomic_add(&of_domain(v->domain)->notified[v->id], 1);
}
void domain_crash(struct domain *d, const char *fmt, ...)
{
	(void)fmt;
	of_domain(d)->crashes++;
}
static bool guest_range(uint64_t va, size_t len)
{
	uint64_t start = (uint64_t)(uintptr_t)fake_guest_memory;

	return va >= start && va - start <= sizeof(fake_guest_memory) &&
	       len <= sizeof(fake_guest_memory) - (va - start);
}
static int to_guest(struct vcpu *v, uint64_t va, const void *src, size_t len)
{
	(void)v;
	if (!guest_range(va, len))
		return -EFAULT;
	memcpy((void *)(uintptr_t)va, src, len);
	return 0;
}
static int from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len)
{
	(void)v;
	if (!guest_range(va, len))
		return -EFAULT;
	memcpy(dst, (void *)(uintptr_t)va, len);
	return 0;
}
struct domain_kind fake_kind = {
	.name = "fake",
	.translated = true,
	.event_notify = event_notify,
	.copy_to_guest = to_guest,
	.copy_from_guest = from_guest,
};

/* The console. */

void printk(const char *fmt, ...)
{
	va_list ap;

	if (!getenv("FAKE_VERBOSE"))
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}
void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

/* The frame. */

static struct fake_domain *make_domain(unsigned int id)
{
	struct fake_domain *f = calloc(1, sizeof(*f));
	struct domain *d = &f->d;

	fake_domains[id] = f;
	d->id = (domid_t)id;
	d->kind = &fake_kind;
	d->privileged = id == 0;
	d->refs = 1;
	d->max_vcpus = FAKE_VCPUS;
	d->vcpu = f->vcpu_table;
	spin_lock_init(&d->p2m.lock, LOCK_P2M);
	for (uint64_t i = 0; i < FAKE_GFNS; i++)
		f->p2m[i] = (struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
	for (uint64_t i = 0; i < FAKE_RAM; i++) {
		mfn_t mfn = take_frame(d->id);

		fake_frame(mfn)->owners_ref = true;
		memset(mfn_to_virt(mfn), 0, PAGE_SIZE);
		f->p2m[i] = (struct fake_p2m_entry){mfn, P2M_RAM_RW};
	}
	d->shared_info = domain_shared_page(d);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		f->vcpu_table[i] = &f->vcpus[i];
		f->vcpus[i].id = i;
		f->vcpus[i].domain = d;
		f->vcpus[i].info = &d->shared_info->vcpu_info[i];
	}
	return f;
}

struct domain *fake_domain(unsigned int id, const struct domain_part *part)
{
	struct xen_domctl_createdomain cfg = {
		.max_evtchn_port = 1 << 20,
		.max_grant_frames = 4,
		.max_maptrack_frames = 4,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
	};
	struct domain *d = &make_domain(id)->d;

	d->config = cfg;
	if (part && part->init(d, &cfg))
		abort();
	if (!id)
		dom0 = d;
	return d;
}

static int frames_used(void)
{
	int n = 0;

	for (int i = 0; i < FAKE_FRAMES; i++)
		n += fake_frames[i].used;
	return n;
}

void fake_start(void)
{
	memset(fake_frames, 0, sizeof(fake_frames));
	memset(fake_domains, 0, sizeof(fake_domains));
	memset(fake_guest_memory, 0, sizeof(fake_guest_memory));
	fake_alloc_budget = -1;
	this_cpu(softirq_pending) = 0;
	allocations = 0;
	dom0 = NULL;
	at_start = frames_used();
}

/* Gives a dead domain's memory back; the references left on it. */
static int free_domain(struct fake_domain *f)
{
	int left = 0;

	for (int i = 0; i < FAKE_GFNS; i++)
		if (f->p2m[i].type == P2M_RAM_RW)
			left += !frame_release(f->p2m[i].mfn, f->d.id);
	domain_put_shared_page(f->d.shared_info);
	if (f->d.refs != 1) {
		printf("# d%u: %u references left\n", f->d.id, f->d.refs);
		left++;
	}
	free(f);
	return left;
}

int fake_end(const struct domain_part *part)
{
	int left = 0;

	fake_alloc_budget = -1;
	for (int i = 0; i < FAKE_DOMAINS; i++)
		if (fake_domains[i]) {
			fake_domains[i]->d.dying = DOMDYING_DYING;
			while (part->relinquish(&fake_domains[i]->d))
				;
		}
	for (int i = 0; i < FAKE_DOMAINS; i++)
		if (fake_domains[i])
			part->destroy(&fake_domains[i]->d);
	for (int i = 0; i < FAKE_DOMAINS; i++) {
		if (fake_domains[i])
			left += free_domain(fake_domains[i]);
		fake_domains[i] = NULL;
	}
	if (allocations)
		printf("# %ld allocations left\n", allocations);
	for (int i = 0; i < FAKE_FRAMES; i++)
		if (fake_frames[i].used || fake_frames[i].type_refs) {
			printf("# frame %d of d%u: %d references, %d typed\n",
			       i, fake_frames[i].owner, fake_frames[i].refs,
			       fake_frames[i].type_refs);
			left++;
		}
	return left + (allocations != 0) + (frames_used() != at_start);
}
