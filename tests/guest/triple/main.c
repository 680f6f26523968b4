/* SPDX-License-Identifier: MIT */
/*
 * A triple fault: the guest has no descriptor table and meets an exception.
 * This one domain must end, as a restart or a crash; nobody else may notice.
 */
#include "test.h"

const char guest_name[] = "triple";

void guest_main(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} none = {0, 0};

	note("a triple fault comes");
	__asm__ volatile("lidt %0; ud2" ::"m"(none));
	check(false, "the domain is ended");
}
