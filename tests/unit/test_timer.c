/* SPDX-License-Identifier: MIT */
/*
 * Timers against a plain model: whatever is set, moved and stopped, on
 * whichever CPU, each fires once, not early, in order; and the hardware is
 * never programmed for later than the earliest.
 */
#include "harness.h"
#include "cpu_stubs.h"

#include "cpu/apic.h"
#include "cpu/cpu.h"
#include "cpu/softirq.h"
#include "cpu/time.h"
#include "cpu/timer.h"

#define CPUS   3
#define TIMERS 200

DEFINE_PER_CPU(uint64_t, cpu_number);
unsigned int nr_cpus = CPUS;
static s_time_t clock_ns = 1;
static s_time_t hardware[CPUS]; /* 0: nothing programmed */
static bool raised[CPUS];

s_time_t now(void)
{
	return clock_ns;
}
void apic_eoi(void)
{
}
void apic_timer_arm(s_time_t t)
{
	hardware[percpu_cpu_number] = max(t, clock_ns);
}
void softirq_raise(enum softirq nr)
{
	if (nr == SOFTIRQ_TIMER)
		raised[percpu_cpu_number] = true;
}

struct model {
	struct timer t;
	bool set;
	s_time_t at;
	unsigned int cpu, fired;
};
static struct model models[TIMERS];
static s_time_t last_fired;

static void fire(void *data)
{
	struct model *m = data;

	CHECK(m->set);
	CHECK(m->at <= clock_ns);
	CHECK_EQ(m->cpu, percpu_cpu_number);
	CHECK(!timer_active(&m->t));
	CHECK(m->at >= last_fired);
	last_fired = m->at;
	m->set = false;
	m->fired++;
}

static void set(struct model *m, s_time_t at)
{
	timer_set(&m->t, at);
	m->set = true;
	m->at = at;
	m->cpu = (unsigned int)percpu_cpu_number;
}

static void run_cpu(unsigned int cpu)
{
	struct cpu_regs regs = {.entry_vector = 0};

	percpu_cpu_number = cpu;
	if (hardware[cpu] && hardware[cpu] <= clock_ns) {
		hardware[cpu] = 0;
		timer_interrupt(&regs);
	}
	while (raised[cpu]) {
		raised[cpu] = false;
		last_fired = INT64_MIN;
		timer_softirq();
		/* More than a batch: the rest comes with an interrupt. */
		if (hardware[cpu] && hardware[cpu] <= clock_ns) {
			hardware[cpu] = 0;
			timer_interrupt(&regs);
		}
	}
}

static void check_model(void)
{
	s_time_t first[CPUS] = {INT64_MAX, INT64_MAX, INT64_MAX};

	for (unsigned int i = 0; i < TIMERS; i++) {
		CHECK_EQ(timer_active(&models[i].t), models[i].set);
		if (models[i].set)
			first[models[i].cpu] =
				min(first[models[i].cpu], models[i].at);
	}
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		percpu_cpu_number = cpu;
		CHECK_EQ(timer_next(), first[cpu]);
		if (first[cpu] != INT64_MAX)
			CHECK(hardware[cpu] &&
			      hardware[cpu] <= max(first[cpu], clock_ns));
	}
}

static void random_use(void)
{
	srand(4711);
	for (unsigned int i = 0; i < TIMERS; i++)
		timer_init(&models[i].t, fire, &models[i]);
	for (unsigned int n = 0; n < 20000 && !test_failures; n++) {
		struct model *m = &models[rand() % TIMERS];

		percpu_cpu_number = (unsigned int)rand() % CPUS;
		switch (rand() % 4) {
		case 0:
		case 1:
			set(m, clock_ns + rand() % 5000 - 500);
			break;
		case 2:
			timer_stop(&m->t);
			m->set = false;
			break;
		case 3:
			clock_ns += rand() % 300;
			for (unsigned int c = 0; c < CPUS; c++)
				run_cpu(c);
			break;
		}
		if (n % 16 == 0)
			check_model();
	}
	clock_ns += SECONDS(1);
	for (unsigned int c = 0; c < CPUS; c++)
		run_cpu(c);
	for (unsigned int i = 0; i < TIMERS; i++)
		CHECK(!models[i].set && models[i].fired > 0);
}

static unsigned int ticks;
static void periodic(void *data)
{
	struct timer *t = data;

	if (++ticks < 5)
		timer_set(t, t->expires + 100);
}

static void sets_itself(void)
{
	struct timer t;

	percpu_cpu_number = 0;
	timer_init(&t, periodic, &t);
	timer_set(&t, clock_ns + 100);
	for (unsigned int i = 0; i < 20; i++) {
		clock_ns += 50;
		run_cpu(0);
	}
	CHECK_EQ(ticks, 5);
}

/* A timer in the past that sets itself into the past must not keep the CPU. */
static void always_past(void *data)
{
	ticks++;
	timer_set(data, 0);
}

static void past_does_not_hog(void)
{
	struct timer t;

	ticks = 0;
	percpu_cpu_number = 1;
	timer_init(&t, always_past, &t);
	timer_set(&t, 0);
	hardware[1] = 0;
	timer_softirq();
	CHECK(ticks >= 1 && ticks <= 100);
	CHECK(hardware[1] != 0); /* it goes on by an interrupt */
	timer_kill(&t);
	CHECK(!timer_active(&t));
}

static void killed_stays_dead(void)
{
	struct timer t;

	percpu_cpu_number = 2;
	ticks = 0;
	timer_init(&t, periodic, &t);
	timer_set(&t, clock_ns + 10);
	timer_kill(&t);
	timer_set(&t, clock_ns + 10);
	CHECK(!timer_active(&t));
	clock_ns += 1000;
	run_cpu(2);
	CHECK_EQ(ticks, 0);
}

/* Moving a timer to later again and again leaves the hardware alone. */
static void later_is_lazy(void)
{
	struct timer t;

	percpu_cpu_number = 0;
	timer_init(&t, periodic, &t);
	ticks = 5;
	hardware[0] = 0;
	timer_set(&t, clock_ns + 100);
	hardware[0] = 12345;
	timer_set(&t, clock_ns + 200);
	timer_set(&t, clock_ns + 300);
	CHECK_EQ(hardware[0], 12345);
	timer_set(&t, clock_ns + 50);
	CHECK_EQ(hardware[0], clock_ns + 50);
	timer_kill(&t);
}

static const struct test_case cases[] = {
	{"random use against a model", random_use},
	{"a timer sets itself", sets_itself},
	{"a timer in the past does not keep the CPU", past_does_not_hog},
	{"a killed timer stays dead", killed_stays_dead},
	{"later times are programmed late", later_is_lazy},
};

int main(void)
{
	return RUN_CASES(cases);
}
