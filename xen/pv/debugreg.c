/* SPDX-License-Identifier: MIT */
/*
 * Debug registers. A guest's are in the processor while its vCPU is loaded, if
 * they watch anything at all; an address of ours cannot be watched.
 */
#include "pv/io.h"

#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/layout.h"

#define DR6_ONES   0xffff0ff0UL
#define DR7_ONES   0x400UL
#define DR7_ENABLE 0xffUL
#define DR7_GD     BIT(13)

static void load(unsigned int reg, uint64_t val)
{
	switch (reg) {
	case 0:
		__asm__ volatile("mov %0, %%dr0" : : "r"(val));
		break;
	case 1:
		__asm__ volatile("mov %0, %%dr1" : : "r"(val));
		break;
	case 2:
		__asm__ volatile("mov %0, %%dr2" : : "r"(val));
		break;
	case 3:
		__asm__ volatile("mov %0, %%dr3" : : "r"(val));
		break;
	case 7:
		__asm__ volatile("mov %0, %%dr7" : : "r"(val));
		break;
	}
}

static bool watches(const struct pv_vcpu *pv)
{
	return pv->dr[7] & DR7_ENABLE;
}

void pv_load_debugregs(struct vcpu *v)
{
	const struct pv_vcpu *pv = pv_vcpu(v);

	if (!watches(pv))
		return;
	for (unsigned int i = 0; i < 4; i++)
		load(i, pv->dr[i]);
	load(7, pv->dr[7]);
}

void pv_drop_debugregs(struct vcpu *v)
{
	if (watches(pv_vcpu(v)))
		load(7, DR7_ONES);
}

static bool dr7_ok(uint64_t val)
{
	if ((val >> 32) || (val & DR7_GD))
		return false;
	/* I/O breakpoints need CR4.DE, which is on: not for guests. */
	for (unsigned int i = 0; i < 4; i++)
		if (((val >> (16 + 4 * i)) & 3) == 2)
			return false;
	return true;
}

int pv_set_debugreg_value(struct vcpu *v, unsigned int reg, uint64_t val)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (reg == 4 || reg == 5)
		reg += 2;
	switch (reg) {
	case 0 ... 3:
		if (!pv_is_canonical(val) ||
		    (val >= M2P_VIRT_START && val < DIRECT_VIRT_END))
			return -EPERM;
		break;
	case 6:
		val = (val & ~BIT(12)) | DR6_ONES;
		break;
	case 7:
		if (!dr7_ok(val))
			return -EPERM;
		val |= DR7_ONES;
		break;
	default:
		return -EINVAL;
	}
	if (v == current)
		pv_drop_debugregs(v);
	pv->dr[reg] = val;
	if (v == current)
		pv_load_debugregs(v);
	return 0;
}
