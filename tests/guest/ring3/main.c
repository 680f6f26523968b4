/* SPDX-License-Identifier: MIT */
/*
 * A guest's user programs: a hypercall out of ring 3 does nothing but say
 * EPERM, and CPUID works there.
 */
#include "test.h"
#include <xen/version.h>

const char guest_name[] = "ring3";

static uint8_t stack[4096] PAGE_ALIGNED;
static struct xen_feature_info info;

static long call_version(void)
{
	return xen_version(XENVER_version, NULL);
}

static long call_features(void)
{
	info.submap = 0x11223344;
	return xen_version(XENVER_get_features, &info);
}

static long ask_cpuid(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	return r[2] >> 31;
}

static long code_segment(void)
{
	uint16_t cs;

	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	return cs & 3;
}

void guest_main(void)
{
	void *top = stack + sizeof(stack) - 16;

	check_rc(user_call(code_segment, top), 3, "ring 3 is reached");
	check_rc(user_call(call_version, top), -XEN_EPERM,
		 "a hypercall from ring 3");
	check_rc(user_call(call_features, top), -XEN_EPERM,
		 "one with an argument");
	check(info.submap == 0x11223344, "its argument is untouched");
	check_rc(user_call(ask_cpuid, top), 1, "CPUID from ring 3");
	check_rc(call_version(), 4l << 16 | 17, "from ring 0 it works again");
}
