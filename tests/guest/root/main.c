/* SPDX-License-Identifier: MIT */
/*
 * Page tables that are not there: CR3 with the last page that the processor's
 * addresses reach. This one domain must end; nobody else may notice.
 */
#include "test.h"

const char guest_name[] = "root";

static void set_cr3(void *p)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(p) : "memory");
}

void guest_main(void)
{
	uint32_t r[4];
	uint64_t end;

	cpuid(0x80000008, 0, r);
	end = 1ull << (r[0] & 0xff);
	check(try_call(set_cr3, (void *)(end << 8)) == 13,
	      "reserved bits of CR3: #GP");
	note("CR3 becomes %lx", end - PAGE_SIZE);
	set_cr3((void *)(end - PAGE_SIZE));
	check(false, "the domain is ended");
}
