/* SPDX-License-Identifier: MIT */
/*
 * The scheduler in a simulated machine: time goes in steps of 10 µs, each CPU
 * runs what sched_pick() gives, timers and cross-CPU interrupts come at the
 * next step. Units use the CPU all the time, or run and sleep in turns.
 */
#include "harness.h"

#include "cpu_stubs.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "sched/runqueue.h"

#include <xen/xen.h>
#include <xen/vcpu.h>

#define STEP       MICROSECS(10)
#define MAX_UNITS  16
#define MAX_TIMERS 64

/* --- the machine under the scheduler --- */

static s_time_t clock_ns;
DEFINE_PER_CPU(uint64_t, cpu_number);
DEFINE_PER_CPU(uint64_t, softirq_pending); /* of the CPU whose turn it is */
static uint64_t pending[NR_CPUS];
static struct timer *armed[MAX_TIMERS];
cpumask_t cpu_online_map;
unsigned int nr_cpus;
void (*smp_cpu_loop)(void);

s_time_t now(void)
{
	return clock_ns;
}

static void on_cpu(unsigned int cpu)
{
	pending[percpu_cpu_number] = percpu_softirq_pending;
	percpu_cpu_number = cpu;
	percpu_softirq_pending = pending[cpu];
}

void softirq_raise(enum softirq nr)
{
	percpu_softirq_pending |= BIT(nr);
}
void softirq_raise_cpu(unsigned int cpu, enum softirq nr)
{
	if (cpu == percpu_cpu_number)
		softirq_raise(nr);
	else
		pending[cpu] |= BIT(nr);
}
bool softirq_take_schedule(void)
{
	bool was = percpu_softirq_pending & BIT(SOFTIRQ_SCHEDULE);

	percpu_softirq_pending &= ~BIT(SOFTIRQ_SCHEDULE);
	return was;
}
void softirq_run(void)
{
}
void cpu_idle(void)
{
}
void smp_call(const cpumask_t *cpus, void (*fn)(void *), void *data, bool wait)
{
	unsigned int self = smp_processor_id(), cpu;

	(void)wait;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		if (!cpumask_test(cpus, cpu))
			continue;
		on_cpu(cpu);
		fn(data);
	}
	on_cpu(self);
}

void timer_init(struct timer *t, void (*fn)(void *), void *data)
{
	*t = (struct timer){.fn = fn, .data = data};
}
void timer_stop(struct timer *t)
{
	for (unsigned int i = 0; i < MAX_TIMERS; i++)
		if (armed[i] == t)
			armed[i] = NULL;
	t->queued = false;
}
void timer_set(struct timer *t, s_time_t expires)
{
	unsigned int i = 0;

	timer_stop(t);
	while (armed[i])
		BUG_ON(++i == MAX_TIMERS);
	armed[i] = t;
	t->queued = true;
	t->expires = expires;
	t->cpu = (uint16_t)smp_processor_id();
}
void timer_kill(struct timer *t)
{
	timer_stop(t);
	t->killed = true;
}
bool timer_active(const struct timer *t)
{
	return t->queued;
}

/* --- the units --- */

struct sim {
	struct sched_unit unit;
	s_time_t work, sleep; /* work 0: all the time */
	s_time_t left, wake_at;
	s_time_t ran, latency, woken_at;
	unsigned int switches;
	int on; /* the CPU it runs on, -1 */
	int loaded_on;
	s_time_t state_since;
	bool made;
};
static struct sim sims[MAX_UNITS];
static struct sched_group groups[MAX_UNITS];

static struct sim *sim_of(struct sched_unit *u)
{
	return container_of(u, struct sim, unit);
}
static void sim_run(struct sched_unit *u)
{
	(void)u;
}
static void sim_in(struct sched_unit *u)
{
	BUG_ON(sim_of(u)->loaded_on != -1);
	sim_of(u)->loaded_on = (int)smp_processor_id();
	sim_of(u)->switches++;
}
static void sim_out(struct sched_unit *u)
{
	BUG_ON(sim_of(u)->loaded_on != (int)smp_processor_id());
	sim_of(u)->loaded_on = -1;
}
static void sim_runstate(struct sched_unit *u, int state, s_time_t t)
{
	struct sim *s = sim_of(u);

	BUG_ON(state < 0 || state > 3 || t < s->state_since);
	s->state_since = t;
}
static const struct sched_unit_ops sim_ops = {
	.run = sim_run,
	.switch_in = sim_in,
	.switch_out = sim_out,
	.runstate = sim_runstate,
};
static bool never(struct sched_unit *u)
{
	(void)u;
	return false;
}

static void machine(unsigned int cpus)
{
	clock_ns = SECONDS(1);
	memset(sims, 0, sizeof(sims));
	memset(armed, 0, sizeof(armed));
	memset(pending, 0, sizeof(pending));
	memset(&cpu_online_map, 0, sizeof(cpu_online_map));
	memset(&sched_cpus, 0, sizeof(sched_cpus));
	memset(&sched_idle_map, 0, sizeof(sched_idle_map));
	memset(&sched_waiting_map, 0, sizeof(sched_waiting_map));
	percpu_softirq_pending = percpu_cpu_number = 0;
	sched_front = 0;
	sched_ratelimit_us = 1000;
	nr_cpus = cpus;
	sched_init();
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		cpumask_set(&cpu_online_map, cpu);
		on_cpu(cpu);
		sched_init_cpu();
	}
	on_cpu(0);
}

static struct sim *unit(unsigned int i, s_time_t work, s_time_t sleep,
			unsigned int weight, unsigned int cap)
{
	struct sim *s = &sims[i];

	sched_group_init(&groups[i]);
	CHECK_EQ(sched_set_params(&groups[i], weight, cap), 0);
	sched_unit_init(&s->unit, &groups[i], &sim_ops);
	s->work = s->left = work;
	s->sleep = sleep;
	s->on = s->loaded_on = -1;
	s->made = true;
	sched_wake(&s->unit);
	return s;
}

static void pin(struct sim *s, unsigned int cpu)
{
	cpumask_t one = {{0}};

	cpumask_set(&one, cpu);
	CHECK_EQ(sched_set_affinity(&s->unit, &one, &one), 0);
}

static void check_invariants(void)
{
	for (unsigned int i = 0; i < MAX_UNITS; i++) {
		struct sched_unit *u = &sims[i].unit;

		if (!sims[i].made)
			continue;
		BUG_ON(u->moving);
		BUG_ON(!list_empty(&u->queue) &&
		       (u->state != SCHED_RUNNABLE || u->pause_count));
		BUG_ON(u->state == SCHED_RUNNING &&
		       runqueues[u->cpu].curr != u);
		/* Nothing that could run is forgotten. */
		BUG_ON(u->state == SCHED_RUNNABLE && !u->pause_count &&
		       !u->parked && list_empty(&u->queue) &&
		       runqueues[u->cpu].curr != u);
		BUG_ON(!list_empty(&u->queue) && !unit_allowed(u, u->cpu));
	}
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct runqueue *rq = &runqueues[cpu];
		unsigned int n = 0;
		struct sched_unit *u;
		s_time_t last = INT64_MIN;

		list_for_each_entry(u, &rq->queue, queue) {
			BUG_ON(u->cpu != cpu || u->vtime < last);
			last = u->vtime;
			n++;
		}
		BUG_ON(n != rq->waiting);
		BUG_ON(cpumask_test(&sched_waiting_map, cpu) != (n > 0));
	}
}

static void fire_timers(void)
{
	for (unsigned int i = 0; i < MAX_TIMERS; i++) {
		struct timer *t = armed[i];

		if (!t || t->expires > clock_ns)
			continue;
		armed[i] = NULL;
		t->queued = false;
		on_cpu(t->cpu);
		t->fn(t->data);
	}
}

/* What sched_loop() does with a CPU, for one step. */
static void cpu_step(unsigned int cpu)
{
	struct runqueue *rq = &runqueues[cpu];
	struct sched_unit *u;
	struct sim *s;

	on_cpu(cpu);
	u = rq->curr;
	if ((u && u->state != SCHED_RUNNING) ||
	    (percpu_softirq_pending & BIT(SOFTIRQ_SCHEDULE)))
		u = sched_pick();
	if (!u)
		return;
	sched_load(u);
	s = sim_of(u);
	BUG_ON(s->loaded_on != (int)cpu || !unit_allowed(u, cpu));
	if (s->woken_at) {
		s->latency = max(s->latency, clock_ns - s->woken_at);
		s->woken_at = 0;
	}
	s->ran += STEP;
	if (!s->work)
		return;
	s->left -= STEP;
	if (s->left <= 0) {
		s->wake_at = clock_ns + s->sleep;
		sched_block(u, never);
	}
}

static void wake_sleepers(void)
{
	for (unsigned int i = 0; i < MAX_UNITS; i++) {
		struct sim *s = &sims[i];

		if (!s->made || !s->wake_at || s->wake_at > clock_ns)
			continue;
		s->wake_at = 0;
		s->left = s->work;
		s->woken_at = clock_ns;
		on_cpu(i % nr_cpus);
		sched_wake(&s->unit);
	}
}

static void run_for(s_time_t ns)
{
	for (s_time_t end = clock_ns + ns; clock_ns < end; clock_ns += STEP) {
		fire_timers();
		wake_sleepers();
		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
			cpu_step(cpu);
		check_invariants();
	}
}

static void reset_counts(void)
{
	for (unsigned int i = 0; i < MAX_UNITS; i++)
		sims[i].ran = sims[i].latency = sims[i].woken_at = 0;
}

/* Within 2 % of the second. */
static void check_share(const struct sim *s, s_time_t want)
{
	s_time_t off = s->ran > want ? s->ran - want : want - s->ran;

	if (off > want / 50 + STEP) {
		printf("# unit %d ran %ld us of %ld wanted\n", (int)(s - sims),
		       s->ran / 1000, want / 1000);
		test_failures++;
	}
}

static void end(void)
{
	for (unsigned int i = 0; i < MAX_UNITS; i++) {
		if (!sims[i].made)
			continue;
		sched_offline(&sims[i].unit);
	}
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		on_cpu(cpu);
		sched_pick();
	}
	for (unsigned int i = 0; i < MAX_UNITS; i++) {
		if (!sims[i].made)
			continue;
		sched_unit_destroy(&sims[i].unit);
		CHECK_EQ(sims[i].loaded_on, -1);
		CHECK(list_empty(&groups[i].units));
		sched_group_destroy(&groups[i]);
	}
}

/* --- the cases --- */

static void hogs(unsigned int cpus, unsigned int n)
{
	machine(cpus);
	for (unsigned int i = 0; i < n; i++)
		unit(i, 0, 0, 256, 0);
	run_for(SECONDS(1));
	for (unsigned int i = 0; i < n; i++)
		check_share(&sims[i], min(SECONDS(1), SECONDS(cpus) / n));
	end();
}
static void two_on_one(void)
{
	hogs(1, 2);
}
static void three_on_two(void)
{
	hogs(2, 3);
}
static void five_on_two(void)
{
	hogs(2, 5);
}
static void seven_on_four(void)
{
	hogs(4, 7);
}
static void two_on_four(void)
{
	hogs(4, 2);
}

static void weights(void)
{
	machine(1);
	unit(0, 0, 0, 256, 0);
	unit(1, 0, 0, 512, 0);
	run_for(SECONDS(1));
	check_share(&sims[0], SECONDS(1) / 3);
	check_share(&sims[1], SECONDS(1) * 2 / 3);
	end();
}

static void weights_on_two(void)
{
	machine(2);
	unit(0, 0, 0, 512, 0);
	for (unsigned int i = 1; i < 5; i++)
		unit(i, 0, 0, 256, 0);
	run_for(SECONDS(1));
	check_share(&sims[0], SECONDS(2) * 2 / 6);
	for (unsigned int i = 1; i < 5; i++)
		check_share(&sims[i], SECONDS(2) / 6);
	end();
}

static void caps(void)
{
	machine(1);
	unit(0, 0, 0, 256, 20);
	unit(1, 0, 0, 256, 0);
	run_for(SECONDS(1));
	check_share(&sims[0], MILLISECS(200));
	check_share(&sims[1], MILLISECS(800));
	end();
	/* Alone, too; and lifting the cap takes effect. */
	machine(2);
	unit(0, 0, 0, 256, 35);
	run_for(SECONDS(1));
	check_share(&sims[0], MILLISECS(350));
	CHECK_EQ(sched_set_params(&groups[0], 256, 0), 0);
	reset_counts();
	run_for(SECONDS(1));
	check_share(&sims[0], SECONDS(1));
	end();
}

/* A cap that comes while the unit runs, alone and long since. */
static void late_cap(void)
{
	machine(2);
	unit(0, 0, 0, 256, 0);
	run_for(MILLISECS(140));
	CHECK_EQ(sched_set_params(&groups[0], 256, 20), 0);
	reset_counts();
	run_for(SECONDS(1));
	check_share(&sims[0], MILLISECS(200));
	end();
}

/* Timers that come late must not leave a capped unit aside for good. */
static void late_timers(void)
{
	s_time_t late = 0;

	machine(1);
	unit(0, 0, 0, 256, 20);
	for (s_time_t stop = clock_ns + SECONDS(2); clock_ns < stop;) {
		for (unsigned int t = 0; t < MAX_TIMERS; t++)
			if (armed[t] == &runqueues[0].slice &&
			    armed[t]->expires != late) {
				late = armed[t]->expires + MILLISECS(30);
				armed[t]->expires = late;
			}
		run_for(STEP);
	}
	CHECK(sims[0].ran > MILLISECS(100) && sims[0].ran < MILLISECS(500));
	end();
}

static void pinning(void)
{
	machine(2);
	for (unsigned int i = 0; i < 3; i++)
		pin(unit(i, 0, 0, 256, 0), 1);
	unit(3, 0, 0, 256, 0);
	run_for(SECONDS(1));
	for (unsigned int i = 0; i < 3; i++)
		check_share(&sims[i], SECONDS(1) / 3);
	check_share(&sims[3], SECONDS(1));
	/* Let go, all four share alike again. */
	for (unsigned int i = 0; i < 3; i++) {
		cpumask_t all;

		memset(&all, 0xff, sizeof(all));
		CHECK_EQ(sched_set_affinity(&sims[i].unit, &all, &all), 0);
	}
	run_for(MILLISECS(300));
	reset_counts();
	run_for(SECONDS(1));
	for (unsigned int i = 0; i < 4; i++)
		check_share(&sims[i], SECONDS(2) / 4);
	end();
}

static void close_cpu(unsigned int cpu)
{
	sched_close_cpu(cpu);
	for (unsigned int i = 0; i < MAX_UNITS; i++)
		if (sims[i].made)
			sched_leave_closed_cpu(&sims[i].unit);
}

/* All go to the other, the pinned one too; afterwards they share again. */
static void closed_cpu(void)
{
	machine(2);
	for (unsigned int i = 0; i < 4; i++)
		unit(i, i == 3 ? STEP : 0, STEP, 256, 0);
	pin(&sims[0], 1);
	run_for(MILLISECS(100));
	close_cpu(1);
	run_for(MILLISECS(300));
	CHECK(!runqueues[1].curr && !runqueues[1].waiting);
	CHECK(!cpumask_test(&sched_idle_map, 1));
	reset_counts();
	run_for(SECONDS(1));
	CHECK(!runqueues[1].curr && !runqueues[1].waiting);
	check_share(&sims[1], sims[2].ran);
	CHECK(sims[0].ran > MILLISECS(200));
	sched_open_cpu(1);
	run_for(MILLISECS(300));
	reset_counts();
	run_for(SECONDS(1));
	CHECK(sims[0].ran + sims[1].ran + sims[2].ran > MILLISECS(1200));
	check_share(&sims[1], sims[2].ran);
	end();
}

static void bad_affinity(void)
{
	cpumask_t offline = {{0}}, all;

	machine(2);
	unit(0, 0, 0, 256, 0);
	memset(&all, 0xff, sizeof(all));
	CHECK(sched_set_affinity(&sims[0].unit, &offline, &all) < 0);
	cpumask_set(&offline, 7);
	CHECK(sched_set_affinity(&sims[0].unit, &offline, &all) < 0);
	CHECK(sched_set_params(&groups[0], 0, 0) < 0);
	CHECK(sched_set_params(&groups[0], 70000, 0) < 0);
	end();
}

/* One CPU, three hogs, and a sleeper that asks for 10 %: it gets that, soon,
 * and the rest is shared. */
static void mixed(void)
{
	machine(1);
	for (unsigned int i = 0; i < 3; i++)
		unit(i, 0, 0, 256, 0);
	unit(3, MICROSECS(200), MICROSECS(1800), 256, 0);
	run_for(MILLISECS(50));
	reset_counts();
	run_for(SECONDS(1));
	for (unsigned int i = 1; i < 3; i++)
		check_share(&sims[i], sims[0].ran);
	CHECK(sims[3].ran > MILLISECS(70));
	CHECK(sims[3].latency <= MICROSECS(1010));
	end();
}

static void mixed_on_two(void)
{
	machine(2);
	for (unsigned int i = 0; i < 3; i++)
		unit(i, 0, 0, 256, 0);
	unit(3, MICROSECS(500), MILLISECS(10), 256, 0);
	unit(4, MILLISECS(3), MILLISECS(30), 256, 0);
	run_for(MILLISECS(50));
	reset_counts();
	run_for(SECONDS(1));
	for (unsigned int i = 0; i < 3; i++)
		check_share(&sims[i],
			    (sims[0].ran + sims[1].ran + sims[2].ran) / 3);
	CHECK(sims[0].ran + sims[1].ran + sims[2].ran + sims[3].ran +
		      sims[4].ran >=
	      SECONDS(2) - 2 * STEP);
	end();
}

/* Idle CPUs are used at once, and nobody is switched without need. */
static void idle_wakes(void)
{
	machine(2);
	unit(0, 0, 0, 256, 0);
	unit(1, MICROSECS(100), MICROSECS(400), 256, 0);
	run_for(SECONDS(1));
	check_share(&sims[0], SECONDS(1));
	CHECK(sims[1].latency <= STEP);
	CHECK_EQ(sims[0].switches, 1);
	CHECK_EQ(sims[1].switches, 1); /* its state stayed where it was */
	/* CPU 1 idled while its unit slept. */
	on_cpu(0);
	CHECK(sched_idle_time(1) + sched_idle_time(0) > MILLISECS(750));
	end();
}

/* An hour alone on a CPU, pinned, is no debt when another comes. */
static void old_skew(void)
{
	machine(2);
	pin(unit(0, 0, 0, 256, 0), 1);
	for (unsigned int i = 1; i < 5; i++)
		pin(unit(i, 0, 0, 256, 0), 0);
	run_for(SECONDS(5));
	for (unsigned int i = 0; i < 5; i++) {
		cpumask_t all;

		memset(&all, 0xff, sizeof(all));
		CHECK_EQ(sched_set_affinity(&sims[i].unit, &all, &all), 0);
	}
	run_for(MILLISECS(500));
	reset_counts();
	run_for(SECONDS(1));
	for (unsigned int i = 0; i < 5; i++)
		check_share(&sims[i], SECONDS(2) / 5);
	end();
}

static void pause_storm(void)
{
	machine(2);
	for (unsigned int i = 0; i < 4; i++)
		unit(i, 0, 0, 256, 0);
	for (unsigned int i = 0; i < 2000; i++) {
		struct sim *s = &sims[i % 3];

		on_cpu(i & 1);
		sched_pause(&s->unit);
		run_for(STEP);
		CHECK(runqueues[0].curr != &s->unit);
		CHECK(runqueues[1].curr != &s->unit);
		CHECK_EQ(s->unit.runstate, RUNSTATE_offline);
		sched_pause(&s->unit);
		sched_unpause(&s->unit);
		CHECK(s->unit.pause_count == 1);
		on_cpu((i >> 1) & 1);
		sched_unpause(&s->unit);
		run_for(STEP * (i % 5));
	}
	reset_counts();
	run_for(SECONDS(1));
	for (unsigned int i = 0; i < 4; i++)
		check_share(&sims[i], SECONDS(1) / 2);
	end();
}

static void pause_sync_saves(void)
{
	machine(2);
	unit(0, MICROSECS(50), MILLISECS(5), 256, 0);
	run_for(MILLISECS(1));
	CHECK(sims[0].loaded_on >= 0); /* asleep, its state still in a CPU */
	on_cpu(1 - (unsigned int)sims[0].loaded_on);
	sched_pause_sync(&sims[0].unit);
	CHECK_EQ(sims[0].loaded_on, -1);
	CHECK(!sched_unit_is_loaded(&sims[0].unit));
	sched_unpause(&sims[0].unit);
	end();
}

/* Anything at any time: the invariants are checked at each step, and in the end
 * whatever can run does. */
static void fuzz(void)
{
	for (unsigned int seed = 1; seed <= 20; seed++) {
		unsigned int cpus = 1 + seed % 4;
		unsigned int paused[MAX_UNITS] = {0};

		srand(seed);
		machine(cpus);
		for (unsigned int i = 0; i < 10; i++)
			unit(i, rand() % 2 ? 0 : STEP * (1 + rand() % 50),
			     STEP * (1 + rand() % 100), 1 + rand() % 1000,
			     rand() % 3 ? 0 : 1 + rand() % 150);
		for (unsigned int n = 0; n < 4000; n++) {
			unsigned int i = rand() % 10;
			struct sched_unit *u = &sims[i].unit;
			cpumask_t m = {{(uint64_t)rand() & 15}}, all;

			memset(&all, 0xff, sizeof(all));
			on_cpu(rand() % cpus);
			switch (rand() % 10) {
			case 8:
				if (cpus > 1)
					close_cpu(1 + rand() % (cpus - 1));
				break;
			case 9:
				sched_open_cpu(rand() % cpus);
				break;
			case 0:
				sched_pause(u);
				paused[i]++;
				break;
			case 1:
				if (paused[i]) {
					sched_unpause(u);
					paused[i]--;
				}
				break;
			case 2:
				sched_set_affinity(u, &m, &all);
				break;
			case 3:
				sched_wake(u);
				break;
			case 4:
				if (rand() % 4 == 0)
					sched_offline(u);
				break;
			case 5:
				sched_set_params(&groups[i], 1 + rand() % 999,
						 rand() % 3 ? 0 : 50);
				break;
			case 6:
				if (runqueues[u->cpu].curr == u) {
					on_cpu(u->cpu);
					sched_yield(u);
				}
				break;
			case 7:
				sched_set_affinity(u, &all, &all);
				break;
			}
			run_for(STEP * (rand() % 8));
		}
		for (unsigned int i = 0; i < 10; i++) {
			cpumask_t all;

			memset(&all, 0xff, sizeof(all));
			if (i < cpus)
				sched_open_cpu(i);
			while (paused[i]--)
				sched_unpause(&sims[i].unit);
			sched_set_affinity(&sims[i].unit, &all, &all);
			sched_set_params(&groups[i], 256, 0);
			sims[i].work = 0;
			sched_wake(&sims[i].unit);
		}
		run_for(MILLISECS(200));
		reset_counts();
		run_for(SECONDS(1));
		for (unsigned int i = 0; i < 10; i++)
			check_share(&sims[i], SECONDS(cpus) / 10);
		end();
	}
}

static const struct test_case cases[] = {
	{"two hogs on one CPU", two_on_one},
	{"three hogs on two CPUs", three_on_two},
	{"five hogs on two CPUs", five_on_two},
	{"seven hogs on four CPUs", seven_on_four},
	{"two hogs on four CPUs", two_on_four},
	{"weights 256 and 512", weights},
	{"weights on two CPUs", weights_on_two},
	{"caps", caps},
	{"a cap for a unit that runs", late_cap},
	{"a capped unit and late timers", late_timers},
	{"pinning", pinning},
	{"a CPU is closed and opened", closed_cpu},
	{"affinities and parameters that cannot be", bad_affinity},
	{"hogs and a sleeper", mixed},
	{"hogs and sleepers on two CPUs", mixed_on_two},
	{"a sleeper on an idle CPU", idle_wakes},
	{"skew from pinning is forgotten", old_skew},
	{"pause and unpause storms", pause_storm},
	{"pausing saves the state", pause_sync_saves},
	{"random operations", fuzz},
};

int main(void)
{
	return RUN_CASES(cases);
}
