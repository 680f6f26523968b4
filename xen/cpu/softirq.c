/* SPDX-License-Identifier: MIT */
/* Deferred work: see softirq.h. Tasklets are one kind of it. */
#include "cpu/softirq.h"
#include "cpu/init.h"
#include "cpu/irq.h"
#include "cpu/smp.h"
#include "cpu/timer.h"
#include "console/printk.h"
#include "lib/atomic.h"

DEFINE_PER_CPU(uint64_t, softirq_pending);
static softirq_fn *handlers[NR_SOFTIRQS];

void softirq_register(enum softirq nr, softirq_fn *fn)
{
	handlers[nr] = fn;
}

void softirq_raise(enum softirq nr)
{
	set_bit(nr, &this_cpu(softirq_pending));
}

/*
 * Whoever finds the word zero sends the interrupt: any other bit says that one
 * is under way or that the CPU is about to look.
 */
void softirq_raise_cpu(unsigned int cpu, enum softirq nr)
{
	uint64_t before;

	if (cpu == smp_processor_id()) {
		softirq_raise(nr);
		return;
	}
	before = atomic_or(&per_cpu(softirq_pending, cpu), BIT(nr));
	if (!before)
		smp_kick(cpu);
}

bool softirq_take_schedule(void)
{
	return test_and_clear_bit(SOFTIRQ_SCHEDULE, &this_cpu(softirq_pending));
}

void softirq_run(void)
{
	uint64_t *pending = &this_cpu(softirq_pending);
	uint64_t work;

	while ((work = READ_ONCE(*pending) & ~BIT(SOFTIRQ_SCHEDULE)) != 0) {
		unsigned int nr = (unsigned int)__builtin_ctzl(work);

		clear_bit(nr, pending);
		if (handlers[nr])
			handlers[nr]();
	}
}

/*
 * Tasklets: a list a CPU, newest first, taken whole. scheduled is set by who
 * puts it on a list and cleared before fn runs, so fn may schedule it again.
 */
static struct tasklet *tasklets[NR_CPUS];
/* What runs on each CPU now. */
static struct tasklet *running[NR_CPUS];

void tasklet_init(struct tasklet *t, void (*fn)(void *), void *data)
{
	*t = (struct tasklet){.fn = fn, .data = data};
}

void tasklet_schedule(struct tasklet *t, unsigned int cpu)
{
	struct tasklet *first;

	if (atomic_xchg(&t->scheduled, 1))
		return;
	first = atomic_read(&tasklets[cpu]);
	do {
		t->next = first;
	} while (!atomic_cas(&tasklets[cpu], &first, t));
	softirq_raise_cpu(cpu, SOFTIRQ_TASKLET);
}

static void run_tasklet(struct tasklet *t, unsigned int cpu)
{
	/* running before scheduled goes: tasklet_kill() sees one of them. */
	atomic_set(&running[cpu], t);
	atomic_set(&t->scheduled, 0);
	t->fn(t->data);
	/* fn may have freed it: only the mark is taken back. */
	atomic_set(&running[cpu], NULL);
}

static void tasklet_softirq(void)
{
	unsigned int cpu = smp_processor_id();
	struct tasklet *list = atomic_xchg(&tasklets[cpu], NULL);
	struct tasklet *in_order = NULL;

	while (list) {
		struct tasklet *t = list;

		list = t->next;
		t->next = in_order;
		in_order = t;
	}
	while (in_order) {
		struct tasklet *t = in_order;

		in_order = t->next;
		run_tasklet(t, cpu);
	}
}

static bool runs_somewhere(const struct tasklet *t)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (atomic_read(&running[cpu]) == t)
			return true;
	return false;
}

void tasklet_kill(struct tasklet *t)
{
	while (atomic_read(&t->scheduled) || runs_somewhere(t))
		cpu_relax();
}

void softirq_init(void)
{
	softirq_register(SOFTIRQ_TIMER, timer_softirq);
	softirq_register(SOFTIRQ_TASKLET, tasklet_softirq);
	smp_init();
}
