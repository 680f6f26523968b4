/* SPDX-License-Identifier: MIT */
/*
 * XENMEM_exchange (public/memory.h): frames of a domain that sees machine
 * frames against others, contiguous or within reach of a device. It goes chunk
 * by chunk, a chunk being one extent of the larger of both orders; what was
 * done so far is in the argument.
 */
#include "control/memory.h"

#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"

#define ORDER_CHUNK 9

struct exchange {
	struct domain *d;
	struct xen_memory_exchange x;
	uint64_t in, out; /* lists, in the caller's memory */
	unsigned int order;
	uint64_t *old; /* base frames of the chunk's extents */
	uint64_t *new;
};

static int check(struct vcpu *v, struct exchange *e)
{
	const struct xen_memory_reservation *in = &e->x.in, *out = &e->x.out;

	if (in->domid != out->domid)
		return -EINVAL;
	if (in->extent_order > ORDER_CHUNK || out->extent_order > ORDER_CHUNK)
		return -EPERM;
	if (in->nr_extents > ~0UL >> ORDER_CHUNK ||
	    out->nr_extents > ~0UL >> ORDER_CHUNK ||
	    in->nr_extents << in->extent_order !=
		    out->nr_extents << out->extent_order ||
	    e->x.nr_exchanged > in->nr_extents)
		return -EINVAL;
	e->order = max(in->extent_order, out->extent_order);
	/* Whole chunks only. */
	if (((in->nr_extents << in->extent_order) & ((1UL << e->order) - 1)) ||
	    ((e->x.nr_exchanged << in->extent_order) & ((1UL << e->order) - 1)))
		return -EINVAL;
	e->in = guest_handle_va(in->extent_start);
	e->out = guest_handle_va(out->extent_start);
	return (int)memory_target(v, in->domid, &e->d);
}

static mfn_t old_frame(const struct exchange *e, uint64_t k)
{
	unsigned int order = e->x.in.extent_order;

	return _mfn(e->old[k >> order] + (k & ((1UL << order) - 1)));
}

/* A frame of its own that nobody uses, and that is not in the list twice: else
 * it would stay, and the domain have more than it may. */
static bool hold(const struct exchange *e, mfn_t mfn)
{
	if (!get_page(mfn, e->d->id))
		return false;
	if (frame_is_allocated(mfn) && frame_type(mfn) != FRAME_SHARED &&
	    frame_count(mfn) == 2)
		return true;
	put_page(mfn);
	return false;
}

static void put_old(const struct exchange *e, uint64_t n)
{
	while (n--)
		put_page(old_frame(e, n));
}

/* The chunk's frames, all held, or none. */
static int hold_old(struct exchange *e)
{
	uint64_t n = 1UL << (e->order - e->x.in.extent_order);

	if (copy_array_from_guest(e->old, e->in, e->x.nr_exchanged, n,
				  sizeof(*e->old)))
		return -EFAULT;
	for (uint64_t k = 0; k < 1UL << e->order; k++) {
		mfn_t mfn = old_frame(e, k);

		if (mfn_x(mfn) >> (52 - PAGE_SHIFT) || !hold(e, mfn)) {
			put_old(e, k);
			return -EINVAL;
		}
	}
	return 0;
}

static void release(struct exchange *e, uint64_t mfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1UL << order; i++)
		e->d->kind->release_frame(e->d, _mfn(mfn + i));
}

/* One new extent: the domain's own, as its number from the list, which then has
 * the machine's. */
static int take_new(struct exchange *e, uint64_t index, uint64_t *raw)
{
	unsigned int bits = XENMEMF_get_address_bits(e->x.out.mem_flags);
	unsigned int order = e->x.out.extent_order;
	/* It has both for a moment. */
	unsigned int flags = ALLOC_ZERO | DOMAIN_ALLOC_BEYOND_MAX;
	xen_pfn_t pfn;
	mfn_t mfn;
	int rc;

	if (copy_elem_from_guest(&pfn, e->out, index))
		return -EFAULT;
	if (bits && bits <= 32)
		flags |= ALLOC_BELOW_4G;
	mfn = domain_alloc_pages(e->d, order, flags);
	if (mfn_eq(mfn, INVALID_MFN))
		return -ENOMEM;
	*raw = mfn_x(mfn);
	rc = e->d->kind->own_frames(e->d, mfn, 1UL << order, pfn);
	if (!rc && bits && bits < 64 &&
	    (mfn_to_maddr(mfn) + (PAGE_SIZE << order) - 1) >> bits)
		rc = -ENOMEM;
	if (!rc && copy_elem_to_guest(e->out, index, raw))
		rc = -EFAULT;
	if (rc)
		release(e, *raw, order);
	return rc;
}

static int take_chunk(struct exchange *e)
{
	unsigned int order = e->x.out.extent_order;
	uint64_t first = e->x.nr_exchanged << e->x.in.extent_order >> order;
	uint64_t n = 1UL << (e->order - order), have = 0;
	int rc = 0;

	while (!rc && have < n) {
		rc = take_new(e, first + have, &e->new[have]);
		have += !rc;
	}
	while (rc && have--)
		release(e, e->new[have], order);
	return rc;
}

static int do_chunk(struct exchange *e)
{
	uint64_t n = 1UL << (e->order - e->x.in.extent_order);
	int rc;

	/* Frames that it mapped while they were exchanged are its own still. */
	if (READ_ONCE(e->d->tot_pages) > READ_ONCE(e->d->max_pages))
		return -ENOMEM;
	rc = hold_old(e);
	if (rc)
		return rc;
	rc = take_chunk(e);
	for (uint64_t i = 0; !rc && i < n; i++)
		release(e, e->old[i], e->x.in.extent_order);
	put_old(e, 1UL << e->order);
	if (!rc)
		e->x.nr_exchanged += n;
	return rc;
}

static int do_chunks(struct exchange *e)
{
	int rc = 0;

	while (!rc && e->x.nr_exchanged < e->x.in.nr_extents) {
		rc = do_chunk(e);
		if (!rc && hypercall_must_yield() &&
		    e->x.nr_exchanged < e->x.in.nr_extents)
			return -ERESTART;
	}
	return rc;
}

static int run(struct exchange *e)
{
	int rc = -EOPNOTSUPP;

	if (!e->d->kind->translated) {
		e->old = alloc_page_virt(0);
		e->new = alloc_page_virt(0);
		rc = e->old && e->new ? do_chunks(e) : -ENOMEM;
		if (e->old)
			free_page_virt(e->old);
		if (e->new)
			free_page_virt(e->new);
	}
	put_domain(e->d);
	return rc;
}

long mem_exchange(struct vcpu *v, uint64_t arg, uint64_t start)
{
	struct exchange e = {};
	int rc;

	(void)start;
	if (v->domain->kind->translated)
		return -EOPNOTSUPP;
	if (copy_from_guest(&e.x, arg, sizeof(e.x)))
		return -EFAULT;
	rc = check(v, &e);
	if (rc)
		return rc;
	rc = run(&e);
	if (copy_to_guest(
		    arg + offsetof(struct xen_memory_exchange, nr_exchanged),
		    &e.x.nr_exchanged, sizeof(e.x.nr_exchanged)))
		return -EFAULT;
	return rc == -ERESTART ? memory_continue(v, XENMEM_exchange, 0) : rc;
}
