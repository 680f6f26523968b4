/* SPDX-License-Identifier: MIT */
/*
 * Time as a guest sees it: the version protocol of the clock page, that the
 * clock never goes back and keeps the processor's pace, the wall clock, and
 * that reading the time stamp counter agrees with it.
 */
#include "test.h"
#include <xen/sched.h>

const char guest_name[] = "time";

#define READS 20000

static void steady(void)
{
	uint64_t last = system_time(), most = 0;
	unsigned int back = 0;

	for (unsigned int i = 0; i < READS; i++) {
		uint64_t t = system_time();

		if (t < last)
			back++;
		else if (t - last > most)
			most = t - last;
		last = t;
	}
	note("longest step %lu us", most / 1000);
	check(back == 0, "the clock never goes back (%u of %u)", back, READS);
}

/* The two clocks over 100 ms: the factor of the page, to one part in 100. */
static void pace(void)
{
	volatile struct vcpu_time_info *v = &vcpu_info(0)->time;
	uint64_t tsc = rdtsc(), ns = system_time(), expect;
	int8_t shift = v->tsc_shift;

	while (system_time() - ns < 100000000)
		cpu_relax();
	tsc = rdtsc() - tsc;
	ns = system_time() - ns;
	expect = shift < 0 ? tsc >> -shift : tsc << shift;
	expect =
		(uint64_t)(((unsigned __int128)expect * v->tsc_to_system_mul) >>
			   32);
	note("100 ms: %lu us by the clock, %lu us by the counter", ns / 1000,
	     expect / 1000);
	check(expect > ns - ns / 100 && expect < ns + ns / 100,
	      "the counter keeps the clock's pace");
	check(v->tsc_to_system_mul != 0, "the page has a factor");
	check(!(v->version & 1), "and an even version");
}

static void wall(void)
{
	uint64_t s = shared_info.wc_sec | (uint64_t)shared_info.wc_sec_hi << 32;

	note("boot was at %lu", s);
	check(s > 1500000000 && s < 4000000000ul, "the wall clock is sane");
	check(shared_info.wc_nsec < 1000000000, "so are its nanoseconds");
	check(!(shared_info.wc_version & 1), "its version is even");
}

void guest_main(void)
{
	uint64_t before;

	if (!check_rc(event_init(), 0, "shared page and upcall vector"))
		return;
	check(system_time() > 0, "the clock runs");
	steady();
	pace();
	wall();
	before = system_time();
	for (unsigned int i = 0; i < 100; i++)
		sched_op(SCHEDOP_yield, NULL);
	check(system_time() > before, "time goes on over hypercalls");
}
