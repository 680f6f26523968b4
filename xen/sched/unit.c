/* SPDX-License-Identifier: MIT */
/* What others do to a unit: wake, block, pause, pin, destroy (sched.h). */
#include "sched/runqueue.h"
#include "console/printk.h"
#include "cpu/softirq.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <xen/xen.h>
#include <xen/vcpu.h>

/* Runnable, and nothing else is going to put it into a queue. */
static bool is_idle_here(const struct runqueue *rq, const struct sched_unit *u)
{
	return u->state == SCHED_RUNNABLE && rq->curr != u && !u->moving &&
	       !u->parked && list_empty(&u->queue);
}

/* Its CPU looks again, if the unit is running there. Lock held. */
static void interrupt_run(const struct runqueue *rq, const struct sched_unit *u)
{
	if (rq->curr == u)
		softirq_raise_cpu(rq->cpu, SOFTIRQ_SCHEDULE);
}

void sched_unit_init(struct sched_unit *u, struct sched_group *g,
		     const struct sched_unit_ops *ops)
{
	*u = (struct sched_unit){
		.ops = ops,
		.group = g,
		.state = SCHED_OFFLINE,
		.loaded = SCHED_NOWHERE,
		.runstate = RUNSTATE_offline,
	};
	memset(&u->hard_affinity, 0xff, sizeof(u->hard_affinity));
	memset(&u->soft_affinity, 0xff, sizeof(u->soft_affinity));
	list_init(&u->queue);
	u->cpu = (uint16_t)choose_cpu(u);
	group_add(g, u);
}

/* Runs somewhere, or is on its way to a queue. */
static bool is_busy(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);
	bool busy = rq->curr == u || u->moving;

	unlock_rq(rq, flags);
	return busy;
}

static void wait_until_off(struct sched_unit *u)
{
	while (is_busy(u))
		cpu_relax();
	sched_unload(u);
}

void sched_unit_destroy(struct sched_unit *u)
{
	sched_offline(u);
	wait_until_off(u);
	group_remove(u);
}

void sched_block(struct sched_unit *u, bool (*ready)(struct sched_unit *u))
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);

	ASSERT(rq->curr == u);
	if (u->state == SCHED_RUNNING) {
		u->state = SCHED_BLOCKED;
		tell_runstate(u, now());
	}
	unlock_rq(rq, flags);
	/* After the change: a wake that came before it is seen by ready(), one
	 * that comes after finds the unit blocked. */
	smp_mb();
	if (ready(u))
		sched_wake(u);
}

void sched_wake(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq;

	/* The commonest case, without the lock: what the caller wrote before
	 * is seen by ready(), if the unit is about to block. */
	smp_mb();
	if (READ_ONCE(u->state) >= SCHED_RUNNABLE)
		return;
	rq = lock_unit(u, &flags);
	if (u->state >= SCHED_RUNNABLE) {
		unlock_rq(rq, flags);
		return;
	}
	if (rq->curr == u) { /* it has not left yet */
		u->state = SCHED_RUNNING;
		tell_runstate(u, now());
		unlock_rq(rq, flags);
		return;
	}
	u->state = SCHED_RUNNABLE;
	u->slept = true;
	tell_runstate(u, now());
	if (is_idle_here(rq, u) && !u->pause_count)
		place_and_unlock(rq, u, flags);
	else
		unlock_rq(rq, flags);
}

void sched_yield(struct sched_unit *u)
{
	u->yielding = true;
	softirq_raise(SOFTIRQ_SCHEDULE);
}

void sched_offline(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);

	if (!list_empty(&u->queue))
		dequeue(rq, u);
	u->parked = false;
	u->state = SCHED_OFFLINE;
	tell_runstate(u, now());
	interrupt_run(rq, u);
	unlock_rq(rq, flags);
}

void sched_pause(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);

	u->pause_count++;
	if (!list_empty(&u->queue))
		dequeue(rq, u);
	tell_runstate(u, now());
	interrupt_run(rq, u);
	unlock_rq(rq, flags);
}

void sched_pause_sync(struct sched_unit *u)
{
	ASSERT(u != sched_current());
	sched_pause(u);
	wait_until_off(u);
}

void sched_unpause(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);

	ASSERT(u->pause_count);
	u->pause_count--;
	if (u->pause_count || !is_idle_here(rq, u)) {
		unlock_rq(rq, flags);
		return;
	}
	u->slept = true;
	tell_runstate(u, now());
	place_and_unlock(rq, u, flags);
}

bool sched_unit_is_loaded(const struct sched_unit *u)
{
	return READ_ONCE(u->loaded) != SCHED_NOWHERE;
}

s_time_t sched_runtime(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);
	s_time_t t = now(), ran = u->runtime;

	if (rq->curr == u)
		ran += max(t - u->run_start, (s_time_t)0);
	unlock_rq(rq, flags);
	return ran;
}

static bool any_open(const cpumask_t *m)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		if (m->bits[i] & READ_ONCE(sched_cpus.bits[i]))
			return true;
	return false;
}

/* Off a CPU where it may no longer be. The lock is released. */
static void leave_and_unlock(struct runqueue *rq, struct sched_unit *u,
			     unsigned long flags)
{
	if (unit_allowed(u, rq->cpu)) {
		unlock_rq(rq, flags);
	} else if (rq->curr == u) {
		interrupt_run(rq, u);
		unlock_rq(rq, flags);
	} else if (!list_empty(&u->queue)) {
		dequeue(rq, u);
		place_and_unlock(rq, u, flags);
	} else {
		if (!u->moving)
			u->cpu = (uint16_t)choose_cpu(u);
		unlock_rq(rq, flags);
	}
}

int sched_set_affinity(struct sched_unit *u, const cpumask_t *hard,
		       const cpumask_t *soft)
{
	unsigned long flags;
	struct runqueue *rq;

	if (!any_open(hard))
		return -EINVAL;
	rq = lock_unit(u, &flags);
	u->hard_affinity = *hard;
	u->soft_affinity = *soft;
	leave_and_unlock(rq, u, flags);
	return 0;
}

bool sched_leave_closed_cpu(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);
	bool nowhere = !any_open(&u->hard_affinity);

	if (nowhere)
		memset(&u->hard_affinity, 0xff, sizeof(u->hard_affinity));
	leave_and_unlock(rq, u, flags);
	return nowhere;
}
