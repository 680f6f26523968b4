/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's virtual addresses. All lie in the range that the PV ABI
 * reserves for a hypervisor (public/arch-x86/xen-x86_64.h: 0xffff8000_00000000
 * to 0xffff87ff_ffffffff, L4 slots 256 to 271), so that PV guests can share
 * their address space with us. Usable in assembly.
 *
 *   slot 256  M2P table, readable by PV guests (machine_to_phys_mapping)
 *   slot 260  device registers and other uncached or temporary mappings
 *   slot 261  the image: text, data, per-CPU areas
 *   slot 262… all of memory, one to one (up to 5 TiB)
 */
#ifndef OSTLER_MEM_LAYOUT_H
#define OSTLER_MEM_LAYOUT_H

#ifdef __ASSEMBLER__
#define VADDR(x) x
#else
#define VADDR(x) x##UL
#endif

#define M2P_VIRT_START    VADDR(0xffff800000000000)
#define MMIO_VIRT_START   VADDR(0xffff820000000000)
#define MMIO_VIRT_END     VADDR(0xffff824000000000)
#define FRAMES_VIRT_START VADDR(0xffff826000000000) /* struct frame[] */
#define IMAGE_VIRT_START  VADDR(0xffff82d000000000)
#define DIRECT_VIRT_START VADDR(0xffff830000000000)
#define DIRECT_VIRT_END   VADDR(0xffff880000000000)

/* Where the image is linked to be loaded. */
#define IMAGE_PHYS_START VADDR(0x200000)

#define HYPERVISOR_FIRST_SLOT 256
#define HYPERVISOR_LAST_SLOT  271

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* All of RAM is mapped at DIRECT_VIRT_START, writable, not executable. */
static inline void *maddr_to_virt(paddr_t p)
{
#ifdef OSTLER_UNIT
	extern void *unit_maddr_to_virt(paddr_t);
	return unit_maddr_to_virt(p);
#else
	return (void *)(DIRECT_VIRT_START + p);
#endif
}
static inline void *mfn_to_virt(mfn_t m)
{
	return maddr_to_virt(mfn_to_maddr(m));
}
/* Only for addresses that maddr_to_virt() gave, and for the image itself. */
paddr_t virt_to_maddr(const void *p);
static inline mfn_t virt_to_mfn(const void *p)
{
	return maddr_to_mfn(virt_to_maddr(p));
}
#endif

#endif
