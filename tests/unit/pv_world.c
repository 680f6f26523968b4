/* SPDX-License-Identifier: MIT */
/* See pv_world.h. */
#include "pv_world.h"

#include "cpu/acpi.h"
#include "domain/continuation.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"
#include "mem/map.h"
#include "pv/isolate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world_domain world[WORLD_DOMAINS];
struct pv_uses world_others[WORLD_DOMAINS][WORLD_FRAMES];
unsigned int world_yields, world_restarts, world_flushes;
unsigned long world_calls, world_accepted;

/* What a processor may have in mind about a frame; domain i's is CPU i. */
#define KNOWN_READ  BIT(0)
#define KNOWN_WRITE BIT(1)
#define KNOWN_TABLE BIT(2)
static uint8_t known[WORLD_DOMAINS][WORLD_DOMAINS * 0x40];

struct timer *world_timer;
bool world_runs_calls;

/* The parts of the machine that these sources look at. */
DEFINE_PER_CPU(struct vcpu *, current);
DEFINE_PER_CPU(uint64_t, softirq_pending);
DEFINE_PER_CPU(uint64_t, cpu_number);
struct cpu_features cpu_features = {.phys_bits = 40};
struct acpi_info acpi_info = {.lapic_addr = 0xfee00000};
cpumask_t cpu_online_map = {{BIT(WORLD_DOMAINS) - 1}};
paddr_t host_cr3 = 0x1000;
unsigned int nr_cpus = WORLD_DOMAINS;
struct domain *dom0;
DEFINE_PER_CPU(uint64_t, trap_full_cr3);

void smp_call(const cpumask_t *cpus, void (*fn)(void *), void *data, bool wait)
{
	(void)wait;
	if (world_runs_calls) {
		fn(data);
		return;
	}
	world_flushes++;
	for (unsigned int i = 0; i < WORLD_DOMAINS && !data; i++)
		if (cpus->bits[0] & BIT(i)) /* and all, not one page */
			memset(known[i], 0, sizeof(known[i]));
}
s_time_t now(void)
{
	return 0;
}
void timer_init(struct timer *t, void (*fn)(void *), void *data)
{
	t->fn = fn;
	t->data = data;
}
void timer_set(struct timer *t, s_time_t expires)
{
	world_timer = expires ? t : NULL;
}
bool sched_unit_is_loaded(const struct sched_unit *u)
{
	(void)u;
	return true;
}
void pv_load_cr3(struct vcpu *v)
{
	if (pv_is_isolated(v->domain))
		pv_isolate(v_mm(v)->cr3_kernel, true);
}
uint64_t pv_get_gs_base(struct vcpu *v, bool other)
{
	(void)v;
	(void)other;
	return 0;
}
int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int entries)
{
	(void)v;
	(void)base;
	(void)entries;
	return 0;
}
/* Bits as segment.c: what is present is no system segment. */
bool pv_descriptor_ok(uint64_t *desc)
{
	return !(*desc & BIT(47)) || (*desc & BIT(44));
}
void pv_release_descriptors(struct vcpu *v)
{
	for (unsigned int i = 0; i < GDT_FRAMES; i++) {
		if (!mfn_eq(v_mm(v)->gdt[i], INVALID_MFN))
			pv_segdesc_put(v_mm(v)->gdt[i]);
		v_mm(v)->gdt[i] = INVALID_MFN;
	}
}
mfn_t p2m_lookup(struct p2m *p, gfn_t gfn, enum p2m_type *type,
		 unsigned int *order)
{
	(void)p;
	(void)gfn;
	(void)type;
	(void)order;
	return INVALID_MFN;
}

/* Memory: pages of the hypervisor's own; a domain's frames are not handed out
 * again, so that a use after that is seen. */
#define OWN_FIRST 0x1000UL
#define OWN_PAGES 1024
static bool own_used[OWN_PAGES];
static long objects;

mfn_t max_mfn(void)
{
	return _mfn(0x1fff);
}
void *alloc_page_virt(unsigned int flags)
{
	for (unsigned int i = 0; i < OWN_PAGES; i++) {
		void *p = mfn_to_virt(_mfn(OWN_FIRST + i));

		if (own_used[i])
			continue;
		own_used[i] = true;
		memset(p, flags & ALLOC_ZERO ? 0 : 0xa5, PAGE_SIZE);
		return p;
	}
	return NULL;
}
void free_page_virt(void *p)
{
	own_used[mfn_x(virt_to_mfn(p)) - OWN_FIRST] = false;
}
static int own_pages(void)
{
	int n = 0;

	for (unsigned int i = 0; i < OWN_PAGES; i++)
		n += own_used[i];
	return n;
}
void free_domain_pages(mfn_t mfn, unsigned int order)
{
	(void)order;
	memset(mfn_to_virt(mfn), 0xee, PAGE_SIZE);
}
void free_pages(mfn_t mfn, unsigned int order)
{
	(void)mfn;
	(void)order;
}
void *xzalloc(size_t size)
{
	objects++;
	return calloc(1, size);
}
void *xzalloc_array(size_t size, size_t n)
{
	return xzalloc(size * n);
}
void xfree(void *p)
{
	objects -= p != NULL;
	free(p);
}

/* Domains and their memory as they see it: this process's. */
struct domain *get_domain(domid_t id)
{
	struct domain *d = id == DOMID_SELF     ? current->domain
			   : id < WORLD_DOMAINS ? &world[id].d
						: NULL;

	if (d)
		hold_domain(d);
	return d;
}
void put_domain(struct domain *d)
{
	d->refs--;
}
int domain_check_privilege(struct domain *caller, struct domain *target)
{
	return caller == target || caller->privileged ? 0 : -EPERM;
}
static int to_guest(struct vcpu *v, uint64_t va, const void *src, size_t len)
{
	(void)v;
	memcpy((void *)va, src, len);
	return 0;
}
static int from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len)
{
	(void)v;
	memcpy(dst, (const void *)va, len);
	return 0;
}
int pv_copy_from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len)
{
	return from_guest(v, dst, va, len);
}
size_t pv_fetch(uint64_t va, void *dst, size_t len)
{
	memcpy(dst, (const void *)va, len);
	return len;
}
const struct domain_kind world_kind = {
	.name = "PV",
	.copy_to_guest = to_guest,
	.copy_from_guest = from_guest,
};

/* Hypercalls. */

static uint64_t call_args[6];

void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value)
{
	(void)v;
	call_args[i] = value;
}

long world_call(struct vcpu *v, long (*fn)(struct vcpu *, const uint64_t *),
		const uint64_t args[6])
{
	long rc;

	memcpy(call_args, args, sizeof(call_args));
	this_cpu(current) = v;
	do {
		uint64_t a[6];

		memcpy(a, call_args, sizeof(a));
		this_cpu(softirq_pending) = world_yields != 0;
		world_yields -= world_yields != 0;
		rc = fn(v, a);
		this_cpu(softirq_pending) = 0;
	} while (rc == -ERESTART && (!world_restarts || --world_restarts));
	world_calls++;
	world_accepted += !rc;
	return rc;
}

long update_for(struct vcpu *v, uint32_t parties, uint64_t ptr, uint64_t val)
{
	struct mmu_update req = {.ptr = ptr, .val = val};
	const uint64_t args[6] = {(uint64_t)&req, 1, 0, parties};

	return world_call(v, pv_mmu_update, args);
}
long update(struct vcpu *v, mfn_t mfn, unsigned int index, uint64_t val)
{
	return update_for(v, DOMID_SELF, mfn_to_maddr(mfn) + index * 8, val);
}
long update_va(struct vcpu *v, uint64_t va, uint64_t val)
{
	const uint64_t args[6] = {va, val, 0};

	return world_call(v, pv_update_va_mapping, args);
}
long ext_for(struct vcpu *v, domid_t d, unsigned int cmd, uint64_t arg1)
{
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1};
	const uint64_t args[6] = {(uint64_t)&op, 1, 0, d};

	return world_call(v, pv_mmuext_op, args);
}
long ext(struct vcpu *v, unsigned int cmd, mfn_t mfn)
{
	return ext_for(v, DOMID_SELF, cmd, mfn_x(mfn));
}

void build_tree(unsigned int domain, unsigned int n)
{
	for (unsigned int i = 0; i < 3; i++) {
		memset(table(frame(domain, n + i)), 0, PAGE_SIZE);
		table(frame(domain, n + i))[0] =
			entry(frame(domain, n + i + 1), RW);
	}
	memset(table(frame(domain, n + 3)), 0, PAGE_SIZE);
}

/* What is true of a frame, and what the processor may think. */

static struct pv_uses uses[WORLD_DOMAINS * 0x40];
static const struct pv_census census = {FIRST(0), ARRAY_SIZE(uses), uses};
static int strays; /* tables that are no frames of a domain's */

static bool of_world(mfn_t mfn)
{
	uint64_t i = mfn_x(mfn) - FIRST(0);

	return i < ARRAY_SIZE(uses) && i % 0x40 < WORLD_FRAMES;
}

/* Tables that this CPU's walk has been through, by level and right. */
static uint8_t seen[ARRAY_SIZE(uses)];

static bool is_new(mfn_t mfn, unsigned int level, bool write)
{
	uint8_t bit = (uint8_t)BIT((level - 1) * 2 + write);
	uint8_t *s = &seen[mfn_x(mfn) - FIRST(0)];

	if (*s & bit)
		return false;
	*s |= bit;
	return true;
}

/* What the processor goes through it marks; what it has marked it may have in
 * mind. It need not have used each entry yet. */
static bool is_used(uint64_t *e)
{
	static uint32_t dice = 1;

	dice = dice * 1103515245 + 12345;
	if (dice >> 31)
		*e |= PTE_A;
	return *e & PTE_A;
}

/* Every way down from a base, as a processor may walk it at any time: linear
 * tables, too. */
static void look(unsigned int cpu, mfn_t mfn, unsigned int level, bool write)
{
	uint64_t *t = table(mfn);

	if (!of_world(mfn)) {
		printf("# frame %lx is walked as a table\n", mfn_x(mfn));
		strays++;
		return;
	}
	if (!is_new(mfn, level, write))
		return;
	known[cpu][mfn_x(mfn) - FIRST(0)] |= KNOWN_TABLE;
	for (unsigned int i = 0; i < 512; i++) {
		mfn_t below = maddr_to_mfn(t[i] & PTE_ADDR);
		bool w = write && (t[i] & PTE_RW);

		if (!(t[i] & PTE_P) || !pv_guest_slot(level, i))
			continue;
		if ((t[i] & PTE_G) || (level > 1 && (t[i] & PTE_PS))) {
			printf("# frame %lx has a large or global page\n",
			       mfn_x(mfn));
			strays++;
		}
		if (level > 1)
			look(cpu, below, level - 1, w);
		else if (of_world(below) && is_used(&t[i]))
			known[cpu][mfn_x(below) - FIRST(0)] |=
				KNOWN_READ | (w ? KNOWN_WRITE : 0);
	}
}

static void look_everywhere(void)
{
	for (unsigned int d = 0; d < WORLD_DOMAINS; d++) {
		memset(seen, 0, sizeof(seen));
		for (unsigned int i = 0; i < WORLD_VCPUS; i++) {
			const struct pv_mm_vcpu *m = &world[d].pv[i].mm;

			if (!mfn_eq(m->cr3_kernel, INVALID_MFN))
				look(d, m->cr3_kernel, 4, true);
			if (!mfn_eq(m->cr3_user, INVALID_MFN))
				look(d, m->cr3_user, 4, true);
		}
	}
}

/* What may be remembered of it: mm.h, rule 4. */
static const char *wrong_memory(mfn_t mfn, uint64_t w)
{
	unsigned int k = 0;
	unsigned int t = word_tcount(w) ? word_type(w) : FRAME_NONE;

	for (unsigned int cpu = 0; cpu < WORLD_DOMAINS; cpu++)
		k |= known[cpu][mfn_x(mfn) - FIRST(0)];
	if (k && !word_count(w))
		return "is free, and the processor knows it still";
	if ((k & KNOWN_WRITE) && t >= FRAME_L1 && t <= FRAME_SEGDESC)
		return "is a table that the processor may write to";
	if ((k & KNOWN_TABLE) && (t < FRAME_L1 || t > FRAME_L4))
		return "is no table, and the processor may walk it";
	return NULL;
}

static int check_frame(unsigned int id, unsigned int i)
{
	mfn_t mfn = frame(id, i);
	const struct pv_uses *u = &uses[mfn_x(mfn) - FIRST(0)],
			     *o = &world_others[id][i];
	uint64_t w = mfn_to_frame(mfn)->word;
	unsigned int types = u->types + o->types, refs = u->refs + o->refs;
	const char *what = wrong_memory(mfn, w);

	if (what)
		printf("# frame %u of d%u %s\n", i, id, what);
	if (word_count(w) == refs &&
	    (word_type(w) == FRAME_SHARED || word_tcount(w) == types) &&
	    (!types || word_type(w) == (u->types ? u->type : o->type)) &&
	    !u->mixed && !(word_count(w) && word_owner(w) != id))
		return what != NULL;
	printf("# frame %u of d%u: type %u, %u uses, %u references; counted: "
	       "type %u%s, %u uses, %u references\n",
	       i, id, word_type(w), word_tcount(w), word_count(w),
	       u->types ? u->type : o->type, u->mixed ? " (mixed)" : "", types,
	       refs);
	return 1;
}

int world_check(void)
{
	int wrong = 0;

	strays = 0;
	look_everywhere();
	memset(uses, 0, sizeof(uses));
	for (unsigned int id = 0; id < WORLD_DOMAINS; id++)
		pv_count_uses(&census, &world[id].d);
	for (unsigned int id = 0; id < WORLD_DOMAINS; id++) {
		for (unsigned int i = 0; i < WORLD_FRAMES; i++)
			wrong += check_frame(id, i);
		wrong += (int)pv_check_domain(&world[id].d);
		if (spin_is_locked(&world[id].pd.mm.lock)) {
			printf("# d%u is locked\n", id);
			wrong++;
		}
	}
	return wrong + strays;
}

bool spin_is_locked(const spinlock_t *l)
{
	return l->owner;
}

/* A case's beginning and end. */

static void start_domain(unsigned int id)
{
	struct world_domain *w = &world[id];
	struct domain *d = &w->d;

	*d = (struct domain){
		.id = (domid_t)id,
		.kind = &world_kind,
		.arch = &w->pd,
		.privileged = id == 0,
		.refs = 1,
		.max_vcpus = WORLD_VCPUS,
		.vcpu = w->vcpu_table,
		.vm_assist = BIT(VMASST_TYPE_writable_pagetables),
	};
	pv_mm_domain_init(d);
	w->pd.mm.cpus.bits[0] = BIT(id);
	for (unsigned int i = 0; i < WORLD_VCPUS; i++) {
		struct vcpu *v = &w->vcpus[i];

		w->vcpu_table[i] = v;
		v->id = i;
		v->domain = d;
		v->unit.cpu = (uint16_t)id;
		v->arch = &w->pv[i];
		pv_mm_vcpu_init(v);
	}
	for (unsigned int i = 0; i < WORLD_FRAMES; i++) {
		frame_assign(frame(id, i), 0, d->id);
		memset(mfn_to_virt(frame(id, i)), 0, PAGE_SIZE);
		if (pv_m2p_set(frame(id, i), i))
			abort();
	}
	pv_note_frames(d, frame(id, 0), WORLD_FRAMES);
}

static int own_at_start;

void world_start(void)
{
	if (!own_at_start) {
		host_ram_reset();
		if (pv_m2p_init())
			abort();
		own_at_start = own_pages();
	}
	memset(world, 0, sizeof(world));
	memset(world_others, 0, sizeof(world_others));
	memset(known, 0, sizeof(known));
	memset(unit_frames, 0, 0x2000 * sizeof(struct frame));
	world_yields = world_restarts = world_flushes = 0;
	world_timer = NULL;
	pv_late_puts_init();
	host_log[0] = '\0';
	for (unsigned int id = 0; id < WORLD_DOMAINS; id++)
		start_domain(id);
	dom0 = &world[0].d;
}

int world_end(void)
{
	int wrong = 0;

	for (unsigned int id = 0; id < WORLD_DOMAINS; id++) {
		struct domain *d = &world[id].d;
		unsigned int turns = 0;

		d->dying = DOMDYING_DYING;
		wrong += d->refs != 1;
		do
			this_cpu(softirq_pending) = turns++ < 100;
		while (pv_mm_domain_relinquish(d));
		this_cpu(softirq_pending) = 0;
	}
	for (unsigned int id = 0; id < WORLD_DOMAINS; id++)
		for (unsigned int i = 0; i < WORLD_FRAMES; i++) {
			uint64_t w = mfn_to_frame(frame(id, i))->word;
			const struct pv_uses *o = &world_others[id][i];

			if (word_count(w) == o->refs &&
			    word_tcount(w) == o->types &&
			    pv_m2p_get(frame(id, i)) == INVALID_M2P_ENTRY)
				continue;
			printf("# frame %u of d%u after the end: type %u, %u "
			       "uses, %u references\n",
			       i, id, word_type(w), word_tcount(w),
			       word_count(w));
			wrong++;
		}
	/* m2p.c has one object for good. */
	if (objects > 1 || own_pages() != own_at_start) {
		printf("# %ld objects, %d pages of %d left\n", objects,
		       own_pages(), own_at_start);
		wrong++;
	}
	return wrong + (host_log[0] && strstr(host_log, "its tables"));
}
