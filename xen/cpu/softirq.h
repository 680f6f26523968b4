/* SPDX-License-Identifier: MIT */
/*
 * Deferred work of a CPU: a bit each, done by softirq_run() before a guest is
 * entered and in the idle loop, with interrupts on and no lock held.
 * SOFTIRQ_SCHEDULE is not done there but stays pending: a unit's run() may call
 * softirq_run() itself, and returns when softirq_is_pending() still holds.
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
/* Clears SOFTIRQ_SCHEDULE of this CPU: the scheduler, before it picks. */
bool softirq_take_schedule(void);

/* Work that runs later on one CPU, once for each schedule; further schedules
 * before it has started change nothing. fn may free it. */
struct tasklet {
	struct tasklet *next;
	void (*fn)(void *data);
	void *data;
	uint32_t scheduled;
};
void tasklet_init(struct tasklet *t, void (*fn)(void *), void *data);
void tasklet_schedule(struct tasklet *t, unsigned int cpu);
/* Waits until it neither runs nor is going to; nobody schedules it again. */
void tasklet_kill(struct tasklet *t);

#endif
