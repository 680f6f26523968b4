/* SPDX-License-Identifier: MIT */
/*
 * The IDT and what happens in it. An exception inside try_call() ends that
 * call; any other is printed and ends the guest, so that nothing hangs.
 */
#include "guest.h"
#include "test.h"
#include <xen/sched.h>

#define USER_RETURN_VECTOR 0x81

struct gate {
	uint16_t low, selector, flags, middle;
	uint32_t high, zero;
};

struct __attribute__((packed)) table_pointer {
	uint16_t limit;
	uint64_t base;
};

extern uint8_t trap_stubs[], try_landing[], user_return[];
extern uint64_t gdt[];
extern struct table_pointer gdt_pointer;
uint64_t try_stack;
uint8_t tss[104];
void trap(struct trap_frame *f);

static struct gate idt[256] __attribute__((aligned(16)));
static void (*handlers[256])(struct trap_frame *);

void trap_handler(unsigned int vector, void (*fn)(struct trap_frame *))
{
	handlers[vector] = fn;
}

static void leave_user(struct trap_frame *f)
{
	uint64_t rsp0;

	memcpy(&rsp0, tss + 4, sizeof(rsp0));
	f->rip = (unsigned long)user_return;
	f->cs = 0x08;
	f->ss = 0x10;
	f->rsp = rsp0;
}

void trap(struct trap_frame *f)
{
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	if (f->vector >= 32)
		return;
	if (try_stack) {
		f->rip = (unsigned long)try_landing;
		f->rsp = try_stack;
		f->rax = f->vector;
		f->cs = 0x08;
		f->ss = 0x10;
		return;
	}
	check(false, "no exception: vector %lu error %lx at %lx, stack %lx",
	      f->vector, f->error, f->rip, f->rsp);
	test_end();
	guest_shutdown(is_dom0 ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}

void trap_load(void)
{
	struct table_pointer p = {sizeof(idt) - 1, (unsigned long)idt};

	__asm__ volatile("lidt %0" ::"m"(p));
}

void trap_init(void)
{
	unsigned long t = (unsigned long)tss;

	for (unsigned int v = 0; v < 256; v++) {
		unsigned long a = (unsigned long)trap_stubs + v * 16;

		idt[v] = (struct gate){
			.low = a & 0xffff,
			.selector = 0x08,
			.flags = v == USER_RETURN_VECTOR ? 0xee00 : 0x8e00,
			.middle = (a >> 16) & 0xffff,
			.high = (uint32_t)(a >> 32),
		};
	}
	gdt[5] = 0x0000890000000000 | (sizeof(tss) - 1) | (t & 0xffffff) << 16 |
		 (t >> 24 & 0xff) << 56;
	gdt[6] = t >> 32;
	tss[102] = sizeof(tss);
	handlers[USER_RETURN_VECTOR] = leave_user;
	trap_load();
	__asm__ volatile("ltr %w0" ::"r"(0x28));
}
