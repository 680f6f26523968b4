/* SPDX-License-Identifier: MIT */
/* The arithmetic of time: scales against exact fractions, dates against libc.
 */
#define _DEFAULT_SOURCE
#include "harness.h"
#include "cpu_stubs.h"

#include "cpu/calibrate.h"
#include "cpu/cpu.h"
#include "cpu/init.h"
#include "cpu/rtc.h"
#include "cpu/time.h"

#include <time.h>

struct cpu_features cpu_features;

uint64_t calibrate_tsc(const char **source)
{
	*source = "the test";
	return 2500000;
}

uint64_t rtc_read(void)
{
	return 1000000000;
}

static const uint64_t rates[] = {
	1,       1000,    32768,   100000,  999999,   1000000, 1000001,
	1193182, 2000000, 2499996, 3579545, 24000000, 5000000, 999999999,
};

/* |got - exact| is below 2^-30 of it, and one for rounding. */
static void check_close(uint64_t got, unsigned __int128 num, uint64_t den)
{
	uint64_t exact = (uint64_t)(num / den);
	uint64_t off = got > exact ? got - exact : exact - got;

	CHECK(off <= (exact >> 30) + 2);
}

static void scales(void)
{
	for (unsigned int r = 0; r < ARRAY_SIZE(rates); r++) {
		uint32_t mul;
		int8_t shift;
		uint64_t last = 0;

		time_scale(rates[r], &mul, &shift);
		CHECK(mul >= 1U << 31);
		for (uint64_t t = 1; t < 1UL << 50; t += t / 3 + 1) {
			uint64_t ns = scale_ticks(t, mul, shift);

			/* A clock under 1 GHz of years may not fit: skip. */
			if ((unsigned __int128)t * 1000000 / rates[r] >> 62)
				break;
			check_close(ns, (unsigned __int128)t * 1000000,
				    rates[r]);
			CHECK(ns >= last);
			last = ns;
		}
	}
}

/* A hundred years at 5 GHz neither overflow nor drift. */
static void century(void)
{
	uint64_t ns = 100UL * 365 * 86400 * 1000000000, ticks = ns * 5;
	uint32_t mul;
	int8_t shift;

	time_scale(5000000, &mul, &shift);
	check_close(scale_ticks(ticks, mul, shift), ns, 1);
}

/* Each step of a tick less than a nanosecond moves time by 0 or 1. */
static void no_jumps(void)
{
	uint32_t mul;
	int8_t shift;

	time_scale(2499996, &mul, &shift);
	for (uint64_t t = 1UL << 45; t < (1UL << 45) + 10000; t++) {
		uint64_t step = scale_ticks(t + 1, mul, shift) -
				scale_ticks(t, mul, shift);

		CHECK(step <= 1);
	}
}

static void inverse(void)
{
	for (unsigned int r = 0; r < ARRAY_SIZE(rates); r++) {
		uint32_t mul;
		int8_t shift;

		time_scale(rates[r], &mul, &shift);
		for (uint64_t ns = 1; ns < 1UL << 58; ns += ns / 3 + 1) {
			unsigned __int128 want =
				(unsigned __int128)ns * rates[r];

			if (want / 1000000 >> 62)
				break;
			uint64_t t = unscale_ticks(ns, mul, shift);
			uint64_t exact = (uint64_t)(want / 1000000);
			uint64_t grain = 2 + (shift < 0 ? 1UL << -shift : 0);
			uint64_t off = t > exact ? t - exact : exact - t;

			CHECK(off <= (exact >> 30) + grain);
		}
	}
}

static void ratios(void)
{
	uint32_t mul;
	int8_t shift;

	scale_ratio(1, 1, &mul, &shift);
	CHECK_EQ(scale_ticks(1000000, mul, shift), 1000000);
	scale_ratio(3, 2, &mul, &shift);
	check_close(scale_ticks(1UL << 40, mul, shift), 3UL << 39, 1);
	scale_ratio(1UL << 60, 3UL << 58, &mul, &shift);
	check_close(scale_ticks(3000000, mul, shift), 4000000, 1);
	scale_ratio(7, 1UL << 50, &mul, &shift);
	check_close(scale_ticks(1UL << 56, mul, shift), 7 * 64, 1);
}

static void system_time(void)
{
	time_init();
	CHECK_EQ(tsc_khz, 2500000);
	CHECK(wallclock_sec == 1000000000 || wallclock_sec == 999999999);
	CHECK_EQ(tsc_to_system(tsc_base), 0);
	CHECK_EQ(tsc_to_system(tsc_base - 1000), 0); /* not negative */
	s_time_t second = tsc_to_system(tsc_base + 2500000000UL);
	CHECK(second >= SECONDS(1) - 2 && second <= SECONDS(1));
	uint64_t back = system_to_tsc(second) - tsc_base;
	CHECK(back >= 2500000000UL - 8 && back <= 2500000000UL);
	CHECK_EQ(system_to_tsc(-5), tsc_base);
	s_time_t a = now(), b = now();
	CHECK(b >= a);
}

static void wallclock(void)
{
	wallclock_set(1000, 500, 0);
	CHECK_EQ(wallclock_sec, 1000);
	CHECK_EQ(wallclock_nsec, 500);
	wallclock_set(1000, 100, SECONDS(3) + 200);
	CHECK_EQ(wallclock_sec, 996);
	CHECK_EQ(wallclock_nsec, 999999900);
	wallclock_set(1000, 999999999, SECONDS(1) + 999999999);
	CHECK_EQ(wallclock_sec, 999);
	CHECK_EQ(wallclock_nsec, 0);
}

static void dates(void)
{
	for (int64_t t = 0; t < 4102444800; t += 86400 * 9 + 12345) {
		time_t libc = t;
		struct tm tm;

		gmtime_r(&libc, &tm);
		CHECK_EQ(date_to_seconds(1900U + (unsigned int)tm.tm_year,
					 1U + (unsigned int)tm.tm_mon,
					 (unsigned int)tm.tm_mday,
					 (unsigned int)tm.tm_hour,
					 (unsigned int)tm.tm_min,
					 (unsigned int)tm.tm_sec),
			 t);
	}
	CHECK_EQ(date_to_seconds(2000, 2, 29, 0, 0, 0), 951782400);
	CHECK_EQ(date_to_seconds(2100, 3, 1, 0, 0, 0), 4107542400);
}

static const struct test_case cases[] = {
	{"scales are exact to 2^-30 and monotonic", scales},
	{"a century does not overflow", century},
	{"no jumps within a tick", no_jumps},
	{"the inverse", inverse},
	{"any ratio", ratios},
	{"system time", system_time},
	{"the wall clock's borrow", wallclock},
	{"dates as libc has them", dates},
};

int main(void)
{
	return RUN_CASES(cases);
}
