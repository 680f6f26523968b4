/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine: what happened, where, and a restart unless noreboot
 * says otherwise. Everything here must work with any lock held and with the
 * heap in pieces.
 */
#include "cpu/panic.h"
#include "console/console.h"
#include "console/printk.h"
#include "cpu/smp.h"
#include "cpu/traps.h"
#include "lib/atomic.h"
#include "lib/param.h"
#include "lib/printf.h"

static bool noreboot;
PARAM_BOOL("noreboot", noreboot, "stay halted after a panic");

void (*panic_reboot)(void);
static uint32_t panicking; /* CPU + 1 of the first that panicked */

/* Restarts by what every PC has: the keyboard controller, a triple fault. */
static void __noreturn restart(void)
{
	static const struct __packed {
		uint16_t limit;
		uint64_t base;
	} no_idt;

	if (panic_reboot)
		panic_reboot();
	outb(0x64, 0xfe);
	for (volatile unsigned int i = 0; i < 10000000; i++)
		;
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
	for (;;)
		cpu_halt();
}

static void __noreturn die(const struct cpu_regs *r, const char *what)
{
	uint32_t nobody = 0;

	local_irq_disable();
	if (!atomic_cas(&panicking, &nobody, smp_processor_id() + 1) &&
	    nobody != smp_processor_id() + 1)
		for (;;) /* another CPU was first and tells the story */
			cpu_halt();
	if (nobody) /* a panic inside panic() */
		restart();
	smp_stop_others();
	console_force_unlock();
	printk("\n****************************************\n");
	printk("Panic on CPU %u:\n%s\n", smp_processor_id(), what);
	printk("****************************************\n\n");
	if (r)
		dump_registers(r);
	dump_stack(r ? r->rsp : (uintptr_t)__builtin_frame_address(0));
	if (noreboot) {
		printk("Halted (noreboot).\n");
		for (;;)
			cpu_halt();
	}
	printk("Restarting.\n");
	restart();
}

void panic(const char *fmt, ...)
{
	static char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	die(NULL, what);
}

void panic_regs(const struct cpu_regs *r, const char *fmt, ...)
{
	static char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	die(r, what);
}
