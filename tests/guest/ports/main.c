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

static uint64_t fault_at, fault_code;
static unsigned long fault_left;
static void *fault_to;

static void on_fault(struct trap_frame *f)
{
	__asm__ volatile("mov %%cr2, %0" : "=r"(fault_at));
	fault_code = f->error;
	fault_left = f->rcx;
	fault_to = (void *)f->rdi;
	f->rip += 2; /* REP INSL */
}

/* Four bytes at a time, up to the end of the page before one that is not there,
 * which the second four reach into. */
static void into_nothing(void)
{
	static uint8_t page[4096] PAGE_ALIGNED;
	uint8_t *there = (uint8_t *)window_map(5, frame_of(page), WINDOW_RW);
	void *at = there + 4096 - 5;
	unsigned long left;

	window_unmap(6);
	trap_handler(14, on_fault);
	__asm__ volatile("rep insl"
			 : "+D"(at), "=c"(left)
			 : "c"(8ul), "d"(NOBODY)
			 : "memory");
	trap_handler(14, NULL);
	check(fault_at == (uint64_t)(there + 4096) && fault_code == 2,
	      "#PF of the page after (%lx, %lx)", fault_at, fault_code);
	check(fault_left == 7 && fault_to == there + 4096 - 1,
	      "with what was done before it (%lu left)", fault_left);
}

static void from_nowhere(void *p)
{
	__asm__ volatile("outsb" : "+S"(p) : "d"(NOBODY) : "memory");
}

void guest_main(void)
{
	widths();
	strings();
	into_nothing();
	check(try_call(from_nowhere, (void *)0x8000700000000000ul) == 13,
	      "#GP of an address that is none");
}
