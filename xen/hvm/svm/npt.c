/* SPDX-License-Identifier: MIT */
/*
 * Entries of nested page tables (AMD APM Vol. 2, "Nested Paging"): those of
 * long mode. Walks count as user accesses, so the user bit is always set;
 * accessed and dirty are set beforehand, so that the processor need not write,
 * but for accessed where it is of use to know.
 * Memory types are left to the MTRRs and the guest's PAT.
 */
#include "hvm/svm/svm.h"

#define NPT_PRESENT  BIT(0)
#define NPT_WRITE    BIT(1)
#define NPT_USER     BIT(2)
#define NPT_ACCESSED BIT(5)
#define NPT_DIRTY    BIT(6)
#define NPT_NX       BIT(63)

#define RX  (NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY)
#define RWX (RX | NPT_WRITE)
#define R   (RX | NPT_NX)
#define RW  (RWX | NPT_NX)

/* Granted pages are often used by devices only: then no TLB has them. The rest
 * is not there, or emulated. */
#define LEAVES                                                                 \
	{                                                                      \
		[P2M_RAM_RW] = RWX, [P2M_SHARED] = RWX,                        \
		[P2M_MMIO_DIRECT] = RW, [P2M_FOREIGN] = RW,                    \
		[P2M_GRANT_RW] = RW & ~NPT_ACCESSED,                           \
		[P2M_GRANT_RO] = R & ~NPT_ACCESSED, [P2M_RAM_RO] = RX,         \
		[P2M_RAM_LOGDIRTY] = RX,                                       \
	}

struct p2m_format npt_format = {
	.name = "NPT",
	.leaf_bits = {LEAVES, LEAVES},
	.table_bits = NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED,
	.accessed = NPT_ACCESSED,
	.max_leaf_level = 2, /* 3 where the CPU has 1 GiB pages: svm.c */
};
