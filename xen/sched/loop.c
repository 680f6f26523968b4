/* SPDX-License-Identifier: MIT */
/*
 * A CPU's life: softirqs, then the unit that the run queue gives, or a halt.
 * There are no stacks to switch: a unit's run() returns. Its state stays in the
 * CPU until another unit needs the place or another CPU needs the unit.
 */
#include "console/printk.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "lib/atomic.h"
#include "sched/runqueue.h"

/* Interrupts off. */
static void unload_here(struct runqueue *rq)
{
	struct sched_unit *u = rq->loaded;

	if (!u)
		return;
	u->ops->switch_out(u);
	rq->loaded = NULL;
	/* Only now may another CPU load it. */
	atomic_set(&u->loaded, SCHED_NOWHERE);
}

/* On the CPU that held it a moment ago; it may have let go meanwhile. */
static void unload_if_held(void *data)
{
	struct runqueue *rq = this_runqueue();

	if (rq->loaded == data)
		unload_here(rq);
}

void sched_unload(struct sched_unit *u)
{
	unsigned int cpu = atomic_read(&u->loaded);
	cpumask_t one = {{0}};

	if (cpu == SCHED_NOWHERE)
		return;
	cpumask_set(&one, cpu);
	smp_call(&one, unload_if_held, u, true);
}

void sched_load(struct sched_unit *u)
{
	struct runqueue *rq = this_runqueue();
	unsigned long flags;

	if (likely(rq->loaded == u))
		return;
	sched_unload(u);
	flags = local_irq_save();
	unload_here(rq);
	u->ops->switch_in(u);
	rq->loaded = u;
	atomic_set(&u->loaded, rq->cpu);
	/* Whoever does not see it there changed all that matters before. */
	smp_mb();
	local_irq_restore(flags);
}

struct sched_unit *sched_current(void)
{
	return this_runqueue()->curr;
}

/* The slice timer: a unit has run long enough for others to be looked at. */
static void slice_ended(void *data)
{
	struct runqueue *rq = data;
	unsigned long flags = spin_lock_irqsave(&rq->lock);

	if (rq->slice_armed)
		softirq_raise(SOFTIRQ_SCHEDULE);
	rq->slice_armed = false;
	unlock_rq(rq, flags);
}

static bool schedule_asked(void)
{
	return this_cpu_read(softirq_pending) & BIT(SOFTIRQ_SCHEDULE);
}

void sched_loop(void)
{
	struct runqueue *rq = this_runqueue();

	for (;;) {
		struct sched_unit *u;

		softirq_run();
		u = rq->curr;
		if ((u && u->state != SCHED_RUNNING) || schedule_asked())
			u = sched_pick();
		if (!u) {
			cpu_idle();
			continue;
		}
		sched_load(u);
		u->ops->run(u);
	}
}

static void cpu_loop(void)
{
	sched_init_cpu();
	local_irq_enable();
	sched_loop();
}

static void rq_init(struct runqueue *rq, unsigned int cpu)
{
	*rq = (struct runqueue){.cpu = (uint16_t)cpu, .head_vtime = NO_VTIME};
	spin_lock_init(&rq->lock, LOCK_RUNQUEUE);
	list_init(&rq->queue);
	timer_init(&rq->slice, slice_ended, rq);
}

void sched_init(void)
{
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		rq_init(&runqueues[cpu], cpu);
	smp_cpu_loop = cpu_loop;
	sched_init_cpu();
}

void sched_init_cpu(void)
{
	struct runqueue *rq = this_runqueue();

	rq->idle_since = now();
	sched_open_cpu(rq->cpu);
}

void sched_open_cpu(unsigned int cpu)
{
	struct runqueue *rq = &runqueues[cpu];
	unsigned long flags = spin_lock_irqsave(&rq->lock);

	set_bit(cpu, sched_cpus.bits);
	if (!rq->curr)
		set_bit(cpu, sched_idle_map.bits);
	unlock_rq(rq, flags);
	/* It looks for waiting units of others. */
	softirq_raise_cpu(cpu, SOFTIRQ_SCHEDULE);
}

void sched_close_cpu(unsigned int cpu)
{
	struct runqueue *rq = &runqueues[cpu];
	unsigned long flags = spin_lock_irqsave(&rq->lock);

	clear_bit(cpu, sched_cpus.bits);
	clear_bit(cpu, sched_idle_map.bits);
	unlock_rq(rq, flags);
}

s_time_t sched_idle_time(unsigned int cpu)
{
	struct runqueue *rq = &runqueues[cpu];
	unsigned long flags = spin_lock_irqsave(&rq->lock);
	s_time_t idle = rq->idle_time;

	if (!rq->curr)
		idle += max(now() - rq->idle_since, (s_time_t)0);
	unlock_rq(rq, flags);
	return idle;
}
