/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a unit waits for. A waking unit goes to an idle CPU if there is
 * one, its last first; a CPU that runs out of work takes a waiting unit of
 * another; and a CPU where units wait hands one to a CPU that has been running
 * its own for longer than is fair.
 *
 * No two run-queue locks are ever held at once: a unit between two queues is
 * marked as moving, and whoever marked it finishes the move.
 */
#include "sched/runqueue.h"
#include "cpu/softirq.h"
#include "lib/atomic.h"

#define PUSH_LOOKS 32 /* CPUs that one push looks at */

/* The first CPU of a & b (& c) at or after from, going round; NR_CPUS: none. */
static unsigned int first_of(const cpumask_t *a, const cpumask_t *b,
			     const cpumask_t *c, unsigned int from)
{
	cpumask_t all;
	unsigned int cpu;

	for (unsigned int i = 0; i < ARRAY_SIZE(all.bits); i++)
		all.bits[i] = READ_ONCE(a->bits[i]) & b->bits[i] &
			      (c ? c->bits[i] : ~0UL);
	cpu = cpumask_next(&all, from);
	return cpu < NR_CPUS ? cpu : cpumask_next(&all, 0);
}

/* The allowed online CPU with the fewest waiting; the soft ones if any. */
static unsigned int least_waiting(const struct sched_unit *u,
				  const cpumask_t *soft)
{
	unsigned int best = NR_CPUS, cpu;

	for_each_cpu(cpu, &sched_cpus)
	{
		if (!unit_allowed(u, cpu) || (soft && !cpumask_test(soft, cpu)))
			continue;
		if (best == NR_CPUS ||
		    READ_ONCE(runqueues[cpu].waiting) <
			    READ_ONCE(runqueues[best].waiting))
			best = cpu;
	}
	return best;
}

/* Mostly not, where there is little room: then nobody need look for one. */
static bool any_is_idle(void)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(sched_idle_map.bits); i++)
		any |= READ_ONCE(sched_idle_map.bits[i]);
	return any != 0;
}

unsigned int choose_cpu(const struct sched_unit *u)
{
	const cpumask_t *hard = &u->hard_affinity, *soft = &u->soft_affinity;
	bool home = unit_allowed(u, u->cpu) && cpumask_test(soft, u->cpu);
	unsigned int cpu;

	if (home && (cpumask_test(&sched_idle_map, u->cpu) || !any_is_idle()))
		return u->cpu;
	cpu = first_of(&sched_idle_map, hard, soft, u->cpu);
	if (cpu == NR_CPUS)
		cpu = first_of(&sched_idle_map, hard, NULL, u->cpu);
	if (cpu < NR_CPUS)
		return cpu;
	if (home)
		return u->cpu;
	cpu = least_waiting(u, soft);
	if (cpu == NR_CPUS)
		cpu = least_waiting(u, NULL);
	return cpu < NR_CPUS ? cpu : u->cpu;
}

void finish_move(struct sched_unit *u)
{
	unsigned long flags;
	struct runqueue *rq = lock_unit(u, &flags);

	u->moving = false;
	if (u->state == SCHED_RUNNABLE) {
		if (!unit_allowed(u, rq->cpu)) { /* no longer */
			place_and_unlock(rq, u, flags);
			return;
		}
		enqueue(rq, u);
		notify(rq, u, now());
	}
	unlock_rq(rq, flags);
}

void place_and_unlock(struct runqueue *rq, struct sched_unit *u,
		      unsigned long flags)
{
	unsigned int cpu = choose_cpu(u);

	if (cpu == rq->cpu) {
		enqueue(rq, u);
		notify(rq, u, now());
		unlock_rq(rq, flags);
		return;
	}
	u->moving = true;
	u->cpu = (uint16_t)cpu;
	unlock_rq(rq, flags);
	finish_move(u);
}

/* The first in line that may run on cpu; NULL. */
static struct sched_unit *first_movable(struct runqueue *rq, unsigned int cpu)
{
	struct sched_unit *u;

	list_for_each_entry(u, &rq->queue, queue)
		if (unit_allowed(u, cpu))
			return u;
	return NULL;
}

/* Lock of rq held; afterwards it is released and u waits for cpu. */
static void move_and_unlock(struct runqueue *rq, struct sched_unit *u,
			    unsigned int cpu, unsigned long flags)
{
	dequeue(rq, u);
	u->moving = true;
	u->cpu = (uint16_t)cpu;
	unlock_rq(rq, flags);
	finish_move(u);
}

/* True if something was found. No lock held. */
bool steal_for(unsigned int cpu)
{
	unsigned int from;

	for_each_cpu(from, &sched_waiting_map)
	{
		struct runqueue *rq = &runqueues[from];
		struct sched_unit *u;
		unsigned long flags;

		if (from == cpu)
			continue;
		flags = spin_lock_irqsave(&rq->lock);
		/* One whose CPU is about to run it is not worth taking. */
		u = rq->curr || rq->waiting > 1 ? first_movable(rq, cpu) : NULL;
		if (u) {
			move_and_unlock(rq, u, cpu, flags);
			return true;
		}
		unlock_rq(rq, flags);
	}
	return false;
}

/* True if u, waiting on rq, would be better off on cpu. */
static bool better_there(const struct sched_unit *u, unsigned int cpu,
			 s_time_t t)
{
	const struct runqueue *there = &runqueues[cpu];
	s_time_t vtime = u->vtime + PUSH_GAP;

	if (!unit_allowed(u, cpu))
		return false;
	if (cpumask_test(&sched_idle_map, cpu))
		return true;
	return vtime < running_vtime(there, t) &&
	       vtime < READ_ONCE(there->head_vtime);
}

/*
 * The first in line moves to a CPU where everybody is ahead of it. Called where
 * units wait, without locks, at the end of a slice at most.
 */
void push_from(struct runqueue *rq, s_time_t t)
{
	static uint32_t rotor;
	unsigned int cpu = READ_ONCE(rotor);
	unsigned long flags = spin_lock_irqsave(&rq->lock);
	struct sched_unit *u;

	if (list_empty(&rq->queue)) {
		unlock_rq(rq, flags);
		return;
	}
	u = list_first(&rq->queue, struct sched_unit, queue);
	for (unsigned int i = 0; i < min(nr_cpus, PUSH_LOOKS + 0U); i++) {
		cpu = cpu + 1 < nr_cpus ? cpu + 1 : 0;
		if (cpu == rq->cpu || !better_there(u, cpu, t))
			continue;
		WRITE_ONCE(rotor, cpu);
		move_and_unlock(rq, u, cpu, flags);
		return;
	}
	WRITE_ONCE(rotor, cpu);
	unlock_rq(rq, flags);
}
