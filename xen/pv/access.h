/* SPDX-License-Identifier: MIT */
/* What reaches for the memory of the guest that runs here by itself, where a
 * function call would cost too much. Others call pv_copy_to_guest() and
 * pv_copy_from_guest(). */
#ifndef OSTLER_PV_ACCESS_H
#define OSTLER_PV_ACCESS_H

#include "cpu/cpu.h"
#include "cpu/traps.h"
#include "mem/layout.h"

#define PV_LOW_END 0x0000800000000000UL

/* All of it is the guest's, or not mapped: none of it is ours. */
static inline bool pv_range_ok(uint64_t va, size_t len)
{
	if (va < PV_LOW_END)
		return len <= PV_LOW_END - va;
	return va >= DIRECT_VIRT_END && va + len >= va;
}

/* CPUs with SMAP: the guest's pages are the user's. */
static inline void pv_open_user(void)
{
	if (cpu_features.smap)
		__asm__ volatile("stac" ::: "memory");
}

static inline void pv_close_user(void)
{
	if (cpu_features.smap)
		__asm__ volatile("clac" ::: "memory");
}

#endif
