/* SPDX-License-Identifier: MIT */
/* What the files of mem/ share with each other only. */
#ifndef OSTLER_MEM_INTERNAL_H
#define OSTLER_MEM_INTERNAL_H

#include "lib/bitmap.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

extern paddr_t boot_alloc_limit;

/* Page-table entries. */
#define PTE_P    BIT(0)
#define PTE_RW   BIT(1)
#define PTE_PWT  BIT(3)
#define PTE_PCD  BIT(4)
#define PTE_A    BIT(5)
#define PTE_D    BIT(6)
#define PTE_PS   BIT(7)
#define PTE_G    BIT(8)
#define PTE_NX   BIT(63)
#define PTE_ADDR GENMASK(51, 12)

/* Accessed and dirty from the start: nobody asks, and the CPU need not write
 * them. */
#define MAP_RW (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_G | PTE_NX)
#define MAP_RO (PTE_P | PTE_A | PTE_G | PTE_NX)
#define MAP_RX (PTE_P | PTE_A | PTE_G)
#define MAP_UC (MAP_RW | PTE_PCD | PTE_PWT)
/* Entry 4 of HOST_PAT, for pages of 4 KiB: their PAT bit is where PS is. */
#define MAP_WC (MAP_RW | PTE_PS)

/* Maps [pa, pa + size) at va, all page-aligned, with the largest pages. What
 * is mapped already stays. False: no memory for a table. */
bool map_range(uint64_t va, paddr_t pa, size_t size, uint64_t flags);
/* The host's page tables: direct map and image. */
void map_init(void);
/* The frame table for all RAM; holes in its pages are marked. */
void frame_table_init(void);
/* Tables and such come from the allocator from now on. */
extern bool alloc_ready;

/* Adds memory to the allocator for the first time. */
void alloc_add(mfn_t first, mfn_t end);
/* What total_page_count() tells. */
void alloc_count_total(uint64_t n);

#endif
