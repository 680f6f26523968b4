/* SPDX-License-Identifier: MIT */
/*
 * Caps: a group may use cap percent of one CPU. It gets that much in each
 * period of ten milliseconds; when it is used up, its units are put aside until
 * the period ends. What was overrun is owed by the next.
 */
#include "sched/runqueue.h"
#include "cpu/softirq.h"
#include "lib/atomic.h"
#include "lib/errno.h"

static spinlock_t global_lock = SPINLOCK_INIT(LOCK_SCHED_GLOBAL);

/* Periods that a late timer makes up for. */
#define MOST_LATE 10L

static int64_t budget(const struct sched_group *g)
{
	return CAP_PERIOD * g->cap / 100;
}

bool cap_exhausted(const struct sched_group *g)
{
	return unlikely(g->cap) && atomic_read(&g->cap_left) <= 0;
}

void cap_charge(struct sched_group *g, s_time_t ran)
{
	if (unlikely(g->cap))
		atomic_sub(&g->cap_left, ran);
}

void cap_start(struct sched_group *g, s_time_t t)
{
	if (!timer_active(&g->cap_timer))
		timer_set(&g->cap_timer, t + CAP_PERIOD);
}

/* The timer may have stopped: what runs is charged when it stops running, so
 * the period before may have looked unused. */
void cap_park(struct sched_unit *u)
{
	u->parked = true;
	cap_start(u->group, now());
}

static void unpark(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);

	if (!u->parked) {
		unlock_rq(rq, flags);
		return;
	}
	u->parked = false;
	if (u->state == SCHED_RUNNABLE && !u->pause_count && !u->moving)
		place_and_unlock(rq, u, flags);
	else
		unlock_rq(rq, flags);
}

static void unpark_all(struct sched_group *g)
{
	struct sched_unit *u;

	list_for_each_entry(u, &g->units, group_node)
		unpark(u);
}

static void period_ended(void *data)
{
	struct sched_group *g = data;
	/* More than one, if the timer came late. */
	int64_t periods = 1 + (now() - g->cap_timer.expires) / CAP_PERIOD;
	int64_t left;

	spin_lock(&global_lock);
	left = atomic_read(&g->cap_left);
	if (left < budget(g)) {
		/* What is left over is not saved up; but who has waited all the
		 * time gets what a late timer kept from him. */
		if (left <= 0)
			left += (min(periods, MOST_LATE) - 1) * budget(g);
		else
			left = 0;
		atomic_set(&g->cap_left, left + budget(g));
		unpark_all(g);
		if (g->cap)
			timer_set(&g->cap_timer,
				  g->cap_timer.expires + periods * CAP_PERIOD);
	}
	spin_unlock(&global_lock);
}

void sched_group_init(struct sched_group *g)
{
	*g = (struct sched_group){.weight = WEIGHT_DEFAULT};
	list_init(&g->units);
	timer_init(&g->cap_timer, period_ended, g);
}

void sched_group_destroy(struct sched_group *g)
{
	timer_kill(&g->cap_timer);
}

void group_add(struct sched_group *g, struct sched_unit *u)
{
	spin_lock(&global_lock);
	list_add_tail(&u->group_node, &g->units);
	spin_unlock(&global_lock);
}

void group_remove(struct sched_unit *u)
{
	spin_lock(&global_lock);
	list_del(&u->group_node);
	spin_unlock(&global_lock);
}

/*
 * What units ran until now counts by the old parameters; and those that run
 * look at the new ones: alone on a CPU, nothing else would make them.
 */
static void settle_all(struct sched_group *g)
{
	struct sched_unit *u;

	list_for_each_entry(u, &g->units, group_node) {
		unsigned long flags;
		struct runqueue *rq = lock_unit(u, &flags);

		if (rq->curr == u) {
			account_unit(u, now());
			softirq_raise_cpu(rq->cpu, SOFTIRQ_SCHEDULE);
		}
		unlock_rq(rq, flags);
	}
}

int sched_set_params(struct sched_group *g, unsigned int weight,
		     unsigned int cap)
{
	if (weight < 1 || weight > 65535 || cap > 65535)
		return -EINVAL;
	spin_lock(&global_lock);
	settle_all(g);
	g->weight = (uint16_t)weight;
	if (g->cap != cap) {
		g->cap = (uint16_t)cap;
		atomic_set(&g->cap_left, budget(g));
		unpark_all(g);
		if (cap)
			cap_start(g, now());
	}
	settle_all(g); /* one may have looked too early */
	spin_unlock(&global_lock);
	return 0;
}
