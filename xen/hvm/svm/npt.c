/* SPDX-License-Identifier: MIT */
/*
 * Entries of nested page tables (AMD APM Vol. 2, "Nested Paging"): those of
 * long mode. Walks count as user accesses, so the user bit is always set;
 * accessed and dirty are set beforehand, so that the processor need not write.
 * Memory types are left to the MTRRs and the guest's PAT.
 */
#include "hvm/svm/svm.h"

#define NPT_PRESENT  BIT(0)
#define NPT_WRITE    BIT(1)
#define NPT_USER     BIT(2)
#define NPT_ACCESSED BIT(5)
#define NPT_DIRTY    BIT(6)
#define NPT_NX       BIT(63)

static uint64_t npt_leaf_bits(enum p2m_type type, mfn_t mfn, unsigned int level)
{
	uint64_t bits = NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY;

	(void)mfn;
	(void)level;
	switch (type) {
	case P2M_RAM_RW:
	case P2M_SHARED:
		return bits | NPT_WRITE;
	case P2M_MMIO_DIRECT:
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
		return bits | NPT_WRITE | NPT_NX;
	case P2M_GRANT_RO:
		return bits | NPT_NX;
	case P2M_RAM_RO:
	case P2M_RAM_LOGDIRTY:
		return bits;
	default: /* nothing there, or emulated */
		return 0;
	}
}

struct p2m_format npt_format = {
	.name = "NPT",
	.leaf_bits = npt_leaf_bits,
	.table_bits = NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED,
	.max_leaf_level = 2, /* 3 where the CPU has 1 GiB pages: svm.c */
};
