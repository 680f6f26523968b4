/* SPDX-License-Identifier: MIT */
/*
 * Ports nobody answers at: all ones for every width, writes go nowhere, string
 * instructions end, and none of it disturbs the registers around it.
 */
#include "test.h"

const char guest_name[] = "ports";

#define NOBODY 0x3f0e

static void widths(void)
{
	uint32_t v = 0x12345678;

	__asm__ volatile("inb %%dx, %%al" : "+a"(v) : "d"(NOBODY));
	check(v == 0x123456ff, "IN of a byte (%x)", v);
	v = 0x12345678;
	__asm__ volatile("inw %%dx, %%ax" : "+a"(v) : "d"(NOBODY));
	check(v == 0x1234ffff, "IN of two (%x)", v);
	__asm__ volatile("inl %%dx, %%eax" : "+a"(v) : "d"(NOBODY));
	/* dom0's go to the machine itself, which may answer this one. */
	check(v == 0xffffffff || is_dom0, "IN of four (%x)", v);
	__asm__ volatile("outl %%eax, %%dx" ::"a"(v), "d"(NOBODY));
	check(true, "OUT goes nowhere");
}

static void strings(void)
{
	static uint8_t buf[256];
	unsigned long n = sizeof(buf), left;
	void *at = buf;
	bool all = true;

	__asm__ volatile("rep insb"
			 : "+D"(at), "=c"(left)
			 : "c"(n), "d"(NOBODY)
			 : "memory");
	for (unsigned int i = 0; i < sizeof(buf); i++)
		all = all && buf[i] == 0xff;
	check(left == 0 && at == buf + sizeof(buf), "REP INS ends");
	check(all, "and fills the buffer");
	at = buf;
	__asm__ volatile("rep outsb"
			 : "+S"(at), "=c"(left)
			 : "c"(n), "d"(NOBODY)
			 : "memory");
	check(left == 0 && at == buf + sizeof(buf), "REP OUTS ends");
}

void guest_main(void)
{
	widths();
	strings();
}
