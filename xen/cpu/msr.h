/* SPDX-License-Identifier: MIT */
/* MSRs and control-register bits of this machine that only cpu/ sets. */
#ifndef OSTLER_CPU_MSR_H
#define OSTLER_CPU_MSR_H

#include "lib/x86.h"

#define MSR_APIC_BASE    0x1b
#define MSR_PAT          0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800

#define CR4_DE       BIT(3)
#define CR4_PSE      BIT(4)
#define CR4_MCE      BIT(6)
#define CR4_FSGSBASE BIT(16)
#define CR4_OSXSAVE  BIT(18)
#define CR4_SMEP     BIT(20)
#define CR4_SMAP     BIT(21)

/* The PV ABI's: entries 0 to 3 as at power-on, then WC and WP. */
#define HOST_PAT 0x050100070406UL

#endif
