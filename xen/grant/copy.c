/* SPDX-License-Identifier: MIT */
/*
 * Copying between a granted frame and the caller's memory, or two granted
 * frames. Consecutive operations on the same page keep it held.
 */
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "grant/table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/layout.h"

#define CHUNK 16U

/*
 * One side of a copy. A frame that is held stays so for the next operations;
 * the caller's own memory needs no hold (domain.h, own_page), but for what is
 * unusual.
 */
struct side {
	struct domain *granter; /* held; NULL: none */
	domid_t id;             /* the granter as the operations name it */
	bool write;
	enum { NOTHING, GRANTED, OWN } held;
	uint64_t gfn;         /* OWN */
	struct grant_use use; /* GRANTED; use.mfn: the frame of both */
};

static inline void begin_side(struct side *s, bool write)
{
	s->granter = NULL;
	s->write = write;
	s->held = NOTHING;
}

static inline void drop_page(struct side *s)
{
	if (s->held == GRANTED)
		grant_unuse(&s->use, GNTMAP_host_map, true);
	else if (unlikely(s->held == OWN))
		put_guest_frame(s->use.mfn, s->write);
	s->held = NOTHING;
}

static inline void drop_side(struct side *s)
{
	if (s->held)
		drop_page(s);
	if (s->granter)
		put_domain(s->granter);
	s->granter = NULL;
}

/* The frame that id has granted as ref. GNTST_*. */
static int hold_granted(struct vcpu *v, struct side *s, domid_t id,
			uint32_t ref)
{
	int err;

	if (s->held == GRANTED && s->id == id && s->use.ref == ref)
		return GNTST_okay;
	if (s->held)
		drop_page(s);
	if (unlikely(s->granter && s->id != id))
		drop_side(s);
	if (!s->granter) {
		s->id = id;
		s->granter = get_domain(id);
	}
	if (!s->granter)
		return GNTST_bad_domain;
	s->use.granter = s->granter;
	s->use.user = v->domain->id;
	s->use.ref = ref;
	s->use.flags = GNTMAP_host_map | (s->write ? 0 : GNTMAP_readonly);
	err = grant_use(&s->use);
	if (!err)
		s->held = GRANTED;
	return err;
}

/* The caller's frame gfn, held; NULL: it is no memory, or another's. */
static char *hold_own(struct vcpu *v, struct side *s, gfn_t gfn)
{
	enum p2m_type type;
	mfn_t mfn;

	if (s->held == OWN && s->gfn == gfn_x(gfn))
		return mfn_to_virt(s->use.mfn);
	drop_page(s);
	mfn = get_guest_frame(v->domain, gfn, s->write, &type);
	if (mfn_eq(mfn, INVALID_MFN))
		return NULL;
	if (type == P2M_FOREIGN || p2m_is_grant(type)) {
		put_guest_frame(mfn, s->write);
		return NULL;
	}
	s->use.mfn = mfn;
	s->gfn = gfn_x(gfn);
	s->held = OWN;
	return mfn_to_virt(mfn);
}

static int check_side(struct vcpu *v, struct side *s,
		      const struct gnttab_copy_ptr *p, bool by_ref)
{
	if (by_ref)
		return hold_granted(v, s, p->domid, p->u.ref);
	/* Ends here, since it takes a lock. */
	if (s->held == GRANTED)
		drop_page(s);
	/* Only one's own memory may be named by frame. */
	return p->domid == DOMID_SELF ? GNTST_okay : GNTST_permission_denied;
}

/* check_side() done, interrupts off. */
static inline char *find_page(struct vcpu *v, struct side *s,
			      const struct gnttab_copy_ptr *p, bool by_ref)
{
	const struct domain_kind *k = v->domain->kind;
	char *page;

	if (by_ref)
		return mfn_to_virt(s->use.mfn);
	page = k->own_page ? k->own_page(v, _gfn(p->u.gmfn)) : NULL;
	return likely(page) ? page : hold_own(v, s, _gfn(p->u.gmfn));
}

static bool in_page(uint16_t offset, uint16_t len)
{
	return offset <= PAGE_SIZE && len <= PAGE_SIZE - offset;
}

/* Both sides are checked. */
static int do_copy(struct vcpu *v, const struct gnttab_copy *op,
		   struct side *src, struct side *dst)
{
	unsigned long flags = local_irq_save();
	int err = GNTST_bad_page;
	char *from, *to = NULL;

	from = find_page(v, src, &op->source, op->flags & GNTCOPY_source_gref);
	if (from)
		to = find_page(v, dst, &op->dest,
			       op->flags & GNTCOPY_dest_gref);
	if (to && in_page(op->source.offset, op->len) &&
	    in_page(op->dest.offset, op->len)) {
		if (likely(from != to))
			memcpy(to + op->dest.offset, from + op->source.offset,
			       op->len);
		else
			memmove(to + op->dest.offset, from + op->source.offset,
				op->len);
		err = GNTST_okay;
	} else if (to) {
		err = GNTST_bad_copy_arg;
	}
	local_irq_restore(flags);
	return err;
}

static int copy_one(struct vcpu *v, const struct gnttab_copy *op,
		    struct side *src, struct side *dst)
{
	int err = check_side(v, src, &op->source,
			     op->flags & GNTCOPY_source_gref);

	if (!err)
		err = check_side(v, dst, &op->dest,
				 op->flags & GNTCOPY_dest_gref);
	if (!err)
		err = do_copy(v, op, src, dst);
	if (err) {
		drop_side(src);
		drop_side(dst);
	}
	return err;
}

static long copy_single(struct vcpu *v, uint64_t uop)
{
	struct gnttab_copy op;
	struct side src, dst;

	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	begin_side(&src, false);
	begin_side(&dst, true);
	op.status = (int16_t)copy_one(v, &op, &src, &dst);
	drop_side(&src);
	drop_side(&dst);
	return copy_to_guest(uop + offsetof(struct gnttab_copy, status),
			     &op.status, sizeof(op.status));
}

long grant_copy_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_copy op[CHUNK];
	struct side src, dst;
	long err = 0;

	if (count == 1)
		return copy_single(v, uop);
	begin_side(&src, false);
	begin_side(&dst, true);
	while (count) {
		uint32_t n = min(count, CHUNK);

		err = grant_copy_in(op, uop, n, sizeof(op[0]));
		if (err)
			break;
		for (uint32_t i = 0; i < n; i++)
			op[i].status = (int16_t)copy_one(v, &op[i], &src, &dst);
		err = copy_to_guest(uop, op, n * sizeof(op[0]));
		uop += n * sizeof(op[0]);
		count -= n;
		if (err || !count)
			break;
		if (hypercall_must_yield()) {
			err = grant_give_way(v, uop, count);
			break;
		}
	}
	drop_side(&src);
	drop_side(&dst);
	return err;
}
