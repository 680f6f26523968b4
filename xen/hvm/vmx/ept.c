/* SPDX-License-Identifier: MIT */
/*
 * Entries of extended page tables (Intel SDM Vol. 3, "EPT Paging Structures").
 * Accessed and dirty are set beforehand, so that the processor need not write,
 * but where that is what it shall tell.
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

#define R   (EPT_READ | EPT_ACCESSED | EPT_DIRTY | EPT_WB)
#define RX  (R | EPT_EXEC)
#define RW  (R | EPT_WRITE)
#define RWX (RX | EPT_WRITE)

/* The rest is not there, or emulated. */
#define LEAVES                                                                 \
	{                                                                      \
		[P2M_RAM_RW] = RWX, [P2M_SHARED] = RWX,                        \
		[P2M_MMIO_DIRECT] = (RW & ~EPT_WB) | EPT_UC,                   \
		[P2M_FOREIGN] = RW, [P2M_GRANT_RW] = RW, [P2M_GRANT_RO] = R,   \
		[P2M_RAM_LOGDIRTY] = RX, [P2M_RAM_RO] = RX,                    \
	}

struct p2m_format ept_format = {
	.name = "EPT",
	.leaf_bits = {LEAVES, LEAVES},
	.table_bits = EPT_READ | EPT_WRITE | EPT_EXEC | EPT_ACCESSED,
	.max_leaf_level = 1,
};

void vmx_ept_init(void)
{
	uint64_t *leaf = ept_format.leaf_bits[0];

	ept_format.max_leaf_level = vmx_caps.ept_1g   ? 3
				    : vmx_caps.ept_2m ? 2
						      : 1;
	/* Granted pages are often used by devices only: then no TLB has them,
	 * if the processor says which it has. */
	if (vmx_caps.ept_ad) {
		ept_format.accessed = EPT_ACCESSED;
		leaf[P2M_GRANT_RW] &= ~EPT_ACCESSED;
		leaf[P2M_GRANT_RO] &= ~EPT_ACCESSED;
	}
	/* A page's first write is logged (pml.c); that of a larger one exits,
	 * and splits it. */
	if (vmx_caps.pml)
		leaf[P2M_RAM_LOGDIRTY] = RWX & ~EPT_DIRTY;
}
