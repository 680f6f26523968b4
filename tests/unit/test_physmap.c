/* SPDX-License-Identifier: MIT */
/*
 * Places in a guest's memory that two CPUs want at once: pages that are moved,
 * given back and taken while another CPU does the same. What another CPU does
 * comes where it hurts most, while this one waits for all to forget a
 * translation. Whatever comes first, each of the domain's pages is in its
 * memory exactly once, and what is there is its own.
 */
#include "harness.h"
#include "host_ram.h"

#include "control/memory.h"
#include "domain/guest_access.h"
#include "grant/grant.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

#define OTHER 7 /* another domain */

DEFINE_PER_CPU(struct vcpu *, current);
DEFINE_PER_CPU(uint64_t, softirq_pending);
DEFINE_PER_CPU(uint64_t, cpu_number);

static struct domain d, foreigner;
static struct vcpu vcpu = {.domain = &d};
static int told;
static void memory_left(struct domain *of)
{
	(void)of;
	told++;
}
static mfn_t resource;
static int ioreq_frame(struct domain *of, uint32_t id, uint64_t frame,
		       mfn_t *mfn)
{
	(void)of;
	(void)id;
	(void)frame;
	*mfn = resource;
	return 0;
}
static const struct domain_kind kind = {.name = "test",
					.translated = true,
					.memory_left = memory_left,
					.ioreq_frame = ioreq_frame};
static void (*another_cpu)(void);

/* What is around the sources. */

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
void put_domain(struct domain *of)
{
	atomic_sub(&of->refs, 1);
}
long memory_target(struct vcpu *v, domid_t id, struct domain **out)
{
	*out = id == OTHER ? &foreigner : v->domain;
	hold_domain(*out);
	return 0;
}
long memory_continue(struct vcpu *v, unsigned int cmd, uint64_t start)
{
	(void)v;
	(void)cmd;
	(void)start;
	return -ERESTART;
}
int copy_from_guest(void *dst, uint64_t va, size_t len)
{
	memcpy(dst, (const void *)va, len);
	return 0;
}
int copy_to_guest(uint64_t va, const void *src, size_t len)
{
	memcpy((void *)va, src, len);
	return 0;
}
int copy_array_from_guest(void *dst, uint64_t va, uint64_t first, size_t n,
			  size_t size)
{
	return copy_from_guest(dst, va + first * size, n * size);
}
int copy_array_to_guest(uint64_t va, uint64_t first, const void *src, size_t n,
			size_t size)
{
	return copy_to_guest(va + first * size, src, n * size);
}
int grant_table_frame(struct domain *of, unsigned long idx, mfn_t *mfn)
{
	(void)of;
	(void)idx;
	(void)mfn;
	return -EINVAL;
}
uint32_t grant_max_frames(const struct domain *of)
{
	(void)of;
	return 0;
}
void vcpu_update_time(struct vcpu *v)
{
	(void)v;
}
void domain_update_wallclock(struct domain *of)
{
	(void)of;
}

#define LEAVES                                                                 \
	{                                                                      \
		[0 ... P2M_TYPES - 1] = 3                                      \
	}

static const struct p2m_format format = {
	.name = "test",
	.leaf_bits = {LEAVES, LEAVES},
	.table_bits = 7,
	.max_leaf_level = 3,
};

static void flush(void *cookie)
{
	void (*fn)(void) = another_cpu;

	(void)cookie;
	another_cpu = NULL;
	if (fn)
		fn();
}

static void account(domid_t owner, unsigned int order)
{
	if (owner == d.id)
		domain_uncharge(&d, 1UL << order);
}

static void start(void)
{
	/* What a case leaves behind stays taken. */
	if (!alloc_ready) {
		host_ram_reset();
		alloc_ready = true;
		alloc_add(_mfn(256), _mfn(LOW_RAM >> PAGE_SHIFT));
	}
	d = (struct domain){.id = 1, .kind = &kind, .refs = 1};
	foreigner = (struct domain){.id = OTHER, .kind = &kind, .refs = 1};
	spin_lock_init(&d.pages_lock, LOCK_PAGES);
	spin_lock_init(&foreigner.pages_lock, LOCK_PAGES);
	d.max_pages = foreigner.max_pages = 8192;
	frame_freed = account;
	another_cpu = NULL;
	this_cpu(current) = &vcpu;
	if (p2m_init(&d.p2m, &format, d.id, flush, NULL) ||
	    p2m_init(&foreigner.p2m, &format, OTHER, flush, NULL))
		abort();
}

static long populate(domid_t id, xen_pfn_t gfn, unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = 1, .extent_order = order, .domid = id};

	set_xen_guest_handle(r.extent_start, &gfn);
	return mem_populate_physmap(&vcpu, (uint64_t)&r, 0);
}

static void take(uint64_t gfn)
{
	CHECK_EQ(populate(1, gfn, 0), 1);
}

static mfn_t at(uint64_t gfn, enum p2m_type *t)
{
	return p2m_lookup(&d.p2m, _gfn(gfn), t, NULL);
}

static uint64_t found;
static int count_leaf(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		      unsigned int order, void *cookie)
{
	(void)p;
	(void)gfn;
	(void)cookie;
	for (uint64_t i = 0; i < 1UL << order && p2m_is_ram(type); i++) {
		mfn_t one = mfn_add(mfn, i);

		found++;
		CHECK(frame_is_allocated(one) && frame_owner(one) == d.id);
		/* Seen once: a mark that nobody else makes. */
		CHECK_EQ(frame_count(one), 1);
		CHECK(get_page(one, d.id));
	}
	return 0;
}

static int put_leaf(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		    unsigned int order, void *cookie)
{
	(void)p;
	(void)gfn;
	(void)cookie;
	for (uint64_t i = 0; i < 1UL << order && p2m_is_ram(type); i++)
		put_page(mfn_add(mfn, i));
	return 0;
}

/* Each page that the domain has is in its memory, once. */
static void all_is_there(void)
{
	gfn_t from = _gfn(0);

	found = 0;
	p2m_walk(&d.p2m, &from, count_leaf, NULL);
	from = _gfn(0);
	p2m_walk(&d.p2m, &from, put_leaf, NULL);
	CHECK_EQ(found, d.tot_pages);
}

static void give_10_back(void)
{
	CHECK_EQ(physmap_vacate(&d, _gfn(10)), 0);
}

static void moved_and_given_back(void)
{
	start();
	take(10);
	take(20);
	another_cpu = give_10_back;
	physmap_move(&d, _gfn(10), _gfn(20));
	all_is_there();
}

static void move_10_to_30(void)
{
	physmap_move(&d, _gfn(10), _gfn(30));
}

static void moved_twice(void)
{
	start();
	take(10);
	take(20);
	another_cpu = move_10_to_30;
	physmap_move(&d, _gfn(10), _gfn(20));
	all_is_there();
}

static void take_20(void)
{
	populate(1, 20, 0);
}

static void taken_twice(void)
{
	start();
	take(20);
	another_cpu = take_20;
	populate(1, 20, 0);
	all_is_there();
	take(10);
	another_cpu = take_20;
	physmap_move(&d, _gfn(10), _gfn(20));
	all_is_there();
}

/* The second half of the extent is behind an empty leaf's end. */
static void extent_across_leaves(void)
{
	start();
	take(600);
	take(700);
	CHECK_EQ(populate(1, 256, 9), 1);
	all_is_there();
	CHECK_EQ(d.tot_pages, 512);
	/* Around the end of all addresses nothing is vacated. */
	take(1);
	CHECK_EQ(populate(1, ~0UL, 2), 0);
	CHECK_EQ(d.tot_pages, 513);
	all_is_there();
}

/* A move that cannot be done leaves the page where it is. */
static void moved_to_nowhere(void)
{
	enum p2m_type t;

	start();
	take(10);
	CHECK_EQ(physmap_move(&d, _gfn(10), _gfn(1UL << 40)), -EINVAL);
	at(10, &t);
	CHECK_EQ(t, P2M_RAM_RW);
	p2m_lock(&d.p2m);
	p2m_set(&d.p2m, _gfn(30), _mfn(5), 1, P2M_GRANT_RW);
	p2m_unlock(&d.p2m);
	CHECK_EQ(physmap_move(&d, _gfn(10), _gfn(30)), -EBUSY);
	CHECK_EQ(physmap_move(&d, _gfn(11), _gfn(12)), -EINVAL);
	all_is_there();
	d.p2m.closed = true;
	CHECK_EQ(physmap_move(&d, _gfn(10), _gfn(20)), -ESRCH);
	all_is_there();
}

/* What moves counts as written where it is now. */
static void moved_while_logged(void)
{
	enum p2m_type t;

	start();
	take(10);
	CHECK_EQ(physmap_set_type(&d, _gfn(10), P2M_RAM_LOGDIRTY), 0);
	CHECK_EQ(physmap_move(&d, _gfn(10), _gfn(20)), 0);
	at(20, &t);
	CHECK_EQ(t, P2M_RAM_RW);
	all_is_there();
}

static struct xen_add_to_physmap_batch batch;
static long map_foreign_at_20(xen_ulong_t idx)
{
	xen_pfn_t gfn = 20;
	int err = 1;
	long rc;

	batch = (struct xen_add_to_physmap_batch){
		.domid = 1,
		.space = XENMAPSPACE_gmfn_foreign,
		.size = 1,
		.u.foreign_domid = OTHER,
	};
	set_xen_guest_handle(batch.idxs, &idx);
	set_xen_guest_handle(batch.gpfns, &gfn);
	set_xen_guest_handle(batch.errs, &err);
	rc = mem_add_to_physmap_batch(&vcpu, (uint64_t)&batch, 0);
	return rc ? rc : err;
}

static void map_51(void)
{
	CHECK_EQ(map_foreign_at_20(51), 0);
}

/* Two of another domain's pages at one place: one is let go. */
static void foreign_twice(void)
{
	mfn_t one, other;

	start();
	CHECK_EQ(populate(OTHER, 50, 0), 1);
	CHECK_EQ(populate(OTHER, 51, 0), 1);
	one = p2m_lookup(&foreigner.p2m, _gfn(50), NULL, NULL);
	other = p2m_lookup(&foreigner.p2m, _gfn(51), NULL, NULL);
	take(20);
	another_cpu = map_51;
	CHECK_EQ(map_foreign_at_20(50), 0);
	CHECK_EQ(frame_count(one) + frame_count(other), 3);
	CHECK_EQ(physmap_vacate(&d, _gfn(20)), 0);
	CHECK_EQ(frame_count(one), 1);
	CHECK_EQ(frame_count(other), 1);
	all_is_there();
}

static long acquire_at_20(void)
{
	struct xen_mem_acquire_resource r = {
		.domid = OTHER,
		.type = XENMEM_resource_ioreq_server,
		.nr_frames = 1,
	};
	xen_pfn_t gfn = 20;

	set_xen_guest_handle(r.frame_list, &gfn);
	return mem_acquire_resource(&vcpu, (uint64_t)&r, 0);
}

/* A resource that has ended: its frame is another domain's by now. */
static void resource_of_another(void)
{
	start();
	CHECK_EQ(populate(OTHER, 50, 0), 1);
	take(10);
	resource = at(10, NULL);
	CHECK_EQ(acquire_at_20(), -EBUSY);
	CHECK_EQ(frame_count(resource), 1);
	resource = p2m_lookup(&foreigner.p2m, _gfn(50), NULL, NULL);
	CHECK_EQ(acquire_at_20(), 0);
	CHECK_EQ(frame_count(resource), 2);
	CHECK_EQ(physmap_vacate(&d, _gfn(20)), 0);
	CHECK_EQ(frame_count(resource), 1);
	all_is_there();
}

/* Half of an extent can be given back, which is worth knowing. */
static void half_given_back(void)
{
	xen_pfn_t gfn = 40;
	struct xen_memory_reservation r = {
		.nr_extents = 1, .extent_order = 1, .domid = 1};

	start();
	take(40);
	p2m_lock(&d.p2m);
	p2m_set(&d.p2m, _gfn(41), _mfn(5), 1, P2M_GRANT_RW);
	p2m_unlock(&d.p2m);
	set_xen_guest_handle(r.extent_start, &gfn);
	told = 0;
	CHECK_EQ(mem_decrease_reservation(&vcpu, (uint64_t)&r, 0), 0);
	CHECK_EQ(d.tot_pages, 0);
	CHECK_EQ(told, 1);
}

/* What tools and the guest's size say of its tables. */
static void limits(void)
{
	start();
	d.max_pages = 128 * 1000;
	domain_limit_tables(&d);
	CHECK_EQ(d.p2m.max_tables, 2024);
	d.paging_pages = 5000;
	domain_limit_tables(&d);
	CHECK_EQ(d.p2m.max_tables, 5000);
	foreigner.privileged = true;
	domain_limit_tables(&foreigner);
	CHECK_EQ(foreigner.p2m.max_tables, 0);
}

static const struct test_case cases[] = {
	{"a page that is moved and given back", moved_and_given_back},
	{"a page that is moved to two places", moved_twice},
	{"a place that is taken twice", taken_twice},
	{"an extent across an empty leaf's end", extent_across_leaves},
	{"a move that cannot be", moved_to_nowhere},
	{"a move while writes are logged", moved_while_logged},
	{"two foreign pages for one place", foreign_twice},
	{"a resource whose frame is another's", resource_of_another},
	{"half of an extent given back", half_given_back},
	{"a limit of tables", limits},
};

int main(void)
{
	return RUN_CASES(cases);
}
