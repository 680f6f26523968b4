/* SPDX-License-Identifier: MIT */
/* The 4 KiB window: PML4 slot 1, one page table. See guest.h. */
#include "guest.h"

#define WINDOW_BASE   (1ul << 39)
#define PRESENT_RW_US 7ul

extern uint64_t pml4[512];
static uint64_t window_pdpt[512] __attribute__((aligned(4096)));
static uint64_t window_pd[512] __attribute__((aligned(4096)));
static uint64_t window_pt[512] __attribute__((aligned(4096)));

void *window_slot(unsigned int slot)
{
	return (void *)(WINDOW_BASE + slot * PAGE_SIZE);
}

static void set(unsigned int slot, uint64_t entry)
{
	pml4[1] = (unsigned long)window_pdpt | PRESENT_RW_US;
	window_pdpt[0] = (unsigned long)window_pd | PRESENT_RW_US;
	window_pd[0] = (unsigned long)window_pt | PRESENT_RW_US;
	window_pt[slot] = entry;
	__asm__ volatile("invlpg (%0)" ::"r"(window_slot(slot)) : "memory");
}

void *window_map(unsigned int slot, uint64_t frame, unsigned long flags)
{
	set(slot, frame * PAGE_SIZE | flags);
	return window_slot(slot);
}

void window_unmap(unsigned int slot)
{
	set(slot, 0);
}
