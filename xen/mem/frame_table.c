/* SPDX-License-Identifier: MIT */
/*
 * The frame table: 8 bytes for each frame, in virtual memory at
 * FRAMES_VIRT_START, with memory behind it only where there is RAM.
 */
#include "console/printk.h"
#include "mem/frame_word.h"
#include "mem/internal.h"
#include "mem/memory.h"

uint64_t *frame_pages;
uint64_t frame_limit;

#define SPAN (FRAMES_PER_PAGE * PAGE_SIZE) /* memory that a page describes */

static void __init mark(uint64_t first, uint64_t end, uint64_t word)
{
	for (; first < end; first++)
		frame_table[first].word = word;
}

/* Memory for the table's pages of [start, end), not mapped yet, in one piece:
 * large pages serve it then. */
static void __init add_pages(paddr_t start, paddr_t end)
{
	uint64_t first = start / SPAN, last = (end - 1) / SPAN;

	while (first <= last && bitmap_test(frame_pages, first))
		first++;
	if (first > last)
		return;
	size_t size = (last - first + 1) * PAGE_SIZE;
	paddr_t pa = boot_alloc(size, size >= 2UL << 20 ? 2UL << 20 : 0);

	if (!map_range((uint64_t)&frame_table[first * FRAMES_PER_PAGE], pa,
		       size, MAP_RW))
		panic("no memory to map the frame table");
	for (; first <= last; first++) {
		bitmap_set(frame_pages, first);
		mark(first * FRAMES_PER_PAGE, (first + 1) * FRAMES_PER_PAGE,
		     FRAME_HOLE);
	}
}

void __init frame_table_init(void)
{
	const struct memory_range *r;
	unsigned int i;

	for (i = 0; i < machine_map.n; i++)
		if (machine_map.range[i].type == MEMORY_RAM)
			frame_limit = machine_map.range[i].end >> PAGE_SHIFT;
	frame_pages = maddr_to_virt(
		boot_alloc(frame_limit / FRAMES_PER_PAGE / 8 + 8, 0));
	for (i = 0; i < machine_map.n; i++) {
		r = &machine_map.range[i];
		if (r->type != MEMORY_RAM)
			continue;
		add_pages(r->start, r->end);
		mark(r->start >> PAGE_SHIFT, r->end >> PAGE_SHIFT, 0);
	}
	frame_limit = ROUND_UP(frame_limit, FRAMES_PER_PAGE);
}

mfn_t max_mfn(void)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < machine_map.n; i++)
		if (machine_map.range[i].type == MEMORY_RAM)
			end = machine_map.range[i].end;
	return _mfn((end >> PAGE_SHIFT) - 1);
}
