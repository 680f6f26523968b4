/* SPDX-License-Identifier: MIT */
/* What only PV guests have. Memory is mapped where its number is: an address of
 * the guest's own is 4096 times its pseudo-physical frame. */
#ifndef OSTLER_GUEST_PV_H
#define OSTLER_GUEST_PV_H

#include "guest.h"
#include "hypercall.h"

#define PTE_P  1ul
#define PTE_RW 2ul
#define PTE_US 4ul
#define PTE_A  0x20ul
#define PTE_D  0x40ul

extern struct start_info *start_info;

#define FAILSAFE_VECTOR 0x82
#define SYSCALL_VECTOR  0x83
#define SYSENTER_VECTOR 0x84

#define mmu_update(req, n) hc(__HYPERVISOR_mmu_update, req, n, 0, DOMID_SELF)
#define mmuext_op(op, n)   hc(__HYPERVISOR_mmuext_op, op, n, 0, DOMID_SELF)

/* The entry of va becomes pte, and the processor forgets the old one. */
long pv_map(const void *va, uint64_t pte);
/* One page of the guest's own, by its entry's flags. */
long pv_protect(const void *va, uint64_t flags);
long pv_mmuext(unsigned int cmd, uint64_t mfn);
/* The level 4 table of user mode: made when first asked for. */
long pv_user_tables(void);

/* What smp_boot() says that MXCSR is; 0: nothing about the FPU. */
extern uint32_t smp_mxcsr;

/* trap.c: entries of trap_entry.S */
extern uint8_t trap_stubs[], pv_upcall[], pv_failsafe[], pv_syscall[],
	pv_sysenter[], pv_nmi[];
void pv_fill_traps(struct trap_info t[257]);

#endif
