/* SPDX-License-Identifier: MIT */
/*
 * The machine's memory map, as the firmware tells it: ranges with ACPI's
 * address range types. After memory_map_sort() they are in order, do not
 * overlap, and RAM ranges are whole pages.
 */
#ifndef OSTLER_MEM_MEMORY_MAP_H
#define OSTLER_MEM_MEMORY_MAP_H

#include "lib/types.h"

enum memory_type {
	MEMORY_RAM = 1,
	MEMORY_RESERVED = 2,
	MEMORY_ACPI = 3, /* tables; RAM once they have been read */
	MEMORY_NVS = 4,
	MEMORY_UNUSABLE = 5,
};

struct memory_range {
	paddr_t start, end; /* end: the first address behind */
	uint32_t type;
};

#define MEMORY_MAP_MAX 128

struct memory_map {
	unsigned int n;
	struct memory_range range[MEMORY_MAP_MAX];
};

/* False: the map is full, or the range is empty or wraps; it is left out. */
bool memory_map_add(struct memory_map *m, paddr_t start, uint64_t size,
		    uint32_t type);
/* Where ranges overlap, the type that is more restrictive wins. */
void memory_map_sort(struct memory_map *m);
/* Bytes of one type. */
uint64_t memory_map_total(const struct memory_map *m, uint32_t type);
const char *memory_type_name(uint32_t type);

/* The sorted map of this machine (memory_init()). */
extern struct memory_map machine_map;

#endif
