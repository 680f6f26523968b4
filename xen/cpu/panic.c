/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine: what happened, where, and a restart unless noreboot
 * says otherwise. Everything here must work with any lock held and with the
 * heap in pieces.
 */
#include "console/console.h"
#include "console/printk.h"
#include "cpu/panic.h"
#include "lib/atomic.h"
#include "lib/param.h"
#include "lib/printf.h"

static bool noreboot;
PARAM_BOOL("noreboot", noreboot, "stay halted after a panic");

void (*panic_reboot)(void);
static uint32_t panicking; /* CPU + 1 of the first that panicked */

extern const char image_text_start[], image_text_end[];

/* Words on the stack that could be return addresses, innermost first. */
static void dump_calls(const uint64_t *sp)
{
	const uint64_t *end = (const uint64_t *)ROUND_UP((uintptr_t)sp + 1,
							 4 * PAGE_SIZE);
	unsigned int shown = 0;

	printk("Possible callers (addr2line -e xen/ostler-syms):\n");
	for (; sp < end && shown < 24; sp++)
		if (*sp >= (uintptr_t)image_text_start &&
		    *sp < (uintptr_t)image_text_end) {
			printk("   %016lx\n", *sp);
			shown++;
		}
}

void dump_regs(const struct cpu_regs *r)
{
	printk("CPU %u  rip %04lx:%016lx  rflags %08lx  vector %u  error %x\n",
	       smp_processor_id(), r->cs, r->rip, r->rflags, r->entry_vector,
	       r->error_code);
	printk("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", r->rax,
	       r->rbx, r->rcx, r->rdx);
	printk("rsi %016lx  rdi %016lx  rbp %016lx  rsp %016lx\n", r->rsi,
	       r->rdi, r->rbp, r->rsp);
	printk("r8  %016lx  r9  %016lx  r10 %016lx  r11 %016lx\n", r->r8, r->r9,
	       r->r10, r->r11);
	printk("r12 %016lx  r13 %016lx  r14 %016lx  r15 %016lx\n", r->r12,
	       r->r13, r->r14, r->r15);
	printk("cr0 %08lx  cr2 %016lx  cr3 %016lx  cr4 %08lx\n", read_cr0(),
	       read_cr2(), read_cr3(), read_cr4());
}

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
	console_force_unlock();
	printk("\n****************************************\n");
	printk("Panic on CPU %u:\n%s\n", smp_processor_id(), what);
	printk("****************************************\n\n");
	if (r)
		dump_regs(r);
	dump_calls(r ? (const uint64_t *)r->rsp
		     : (const uint64_t *)__builtin_frame_address(0));
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
