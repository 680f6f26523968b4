/* SPDX-License-Identifier: MIT */
/* Tasklets: in order, once for each schedule, and one that frees itself. */
#include "harness.h"

#include "cpu_stubs.h"

#include "cpu/init.h"
#include "cpu/irq.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"

DEFINE_PER_CPU(uint64_t, cpu_number);
unsigned int nr_cpus = 1;

void smp_kick(unsigned int cpu)
{
	(void)cpu;
}
void smp_init(void)
{
}
void timer_softirq(void)
{
}

static unsigned int order[8], done;

static void note(void *data)
{
	order[done++] = (unsigned int)(uintptr_t)data;
}

static void in_order(void)
{
	struct tasklet t[3];

	done = 0;
	for (uintptr_t i = 0; i < 3; i++) {
		tasklet_init(&t[i], note, (void *)(i + 1));
		tasklet_schedule(&t[i], 0);
		tasklet_schedule(&t[i], 0);
	}
	softirq_run();
	CHECK_EQ(done, 3);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(order[i], i + 1);
		tasklet_kill(&t[i]);
	}
}

static void again(void *data)
{
	if (++done < 3)
		tasklet_schedule(data, 0);
}

static void schedules_itself(void)
{
	struct tasklet t;

	done = 0;
	tasklet_init(&t, again, &t);
	tasklet_schedule(&t, 0);
	softirq_run();
	CHECK_EQ(done, 3);
	tasklet_kill(&t);
}

static void free_it(void *data)
{
	free(data);
	done++;
}

/* As a domain's end does: its tasklet is a part of it. */
static void frees_itself(void)
{
	struct tasklet *t = malloc(sizeof(*t)), other;

	done = 0;
	tasklet_init(t, free_it, t);
	tasklet_init(&other, note, NULL);
	tasklet_schedule(t, 0);
	tasklet_schedule(&other, 0);
	softirq_run();
	CHECK_EQ(done, 2);
	tasklet_kill(&other);
}

static const struct test_case cases[] = {
	{"tasklets run in order, once", in_order},
	{"a tasklet that schedules itself", schedules_itself},
	{"a tasklet that frees itself", frees_itself},
};

int main(void)
{
	softirq_init();
	return RUN_CASES(cases);
}
