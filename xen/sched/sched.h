/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: per-CPU run queues, weights, caps, pinning; presented to tools
 * as credit2. It knows schedulable units; struct vcpu embeds one.
 *
 * A CPU runs this loop (sched_loop(), never returns):
 *     softirq_run(); pick a unit; unit->ops->run(unit) — which enters the guest
 *     and returns when a softirq is pending or the unit no longer can run.
 * A unit that blocks is told so by its owner (sched_block()) from run();
 * sched_wake() makes it runnable from any CPU and any context.
 * docs/scheduler.md tells how units are chosen.
 */
#ifndef OSTLER_SCHED_SCHED_H
#define OSTLER_SCHED_SCHED_H

#include "cpu/cpu.h"
#include "cpu/time.h"
#include "lib/list.h"

struct sched_unit;

struct sched_unit_ops {
	/* Runs the unit on this CPU until it must give way. */
	void (*run)(struct sched_unit *u);
	/* The CPU is about to run another unit: save what is still loaded. May
	 * be late: a CPU that idles in between keeps the state, and another CPU
	 * that wants the unit has it saved by an interrupt here. Interrupts
	 * are off in both. */
	void (*switch_out)(struct sched_unit *u);
	void (*switch_in)(struct sched_unit *u);
	/* The unit's state changed (RUNSTATE_*), at system time t. A run-queue
	 * lock is held and interrupts are off: only note it. */
	void (*runstate)(struct sched_unit *u, int state, s_time_t t);
};

/* One domain's share; the scheduler's part of struct domain. */
struct sched_group {
	uint16_t weight; /* 1 … 65535, default 256 */
	uint16_t cap;    /* percent of one CPU; 0: none */
	/* the scheduler's own: LOCK_SCHED_GLOBAL, or atomic */
	int64_t cap_left; /* nanoseconds in this period; below 0: owed */
	struct timer cap_timer;
	struct list units;
};

enum sched_state {
	SCHED_OFFLINE, /* not a candidate (vCPU down, or being torn down) */
	SCHED_BLOCKED, /* waits for sched_wake() */
	SCHED_RUNNABLE,
	SCHED_RUNNING,
};

#define SCHED_NOWHERE 0xffff

/* Guarded by the lock of cpu's run queue. */
struct sched_unit {
	const struct sched_unit_ops *ops;
	struct sched_group *group;
	enum sched_state state;
	uint16_t cpu;         /* whose run queue: where it runs or ran last */
	uint16_t loaded;      /* the CPU that holds its state, SCHED_NOWHERE */
	uint32_t pause_count; /* > 0: must not run; sched_pause() */
	bool moving;          /* between two run queues */
	bool yielding;        /* lets others go first, once */
	bool parked;          /* its group's cap is used up */
	bool slept;           /* or was paused, since it was last in a queue */
	uint8_t runstate;     /* as last told to ops->runstate() */
	s_time_t vtime;       /* time run, over weight */
	s_time_t run_start, runtime;
	struct list queue; /* in a run queue */
	cpumask_t hard_affinity, soft_affinity;
	struct list group_node;
};

void sched_init(void);     /* CPU 0, before any unit */
void sched_init_cpu(void); /* on each CPU */
void sched_loop(void) __noreturn;
/* The unit that this CPU is running, or NULL. */
struct sched_unit *sched_current(void);

void sched_group_init(struct sched_group *g);
/* Before it is freed; all its units are destroyed. */
void sched_group_destroy(struct sched_group *g);
/* Offline, not paused, on the CPU with the least load in its affinity. */
void sched_unit_init(struct sched_unit *u, struct sched_group *g,
		     const struct sched_unit_ops *ops);
/* The unit is offline and nowhere loaded when this returns. */
void sched_unit_destroy(struct sched_unit *u);

/*
 * From the unit's own run(), interrupts in any state: it is blocked from now
 * on, unless a wake came since *ready was last false; ready(u) is asked after
 * the state change so that no wake is lost.
 */
void sched_block(struct sched_unit *u, bool (*ready)(struct sched_unit *u));
void sched_wake(struct sched_unit *u); /* also brings it online */
#ifdef OSTLER_UNIT
/* The host's C library has a function of that name, which its locks call. */
#define sched_yield sched_yield_unit
#endif
void sched_yield(struct sched_unit *u);
void sched_offline(struct sched_unit *u);

/* Counted. sched_pause_sync() returns when the unit is not on any CPU and its
 * state is saved; interrupts on, and never on the unit that runs here. */
void sched_pause(struct sched_unit *u);
void sched_pause_sync(struct sched_unit *u);
void sched_unpause(struct sched_unit *u);
/* True if a unit is loaded on a CPU (running, or its state still held). */
bool sched_unit_is_loaded(const struct sched_unit *u);

/* CPUs that take units. One that is closed is still online: it halts, and
 * answers other CPUs and devices. */
extern cpumask_t sched_cpus;
/* Then the caller has every unit leave it. */
void sched_close_cpu(unsigned int cpu);
void sched_open_cpu(unsigned int cpu);
/* Moves the unit if its CPU is closed; one that has no other CPU to go to may
 * go to all from now on (true). */
bool sched_leave_closed_cpu(struct sched_unit *u);

/* 0 or -EINVAL if no open CPU is in it. Moves the unit if it must. */
int sched_set_affinity(struct sched_unit *u, const cpumask_t *hard,
		       const cpumask_t *soft);
int sched_set_params(struct sched_group *g, unsigned int weight,
		     unsigned int cap);
/* The time that it has run, until now if it runs. */
s_time_t sched_runtime(struct sched_unit *u);
/* Nanoseconds that CPU has idled. */
s_time_t sched_idle_time(unsigned int cpu);
/* credit2's global and CPU-pool knob, microseconds: context-switch rate limit.
 */
extern uint32_t sched_ratelimit_us;

#endif
