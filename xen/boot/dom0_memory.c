/* SPDX-License-Identifier: MIT */
/*
 * dom0's memory, mapped one to one so that its devices can read and write it:
 * the lowest frames that are free, then the machine's devices, and a map in
 * which everything else is reserved. What dom0 maps of other domains then lies
 * where there is no memory at all, so that no device can be made to reach a
 * third domain's (docs/dom0.md).
 */
#include "boot/dom0.h"

#include "console/printk.h"
#include "cpu/acpi.h"
#include "hvm/hvm.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"
#include "mem/memory.h"
#include "mem/memory_map.h"

/* For start info, command line, memory map and ACPI tables; the last page is
 * the page table below. */
#define TABLES_ORDER 4

void __init dom0_keep_zone(void)
{
	memory_reserve(DOM0_ZONE_START, DOM0_ZONE_END);
}

/* [start, end) as far as it is RAM and not the image. */
static void __init release_ram(paddr_t start, paddr_t end)
{
	for (unsigned int i = 0; i < machine_map.n && start < end; i++) {
		const struct memory_range *r = &machine_map.range[i];
		paddr_t from = max(start, ROUND_UP(r->start, PAGE_SIZE));
		paddr_t to = min(end, r->end & PAGE_MASK);

		if (r->type == MEMORY_RAM && from < to)
			memory_release(from, to);
	}
}

/* Modules overlap the zone where they like, so all of it goes back at once:
 * the zone, then what of the modules lies outside. */
void __init dom0_release_zone(const struct boot_info *bi)
{
	release_ram(DOM0_ZONE_START, DOM0_ZONE_END);
	for (unsigned int i = 0; i < bi->nr_modules && i < 2; i++) {
		paddr_t start = bi->module[i].start & PAGE_MASK;
		paddr_t end = ROUND_UP(bi->module[i].end, PAGE_SIZE);

		release_ram(start, min(end, DOM0_ZONE_START));
		release_ram(max(start, DOM0_ZONE_END), end);
	}
}

static void __init map_ram(struct domain *d, mfn_t mfn, uint64_t n)
{
	if (p2m_set(&d->p2m, _gfn(mfn_x(mfn)), mfn, n, P2M_RAM_RW))
		panic("dom0: no memory for its nested page tables");
}

/* Frames that were allocated before become dom0's where they are. */
static void __init adopt(struct dom0_build *b, mfn_t mfn, unsigned int order)
{
	if (!domain_charge(b->d, 1UL << order))
		panic("dom0_mem=: too little for its initial RAM disk");
	frame_assign(mfn, order, b->d->id);
	map_ram(b->d, mfn, 1UL << order);
}

static bool __init take_at(struct dom0_build *b, uint64_t at,
			   unsigned int order)
{
	if (b->d->tot_pages + (1UL << order) > b->pages ||
	    !alloc_domain_pages_at(_mfn(at), order, ALLOC_UNCLEARED))
		return false;
	if (!domain_charge(b->d, 1UL << order))
		panic("dom0: its own maximum of pages is too low");
	frame_assign(_mfn(at), order, b->d->id);
	map_ram(b->d, _mfn(at), 1UL << order);
	return true;
}

/*
 * The frames that the kernel was linked for, before a page of our own can be
 * put among them; entered in the p2m when all are dom0's.
 */
static void __init take_kernel(struct dom0_build *b)
{
	uint64_t first = b->elf.pstart >> PAGE_SHIFT;
	uint64_t end = DIV_ROUND_UP(b->elf.pend, PAGE_SIZE);

	for (uint64_t n = first; n < end; n++) {
		if (!alloc_domain_pages_at(_mfn(n), 0, ALLOC_UNCLEARED))
			panic("dom0's kernel wants memory at %#lx, which is "
			      "not free",
			      n << PAGE_SHIFT);
		if (!domain_charge(b->d, 1))
			panic("dom0_mem=: too little for its kernel");
		frame_assign(_mfn(n), 0, b->d->id);
	}
	map_ram(b->d, _mfn(first), end - first);
}

/* All that is free from at on, in the largest pieces, until it is enough. */
static void __init take_range(struct dom0_build *b, uint64_t at, uint64_t end)
{
	static const __initdata unsigned int orders[] = {18, 9, 0};

	while (at < end && b->d->tot_pages < b->pages) {
		uint64_t step = 1;

		for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++) {
			uint64_t n = 1UL << orders[i];

			if (at & (n - 1) || end - at < n)
				continue;
			if (take_at(b, at, orders[i])) {
				step = n;
				break;
			}
		}
		at += step;
	}
}

void __init dom0_take_memory(struct dom0_build *b)
{
	struct domain *d = b->d;
	mfn_t tables;

	dom0_release_zone(b->bi);
	b->pages = dom0_pages(free_page_count() +
			      (b->initrd_size ? 1UL << b->initrd_order : 0));
	d->max_pages = max(b->pages, d->max_pages);
	take_kernel(b);
	if (b->initrd_size)
		adopt(b, b->initrd_mfn, b->initrd_order);
	tables = alloc_domain_pages(TABLES_ORDER, ALLOC_BELOW_4G);
	if (mfn_eq(tables, INVALID_MFN))
		panic("dom0: no memory below 4 GiB for its tables");
	adopt(b, tables, TABLES_ORDER);
	b->tables = mfn_to_maddr(tables);
	b->tables_size = (PAGE_SIZE << TABLES_ORDER) - PAGE_SIZE;
	b->identity_table = b->tables + b->tables_size;
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];

		if (r->type == MEMORY_RAM)
			take_range(b, DIV_ROUND_UP(r->start, PAGE_SIZE),
				   r->end >> PAGE_SHIFT);
	}
	printk("dom0: %lu MiB of %lu MiB, mapped one to one\n",
	       d->tot_pages >> (20 - PAGE_SHIFT),
	       b->pages >> (20 - PAGE_SHIFT));
}

/* The first 4 GiB one to one in 4 MiB pages: present, writable, user, accessed,
 * dirty, large. */
void __init dom0_make_identity_table(struct dom0_build *b)
{
	uint32_t *table = maddr_to_virt(b->identity_table);
	int rc;

	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(*table); i++)
		table[i] = i << 22 | 0xe7;
	rc = hvm_set_param(b->d, HVM_PARAM_IDENT_PT, b->identity_table);
	if (rc)
		panic("dom0: its identity page table (error %d)", -rc);
}

static bool __init is_trapped(paddr_t page)
{
	if (page == (acpi_info.lapic_addr & PAGE_MASK))
		return true;
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++)
		if (page == (acpi_info.ioapic[i].addr & PAGE_MASK))
			return true;
	return false;
}

static void __init map_device(struct domain *d, paddr_t start, paddr_t end)
{
	if (start < end &&
	    p2m_set(&d->p2m, gpa_to_gfn(start), maddr_to_mfn(start),
		    (end - start) >> PAGE_SHIFT, P2M_MMIO_DIRECT))
		panic("dom0: no memory for its nested page tables");
}

/*
 * Everything below 1 MiB that is no RAM, and what the firmware reserved below
 * 4 GiB: BIOS data, ROMs, ACPI tables. Devices' registers come when they are
 * touched; the interrupt controllers' stay out, as dom0 gets virtual ones.
 */
void __init dom0_map_machine(struct dom0_build *b)
{
	paddr_t last = 0xa0000;

	map_device(b->d, 0xa0000, 0x100000);
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];
		paddr_t start = max(r->start & PAGE_MASK, last);
		paddr_t end = ROUND_UP(r->end, PAGE_SIZE);

		if (r->type == MEMORY_RAM || r->end <= 0x100000 ||
		    r->end - r->start > 64UL << 20)
			continue;
		start = max(start, (paddr_t)0x100000);
		for (; start < end; start += PAGE_SIZE)
			if (!is_trapped(start) &&
			    !mfn_valid(maddr_to_mfn(start)))
				map_device(b->d, start, start + PAGE_SIZE);
	}
}

/* A free frame's word says owner 0, so ask for the owner's reference, too; and
 * pages of ours that dom0 may map, such as shared info, are not its RAM. */
bool __init dom0_owns(const struct dom0_build *b, mfn_t mfn)
{
	return mfn_valid(mfn) && frame_is_allocated(mfn) &&
	       frame_owner(mfn) == b->d->id && frame_type(mfn) != FRAME_SHARED;
}

/* The type that dom0 is told for a page of the machine's RAM. */
static uint32_t __init ram_type(const struct dom0_build *b, uint64_t frame)
{
	paddr_t a = frame << PAGE_SHIFT;

	if (a >= b->tables && a < b->tables + b->tables_size)
		return MEMORY_ACPI;
	if (a == b->identity_table)
		return MEMORY_RESERVED;
	return dom0_owns(b, _mfn(frame)) ? MEMORY_RAM : MEMORY_RESERVED;
}

/* Adds to the last entry if that goes on; holes of a few pages between RAM are
 * reserved, and too many of them would not fit the map. */
static void __init add_piece(struct memory_map *m, paddr_t start, paddr_t end,
			     uint32_t type)
{
	struct memory_range *last = m->n ? &m->range[m->n - 1] : NULL;

	if (last && last->end == start && last->type == type)
		last->end = end;
	else if (!memory_map_add(m, start, end - start, type))
		panic("dom0's memory is in too many pieces");
}

static void __init add_ram(struct dom0_build *b, struct memory_map *m,
			   const struct memory_range *r)
{
	uint64_t at = r->start >> PAGE_SHIFT, end = r->end >> PAGE_SHIFT;

	while (at < end) {
		uint32_t type = ram_type(b, at);
		uint64_t first = at;

		/* Far from the tables whole leaves are one kind. */
		for (at++; at < end && ram_type(b, at) == type; at++)
			;
		add_piece(m, first << PAGE_SHIFT, at << PAGE_SHIFT, type);
	}
}

void __init dom0_make_map(struct dom0_build *b)
{
	struct memory_map *m = xnew(struct memory_map);

	if (!m)
		panic("dom0: no memory for its memory map");
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];

		if (r->type == MEMORY_RAM)
			add_ram(b, m, r);
		else
			add_piece(m, r->start, r->end, r->type);
	}
	b->d->memory_map = m;
}
