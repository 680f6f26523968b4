/* SPDX-License-Identifier: MIT */
/* The timers' hardware side: cpu/apic.c calls it, and softirq_init(). */
#ifndef OSTLER_CPU_TIMER_H
#define OSTLER_CPU_TIMER_H

#include "cpu/cpu.h"

/* VECTOR_TIMER. */
void timer_interrupt(struct cpu_regs *regs);
/* SOFTIRQ_TIMER: runs what is due. */
void timer_softirq(void);
/* The earliest that is set on this CPU; INT64_MAX: none. */
int64_t timer_next(void);

#endif
