/* SPDX-License-Identifier: MIT */
/*
 * Granted frames in a PV domain's memory: entries of its level 1 tables, which
 * it names by the address that they map or by where they are. Such an entry
 * holds the frame as any other; grant/ has references of its own.
 */
#include "pv/pv.h"

#include "mem/layout.h"

#include <xen/grant_table.h>

/* The level 1 entry; the lock is held. */
static bool find_entry(struct vcpu *v, uint64_t addr, uint32_t flags,
		       mfn_t *table, unsigned int *index)
{
	uint64_t w;

	if (!(flags & GNTMAP_contains_pte))
		return pv_find_l1(v, addr, table, index);
	*table = maddr_to_mfn(addr);
	*index = (addr & ~PAGE_MASK) / sizeof(uint64_t);
	w = frame_word(*table);
	return !(addr & 7) && word_owner(w) == v->domain->id && pv_is_l1(w);
}

static uint64_t entry_for(mfn_t mfn, uint32_t flags)
{
	uint64_t pte = mfn_to_maddr(mfn) | PTE_P | PTE_US | PTE_A | PTE_D;

	if (!(flags & GNTMAP_readonly))
		pte |= PTE_RW;
	/* Bits of the guest's own, GNTMAP_guest_avail*. */
	return pte | (uint64_t)((flags >> _GNTMAP_guest_avail0) & 7) << 9;
}

/* Puts val where old_mfn is (INVALID_MFN: whatever is there). */
static int change(struct vcpu *v, uint64_t addr, uint32_t flags, mfn_t old_mfn,
		  uint64_t val, domid_t owner)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	struct pv_change c = {
		.d = v->domain, .owner = owner, .w = &v_mm(v)->work};
	int rc = GNTST_bad_virt_addr;
	unsigned int index;
	mfn_t table;

	spin_lock(&mm->lock);
	if ((val & PTE_P) && pv_is_ending(v->domain)) {
		rc = GNTST_general_error;
	} else if (find_entry(v, addr, flags, &table, &index)) {
		uint64_t old = ((uint64_t *)mfn_to_virt(table))[index];

		if (!mfn_eq(old_mfn, INVALID_MFN) &&
		    (!(old & PTE_P) || !mfn_eq(pte_mfn(old), old_mfn)))
			rc = GNTST_general_error;
		else
			rc = pv_change_l1(&c, table, index, val)
				     ? GNTST_general_error
				     : GNTST_okay;
	}
	spin_unlock(&mm->lock);
	return rc;
}

int pv_grant_map(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	return change(v, addr, flags, INVALID_MFN, entry_for(mfn, flags),
		      word_owner(frame_word(mfn)));
}

int pv_grant_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	return change(v, addr, flags, mfn, 0, v->domain->id);
}

/* The entry at new_addr goes to addr, and new_addr has none then. */
int pv_grant_replace(struct vcpu *v, uint64_t addr, mfn_t mfn,
		     uint64_t new_addr, uint32_t flags)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	unsigned int index;
	uint64_t pte = 0;
	mfn_t table;
	int rc;

	if (flags & GNTMAP_contains_pte)
		return GNTST_general_error;
	spin_lock(&mm->lock);
	if (pv_walk(v, new_addr, 1, &table, &index))
		pte = ((uint64_t *)mfn_to_virt(table))[index];
	spin_unlock(&mm->lock);
	if (!(pte & PTE_P))
		return GNTST_general_error;
	rc = change(v, addr, flags, mfn, pte, v->domain->id);
	if (rc == GNTST_okay)
		change(v, new_addr, flags, INVALID_MFN, 0, v->domain->id);
	return rc;
}

void pv_grant_flush(struct domain *d)
{
	pv_flush_stale(d);
	pv_finish_puts();
}
