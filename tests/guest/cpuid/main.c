/* SPDX-License-Identifier: MIT */
/*
 * The processor that a guest is shown: a maker, sane leaves, the hypervisor's
 * leaves, no feature that cannot be used (virtualisation, power states), the
 * extended-state leaf in step with XCR0, and an answer for leaves beyond all.
 */
#include "test.h"
#include <xen/arch-x86/cpuid.h>

const char guest_name[] = "cpuid";

static void basics(void)
{
	uint32_t r[4], again[4];
	char maker[13] = "";

	cpuid(0, 0, r);
	memcpy(maker, &r[1], 4);
	memcpy(maker + 4, &r[3], 4);
	memcpy(maker + 8, &r[2], 4);
	note("%s, leaves up to 0x%x", maker, r[0]);
	check(r[0] >= 7 && r[0] < 0x100, "the highest basic leaf is sane");
	check(maker[0] >= 'A' && maker[11] >= 'A', "there is a maker");
	cpuid(0, 0, again);
	check(!memcmp(r, again, sizeof(r)), "it is the same when asked again");
	cpuid(0x80000000, 0, r);
	check(r[0] >= 0x80000008 && r[0] < 0x80000100,
	      "the highest extended leaf is sane (0x%x)", r[0]);
	cpuid(0x80000008, 0, r);
	check((r[0] & 0xff) >= 36 && (r[0] & 0xff) <= 52,
	      "physical addresses have %u bits", r[0] & 0xff);
}

static void features(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	note("leaf 1: ecx 0x%x edx 0x%x", r[2], r[3]);
	check(r[2] >> 31, "a hypervisor is present");
	check(r[3] & 1u << 9, "there is a local APIC");
	check(r[3] & 1u << 6 && r[3] & 1u << 0, "PAE and an FPU");
	check(r[3] & 1u << 26, "SSE2");
	if (!is_dom0) {
		check(!(r[2] & 1u << 5), "no VMX");
		check(!(r[2] & 1u << 3), "no MONITOR");
	}
	cpuid(0x80000001, 0, r);
	check(r[3] & 1u << 29, "long mode");
	check(r[3] & 1u << 20, "no-execute");
	if (!is_dom0)
		check(!(r[2] & 1u << 2), "no SVM");
}

static void hypervisor_leaves(void)
{
	uint32_t r[4];

	cpuid(cpuid_base, 0, r);
	check(r[0] - cpuid_base >= 2 && r[0] - cpuid_base <= 5,
	      "hypervisor leaves up to 0x%x", r[0]);
	cpuid(cpuid_base + 1, 0, r);
	check(r[0] == (4u << 16 | 17), "they say 4.17");
	cpuid(cpuid_base + 2, 0, r);
	check(r[0] == 1, "one hypercall page");
	cpuid(cpuid_base + 4, 0, r);
	check(r[0] & XEN_HVM_CPUID_VCPU_ID_PRESENT, "vCPU number present");
	check(r[1] == 0, "ours is 0");
}

static void extended_state(void)
{
	uint32_t r[4], f[4];

	cpuid(1, 0, f);
	if (!(f[2] & 1u << 26)) {
		skip("no XSAVE here", "extended state");
		return;
	}
	cpuid(0xd, 0, r);
	check((r[0] & 3) == 3, "x87 and SSE state can be kept");
	check(r[1] >= 576 && r[2] >= r[1], "sizes are sane (%u, %u)", r[1],
	      r[2]);
}

static void beyond(void)
{
	static const uint32_t leaves[] = {0x3fffffff, 0x4000ffff, 0x7fffffff,
					  0x80ffffff, 0xc0000000, 0xffffffff};
	uint32_t r[4];

	for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++)
		cpuid(leaves[i], 0xffffffff, r);
	check(true, "leaves beyond all have an answer");
	cpuid(0x80000000 + 0xffff, 0, r);
	check(!(r[0] | r[1] | r[2] | r[3]), "which is zero (0x8000ffff)");
}

void guest_main(void)
{
	basics();
	features();
	hypervisor_leaves();
	extended_state();
	beyond();
}
