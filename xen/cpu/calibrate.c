/* SPDX-License-Identifier: MIT */
/*
 * The TSC's rate: as CPUID tells it, else counted against the ACPI PM timer,
 * else against channel 2 of the PIT, for ten milliseconds.
 */
#include "cpu/calibrate.h"
#include "cpu/acpi.h"
#include "cpu/cpu.h"
#include "lib/string.h"

#define PM_TIMER_HZ    3579545UL
#define PIT_HZ         1193182UL
#define CALIBRATION_MS 10

/* Intel SDM Vol. 2, CPUID leaves 15H and 16H. */
static uint64_t khz_from_cpuid(const char **source)
{
	const struct cpu_features *f = &cpu_features;
	struct cpuid_regs r, hv;

	if (f->vendor == CPU_INTEL && f->max_basic >= 0x15) {
		r = cpuid(0x15, 0);
		if (r.a && r.b && r.c) {
			*source = "CPUID 0x15";
			return (uint64_t)r.c * r.b / r.a / 1000;
		}
	}
	/* A hypervisor around us may tell (VMware's leaf, also QEMU's). */
	if (f->l1_ecx & BIT(31)) {
		hv = cpuid(0x40000000, 0);
		if (hv.a >= 0x40000010 && hv.a < 0x40000100) {
			r = cpuid(0x40000010, 0);
			if (r.a) {
				*source = "hypervisor CPUID";
				return r.a;
			}
		}
	}
	return 0;
}

/* A clock and the TSC read together: the closest pair of several. */
struct sample {
	uint64_t tsc;
	uint32_t clock;
};

static struct sample take_sample(uint32_t (*read)(void))
{
	struct sample s = {0, 0};
	uint64_t best = ~0UL;

	for (unsigned int i = 0; i < 8; i++) {
		uint64_t before = rdtsc();
		uint32_t clock = read();
		uint64_t after = rdtsc();

		if (after - before >= best)
			continue;
		best = after - before;
		s = (struct sample){before + best / 2, clock};
	}
	return s;
}

static uint32_t read_pm_timer(void)
{
	return inl(acpi_info.pm_timer) & 0xffffff;
}

/* The PM timer counts 24 bits up; many chips count 32, the rest is ignored. */
static uint64_t khz_from_pm_timer(void)
{
	uint32_t ticks = 0, spins = 0;
	struct sample s0, s1;

	if (!acpi_info.pm_timer)
		return 0;
	s0 = take_sample(read_pm_timer);
	while (ticks < PM_TIMER_HZ * CALIBRATION_MS / 1000) {
		if (++spins > 10000000)
			return 0; /* it does not count */
		ticks = (read_pm_timer() - s0.clock) & 0xffffff;
	}
	s1 = take_sample(read_pm_timer);
	ticks = (s1.clock - s0.clock) & 0xffffff;
	return (s1.tsc - s0.tsc) * PM_TIMER_HZ / ticks / 1000;
}

/* The PIT counts down. */
static uint32_t read_pit(void)
{
	uint32_t low;

	outb(0x43, 0x80); /* latch channel 2 */
	low = inb(0x42);
	return 0xffff - (low | (uint32_t)inb(0x42) << 8);
}

static uint64_t khz_from_pit(void)
{
	uint32_t ticks = 0, spins = 0;
	struct sample s0, s1;

	outb(0x61, (uint8_t)((inb(0x61) & ~2) | 1)); /* gate on, speaker off */
	outb(0x43, 0xb0); /* channel 2, both bytes, mode 0 */
	outb(0x42, 0xff);
	outb(0x42, 0xff);
	s0 = take_sample(read_pit);
	while (ticks < PIT_HZ * CALIBRATION_MS / 1000) {
		if (++spins > 10000000)
			return 0;
		ticks = (read_pit() - s0.clock) & 0xffff;
	}
	s1 = take_sample(read_pit);
	ticks = (s1.clock - s0.clock) & 0xffff;
	return (s1.tsc - s0.tsc) * PIT_HZ / ticks / 1000;
}

uint64_t calibrate_tsc(const char **source)
{
	uint64_t khz = khz_from_cpuid(source);

	if (khz)
		return khz;
	*source = "ACPI PM timer";
	khz = khz_from_pm_timer();
	if (khz)
		return khz;
	*source = "PIT";
	khz = khz_from_pit();
	if (khz)
		return khz;
	/* CPUID 0x16: the nominal rate, better than nothing. */
	*source = "CPUID 0x16";
	return cpu_features.max_basic >= 0x16 ? cpuid(0x16, 0).a * 1000UL : 0;
}
