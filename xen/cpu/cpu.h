/* SPDX-License-Identifier: MIT */
/*
 * This machine's processors: what they offer, per-CPU data, registers.
 */
#ifndef OSTLER_CPU_CPU_H
#define OSTLER_CPU_CPU_H

#include "lib/bitmap.h"
#include "lib/types.h"
#include "lib/x86.h"

enum cpu_vendor { CPU_OTHER, CPU_INTEL, CPU_AMD, CPU_HYGON };

/* One machine-wide description, from CPU 0, the words as CPUID gives them. */
struct cpu_features {
	enum cpu_vendor vendor;
	uint32_t family, model, stepping;
	uint32_t max_basic, max_extended;
	uint32_t l1_ecx, l1_edx, l7_ebx, l7_ecx, l7_edx;
	uint32_t e1_ecx, e1_edx, e8_ebx;
	uint8_t phys_bits, virt_bits;
	bool svm, vmx, nx, pages_1g, x2apic, xsave, tsc_invariant, tsc_deadline,
		arat, rdtscp, smep, smap, fsgsbase, umip, pcid;
	bool xsaves; /* … and guests can be given it: vendors may clear it */
	uint64_t xcr0_mask; /* XCR0 bits the machine has; 0 without XSAVE */
	char brand[49];
};
extern struct cpu_features cpu_features;

/* False, and nothing done, if the access faults (fixed up in cpu/traps). */
bool rdmsr_safe(uint32_t msr, uint64_t *v);
bool wrmsr_safe(uint32_t msr, uint64_t v);

/*
 * Per-CPU data. GS.base points at the CPU's own copy; cpu_self() reads it.
 * DEFINE_PER_CPU(type, name) in one .c file, DECLARE_PER_CPU in a header.
 */
#define DEFINE_PER_CPU(type, name)                                             \
	__attribute__((section(".data.percpu"))) __typeof__(type) percpu_##name
/* Whole pages, apart from the rest, which is small and used all the time. */
#define DEFINE_PER_CPU_PAGE(type, name)                                        \
	__attribute__((section(".data.percpu.page"),                           \
		       aligned(PAGE_SIZE))) __typeof__(type) percpu_##name
/* What the way in from ring 3 uses while a PV guest's isolated tables are still
 * in force (pv/isolate.h), and the code and data beside it. */
#define DEFINE_PER_CPU_ENTRY(type, name)                                       \
	__attribute__((                                                        \
		section(".data.percpu.entry"))) __typeof__(type) percpu_##name
#define __entry_data                __attribute__((section(".data.entry")))
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) percpu_##name
#ifdef OSTLER_UNIT
#define this_cpu(name)             percpu_##name
#define per_cpu(name, cpu)         (*((void)(cpu), &percpu_##name))
#define this_cpu_read(name)        percpu_##name
#define this_cpu_inc(name, member) (percpu_##name member++)
#else
/* The distance from the linked copy to a CPU's own. */
extern uint64_t percpu_offset[NR_CPUS];
static inline uint64_t this_cpu_offset(void)
{
	uint64_t off;

	__asm__("movq %%gs:percpu_self_offset(%%rip), %0" : "=r"(off));
	return off;
}
#define this_cpu(name)                                                         \
	(*(__typeof__(percpu_##name) *)((char *)&percpu_##name +               \
					this_cpu_offset()))
#define per_cpu(name, cpu)                                                     \
	(*(__typeof__(percpu_##name) *)((char *)&percpu_##name +               \
					percpu_offset[cpu]))
/* A scalar of eight bytes, in one instruction. */
#define this_cpu_read(name)                                                    \
	({                                                                     \
		__typeof__(percpu_##name) v_;                                  \
		__asm__ volatile("movq %%gs:percpu_" #name "(%%rip), %0"       \
				 : "=r"(v_));                                  \
		v_;                                                            \
	})
/* A member of eight bytes, .member or [index], counts up in one instruction. */
#define this_cpu_inc(name, member)                                             \
	__asm__ volatile("incq %%gs:%0" : "+m"(percpu_##name member))
#endif

/* This CPU's number, 0 to NR_CPUS - 1. */
DECLARE_PER_CPU(uint64_t, cpu_number);
#define smp_processor_id() ((unsigned int)this_cpu_read(cpu_number))

extern cpumask_t cpu_online_map;
extern unsigned int nr_cpus; /* online CPUs are 0 … nr_cpus - 1 */

/*
 * The area of a CPU: cpu_init_bsp() makes CPU 0's of the linked copy (offset 0,
 * so GS.base is 0 from the first instruction on); percpu_alloc() one for cpu,
 * false if memory is short. The link script names the linked copy's bounds.
 */
bool percpu_alloc(unsigned int cpu);
extern char __percpu_start[], __percpu_end[];
extern char __percpu_entry_start[], __percpu_entry_end[];
extern char image_entry_text[], image_entry_text_end[];
extern char image_entry_data[], image_entry_data_end[];

/* What a trap or interrupt pushes, for handlers and dumps. */
struct cpu_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx,
		rsi, rdi;
	uint32_t error_code, entry_vector;
	uint64_t rip, cs, rflags, rsp, ss;
};

#endif
