/* SPDX-License-Identifier: MIT */
/*
 * System time. All CPUs' TSCs are taken to run alike (smp.c checks); now() is
 * the same arithmetic that a guest does on its pvclock page, so that both give
 * the same nanosecond.
 */
#include "cpu/time.h"
#include "cpu/calibrate.h"
#include "cpu/cpu.h"
#include "cpu/init.h"
#include "cpu/rtc.h"
#include "console/printk.h"

uint64_t tsc_khz, tsc_base;
uint32_t tsc_mul;
int8_t tsc_shift;
const char *tsc_source;
uint64_t wallclock_sec;
uint32_t wallclock_nsec;

s_time_t tsc_to_system(uint64_t tsc)
{
	/* A reading before tsc_base (another CPU's, slightly behind) is 0. */
	if (unlikely((int64_t)(tsc - tsc_base) < 0))
		return 0;
	return (s_time_t)scale_ticks(tsc - tsc_base, tsc_mul, tsc_shift);
}

uint64_t system_to_tsc(s_time_t t)
{
	if (t <= 0)
		return tsc_base;
	return tsc_base + unscale_ticks((uint64_t)t, tsc_mul, tsc_shift);
}

s_time_t now(void)
{
	return tsc_to_system(rdtsc());
}

void wallclock_set(uint64_t sec, uint32_t nsec, s_time_t t)
{
	uint64_t since = t > 0 ? (uint64_t)t : 0;
	uint64_t at_zero_sec = since / 1000000000;
	uint32_t at_zero_nsec = (uint32_t)(since % 1000000000);

	if (nsec < at_zero_nsec) {
		nsec += 1000000000;
		sec--;
	}
	wallclock_sec = sec - at_zero_sec;
	wallclock_nsec = nsec - at_zero_nsec;
}

void udelay(unsigned int us)
{
	uint64_t start = rdtsc(), ticks = (uint64_t)us * tsc_khz / 1000;

	while (rdtsc() - start < ticks)
		__asm__ volatile("pause");
}

void time_init(void)
{
	uint64_t sec;

	tsc_khz = calibrate_tsc(&tsc_source);
	if (!tsc_khz)
		panic("the TSC's rate cannot be found: neither the ACPI PM "
		      "timer nor the PIT counts");
	time_scale(tsc_khz, &tsc_mul, &tsc_shift);
	tsc_base = rdtsc();
	sec = rtc_read();
	wallclock_set(sec, 0, now());
	printk(XENLOG_INFO "TSC: %lu.%03lu MHz by the %s%s\n", tsc_khz / 1000,
	       tsc_khz % 1000, tsc_source,
	       cpu_features.tsc_invariant ? ", invariant" : "");
	if (!sec)
		printk(XENLOG_WARNING "The CMOS clock gives no date: the wall "
				      "clock starts in 1970\n");
}
