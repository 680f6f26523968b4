/* SPDX-License-Identifier: MIT */
/*
 * Granted frames of other domains in a hardware container's memory: entries of
 * its p2m. grant/ holds the frames' references (domain/domain.h).
 */
#include "hvm/kind.h"
#include "mem/frame.h"

#include <xen/grant_table.h>

/* The address must be a whole page; a mapping for devices too (no IOMMU: the
 * same). Page tables of the guest are its own. */
static bool bad_address(uint64_t addr, uint32_t flags)
{
	return (addr & ~PAGE_MASK) || (flags & GNTMAP_contains_pte) ||
	       addr >> 48;
}

static enum p2m_type type_of(uint32_t flags)
{
	return flags & GNTMAP_readonly ? P2M_GRANT_RO : P2M_GRANT_RW;
}

int hvm_grant_map(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	struct p2m *p = &v->domain->p2m;
	int rc = GNTST_bad_virt_addr;
	struct p2m_place at;

	if (bad_address(addr, flags))
		return rc;
	p2m_lock(p);
	p2m_find(p, gpa_to_gfn(addr), &at);
	/* A device's entry was made by a mere look at the address (npf.c). */
	if (at.type == P2M_NONE || at.type == P2M_MMIO_DIRECT ||
	    p2m_is_ram(at.type))
		rc = p2m_replace(p, &at, mfn, type_of(flags))
			     ? GNTST_no_device_space
			     : GNTST_okay;
	p2m_unlock(p);
	/* Memory of the guest's own that stood there is given back. */
	if (rc == GNTST_okay && p2m_is_ram(at.type)) {
		p2m_flush(p);
		frame_release(at.mfn, v->domain->id);
	}
	return rc;
}

int hvm_grant_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	struct p2m *p = &v->domain->p2m;
	int rc = GNTST_general_error;
	struct p2m_place at;

	if (bad_address(addr, flags))
		return GNTST_bad_virt_addr;
	p2m_lock(p);
	p2m_find(p, gpa_to_gfn(addr), &at);
	if (p2m_is_grant(at.type) && mfn_eq(at.mfn, mfn) &&
	    !p2m_replace(p, &at, INVALID_MFN, P2M_NONE))
		rc = GNTST_okay;
	p2m_unlock(p);
	return rc;
}

int hvm_grant_replace(struct vcpu *v, uint64_t addr, mfn_t mfn,
		      uint64_t new_addr, uint32_t flags)
{
	(void)v;
	(void)addr;
	(void)mfn;
	(void)new_addr;
	(void)flags;
	/* Moves page-table entries: a thing of PV guests (as the stock
	 * hypervisor says). */
	return GNTST_general_error;
}

void hvm_grant_flush(struct domain *d)
{
	p2m_flush(&d->p2m);
}
