/* SPDX-License-Identifier: MIT */
/*
 * A domain's memory grows and shrinks: increase_reservation,
 * decrease_reservation, populate_physmap (public/memory.h). The list of extents
 * is worked off one by one; the number done is the answer, and where a long
 * list is taken up again.
 */
#include "control/memory.h"

#include "console/printk.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

/* Extents up to 2 MiB are anybody's; larger ones, up to 1 GiB, the tools'. */
#define ORDER_GUEST 9
#define ORDER_TOOLS 18

struct extents {
	struct domain *d;
	struct xen_memory_reservation r;
	uint64_t list;
	unsigned int cmd;
};

/* 0: go on with one extent; 1: this one cannot be done; -errno. */
typedef int extent_fn(struct extents *e, uint64_t i);

static long run_extents(struct vcpu *v, uint64_t arg, uint64_t start,
			unsigned int cmd, extent_fn *fn)
{
	struct extents e = {.cmd = cmd};
	uint64_t i = start;

	if (copy_from_guest(&e.r, arg, sizeof(e.r)))
		return (long)start;
	/* More than the progress in the command's upper bits could count. */
	if (e.r.nr_extents > ~0UL >> MEMORY_PROGRESS_SHIFT)
		return (long)start;
	if (start >= e.r.nr_extents && (start || e.r.nr_extents))
		return (long)start;
	if (e.r.extent_order >
	    (v->domain->privileged ? ORDER_TOOLS : ORDER_GUEST))
		return (long)start;
	if (memory_target(v, e.r.domid, &e.d))
		return (long)start;
	e.list = guest_handle_va(e.r.extent_start);
	for (; i < e.r.nr_extents; i++) {
		if (i != start && hypercall_must_yield()) {
			put_domain(e.d);
			return memory_continue(v, cmd, i);
		}
		if (fn(&e, i))
			break;
	}
	put_domain(e.d);
	return (long)i;
}

static unsigned int alloc_flags(const struct extents *e)
{
	unsigned int bits = XENMEMF_get_address_bits(e->r.mem_flags);
	unsigned int flags = ALLOC_ZERO;

	if (bits && bits <= 32)
		flags |= ALLOC_BELOW_4G;
	/* "Populate on demand" populates here and now: a guest that may have
	 * more than it shall have is over its limit until its balloon, which
	 * it fills when it starts, has given the rest back. Until then its
	 * builder has a few more pages to add. */
	if (current->domain->privileged && !e->d->created &&
	    ((e->r.mem_flags & XENMEMF_populate_on_demand) ||
	     READ_ONCE(e->d->tot_pages) > READ_ONCE(e->d->max_pages)))
		flags |= DOMAIN_ALLOC_BEYOND_MAX;
	return flags;
}

/* Memory for gfn: in a domain mapped one to one, only its own frame will do. */
static mfn_t alloc_extent(struct extents *e, gfn_t gfn)
{
	if (e->d->identity)
		return domain_alloc_at(e->d, _mfn(gfn_x(gfn)),
				       e->r.extent_order);
	return domain_alloc_pages(e->d, e->r.extent_order, alloc_flags(e));
}

static void release_extent(struct domain *d, mfn_t mfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1UL << order; i++)
		if (d->kind->translated)
			frame_release(mfn_add(mfn, i), d->id);
		else
			d->kind->release_frame(d, mfn_add(mfn, i));
}

/* Frames of a domain that knows them by their machine numbers, which go where
 * the list has the domain's own. */
static int populate_untranslated(struct extents *e, uint64_t i, xen_pfn_t pfn)
{
	mfn_t mfn = domain_alloc_pages(e->d, e->r.extent_order, alloc_flags(e));
	xen_pfn_t raw = mfn_x(mfn);

	if (mfn_eq(mfn, INVALID_MFN))
		return 1;
	if (!e->d->kind->own_frames(e->d, mfn, 1UL << e->r.extent_order, pfn) &&
	    (!e->list || !copy_elem_to_guest(e->list, i, &raw)))
		return 0;
	release_extent(e->d, mfn, e->r.extent_order);
	return 1;
}

/* How far from gfn something is, at or behind from; n: nothing within n. */
static uint64_t next_used(struct p2m *p, uint64_t gfn, uint64_t from,
			  uint64_t n)
{
	for (uint64_t j = from; j < n; j++) {
		enum p2m_type t;
		unsigned int order;

		p2m_lookup(p, _gfn(gfn + j), &t, &order);
		if (t != P2M_NONE)
			return j;
		/* To the last that the empty leaf has. */
		j += ~(gfn + j) & ((1UL << order) - 1);
	}
	return n;
}

static int vacate_extent(struct domain *d, uint64_t gfn, uint64_t n)
{
	int rc = 0;

	for (uint64_t j = next_used(&d->p2m, gfn, 0, n); !rc && j < n;
	     j = next_used(&d->p2m, gfn, j + 1, n))
		rc = physmap_vacate(d, _gfn(gfn + j));
	return rc;
}

/* Where nothing is: another CPU may have been as quick, and what it entered
 * would be lost. */
static int enter_extent(struct p2m *p, gfn_t gfn, mfn_t mfn, uint64_t n)
{
	int rc = -EBUSY;

	p2m_lock(p);
	if (next_used(p, gfn_x(gfn), 0, n) == n) {
		rc = p2m_set(p, gfn, mfn, n, P2M_RAM_RW);
		if (rc)
			p2m_clear(p, gfn, n);
	}
	p2m_unlock(p);
	return rc;
}

static int populate_one(struct extents *e, uint64_t i)
{
	uint64_t n = 1UL << e->r.extent_order;
	xen_pfn_t gfn;
	mfn_t mfn;
	int rc;

	if (copy_elem_from_guest(&gfn, e->list, i))
		return 1;
	if (!e->d->kind->translated)
		return populate_untranslated(e, i, gfn);
	if (gfn + n < gfn || (gfn & (n - 1) && e->d->identity))
		return 1;
	if (vacate_extent(e->d, gfn, n))
		return 1;
	mfn = alloc_extent(e, _gfn(gfn));
	if (mfn_eq(mfn, INVALID_MFN))
		return 1;
	rc = enter_extent(&e->d->p2m, _gfn(gfn), mfn, n);
	p2m_flush(&e->d->p2m);
	if (rc)
		release_extent(e->d, mfn, e->r.extent_order);
	return rc ? 1 : 0;
}

long mem_populate_physmap(struct vcpu *v, uint64_t arg, uint64_t start)
{
	return run_extents(v, arg, start, XENMEM_populate_physmap,
			   populate_one);
}

/* A translated domain cannot say where it wants the pages; the tools may use
 * this call all the same only for PV. */
static int increase_one(struct extents *e, uint64_t i)
{
	if (e->d->kind->translated)
		return 1;
	return populate_untranslated(e, i, ~0UL);
}

long mem_increase_reservation(struct vcpu *v, uint64_t arg, uint64_t start)
{
	return run_extents(v, arg, start, XENMEM_increase_reservation,
			   increase_one);
}

static int release_one(struct domain *d, gfn_t gfn)
{
	enum p2m_type t = P2M_NONE;
	mfn_t mfn = _mfn(gfn_x(gfn));

	if (!d->kind->translated)
		return d->kind->release_frame(d, mfn) ? 0 : 1;
	p2m_lookup(&d->p2m, gfn, &t, NULL);
	if (t == P2M_NONE || t == P2M_MMIO_DM)
		return 0; /* ballooned already, as with Xen */
	if (!p2m_is_ram(t) && t != P2M_FOREIGN)
		return 1;
	return physmap_vacate(d, gfn) ? 1 : 0;
}

static int decrease_one(struct extents *e, uint64_t i)
{
	xen_pfn_t gfn;
	int rc = 0;

	if (copy_elem_from_guest(&gfn, e->list, i))
		return 1;
	for (uint64_t j = 0; !rc && j < 1UL << e->r.extent_order; j++)
		rc = release_one(e->d, _gfn(gfn + j));
	/* A part of it may be gone all the same. */
	if (e->d->kind->memory_left)
		e->d->kind->memory_left(e->d);
	return rc;
}

long mem_decrease_reservation(struct vcpu *v, uint64_t arg, uint64_t start)
{
	return run_extents(v, arg, start, XENMEM_decrease_reservation,
			   decrease_one);
}
