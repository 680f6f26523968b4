/* SPDX-License-Identifier: MIT */
/* The hypervisor's own page tables. Set up by boot/, shared by all CPUs. */
#ifndef OSTLER_MEM_MAP_H
#define OSTLER_MEM_MAP_H

#include "lib/types.h"

/* Maps device registers, uncached, for good; NULL when the area is full. */
volatile void *map_mmio(paddr_t addr, size_t size);
/* The same for a screen's memory: writes are combined, reads are slow. */
volatile void *map_framebuffer(paddr_t addr, size_t size);
/* An address range of so many pages, each mapping the same frame, writable, for
 * whoever changes the entries one by one; 0: no room or no memory. */
uint64_t map_window(unsigned int pages, paddr_t addr);
/* Maps firmware memory (ACPI, modules) that may lie outside RAM; cached. In the
 * direct map when it is there already, so it may be called often. */
void *map_firmware(paddr_t addr, size_t size);

/* The entry that maps the page at va, as if it were one of 4 KiB; 0: none. */
uint64_t map_entry_of(uint64_t va);

/* The page tables that every CPU uses when no PV guest runs (for CR3). */
extern paddr_t host_cr3;

#endif
