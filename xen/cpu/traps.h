/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables, exceptions and interrupt vectors of this machine.
 * cpu/entry.S pushes a struct cpu_regs; trap_dispatch() does the rest.
 */
#ifndef OSTLER_CPU_TRAPS_H
#define OSTLER_CPU_TRAPS_H

/*
 * Selectors. They lie in the GDT's page 14, which the PV ABI reserves
 * (public/arch-x86/xen-x86_32.h, FIRST_RESERVED_GDT_ENTRY): a PV guest's own
 * entries fill the 14 pages before it, and ours stay what they are.
 */
#define GDT_RESERVED_BYTE 0xe000
#define SEL_HYPER_CS      0xe008
#define SEL_HYPER_DS      0xe010
#define SEL_GUEST_CS32    0xe023
#define SEL_GUEST_DS      0xe02b
#define SEL_GUEST_CS64    0xe033
#define SEL_TSS           0xe040

#define IST_DF  1
#define IST_NMI 2
#define IST_MC  3
#define IST_DB  4
/* In the last word of each of these stacks; the word before is GS.base. */
#define IST_MARK 0x4f73746c65724953

#define TRAP_DB  1
#define TRAP_NMI 2
#define TRAP_BP  3
#define TRAP_DF  8
#define TRAP_GP  13
#define TRAP_PF  14
#define TRAP_MC  18

/* The first that is an interrupt of the APICs', not an 8259's. */
#define VECTOR_FIRST_EXTERNAL 0x30

/* Vectors above the dynamic ones (cpu/irq.h), by priority. */
#define VECTOR_CALL     0xfb
#define VECTOR_KICK     0xfc
#define VECTOR_TIMER    0xfd
#define VECTOR_ERROR    0xfe
#define VECTOR_SPURIOUS 0xff

#ifndef __ASSEMBLER__
#include "cpu/cpu.h"

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, iomap;
} __packed;

/* A CPU's GDT page (page 14 of the table) and its TSS. */
DECLARE_PER_CPU(uint64_t[PAGE_SIZE / 8], gdt_page);
DECLARE_PER_CPU(struct tss, tss);

/*
 * CR3 with all of the hypervisor in it, while what is in force on this CPU may
 * be without (pv/isolate.h); else 0. A trap in ring 0 goes there before it does
 * anything.
 */
DECLARE_PER_CPU(uint64_t, trap_full_cr3);

/* Loads this CPU's GDT, TSS and the one IDT. */
void traps_load(unsigned int cpu);

/* A handler for an interrupt vector: interrupts are off, the EOI is its own. */
void trap_set_vector(uint8_t vector, void (*fn)(struct cpu_regs *regs));

/*
 * Where a trap or interrupt out of ring 3 (a PV guest) goes, set by pv/: the
 * stack holds a struct cpu_regs from error_code on, GS is still the guest's.
 */
extern void (*trap_from_guest)(void);
/* The address of pv/'s IRETQ: a fault there is taken with the guest's GS. */
extern uint64_t trap_guest_iret;
/* The last one on this CPU. */
struct iret_fault {
	uint8_t vector;
	uint32_t error_code;
};
DECLARE_PER_CPU(struct iret_fault, trap_of_iret);
/* The address where an entry of pv/'s has kept a guest's flags: a single step
 * that began in the guest ends there. */
extern uint64_t trap_guest_flags;

/* An interrupt that ended a PV guest's run. Interrupts are off. */
void trap_interrupt(struct cpu_regs *regs);

/* For inline assembly: a fault at label insn goes on at label target. */
#define EX_TABLE(insn, target)                                                 \
	".pushsection .fixup, \"a\"\n\t"                                       \
	".balign 4\n\t"                                                        \
	".long " insn " - .\n\t"                                               \
	".long " target " - .\n\t"                                             \
	".popsection\n\t"

/* The address at which to go on after a fault at rip, or 0. */
uint64_t trap_fixup(uint64_t rip);

void dump_registers(const struct cpu_regs *regs);
/* Words from rsp on that look like return addresses. */
void dump_stack(uint64_t rsp);
#endif

#endif
