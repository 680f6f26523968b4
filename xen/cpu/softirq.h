/* SPDX-License-Identifier: MIT */
/*
 * Deferred work of a CPU: a bit each, done by softirq_run() before a guest is
 * entered and in the idle loop, with interrupts on and no lock held.
 */
#ifndef OSTLER_CPU_SOFTIRQ_H
#define OSTLER_CPU_SOFTIRQ_H

#include "cpu/cpu.h"

enum softirq {
	SOFTIRQ_TIMER,
	SOFTIRQ_SCHEDULE, /* pick another vCPU: handled by the run loop */
	SOFTIRQ_CALL,     /* smp_call() work */
	SOFTIRQ_TASKLET,
	NR_SOFTIRQS,
};

DECLARE_PER_CPU(uint64_t, softirq_pending);

typedef void softirq_fn(void);
void softirq_register(enum softirq nr, softirq_fn *fn);
/* On this CPU; from any context. */
void softirq_raise(enum softirq nr);
/* On another CPU, which gets an interrupt if it may be running a guest or be
 * idle. */
void softirq_raise_cpu(unsigned int cpu, enum softirq nr);
static inline bool softirq_is_pending(void)
{
	return this_cpu_read(softirq_pending) != 0;
}
void softirq_run(void);

/* Work that runs later on one CPU, once for each schedule. */
struct tasklet {
	struct tasklet *next;
	void (*fn)(void *data);
	void *data;
	uint32_t scheduled, running;
};
void tasklet_schedule(struct tasklet *t, unsigned int cpu);

#endif
