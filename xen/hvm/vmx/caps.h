/* SPDX-License-Identifier: MIT */
/*
 * What VT-x offers and what of it is used (Intel SDM Vol. 3, "VMX Capability
 * Reporting Facility"). A function of numbers, so that unit tests can show it
 * CPUs that nobody has built.
 */
#ifndef OSTLER_HVM_VMX_CAPS_H
#define OSTLER_HVM_VMX_CAPS_H

#include "lib/types.h"

/* The capability MSRs as they read; 0 for those that the CPU has not. */
struct vmx_msrs {
	uint64_t basic, pin, proc, exit, entry, misc;
	uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	uint64_t proc2, ept_vpid;
};

struct vmx_caps {
	uint32_t revision;
	uint32_t pin, proc, proc2, exit, entry; /* the controls to run with */
	uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	bool insn_info; /* INS and OUTS say segment and address size */
	bool ept_2m, ept_1g, ept_ad, ept_exec_only;
	bool vpid;
	bool pml; /* it logs which pages were written */
	/* The processor works on the local APIC's page: registers, delivery,
	 * EOIs; in xAPIC mode, and in x2APIC mode. */
	bool xapic, x2apic;
	uint8_t timer_shift; /* the preemption timer counts TSC >> this */
};

/* MSRs: the plain ones, or the "true" ones where basic has bit 55. */
#define MSR_VMX_BASIC      0x480
#define MSR_VMX_PIN        0x481
#define MSR_VMX_PROC       0x482
#define MSR_VMX_EXIT       0x483
#define MSR_VMX_ENTRY      0x484
#define MSR_VMX_MISC       0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489
#define MSR_VMX_PROC2      0x48b
#define MSR_VMX_EPT_VPID   0x48c
#define MSR_VMX_TRUE_PIN   0x48d
#define VMX_BASIC_TRUE     (1UL << 55)

/*
 * Chooses. False: what must be there is not; its names are in missing, of size
 * bytes. host_xsaves and the like play no part: that is CPUID's business.
 */
bool vmx_choose(const struct vmx_msrs *m, struct vmx_caps *c, char *missing,
		size_t size);
/* Names of what is in use (used) or offered by m and left alone. */
void vmx_name_caps(const struct vmx_msrs *m, const struct vmx_caps *c,
		   bool used, char *buf, size_t size);

#endif
