/* SPDX-License-Identifier: MIT */
/*
 * One run queue: who waits in it, and in which order. A unit belongs to the
 * queue of u->cpu, whose lock guards all its fields; only a unit that is in no
 * queue and does not run changes its CPU.
 */
#include "sched/runqueue.h"
#include "console/printk.h"
#include "cpu/softirq.h"
#include "lib/atomic.h"
#include <xen/xen.h>
#include <xen/vcpu.h>

struct runqueue runqueues[NR_CPUS];
cpumask_t sched_cpus, sched_idle_map, sched_waiting_map;
s_time_t sched_front;

struct runqueue *lock_unit(struct sched_unit *u, unsigned long *flags)
{
	for (;;) {
		struct runqueue *rq = &runqueues[READ_ONCE(u->cpu)];

		*flags = spin_lock_irqsave(&rq->lock);
		if (rq->cpu == u->cpu)
			return rq;
		spin_unlock_irqrestore(&rq->lock, *flags);
	}
}

void unlock_rq(struct runqueue *rq, unsigned long flags)
{
	spin_unlock_irqrestore(&rq->lock, flags);
}

static uint8_t runstate_of(const struct sched_unit *u)
{
	switch (u->state) {
	case SCHED_RUNNING:
		return RUNSTATE_running;
	case SCHED_BLOCKED:
		return RUNSTATE_blocked;
	case SCHED_RUNNABLE:
		return u->pause_count ? RUNSTATE_offline : RUNSTATE_runnable;
	case SCHED_OFFLINE:
		break;
	}
	return RUNSTATE_offline;
}

void tell_runstate(struct sched_unit *u, s_time_t t)
{
	uint8_t now_is = runstate_of(u);

	if (now_is == u->runstate)
		return;
	u->runstate = now_is;
	u->ops->runstate(u, now_is, t);
}

s_time_t weighted(s_time_t ran, unsigned int weight)
{
	return weight == WEIGHT_DEFAULT ? ran : ran * WEIGHT_DEFAULT / weight;
}

s_time_t running_vtime(const struct runqueue *rq, s_time_t t)
{
	s_time_t since = READ_ONCE(rq->curr_since);

	if (!READ_ONCE(rq->curr))
		return NO_VTIME;
	return READ_ONCE(rq->curr_vtime) +
	       (t > since ? weighted(t - since, READ_ONCE(rq->curr_weight))
			  : 0);
}

void publish_head(struct runqueue *rq)
{
	bool any = !list_empty(&rq->queue);
	s_time_t head =
		any ? list_first(&rq->queue, struct sched_unit, queue)->vtime
		    : NO_VTIME;

	WRITE_ONCE(rq->head_vtime, head);
	if (any != cpumask_test(&sched_waiting_map, rq->cpu)) {
		if (any)
			set_bit(rq->cpu, sched_waiting_map.bits);
		else
			clear_bit(rq->cpu, sched_waiting_map.bits);
	}
}

/*
 * A sleeper may not save up time; one that comes from another CPU is paid what
 * it missed there, and pays what it had too much, within the skew that there
 * may be. With nobody here to compare it with, it starts with the foremost.
 */
static void limit_vtime(struct runqueue *rq, struct sched_unit *u)
{
	if (!rq->curr && list_empty(&rq->queue))
		rq->base = max(rq->base, READ_ONCE(sched_front) - WAKE_BONUS);
	u->vtime = max(u->vtime, rq->base - (u->slept ? WAKE_BONUS : MAX_SKEW));
	u->vtime = min(u->vtime, rq->base + MAX_SKEW);
	u->slept = false;
}

/* Behind those of the same vtime. */
static void insert_sorted(struct runqueue *rq, struct sched_unit *u)
{
	struct list *at = rq->queue.prev;

	while (at != &rq->queue &&
	       list_entry(at, struct sched_unit, queue)->vtime > u->vtime)
		at = at->prev;
	list_add(&u->queue, at);
}

void enqueue(struct runqueue *rq, struct sched_unit *u)
{
	ASSERT(u->cpu == rq->cpu && list_empty(&u->queue));
	if (u->pause_count)
		return;
	if (cap_exhausted(u->group)) {
		cap_park(u);
		return;
	}
	limit_vtime(rq, u);
	insert_sorted(rq, u);
	rq->waiting++;
	publish_head(rq);
}

void dequeue(struct runqueue *rq, struct sched_unit *u)
{
	list_del(&u->queue);
	rq->waiting--;
	publish_head(rq);
}

void notify(struct runqueue *rq, const struct sched_unit *u, s_time_t t)
{
	if (list_empty(&u->queue))
		return;
	if (rq->curr && rq->slice_armed &&
	    u->vtime + GRANULARITY >= running_vtime(rq, t))
		return;
	if (!rq->curr)
		clear_bit(rq->cpu, sched_idle_map.bits);
	softirq_raise_cpu(rq->cpu, SOFTIRQ_SCHEDULE);
}
