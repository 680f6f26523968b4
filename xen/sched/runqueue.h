/* SPDX-License-Identifier: MIT */
/*
 * Inside the scheduler: a CPU's run queue, and the steps of which everything is
 * made. Units wait in order of vtime, the time that they ran divided by their
 * weight; vtimes are comparable between CPUs (pick.c keeps them so).
 */
#ifndef OSTLER_SCHED_RUNQUEUE_H
#define OSTLER_SCHED_RUNQUEUE_H

#include "lib/lock.h"
#include "sched/sched.h"

#define SLICE       MILLISECS(2)   /* with others waiting */
#define GRANULARITY MICROSECS(500) /* a smaller lead is not worth a switch */
#define WAKE_BONUS  MILLISECS(2)   /* what a sleeper may be behind at most */
#define MAX_SKEW    MILLISECS(30)  /* what a CPU may be behind the foremost */
#define PUSH_GAP    MILLISECS(2)   /* unfairness that is worth a move */
#define CAP_PERIOD  MILLISECS(10)

#define WEIGHT_DEFAULT 256
#define NO_VTIME       INT64_MAX

struct runqueue {
	spinlock_t lock;
	uint16_t cpu;
	bool slice_armed;
	uint32_t waiting;
	struct sched_unit *curr; /* it runs here */
	struct list queue;       /* SCHED_RUNNABLE, by vtime */
	s_time_t base;           /* no unit here is behind it by much */
	s_time_t switched;       /* since when curr runs */
	struct timer slice;

	/* For other CPUs to look at without the lock. */
	s_time_t curr_vtime, curr_since;
	uint32_t curr_weight;
	s_time_t head_vtime;

	s_time_t idle_since, idle_time;

	/* Only this CPU's, interrupts off: whose state it holds. */
	struct sched_unit *loaded;
} __aligned(64);

extern struct runqueue runqueues[NR_CPUS];
/* The foremost base of all, to within a millisecond. */
extern s_time_t sched_front;
/* CPUs that run nothing, and those where units wait. Atomic bits. */
extern cpumask_t sched_idle_map, sched_waiting_map;

static inline struct runqueue *this_runqueue(void)
{
	return &runqueues[smp_processor_id()];
}

static inline bool unit_allowed(const struct sched_unit *u, unsigned int cpu)
{
	return cpumask_test(&u->hard_affinity, cpu) &&
	       cpumask_test(&sched_cpus, cpu);
}

/* queue.c */
struct runqueue *lock_unit(struct sched_unit *u, unsigned long *flags);
void unlock_rq(struct runqueue *rq, unsigned long flags);
void tell_runstate(struct sched_unit *u, s_time_t t);
/* Into its queue, or aside if it is paused or its cap is used up. */
void enqueue(struct runqueue *rq, struct sched_unit *u);
void dequeue(struct runqueue *rq, struct sched_unit *u);
/* Makes the queue's CPU look, if u, just queued, is reason enough. */
void notify(struct runqueue *rq, const struct sched_unit *u, s_time_t t);
/* What the running unit's vtime is at t, as well as it can be seen. */
s_time_t running_vtime(const struct runqueue *rq, s_time_t t);
void publish_head(struct runqueue *rq);
s_time_t weighted(s_time_t ran, unsigned int weight);

/* place.c */
unsigned int choose_cpu(const struct sched_unit *u);
/* u is runnable and in no queue, its queue's lock held, which is released. */
void place_and_unlock(struct runqueue *rq, struct sched_unit *u,
		      unsigned long flags);
/* The same for a unit marked as moving, no lock held. */
void finish_move(struct sched_unit *u);
bool steal_for(unsigned int cpu);
void push_from(struct runqueue *rq, s_time_t t);

/* cap.c */
bool cap_exhausted(const struct sched_group *g);
void cap_charge(struct sched_group *g, s_time_t ran);
void cap_start(struct sched_group *g, s_time_t t);
/* Puts a runnable unit aside until the period ends. Its lock held. */
void cap_park(struct sched_unit *u);
void group_add(struct sched_group *g, struct sched_unit *u);
void group_remove(struct sched_unit *u);

/* pick.c */
/* Decides what this CPU runs from now on; NULL: nothing. */
struct sched_unit *sched_pick(void);
/* Charges what a running unit ran until t. Its lock held. */
void account_unit(struct sched_unit *u, s_time_t t);

/* loop.c */
/* Its state leaves the CPU that holds it, if any; it runs nowhere. */
void sched_unload(struct sched_unit *u);
/* Makes u's state this CPU's. Interrupts on. */
void sched_load(struct sched_unit *u);

#endif
