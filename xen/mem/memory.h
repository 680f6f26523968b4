/* SPDX-License-Identifier: MIT */
/*
 * Memory at start: what is taken before there is an allocator, and the step
 * from the boot page tables to our own.
 *
 *   memory_reserve() …, memory_init(), then alloc.h works.
 */
#ifndef OSTLER_MEM_MEMORY_H
#define OSTLER_MEM_MEMORY_H

#include "mem/memory_map.h"

/* Keeps a range from the allocator: modules, what the loader left. */
void memory_reserve(paddr_t start, paddr_t end);
/* A reserved range is needed no more: its whole pages become free memory. */
void memory_release(paddr_t start, paddr_t end);
/* Takes the machine's map, builds the page tables, the frame table and the
 * allocator. panic()s when there is too little memory. */
void memory_init(const struct memory_map *map);
/* Gives the start sequence's own code and data back, with the page tables that
 * the boot loader's entry used. Nothing __init may be used afterwards. */
void memory_free_init(void);
/* Bytes that we keep for ourselves now: image, tables, heap. */
uint64_t memory_footprint(void);

/* Where the boot loader put the image. */
extern paddr_t image_phys_start;

/* Before the allocator: cleared memory, for good; panics if there is none. */
paddr_t boot_alloc(size_t size, size_t align);
/* [start, end) without its reserved parts, from lowest up. */
void memory_for_each_free(void (*fn)(paddr_t start, paddr_t end));

#endif
