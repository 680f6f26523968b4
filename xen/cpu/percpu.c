/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU areas. CPU 0 uses the copy that is linked into the image, with offset
 * 0, so that per-CPU data works from the first instruction on; every other CPU
 * gets a copy of it as it was linked.
 */
#include "cpu/cpu.h"
#include "cpu/init.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

DEFINE_PER_CPU(uint64_t, cpu_number);
/* Read through GS, so that a CPU learns its own offset. */
uint64_t percpu_self_offset __attribute__((section(".data.percpu")));
uint64_t percpu_offset[NR_CPUS];

cpumask_t cpu_online_map;
unsigned int nr_cpus;

/*
 * The image's .data as loaded is the only pattern, and CPU 0 has been at work
 * in it: so the pattern is zeroes, and no per-CPU variable has an initialiser.
 */
bool percpu_alloc(unsigned int cpu)
{
	size_t size = (size_t)(__percpu_end - __percpu_start);
	unsigned int order = 0;
	mfn_t mfn;
	char *area;

	while ((PAGE_SIZE << order) < size)
		order++;
	mfn = alloc_pages(order, ALLOC_ZERO);
	if (mfn_eq(mfn, INVALID_MFN))
		return false;
	area = mfn_to_virt(mfn);
	percpu_offset[cpu] = (uint64_t)area - (uint64_t)__percpu_start;
	per_cpu(cpu_number, cpu) = cpu;
	*(uint64_t *)((char *)&percpu_self_offset + percpu_offset[cpu]) =
		percpu_offset[cpu];
	return true;
}

void cpu_init_bsp(void)
{
	wrmsr(MSR_GS_BASE, 0);
	cpumask_set(&cpu_online_map, 0);
	nr_cpus = 1;
	features_detect();
	features_enable();
}

void cpu_init_ap(unsigned int cpu)
{
	wrmsr(MSR_GS_BASE, percpu_offset[cpu]);
	features_enable();
	traps_load(cpu);
}
