/* SPDX-License-Identifier: MIT */
/* A guest's page tables, read by us: through the direct map, under the lock. */
#include "pv/pv.h"

#include "mem/frame_word.h"
#include "mem/layout.h"

static unsigned int index_at(uint64_t va, unsigned int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

bool pv_walk(const struct vcpu *v, uint64_t va, unsigned int level,
	     mfn_t *table, unsigned int *index)
{
	mfn_t at = v_mm(v)->cr3_kernel;

	if (mfn_eq(at, INVALID_MFN) || (va >> 47 && va >> 47 != 0x1ffff) ||
	    !pv_guest_slot(4, index_at(va, 4)))
		return false;
	for (unsigned int l = 4; l > level; l--) {
		const uint64_t *t = mfn_to_virt(at);
		uint64_t e = READ_ONCE(t[index_at(va, l)]);

		if (!(e & PTE_P))
			return false;
		at = pte_mfn(e);
	}
	*table = at;
	*index = index_at(va, level);
	return true;
}

/* By a linear map a walk ends in a table of a higher level: its entries are
 * read as the processor reads them, but changed as what they are. */
bool pv_find_l1(const struct vcpu *v, uint64_t va, mfn_t *table,
		unsigned int *index)
{
	uint64_t w;

	if (!pv_walk(v, va, 1, table, index))
		return false;
	w = READ_ONCE(mfn_to_frame(*table)->word);
	return word_type(w) == FRAME_L1 && (w & FRAME_VALIDATED);
}

/* The entry that maps va; 0: none. */
static uint64_t leaf_entry(const struct vcpu *v, uint64_t va)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	unsigned int index;
	uint64_t e = 0;
	mfn_t table;

	spin_lock(&mm->lock);
	if (pv_walk(v, va, 1, &table, &index))
		e = READ_ONCE(((uint64_t *)mfn_to_virt(table))[index]);
	spin_unlock(&mm->lock);
	return e;
}

bool pv_find_page(struct vcpu *v, uint64_t va, gfn_t *gfn)
{
	uint64_t e = leaf_entry(v, va);

	*gfn = _gfn(mfn_x(pte_mfn(e)));
	return e & PTE_P;
}

bool pv_va_to_gfn(struct vcpu *v, uint64_t va, gfn_t *gfn)
{
	uint64_t e;

	/* Whoever asks for another vCPU, not yet up, means his own tables. */
	if (current && current->domain == v->domain)
		v = current;
	e = leaf_entry(v, va);
	if ((e & (PTE_P | PTE_RW)) != (PTE_P | PTE_RW))
		return false;
	*gfn = _gfn(mfn_x(pte_mfn(e)));
	return true;
}
