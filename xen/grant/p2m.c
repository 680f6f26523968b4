/* SPDX-License-Identifier: MIT */
/*
 * Grant mappings of translated domains: an entry P2M_GRANT_RW or P2M_GRANT_RO
 * at the frame that the guest names. The entry's reference is the mapping's
 * (maptrack.c); nobody but us makes or removes such entries.
 */
#include "grant/table.h"
#include "mem/frame.h"

/* Own memory that is there goes back, as if ballooned out; a guest that maps
 * over it cannot reach it again in any case. */
static int enter(struct domain *d, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		 mfn_t *replaced)
{
	enum p2m_type old;
	mfn_t there = p2m_lookup(&d->p2m, gfn, &old, NULL);

	if (p2m_is_ram(old))
		*replaced = there;
	else if (old != P2M_NONE && old != P2M_MMIO_DM)
		return GNTST_general_error;
	if (p2m_set(&d->p2m, gfn, mfn, 1, type)) {
		*replaced = INVALID_MFN;
		return GNTST_general_error;
	}
	return GNTST_okay;
}

int grant_p2m_map(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	struct domain *d = v->domain;
	mfn_t replaced = INVALID_MFN;
	int err;

	if ((flags & ~GNTMAP_readonly) != GNTMAP_host_map)
		return GNTST_general_error;
	p2m_lock(&d->p2m);
	err = enter(d, gpa_to_gfn(addr), mfn,
		    flags & GNTMAP_readonly ? P2M_GRANT_RO : P2M_GRANT_RW,
		    &replaced);
	p2m_unlock(&d->p2m);
	if (!mfn_eq(replaced, INVALID_MFN)) {
		p2m_flush(&d->p2m);
		frame_release(replaced, d->id);
	}
	return err;
}

int grant_p2m_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	struct domain *d = v->domain;
	gfn_t gfn = gpa_to_gfn(addr);
	int err = GNTST_general_error;
	enum p2m_type type;
	mfn_t there;

	if (flags & GNTMAP_contains_pte)
		return GNTST_general_error;
	p2m_lock(&d->p2m);
	there = p2m_lookup(&d->p2m, gfn, &type, NULL);
	if (p2m_is_grant(type) && mfn_eq(there, mfn)) {
		p2m_clear(&d->p2m, gfn, 1);
		err = GNTST_okay;
	}
	p2m_unlock(&d->p2m);
	return err;
}
