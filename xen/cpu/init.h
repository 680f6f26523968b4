/* SPDX-License-Identifier: MIT */
/*
 * The start sequence's calls into cpu/, in the order in which they must come.
 * Only traps may happen before time_init() has returned; interrupts may be
 * enabled after softirq_init().
 */
#ifndef OSTLER_CPU_INIT_H
#define OSTLER_CPU_INIT_H

#include "lib/types.h"

/* First of all: features, CPU 0's per-CPU data, GDT and TSS. Prints nothing. */
void cpu_init_bsp(void);
/* The IDT: from here on a fault prints what happened. */
void traps_init(void);
/* With console and memory: acpi_init() (cpu/acpi.h), then … */
void cpu_print_features(void);
/* … the TSC's rate, system time zero, the wall clock. */
void time_init(void);
/* 8259s masked, the local APIC on, its timer measured. */
void apic_init(void);
/* All I/O APICs, every input masked. */
void ioapic_init(void);
void softirq_init(void);
/* then sched_init() (sched/sched.h), local_irq_enable(), smp_start_all(). */

/* The same on another CPU, with its own stack: smp.c. */
void cpu_init_ap(unsigned int cpu);
void apic_init_ap(void);

#endif
