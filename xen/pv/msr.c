/* SPDX-License-Identifier: MIT */
/*
 * MSRs for a PV guest's kernel: the bases of its segments, and the few whose
 * value says nothing. Everything else is #GP, as on a machine without them.
 */
#include "pv/pv.h"

#include "cpu/msr.h"
#include "domain/cpu_policy.h"

#define MSR_TSC            0x10
#define MSR_APIC_BASE      0x1b
#define MSR_MICROCODE      0x8b
#define MSR_PLATFORM_INFO  0xce
#define MSR_MISC_ENABLE    0x1a0
#define MSR_PAT_           0x277
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103
#define MSR_HWCR           0xc0010015
#define MSR_SYSCFG         0xc0010010

/* What PAT says to a guest: the ABI's, public/xen.h (XEN's own order). */
#define XEN_PAT 0x050100070406UL

bool pv_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	*val = 0;
	switch (msr) {
	case MSR_TSC:
		*val = rdtsc();
		return true;
	case MSR_FS_BASE:
		*val = rdmsr(MSR_FS_BASE);
		return true;
	case MSR_GS_BASE:
		*val = pv_get_gs_base(v, false);
		return true;
	case MSR_KERNEL_GS_BASE:
		*val = pv_get_gs_base(v, true);
		return true;
	case MSR_EFER:
		*val = rdmsr(MSR_EFER) & ~(uint64_t)BIT(12); /* SVME is ours */
		return true;
	case MSR_PAT_:
		*val = XEN_PAT;
		return true;
	case MSR_APIC_BASE:
		*val = 0xfee00000 | BIT(11) | (v->id ? 0 : BIT(8));
		return true;
	case MSR_PLATFORM_INFO:
		*val = v->domain->policy->platform_info;
		return v->domain->policy->platform_info != 0;
	case MSR_MICROCODE:
		return rdmsr_safe(MSR_MICROCODE, val);
	case MSR_MISC_ENABLE:
		return cpu_features.vendor == CPU_INTEL;
	case MSR_HWCR:
	case MSR_SYSCFG:
		return cpu_features.vendor != CPU_INTEL;
	}
	return false;
}

bool pv_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!pv_is_canonical(val))
			return false;
		if (msr == MSR_FS_BASE)
			wrmsr(MSR_FS_BASE, val);
		else
			pv_set_gs_base(v, val, msr == MSR_KERNEL_GS_BASE);
		return true;
	case MSR_EFER:
	case MSR_PAT_:
	case MSR_APIC_BASE:
	case MSR_MICROCODE:
	case MSR_MISC_ENABLE:
	case MSR_HWCR:
		/* Linux writes them; nothing changes, as on the stock one. */
		return true;
	}
	return false;
}
