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

/* One side of a copy. */
struct side {
	struct domain *d; /* held; NULL: nothing is */
	domid_t id;       /* as the operation names it */
	bool by_ref, write;
	bool have_page;
	uint64_t which; /* the grant reference or the gfn */
	struct grant_use use;
	mfn_t mfn;
};

static void drop_page(struct side *s)
{
	if (!s->have_page)
		return;
	if (s->by_ref)
		grant_unuse(&s->use, GNTMAP_host_map, true);
	else
		put_guest_frame(s->mfn, s->write);
	s->have_page = false;
}

static void drop_side(struct side *s)
{
	drop_page(s);
	if (s->d)
		put_domain(s->d);
	s->d = NULL;
}

static int take_domain(struct side *s, domid_t id, bool by_ref)
{
	/* Only one's own memory may be named by frame. */
	if (id != DOMID_SELF && !by_ref)
		return GNTST_permission_denied;
	if (s->d && s->id == id)
		return GNTST_okay;
	drop_side(s);
	s->id = id;
	s->d = get_domain(id);
	return s->d ? GNTST_okay : GNTST_bad_domain;
}

static int take_ref(struct vcpu *v, struct side *s)
{
	int err;

	s->use = (struct grant_use){
		.granter = s->d,
		.user = v->domain->id,
		.ref = (uint32_t)s->which,
		.flags = GNTMAP_host_map | (s->write ? 0 : GNTMAP_readonly),
	};
	err = grant_use(&s->use);
	s->mfn = s->use.mfn;
	return err;
}

static int take_frame(struct side *s)
{
	enum p2m_type type;

	s->mfn = get_guest_frame(s->d, _gfn(s->which), s->write, &type);
	if (mfn_eq(s->mfn, INVALID_MFN))
		return GNTST_bad_page;
	if (type == P2M_FOREIGN || p2m_is_grant(type)) {
		put_guest_frame(s->mfn, s->write);
		return GNTST_bad_page;
	}
	return GNTST_okay;
}

static int take_page(struct vcpu *v, struct side *s, bool by_ref,
		     uint64_t which)
{
	int err;

	if (s->have_page && s->by_ref == by_ref && s->which == which)
		return GNTST_okay;
	drop_page(s);
	s->by_ref = by_ref;
	s->which = which;
	err = by_ref ? take_ref(v, s) : take_frame(s);
	s->have_page = !err;
	return err;
}

static int take_side(struct vcpu *v, struct side *s,
		     const struct gnttab_copy_ptr *p, bool by_ref)
{
	int err = take_domain(s, p->domid, by_ref);

	if (err)
		return err;
	return take_page(v, s, by_ref, by_ref ? p->u.ref : p->u.gmfn);
}

static bool in_page(uint16_t offset, uint16_t len)
{
	return offset <= PAGE_SIZE && len <= PAGE_SIZE - offset;
}

static int copy_one(struct vcpu *v, const struct gnttab_copy *op,
		    struct side *src, struct side *dst)
{
	int err =
		take_side(v, src, &op->source, op->flags & GNTCOPY_source_gref);

	if (!err)
		err = take_side(v, dst, &op->dest,
				op->flags & GNTCOPY_dest_gref);
	if (!err && (!in_page(op->source.offset, op->len) ||
		     !in_page(op->dest.offset, op->len)))
		err = GNTST_bad_copy_arg;
	if (err) {
		drop_side(src);
		drop_side(dst);
		return err;
	}
	memmove((char *)mfn_to_virt(dst->mfn) + op->dest.offset,
		(char *)mfn_to_virt(src->mfn) + op->source.offset, op->len);
	return GNTST_okay;
}

long grant_copy_array(struct vcpu *v, uint64_t uop, uint32_t count,
		      uint32_t *done)
{
	struct gnttab_copy op[CHUNK];
	struct side src = {0}, dst = {.write = true};
	long err = 0;

	while (!err && *done < count) {
		uint32_t n = min(count - *done, CHUNK);

		err = copy_array_from_guest(op, uop, *done, n, sizeof(op[0]));
		if (err)
			break;
		for (uint32_t i = 0; i < n; i++)
			op[i].status = (int16_t)copy_one(v, &op[i], &src, &dst);
		err = copy_array_to_guest(uop, *done, op, n, sizeof(op[0]));
		*done += n;
		if (!err && *done < count && hypercall_must_yield())
			err = -ERESTART;
	}
	drop_side(&src);
	drop_side(&dst);
	return err;
}
