/* SPDX-License-Identifier: MIT */
/* Memory maps as firmware gives them, and taking memory before the allocator.
 */
#include "harness.h"
#include "host_ram.h"
#include "mem/memory.h"

#define MiB (1UL << 20)

static struct memory_map map;

static void start(void)
{
	map.n = 0;
	host_ram_reset();
}

static void expect(const struct memory_range *want, unsigned int n)
{
	memory_map_sort(&map);
	CHECK_EQ(map.n, n);
	for (unsigned int i = 0; i < n && i < map.n; i++) {
		CHECK_EQ(map.range[i].start, want[i].start);
		CHECK_EQ(map.range[i].end, want[i].end);
		CHECK_EQ(map.range[i].type, want[i].type);
	}
}

static void sorted_and_merged(void)
{
	static const struct memory_range want[] = {
		{0, 0x9f000, MEMORY_RAM},
		{0xf0000, 0x100000, MEMORY_RESERVED},
		{0x100000, 8 * MiB, MEMORY_RAM},
	};

	start();
	memory_map_add(&map, 4 * MiB, 4 * MiB, MEMORY_RAM);
	memory_map_add(&map, 0xf0000, 0x10000, MEMORY_RESERVED);
	memory_map_add(&map, 1 * MiB, 3 * MiB, MEMORY_RAM);
	memory_map_add(&map, 0, 0x9fc00, MEMORY_RAM); /* cut to a page */
	expect(want, ARRAY_SIZE(want));
	CHECK_EQ(memory_map_total(&map, MEMORY_RAM), 7 * MiB + 0x9f000);
}

static void overlaps(void)
{
	static const struct memory_range want[] = {
		{0, 2 * MiB, MEMORY_RAM},
		{2 * MiB, 3 * MiB, MEMORY_NVS},
		{3 * MiB, 5 * MiB, MEMORY_RESERVED},
		{5 * MiB, 6 * MiB, MEMORY_RAM},
		{6 * MiB, 7 * MiB, 99},
	};

	start();
	memory_map_add(&map, 0, 6 * MiB, MEMORY_RAM);
	memory_map_add(&map, 2 * MiB, 2 * MiB, MEMORY_NVS);
	memory_map_add(&map, 3 * MiB, 2 * MiB, MEMORY_RESERVED);
	memory_map_add(&map, 6 * MiB, 1 * MiB, 99); /* no known type: not RAM */
	expect(want, ARRAY_SIZE(want));
}

static void duplicates_and_slivers(void)
{
	static const struct memory_range want[] = {
		{0x1000, 0x2000, MEMORY_RAM},
		{0x3800, 0x3900, MEMORY_ACPI},
	};

	start();
	memory_map_add(&map, 0x800, 0x1800, MEMORY_RAM);
	memory_map_add(&map, 0x800, 0x1800, MEMORY_RAM);
	memory_map_add(&map, 0x2100, 0xe00, MEMORY_RAM); /* no whole page */
	memory_map_add(&map, 0x3800, 0x100, MEMORY_ACPI);
	expect(want, ARRAY_SIZE(want));
}

static void refused(void)
{
	start();
	CHECK(!memory_map_add(&map, 4096, 0, MEMORY_RAM));
	CHECK(!memory_map_add(&map, ~0UL - 4096, 8192, MEMORY_RAM));
	expect(NULL, 0);
	for (unsigned int i = 0; i < MEMORY_MAP_MAX; i++)
		CHECK(memory_map_add(&map, i * 2 * 4096, 4096, MEMORY_RAM));
	CHECK(!memory_map_add(&map, 1UL << 40, 4096, MEMORY_RAM));
	memory_map_sort(&map);
	CHECK_EQ(map.n, MEMORY_MAP_MAX);
}

static struct memory_range free_range[32];
static unsigned int nr_free;
static void note(paddr_t s, paddr_t e)
{
	if (nr_free < 32)
		free_range[nr_free++] = (struct memory_range){s, e, 1};
}

static void taking_memory(void)
{
	static const struct memory_range want[] = {
		{4 * MiB, 10 * MiB, 1},
		{11 * MiB, 20 * MiB, 1},
		{22 * MiB, 63 * MiB, 1},
		{HIGH_AT + 1 * MiB, HIGH_AT + 2 * MiB, 1},
	};
	paddr_t a, b;

	start();
	memory_map_add(&map, 0, LOW_RAM, MEMORY_RAM);
	memory_map_add(&map, HIGH_AT, 2 * MiB, MEMORY_RAM);
	memory_map_sort(&map);
	machine_map = map;
	memory_reserve(0, 1 * MiB);
	memory_reserve(10 * MiB, 11 * MiB);
	memory_reserve(20 * MiB + 1, 21 * MiB);
	memory_reserve(2 * MiB, 4 * MiB);
	memory_reserve(21 * MiB, 22 * MiB - 4095);
	memory_reserve(1 * MiB, 2 * MiB); /* closes the gap */
	memory_reserve(3 * MiB, 4 * MiB); /* inside another */
	memory_reserve(5 * MiB, 5 * MiB); /* nothing */
	a = boot_alloc(MiB - 5, 0);
	CHECK_EQ(a, LOW_RAM - MiB); /* below 4 GiB, from the top, page-sized */
	for (unsigned int i = 0; i < MiB; i += 4096)
		CHECK(!((unsigned char *)maddr_to_virt(a))[i]);
	boot_alloc_limit = ~0UL;
	memory_reserve(HIGH_AT, HIGH_AT + MiB);
	nr_free = 0;
	memory_for_each_free(note);
	CHECK_EQ(nr_free, ARRAY_SIZE(want));
	for (unsigned int i = 0; i < nr_free && i < ARRAY_SIZE(want); i++) {
		CHECK_EQ(free_range[i].start, want[i].start);
		CHECK_EQ(free_range[i].end, want[i].end);
	}
	b = boot_alloc(MiB, MiB);
	CHECK_EQ(b, HIGH_AT + MiB);
	b = boot_alloc(40 * MiB, 2 * MiB); /* aligned, in what is left below */
	CHECK_EQ(b, 22 * MiB);
	b = boot_alloc(9 * MiB, 0);
	CHECK_EQ(b, 11 * MiB);
}

static void no_memory_left(void)
{
	jmp_buf env;

	host_panic = &env;
	if (!setjmp(env)) {
		boot_alloc(30 * MiB, 0);
		CHECK(!"boot_alloc() returned");
	}
	host_panic = NULL;
	CHECK(strstr(host_log, "no 30720 KiB of memory left"));
}

struct memory_map machine_map;

static const struct test_case cases[] = {
	{"sorted, merged, cut to pages", sorted_and_merged},
	{"of two types the stricter wins", overlaps},
	{"duplicates and slivers", duplicates_and_slivers},
	{"empty, wrapping and too many ranges", refused},
	{"taking memory before the allocator", taking_memory},
	{"none left says so", no_memory_left},
};

int main(void)
{
	return RUN_CASES(cases);
}
