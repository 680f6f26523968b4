/* SPDX-License-Identifier: MIT */
/* Other CPUs: starting them, asking them to do something. */
#ifndef OSTLER_CPU_SMP_H
#define OSTLER_CPU_SMP_H

#include "cpu/cpu.h"

/* Starts the CPUs that the ACPI MADT lists, until limit are online (0: all).
 * One that does not come up is named and left out. */
void smp_start_all(unsigned int limit);
/* What a started CPU does in the end: the scheduler's loop, set by
 * sched_init(). */
extern void (*smp_cpu_loop)(void);
/* Runs fn(data) on every CPU of the set (this one too), waits if told to.
 * Interrupts are on. fn runs with interrupts off and must not block. */
void smp_call(const cpumask_t *cpus, void (*fn)(void *), void *data, bool wait);
/* Makes cpu leave its guest, or idle, and look at its softirqs. */
void smp_kick(unsigned int cpu);
/* Stops all other CPUs for good, whatever they are doing (panic, power-off). */
void smp_stop_others(void);
bool smp_stopping(void);
/* Waits for an interrupt unless a softirq is pending. */
void cpu_idle(void);
/* softirq_init()'s part: the vectors of kicks and calls, CPU 0's IDs. */
void smp_init(void);
void smp_set_ids(unsigned int cpu, uint32_t apic_id, uint32_t acpi_id);
uint32_t cpu_apic_id(unsigned int cpu);
uint32_t cpu_acpi_id(unsigned int cpu);

#endif
