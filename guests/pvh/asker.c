/* SPDX-License-Identifier: MIT */
/*
 * A guest PC in whose firmware's place this program runs (firmware_override=):
 * what it does is what a device model says, which answers its port ASK
 * (tests/system/model.c): a letter, and how often in the three bytes above.
 *	r  reads port ANSWER: the least batch's cost, as guests/pvh/bench.c
 *	   prints it
 *	i  reads it byte by byte with a string instruction, across a page's end
 *	v  writes to video memory, which needs no answer, then reads ANSWER
 *	c  crashes
 *	t  runs for as many tenths of a second, reading ANSWER
 * Anything else, and nobody's answer, is the end.
 */
#include "test.h"
#include <xen/sched.h>

#define ASK     0x5170
#define ANSWER  0x5174
#define VIDEO   0xa0000ul
#define BATCHES 7

const char guest_name[] = "asker";
static uint8_t buffer[2 * PAGE_SIZE] PAGE_ALIGNED;

static uint32_t inl(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

/* tests/bench/profile knows a round by it. */
static __attribute__((noinline)) void read_answer(void)
{
	inl(ANSWER);
}

static void round_trips(uint32_t n)
{
	uint64_t ticks = UINT64_MAX, ns = UINT64_MAX;

	for (unsigned int b = 0; b < BATCHES; b++) {
		uint64_t t0 = rdtsc(), n0 = system_time(), t;

		for (uint32_t i = 0; i < n; i++)
			read_answer();
		t = rdtsc() - t0;
		n0 = system_time() - n0;
		ticks = t < ticks ? t : ticks;
		ns = n0 < ns ? n0 : ns;
	}
	print("bench in_model ticks=%lu ns=%lu\n", ticks * 10 / n, ns * 10 / n);
}

/* Half of them before the page's end. */
static void string(uint32_t n)
{
	void *to = buffer + PAGE_SIZE - n / 2;
	uint64_t left = n;
	unsigned int good = 0;

	__asm__ volatile("cld; rep insb"
			 : "+D"(to), "+c"(left)
			 : "d"(ANSWER)
			 : "memory");
	for (uint32_t i = 0; i < n; i++)
		good += buffer[PAGE_SIZE - n / 2 + i] == 0xa5;
	print("# %lu are left, %u of %u right\n", left, good, n);
}

static void video(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		*(volatile uint8_t *)(VIDEO + i % 0x10000) = (uint8_t)i;
	print("# written, then read: %x\n", inl(ANSWER));
}

static void run(uint32_t tenths)
{
	uint64_t end = system_time() + tenths * 100000000ull;
	uint32_t n = 0;

	for (; system_time() < end; n++)
		inl(ANSWER);
	print("# %u reads\n", n);
}

static bool obey(uint32_t what)
{
	uint32_t n = what >> 8;

	switch (what & 0xff) {
	case 'r':
		round_trips(n);
		return true;
	case 'i':
		string(n);
		return true;
	case 'v':
		video(n);
		return true;
	case 't':
		run(n);
		return true;
	case 'c':
		guest_shutdown(SHUTDOWN_crash);
	}
	return false;
}

void guest_main(void)
{
	check_rc(event_init(), 0, "the clock");
	while (obey(inl(ASK)))
		;
	check(true, "the end is reached");
}
