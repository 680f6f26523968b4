/* SPDX-License-Identifier: MIT */
/*
 * Entries of extended page tables (Intel SDM Vol. 3, "EPT Paging Structures").
 * Accessed and dirty are set beforehand, so that the processor need not write,
 * but for dirty where that is what it shall tell.
 * RAM is write-back, and the guest's PAT may make it anything; a device's
 * memory is uncached, and the guest's PAT may only make it write-combining.
 */
#include "hvm/vmx/vmx.h"

#define EPT_READ     BIT(0)
#define EPT_WRITE    BIT(1)
#define EPT_EXEC     BIT(2)
#define EPT_WB       (6UL << 3)
#define EPT_UC       0UL
#define EPT_ACCESSED BIT(8)
#define EPT_DIRTY    BIT(9)

static uint64_t ept_leaf_bits(enum p2m_type type, mfn_t mfn, unsigned int level)
{
	uint64_t bits = EPT_READ | EPT_ACCESSED | EPT_DIRTY;

	(void)mfn;
	switch (type) {
	case P2M_RAM_RW:
	case P2M_SHARED:
		return bits | EPT_WRITE | EPT_EXEC | EPT_WB;
	case P2M_MMIO_DIRECT:
		return bits | EPT_WRITE | EPT_UC;
	case P2M_FOREIGN:
	case P2M_GRANT_RW:
		return bits | EPT_WRITE | EPT_WB;
	case P2M_GRANT_RO:
		return bits | EPT_WB;
	case P2M_RAM_LOGDIRTY:
		bits |= EPT_EXEC | EPT_WB;
		/* Its first write is logged (pml.c); that of a larger one
		 * exits, and splits it. */
		return vmx_caps.pml && level == 1
			       ? (bits & ~EPT_DIRTY) | EPT_WRITE
			       : bits;
	case P2M_RAM_RO:
		return bits | EPT_EXEC | EPT_WB;
	default: /* nothing there, or emulated */
		return 0;
	}
}

struct p2m_format ept_format = {
	.name = "EPT",
	.leaf_bits = ept_leaf_bits,
	.table_bits = EPT_READ | EPT_WRITE | EPT_EXEC | EPT_ACCESSED,
	.max_leaf_level = 1, /* 2 and 3 where the CPU has them: vmx.c */
};
