/* SPDX-License-Identifier: MIT */
/*
 * Memory before the allocator: a list of ranges that are taken, and taking more
 * from the top of RAM. Low addresses are left to devices that need them.
 */
#include "console/printk.h"
#include "lib/string.h"
#include "mem/internal.h"
#include "mem/layout.h"
#include "mem/memory.h"

#define TAKEN_MAX 128

static __initdata struct {
	paddr_t start, end;
} taken[TAKEN_MAX];
static __initdata unsigned int nr_taken;
/* The entry code maps this much; memory_init() raises it. */
__initdata paddr_t boot_alloc_limit = 1UL << 32;

/* Puts the range in, in order of starts. */
static void __init insert(unsigned int i, paddr_t start, paddr_t end)
{
	if (nr_taken == TAKEN_MAX)
		panic("more than %u reserved memory ranges", TAKEN_MAX);
	for (unsigned int k = nr_taken++; k > i; k--)
		taken[k] = taken[k - 1];
	taken[i].start = start;
	taken[i].end = end;
}

/* Neighbours that touch become one, so that the ends are in order, too. */
static void __init merge(void)
{
	unsigned int n = 0;

	for (unsigned int i = 1; i < nr_taken; i++)
		if (taken[i].start <= taken[n].end)
			taken[n].end = max(taken[n].end, taken[i].end);
		else
			taken[++n] = taken[i];
	nr_taken = n + 1;
}

void __init memory_reserve(paddr_t start, paddr_t end)
{
	unsigned int i;

	start = ROUND_DOWN(start, PAGE_SIZE);
	end = ROUND_UP(end, PAGE_SIZE);
	if (start >= end)
		return;
	for (i = 0; i < nr_taken && taken[i].start <= start; i++)
		;
	insert(i, start, end);
	merge();
}

/* The highest free, aligned place for size bytes in [start, end), or 0. */
static paddr_t __init place_in(paddr_t start, paddr_t end, size_t size,
			       size_t align)
{
	for (unsigned int i = nr_taken; end - start >= size && end > start;) {
		paddr_t at = ROUND_DOWN(end - size, align);

		if (at < start)
			return 0;
		while (i && taken[i - 1].start >= at + size)
			i--;
		if (!i || taken[i - 1].end <= at)
			return at;
		end = taken[i - 1].start;
	}
	return 0;
}

paddr_t __init boot_alloc(size_t size, size_t align)
{
	size = ROUND_UP(size, PAGE_SIZE);
	align = max(align, PAGE_SIZE);
	for (unsigned int i = machine_map.n; i; i--) {
		const struct memory_range *r = &machine_map.range[i - 1];
		paddr_t at, end = min(r->end, boot_alloc_limit);

		if (r->type != MEMORY_RAM || r->start >= end)
			continue;
		at = place_in(r->start, end, size, align);
		if (at) {
			memory_reserve(at, at + size);
			clear_words(maddr_to_virt(at), size);
			return at;
		}
	}
	panic("no %zu KiB of memory left to start with", size / 1024);
}

void __init memory_for_each_free(void (*fn)(paddr_t start, paddr_t end))
{
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];
		paddr_t at = r->start;

		if (r->type != MEMORY_RAM)
			continue;
		for (unsigned int k = 0; k < nr_taken && at < r->end; k++) {
			if (taken[k].end <= at)
				continue;
			if (taken[k].start >= r->end)
				break;
			if (taken[k].start > at)
				fn(at, taken[k].start);
			at = taken[k].end;
		}
		if (at < r->end)
			fn(at, r->end);
	}
}
