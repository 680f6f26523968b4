/* SPDX-License-Identifier: MIT */
/* A guest's page tables, read by us: through the direct map, under the lock. */
#include "pv/pv.h"

#include "mem/frame_word.h"
#include "mem/layout.h"

static inline unsigned int index_at(uint64_t va, unsigned int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

/* From the table of that level to the one below it. */
static inline bool descend(paddr_t *table, uint64_t va, unsigned int level)
{
	const uint64_t *t = maddr_to_virt(*table);
	uint64_t e = READ_ONCE(t[index_at(va, level)]);

	*table = e & PTE_ADDR;
	return e & PTE_P;
}

/* Where the entry of that level is, or NULL. */
static inline uint64_t *walk(const struct vcpu *v, uint64_t va,
			     unsigned int level)
{
	mfn_t base = v_mm(v)->cr3_kernel;
	paddr_t at = mfn_to_maddr(base);

	/* Canonical, and not ours. */
	if (mfn_eq(base, INVALID_MFN) ||
	    (uint64_t)(((int64_t)va >> 47) + 1) > 1 ||
	    !pv_guest_slot(4, index_at(va, 4)))
		return NULL;
	if ((level < 4 && !descend(&at, va, 4)) ||
	    (level < 3 && !descend(&at, va, 3)) ||
	    (level < 2 && !descend(&at, va, 2)))
		return NULL;
	return (uint64_t *)maddr_to_virt(at) + index_at(va, level);
}

bool pv_walk(const struct vcpu *v, uint64_t va, unsigned int level,
	     mfn_t *table, unsigned int *index)
{
	uint64_t *e = walk(v, va, level);

	if (!e)
		return false;
	*table = virt_to_mfn(e);
	*index = index_at(va, level);
	return true;
}

/* By a linear map a walk ends in a table of a higher level: its entries are
 * read as the processor reads them, but changed as what they are. */
uint64_t *pv_l1_at(const struct vcpu *v, uint64_t va)
{
	uint64_t *e = walk(v, va, 1);

	return e && pv_is_l1(frame_table[mfn_x(virt_to_mfn(e))].word) ? e
								      : NULL;
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
