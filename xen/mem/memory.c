/* SPDX-License-Identifier: MIT */
/* Memory at start, see memory.h. */
#include "mem/memory.h"
#include "console/printk.h"
#include "mem/alloc.h"
#include "mem/internal.h"

struct memory_map machine_map;

extern const char image_start[], image_end[];

/* What the image, and boot_alloc() took. */
static uint64_t boot_bytes;

static void __init print_map(void)
{
	printk(XENLOG_INFO "Memory map:\n");
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];

		printk(XENLOG_INFO "  [%016lx, %016lx] %s\n", r->start,
		       r->end - 1, memory_type_name(r->type));
	}
}

/* What no direct map and no PV page-table entry can reach is not used. */
static void __init clip_map(void)
{
	const paddr_t limit = DIRECT_VIRT_END - DIRECT_VIRT_START;

	for (unsigned int i = 0; i < machine_map.n; i++) {
		struct memory_range *r = &machine_map.range[i];

		if (r->type != MEMORY_RAM || r->end <= limit)
			continue;
		printk(XENLOG_WARNING "Memory above %lu GiB is not used\n",
		       limit >> 30);
		if (r->start >= limit)
			r->type = MEMORY_UNUSABLE;
		else
			r->end = limit;
	}
}

static __initdata uint64_t free_bytes;

static void __init count_free(paddr_t start, paddr_t end)
{
	free_bytes += end - start;
}

static void __init add_free(paddr_t start, paddr_t end)
{
	alloc_add(maddr_to_mfn(start), maddr_to_mfn(end));
}

/* Frames that are neither free nor a domain's are ours. */
static uint64_t __init count_free_now(void)
{
	free_bytes = 0;
	memory_for_each_free(count_free);
	return free_bytes;
}

void __init memory_init(const struct memory_map *map)
{
	uint64_t before, ram;

	machine_map = *map;
	memory_map_sort(&machine_map);
	clip_map();
	print_map();
	ram = memory_map_total(&machine_map, MEMORY_RAM);
	if (!ram)
		panic("the boot loader gave no memory map");

	/* Below 1 MiB are the BIOS's data, and the page where CPUs start. */
	memory_reserve(0, 1UL << 20);
	memory_reserve(image_phys_start,
		       image_phys_start + (image_end - image_start));
	before = count_free_now();
	map_init();
	boot_alloc_limit = ~0UL;
	frame_table_init();
	boot_bytes = before - count_free_now() + (image_end - image_start);

	memory_for_each_free(add_free);
	alloc_count_total(ram >> PAGE_SHIFT);
	alloc_ready = true;
	printk("Memory: %lu MiB, %lu MiB free; image %lu KiB, page tables and "
	       "frame table %lu KiB\n",
	       ram >> 20, free_page_count() >> (20 - PAGE_SHIFT),
	       (uint64_t)(image_end - image_start) >> 10,
	       (boot_bytes - (image_end - image_start)) >> 10);
}

void memory_release(paddr_t start, paddr_t end)
{
	start = ROUND_UP(start, PAGE_SIZE);
	end = ROUND_DOWN(end, PAGE_SIZE);
	if (start < end)
		alloc_add(maddr_to_mfn(start), maddr_to_mfn(end));
}

uint64_t memory_footprint(void)
{
	return boot_bytes + (own_page_count() << PAGE_SHIFT);
}
