/* SPDX-License-Identifier: MIT */
/*
 * Granted frames in a PV domain's memory: entries of its level 1 tables, which
 * it names by the address that they map or by where they are. Such an entry
 * holds the frame as any other; grant/ has references of its own.
 */
#include "pv/pv.h"

#include "lib/atomic.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

#include <xen/grant_table.h>

/* The level 1 entry, or NULL; the lock is held. */
static inline uint64_t *find_entry(struct vcpu *v, uint64_t addr,
				   uint32_t flags)
{
	mfn_t table = maddr_to_mfn(addr);
	uint64_t w;

	if (likely(!(flags & GNTMAP_contains_pte)))
		return pv_l1_at(v, addr);
	w = frame_word(table);
	return !(addr & 7) && word_owner(w) == v->domain->id && pv_is_l1(w)
		       ? maddr_to_virt(addr)
		       : NULL;
}

static uint64_t entry_for(mfn_t mfn, uint32_t flags)
{
	/* Not accessed: if it stays so, no TLB has it. */
	uint64_t pte = mfn_to_maddr(mfn) | PTE_P | PTE_US | PTE_D;

	if (!(flags & GNTMAP_readonly))
		pte |= PTE_RW;
	/* Bits of the guest's own, GNTMAP_guest_avail*. */
	return pte | (uint64_t)((flags >> _GNTMAP_guest_avail0) & 7) << 9;
}

/* Whatever is at *e becomes val, which maps a frame of owner's. Lock held. */
static int change(struct vcpu *v, uint64_t *e, uint64_t val, domid_t owner)
{
	struct pv_change c = {
		.d = v->domain, .owner = owner, .w = &v_mm(v)->work};

	return pv_change_l1(&c, e, val) ? GNTST_general_error : GNTST_okay;
}

/* The usual: nothing is there yet, and the frame is memory. */
static inline int enter(struct vcpu *v, uint64_t *e, mfn_t mfn, uint64_t pte)
{
	domid_t owner = word_owner(frame_table[mfn_x(mfn)].word);

	if (unlikely(*e & PTE_P) ||
	    !(pte & PTE_RW ? get_writable_page(mfn, owner)
			   : get_page(mfn, owner)))
		return change(v, e, pte, owner);
	atomic_set(e, pte);
	return GNTST_okay;
}

int pv_grant_map(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	int rc = GNTST_bad_virt_addr;
	uint64_t *e;

	spin_lock(&mm->lock);
	if (pv_is_ending(v->domain)) {
		rc = GNTST_general_error;
	} else {
		e = find_entry(v, addr, flags);
		if (likely(e))
			rc = enter(v, e, mfn, entry_for(mfn, flags));
	}
	spin_unlock(&mm->lock);
	return rc;
}

int pv_grant_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	int rc = GNTST_bad_virt_addr;
	uint64_t *e;

	spin_lock(&mm->lock);
	e = find_entry(v, addr, flags);
	if (e && (!(*e & PTE_P) || !mfn_eq(pte_mfn(*e), mfn))) {
		rc = GNTST_general_error;
	} else if (e) {
		/* The processor may mark it up to this moment. */
		uint64_t old = atomic_xchg(e, 0);

		pv_l1_changed(v->domain, old);
		pv_l1_put(v->domain, old);
		rc = GNTST_okay;
	}
	spin_unlock(&mm->lock);
	return rc;
}

/* The entry at from goes to *e, if that maps mfn. Lock held. */
static int move(struct vcpu *v, uint64_t *e, mfn_t mfn, uint64_t *from)
{
	domid_t self = v->domain->id;
	int rc;

	if (pv_is_ending(v->domain) || !from || !(*from & PTE_P))
		return GNTST_general_error;
	if (!e)
		return GNTST_bad_virt_addr;
	if (!(*e & PTE_P) || !mfn_eq(pte_mfn(*e), mfn))
		return GNTST_general_error;
	rc = change(v, e, *from, self);
	if (rc == GNTST_okay)
		change(v, from, 0, self);
	return rc;
}

/* The entry at new_addr goes to addr, and new_addr has none then. */
int pv_grant_replace(struct vcpu *v, uint64_t addr, mfn_t mfn,
		     uint64_t new_addr, uint32_t flags)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	int rc;

	if (flags & GNTMAP_contains_pte)
		return GNTST_general_error;
	spin_lock(&mm->lock);
	rc = move(v, pv_l1_at(v, addr), mfn, pv_l1_at(v, new_addr));
	spin_unlock(&mm->lock);
	return rc;
}

void pv_grant_flush(struct domain *d)
{
	pv_flush_stale(d);
	pv_finish_puts();
}
