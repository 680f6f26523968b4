/* SPDX-License-Identifier: MIT */
/*
 * What a CPU runs next: the unit with the least vtime, with a little inertia.
 *
 * vtimes stay comparable between CPUs because no queue's base falls more than
 * MAX_SKEW behind the foremost one's (the front): without that, a CPU whose
 * units were pinned there for an hour would be an hour ahead or behind, and
 * units that move between CPUs would be paid for the past.
 */
#include "sched/runqueue.h"
#include "cpu/softirq.h"
#include "lib/atomic.h"

uint32_t sched_ratelimit_us = 1000;

static void advance_front(s_time_t base)
{
	s_time_t seen = READ_ONCE(sched_front);

	while (base > seen + MILLISECS(1) &&
	       !atomic_cas(&sched_front, &seen, base))
		;
}

/* All units of the queue go forward together. */
static void shift(struct runqueue *rq, s_time_t by)
{
	struct sched_unit *u;

	list_for_each_entry(u, &rq->queue, queue)
		u->vtime += by;
	if (rq->curr)
		rq->curr->vtime += by;
	rq->base += by;
	publish_head(rq);
}

static void update_base(struct runqueue *rq)
{
	s_time_t least = rq->curr ? rq->curr->vtime : NO_VTIME;
	s_time_t lag;

	if (!list_empty(&rq->queue))
		least = min(least, rq->head_vtime);
	if (least != NO_VTIME)
		rq->base = max(rq->base, least);
	lag = READ_ONCE(sched_front) - rq->base;
	if (lag > MAX_SKEW)
		shift(rq, lag - MAX_SKEW / 2);
	advance_front(rq->base);
}

void account_unit(struct sched_unit *u, s_time_t t)
{
	s_time_t ran = max(t - u->run_start, (s_time_t)0);

	u->run_start = t;
	u->runtime += ran;
	u->vtime += weighted(ran, u->group->weight);
	cap_charge(u->group, ran);
}

static bool may_go_on(const struct runqueue *rq, const struct sched_unit *u)
{
	return u->state == SCHED_RUNNING && !u->pause_count &&
	       unit_allowed(u, rq->cpu) && !cap_exhausted(u->group);
}

static s_time_t ratelimit(void)
{
	return MICROSECS(READ_ONCE(sched_ratelimit_us));
}

static s_time_t slice_length(void)
{
	return max(SLICE, ratelimit());
}

/* Those in front of whom the cap came down while they waited are put aside. */
static struct sched_unit *first_in_line(struct runqueue *rq)
{
	while (!list_empty(&rq->queue)) {
		struct sched_unit *u =
			list_first(&rq->queue, struct sched_unit, queue);

		if (!cap_exhausted(u->group))
			return u;
		dequeue(rq, u);
		cap_park(u);
	}
	return NULL;
}

static struct sched_unit *choose(struct runqueue *rq, s_time_t t)
{
	struct sched_unit *prev = rq->curr, *head = first_in_line(rq);

	if (!prev || !may_go_on(rq, prev))
		return head;
	if (!head)
		return prev;
	if (prev->yielding)
		return head;
	if (t - rq->switched < ratelimit())
		return prev;
	if (head->vtime + GRANULARITY < prev->vtime)
		return head;
	if (t - rq->switched >= slice_length() && head->vtime <= prev->vtime)
		return head;
	return prev;
}

/* prev leaves the CPU. True: it has to move, its lock being released first. */
static bool put_prev(struct runqueue *rq, struct sched_unit *prev, s_time_t t)
{
	if (prev->state != SCHED_RUNNING)
		return false;
	prev->state = SCHED_RUNNABLE;
	tell_runstate(prev, t);
	if (!unit_allowed(prev, rq->cpu) && !prev->pause_count) {
		prev->moving = true;
		prev->cpu = (uint16_t)choose_cpu(prev);
		return true;
	}
	enqueue(rq, prev);
	return false;
}

static void set_curr(struct runqueue *rq, struct sched_unit *u, s_time_t t)
{
	rq->switched = t;
	if (u) {
		dequeue(rq, u);
		u->state = SCHED_RUNNING;
		u->run_start = t;
		tell_runstate(u, t);
	}
	if (!rq->curr != !u) {
		if (u)
			rq->idle_time += t - rq->idle_since;
		else
			rq->idle_since = t;
	}
	WRITE_ONCE(rq->curr, u);
}

/* Other CPUs may see this half done: they use it to guess only. */
static void publish_curr(struct runqueue *rq, s_time_t t)
{
	const struct sched_unit *u = rq->curr;

	if (!u) {
		if (!cpumask_test(&sched_idle_map, rq->cpu) &&
		    cpumask_test(&sched_cpus, rq->cpu))
			set_bit(rq->cpu, sched_idle_map.bits);
		return;
	}
	if (cpumask_test(&sched_idle_map, rq->cpu))
		clear_bit(rq->cpu, sched_idle_map.bits);
	WRITE_ONCE(rq->curr_vtime, u->vtime);
	WRITE_ONCE(rq->curr_since, t);
	WRITE_ONCE(rq->curr_weight, u->group->weight);
}

/* When this must be looked at again: with nobody waiting and no cap, never. */
static void arm_slice(struct runqueue *rq, s_time_t t)
{
	const struct sched_unit *u = rq->curr;
	s_time_t at = rq->switched + slice_length();

	rq->slice_armed = u && (rq->waiting || u->group->cap);
	if (!rq->slice_armed)
		return;
	if (rq->waiting && rq->head_vtime + GRANULARITY < u->vtime)
		at = rq->switched + ratelimit();
	if (at <= t)
		at = t + SLICE / 2;
	if (u->group->cap) {
		int64_t left = atomic_read(&u->group->cap_left);

		at = min(at, t + max(left, (int64_t)MICROSECS(50)));
		cap_start(u->group, t);
	}
	timer_set(&rq->slice, at);
}

static struct sched_unit *decide(struct runqueue *rq, s_time_t t)
{
	struct sched_unit *prev, *next, *exile = NULL;
	unsigned long flags = spin_lock_irqsave(&rq->lock);

	prev = rq->curr;
	if (prev)
		account_unit(prev, t);
	update_base(rq);
	next = choose(rq, t);
	if (prev)
		prev->yielding = false;
	if (next != prev) {
		if (prev && put_prev(rq, prev, t))
			exile = prev;
		set_curr(rq, next, t);
	}
	publish_curr(rq, t);
	arm_slice(rq, t);
	unlock_rq(rq, flags);
	if (exile)
		finish_move(exile);
	return next;
}

struct sched_unit *sched_pick(void)
{
	struct runqueue *rq = this_runqueue();
	struct sched_unit *u;
	s_time_t t;

	do {
		softirq_take_schedule();
		t = now();
		u = decide(rq, t);
	} while (!u && steal_for(rq->cpu));
	if (u && READ_ONCE(rq->waiting) && nr_cpus > 1)
		push_from(rq, t);
	return u;
}
