/* SPDX-License-Identifier: MIT */
/*
 * What else than RAM appears in a guest's physical memory: shared info, grant
 * frames, other domains' pages, resources (public/memory.h).
 */
#include "control/memory.h"

#include "console/printk.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "grant/grant.h"
#include "lib/errno.h"
#include "mem/frame.h"
#include "mem/layout.h"

/* Puts mfn, or with P2M_NONE nothing, where old is from then on. Lock held: two
 * CPUs may want the same place, and each thing that stands there is given back
 * once. */
static int replace(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		   struct p2m_place *old)
{
	p2m_find(p, gfn, old);
	if (p2m_is_grant(old->type) || old->type == P2M_MMIO_DIRECT)
		return -EBUSY;
	if (type == P2M_NONE && old->type == P2M_NONE)
		return 0;
	return p2m_replace(p, old, mfn, type);
}

/* What replace() found. Nobody may still reach the frame then. */
static void give_back(struct domain *d, const struct p2m_place *old)
{
	p2m_flush(&d->p2m);
	if (p2m_is_ram(old->type))
		frame_release(old->mfn, d->id);
	else if (old->type == P2M_FOREIGN)
		put_page(old->mfn);
}

/* Enters one frame; the caller's reference, if type needs one, is taken over
 * on success. */
static int enter_frame(struct domain *d, gfn_t gfn, mfn_t mfn,
		       enum p2m_type type)
{
	struct p2m_place old;
	int rc;

	p2m_lock(&d->p2m);
	rc = replace(&d->p2m, gfn, mfn, type, &old);
	p2m_unlock(&d->p2m);
	if (!rc && old.type != P2M_NONE)
		give_back(d, &old);
	return rc;
}

int physmap_vacate(struct domain *d, gfn_t gfn)
{
	return enter_frame(d, gfn, INVALID_MFN, P2M_NONE);
}

/* Page idx of other goes to gfn of d, writable there if other has it so. */
static int map_foreign(struct domain *d, struct domain *other, gfn_t idx,
		       gfn_t gfn)
{
	enum p2m_type t;
	domid_t owner;
	mfn_t mfn;
	int rc;

	if (other == d)
		return -EINVAL;
	if (other->kind->translated) {
		mfn = p2m_lookup(&other->p2m, idx, &t, NULL);
		if (!p2m_is_ram(t) && t != P2M_SHARED)
			return -EINVAL;
	} else {
		mfn = _mfn(gfn_x(idx));
	}
	/* It may have moved on since: then it is not other's any more. */
	if (!get_page_any(mfn, &owner))
		return -EINVAL;
	rc = owner == other->id ? enter_frame(d, gfn, mfn, P2M_FOREIGN)
				: -EINVAL;
	if (rc)
		put_page(mfn);
	return rc;
}

/* The page at from goes to where old is from then on. Lock held, from the look
 * at it until it is there: it may not be given back, or moved, in between. */
static int move(struct p2m *p, gfn_t from, gfn_t to, struct p2m_place *old)
{
	struct p2m_place page;
	int rc;

	if (p->closed)
		return -ESRCH;
	p2m_find(p, from, &page);
	if (!p2m_is_ram(page.type))
		return -EINVAL;
	rc = p2m_clear(p, from, 1);
	if (rc)
		return rc;
	/* Whoever logs what is written has seen nothing of this at to. */
	rc = replace(p, to, page.mfn,
		     page.type == P2M_RAM_LOGDIRTY ? P2M_RAM_RW : page.type,
		     old);
	if (!rc)
		return 0;
	/* It goes back to a place that has its table still. */
	BUG_ON(p2m_set(p, from, page.mfn, 1, page.type));
	return rc;
}

int physmap_move(struct domain *d, gfn_t from, gfn_t to)
{
	struct p2m_place old;
	int rc;

	if (gfn_eq(from, to))
		return 0;
	if (d->identity)
		return -EOPNOTSUPP;
	p2m_lock(&d->p2m);
	rc = move(&d->p2m, from, to, &old);
	p2m_unlock(&d->p2m);
	if (!rc)
		give_back(d, &old);
	return rc;
}

int physmap_set_type(struct domain *d, gfn_t gfn, enum p2m_type type)
{
	bool ram = type != P2M_MMIO_DM;
	enum p2m_type t;
	mfn_t mfn;
	int rc;

	p2m_lock(&d->p2m);
	mfn = p2m_lookup(&d->p2m, gfn, &t, NULL);
	if (p2m_is_ram(t))
		rc = ram ? p2m_set(&d->p2m, gfn, mfn, 1, type) : -EINVAL;
	else if (t == P2M_NONE && !ram)
		rc = p2m_set(&d->p2m, gfn, INVALID_MFN, 1, type);
	else if (t == P2M_MMIO_DM)
		rc = type == P2M_RAM_RW ? p2m_clear(&d->p2m, gfn, 1) : -EINVAL;
	else
		rc = -EINVAL;
	p2m_unlock(&d->p2m);
	return rc;
}

/* Firmware that had it before may have cleared it: the clocks go in anew. */
static int map_shared_info(struct domain *d, gfn_t gfn)
{
	int rc = enter_frame(d, gfn, virt_to_mfn(d->shared_info), P2M_SHARED);
	struct vcpu *v;

	if (rc)
		return rc;
	for_each_vcpu(d, v)
		vcpu_update_time(v);
	domain_update_wallclock(d);
	return 0;
}

static int add_one(struct domain *d, unsigned int space, struct domain *other,
		   uint64_t idx, gfn_t gfn)
{
	mfn_t mfn;
	int rc;

	if (!d->kind->translated)
		return space == XENMAPSPACE_shared_info ? 0 : -EOPNOTSUPP;
	switch (space) {
	case XENMAPSPACE_shared_info:
		return idx ? -EINVAL : map_shared_info(d, gfn);
	case XENMAPSPACE_grant_table:
		rc = grant_table_frame(d, idx, &mfn);
		return rc ? rc : enter_frame(d, gfn, mfn, P2M_SHARED);
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return physmap_move(d, _gfn(idx), gfn);
	case XENMAPSPACE_gmfn_foreign:
		return map_foreign(d, other, _gfn(idx), gfn);
	}
	return -EINVAL;
}

long mem_add_to_physmap(struct vcpu *v, uint64_t arg, uint64_t start)
{
	struct xen_add_to_physmap a;
	uint64_t n, i = start;
	struct domain *d;
	long rc;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	/* Foreign pages need to name a domain: only the batch does. */
	if (a.space == XENMAPSPACE_gmfn_foreign)
		return -ENOSYS;
	rc = memory_target(v, a.domid, &d);
	if (rc)
		return rc;
	n = a.space == XENMAPSPACE_gmfn_range ? a.size : 1;
	for (; i < n && !rc; i++) {
		if (i != start && hypercall_must_yield()) {
			rc = memory_continue(v, XENMEM_add_to_physmap, i);
			break;
		}
		rc = add_one(d, a.space, NULL, a.idx + i, _gfn(a.gpfn + i));
	}
	put_domain(d);
	return rc;
}

static long batch_entry(const struct xen_add_to_physmap_batch *b,
			struct domain *d, struct domain *other, uint64_t i)
{
	xen_ulong_t idx;
	xen_pfn_t gpfn;
	int err;

	if (copy_elem_from_guest(&idx, guest_handle_va(b->idxs), i) ||
	    copy_elem_from_guest(&gpfn, guest_handle_va(b->gpfns), i))
		return -EFAULT;
	err = add_one(d, b->space, other, idx, _gfn(gpfn));
	if (copy_elem_to_guest(guest_handle_va(b->errs), i, &err))
		return -EFAULT;
	return 0;
}

long mem_add_to_physmap_batch(struct vcpu *v, uint64_t arg, uint64_t start)
{
	struct xen_add_to_physmap_batch b;
	struct domain *d, *other = NULL;
	long rc;

	if (copy_from_guest(&b, arg, sizeof(b)))
		return -EFAULT;
	if (b.space == XENMAPSPACE_gmfn_range || start > b.size)
		return -EINVAL;
	if (b.space != XENMAPSPACE_gmfn_foreign && b.u.res0)
		return -EOPNOTSUPP;
	rc = memory_target(v, b.domid, &d);
	if (rc)
		return rc;
	if (b.space == XENMAPSPACE_gmfn_foreign)
		rc = memory_target(v, b.u.foreign_domid, &other);
	for (uint64_t i = start; i < b.size && !rc; i++) {
		if (i != start && hypercall_must_yield())
			rc = memory_continue(v, XENMEM_add_to_physmap_batch, i);
		else
			rc = batch_entry(&b, d, other, i);
	}
	if (other)
		put_domain(other);
	put_domain(d);
	return rc;
}

long mem_remove_from_physmap(struct vcpu *v, uint64_t arg,
			     uint64_t start __maybe_unused)
{
	struct xen_remove_from_physmap r;
	enum p2m_type t;
	struct domain *d;
	long rc;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	rc = memory_target(v, r.domid, &d);
	if (rc)
		return rc;
	rc = -EINVAL;
	if (d->kind->translated) {
		p2m_lookup(&d->p2m, _gfn(r.gpfn), &t, NULL);
		rc = t == P2M_NONE ? -ENOENT : physmap_vacate(d, _gfn(r.gpfn));
	}
	put_domain(d);
	return rc;
}

/* Frame of a resource, held; 0 or -errno. */
static int resource_frame(struct domain *d,
			  const struct xen_mem_acquire_resource *r,
			  uint64_t frame, mfn_t *mfn)
{
	domid_t owner;
	int rc;

	if (r->type == XENMEM_resource_ioreq_server && d->kind->ioreq_frame)
		rc = d->kind->ioreq_frame(d, r->id, frame, mfn);
	else if (r->type != XENMEM_resource_grant_table)
		rc = -EOPNOTSUPP;
	else if (r->id != XENMEM_resource_grant_table_id_shared)
		rc = -EINVAL;
	else
		rc = grant_table_frame(d, frame, mfn);
	if (rc)
		return rc;
	/* What it was may have ended since, and the frame be another's. */
	if (!get_page_any(*mfn, &owner))
		return -EBUSY;
	if (owner == d->id)
		return 0;
	put_page(*mfn);
	return -EBUSY;
}

static int resource_size(struct domain *d,
			 const struct xen_mem_acquire_resource *r,
			 uint32_t *size)
{
	if (r->type == XENMEM_resource_ioreq_server && d->kind->ioreq_size)
		return d->kind->ioreq_size(d, r->id, size);
	if (r->type != XENMEM_resource_grant_table)
		return -EOPNOTSUPP;
	if (r->id != XENMEM_resource_grant_table_id_shared)
		return -EINVAL;
	*size = grant_max_frames(d);
	return 0;
}

static long map_resource(struct vcpu *v, struct domain *d,
			 const struct xen_mem_acquire_resource *r, uint64_t i)
{
	uint64_t list = guest_handle_va(r->frame_list);
	xen_pfn_t gfn;
	mfn_t mfn;
	int rc = resource_frame(d, r, r->frame + i, &mfn);

	if (rc)
		return rc;
	if (!v->domain->kind->translated) {
		gfn = mfn_x(mfn);
		rc = copy_elem_to_guest(list, i, &gfn);
		put_page(mfn);
		return rc;
	}
	rc = copy_elem_from_guest(&gfn, list, i);
	if (!rc)
		rc = enter_frame(v->domain, _gfn(gfn), mfn, P2M_FOREIGN);
	if (rc)
		put_page(mfn);
	return rc;
}

long mem_acquire_resource(struct vcpu *v, uint64_t arg, uint64_t start)
{
	struct xen_mem_acquire_resource r;
	struct domain *d;
	long rc;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.pad)
		return -EINVAL;
	if (start > r.nr_frames || r.frame + r.nr_frames < r.frame)
		return -EINVAL;
	rc = memory_target(v, r.domid, &d);
	if (rc)
		return rc;
	if (d == v->domain) {
		rc = -EPERM;
	} else if (!r.nr_frames) {
		rc = guest_handle_va(r.frame_list)
			     ? -EINVAL
			     : resource_size(d, &r, &r.nr_frames);
		if (!rc)
			rc = copy_to_guest(arg, &r, sizeof(r));
	} else {
		for (uint64_t i = start; i < r.nr_frames && !rc; i++) {
			if (i != start && hypercall_must_yield())
				rc = memory_continue(v, XENMEM_acquire_resource,
						     i);
			else
				rc = map_resource(v, d, &r, i);
			/* Part of the list is in place: say so. */
			if (rc && rc != -ERESTART && i)
				rc = -EIO;
		}
	}
	put_domain(d);
	return rc;
}
