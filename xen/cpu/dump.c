/* SPDX-License-Identifier: MIT */
/* Registers and stack, for panic() and the trap handlers. */
#include "console/printk.h"
#include "cpu/traps.h"

extern const char image_start[], image_text_end[];

/* Words on the stack that could be return addresses, innermost first. */
void dump_stack(uint64_t rsp)
{
	const uint64_t *sp = (const uint64_t *)(rsp & ~7UL);
	const uint64_t *end = (const uint64_t *)ROUND_UP(rsp + 1, PAGE_SIZE);
	unsigned int shown = 0;

	printk("Possible callers (addr2line -e xen/ostler-syms):\n");
	for (; sp < end && shown < 24; sp++)
		if (*sp >= (uintptr_t)image_start &&
		    *sp < (uintptr_t)image_text_end) {
			printk("   %016lx\n", *sp);
			shown++;
		}
}

void dump_registers(const struct cpu_regs *r)
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
