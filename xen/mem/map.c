/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own page tables (mem/map.h, mem/layout.h). One set for all
 * CPUs; entries are only ever added, so nobody's TLB needs a flush, except when
 * the start sequence's own pages go.
 */
#include "mem/map.h"
#include "console/printk.h"
#include "lib/lock.h"
#include "lib/x86.h"
#include "mem/alloc.h"
#include "mem/internal.h"
#include "mem/memory.h"

paddr_t host_cr3;
paddr_t image_phys_start;

/* From the link script; each starts a page. */
extern const char image_start[], image_text_end[], image_rodata_end[],
	image_init_text_start[], image_init_text_end[], image_init_end[],
	image_end[];

static spinlock_t map_lock = SPINLOCK_INIT(LOCK_MAP);
static uint64_t *host_l4;
static uint64_t mmio_next = MMIO_VIRT_START;
static bool have_1g;

paddr_t virt_to_maddr(const void *p)
{
	uint64_t va = (uint64_t)p;

	if (va >= DIRECT_VIRT_START)
		return va - DIRECT_VIRT_START;
	return va - IMAGE_VIRT_START + image_phys_start;
}

/* A cleared page for a table; 0: there is none. */
static paddr_t new_table(void)
{
	mfn_t mfn;

	if (!alloc_ready)
		return boot_alloc(PAGE_SIZE, PAGE_SIZE);
	mfn = alloc_pages(0, ALLOC_ZERO);
	return mfn_eq(mfn, INVALID_MFN) ? 0 : mfn_to_maddr(mfn);
}

/* Level 1 maps 4 KiB an entry, 2: 2 MiB, 3: 1 GiB, 4: 512 GiB. */
static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static uint64_t *entry_at(uint64_t *table, uint64_t va, unsigned int level)
{
	return &table[(va >> level_shift(level)) & 511];
}

static uint64_t *next_table(uint64_t *e)
{
	if (!(*e & PTE_P)) {
		paddr_t pa = new_table();

		if (!pa)
			return NULL;
		*e = pa | PTE_P | PTE_RW | PTE_A;
	}
	return maddr_to_virt(*e & PTE_ADDR);
}

static bool fits(uint64_t va, paddr_t pa, size_t size, unsigned int level)
{
	uint64_t span = 1UL << level_shift(level);

	return size >= span && !((va | pa) & (span - 1)) &&
	       (level < 3 || (level == 3 && have_1g));
}

/* Enters one leaf at va, as large as fits, unless there is one; how much of
 * size that covers, 0: no memory. */
static size_t map_leaf(uint64_t va, paddr_t pa, size_t size, uint64_t flags)
{
	uint64_t *table = host_l4, *e;

	for (unsigned int level = 4; level > 1; level--) {
		uint64_t span = 1UL << level_shift(level);

		e = entry_at(table, va, level);
		if ((*e & PTE_P) && (*e & PTE_PS))
			return min(size, span - (va & (span - 1)));
		if (!(*e & PTE_P) && fits(va, pa, size, level)) {
			*e = pa | flags | PTE_PS;
			return span;
		}
		table = next_table(e);
		if (!table)
			return 0;
	}
	e = entry_at(table, va, 1);
	if (!(*e & PTE_P))
		*e = pa | flags;
	return PAGE_SIZE;
}

bool map_range(uint64_t va, paddr_t pa, size_t size, uint64_t flags)
{
	while (size) {
		size_t done = map_leaf(va, pa, size, flags);

		if (!done)
			return false;
		va += done;
		pa += done;
		size -= done;
	}
	return true;
}

uint64_t map_entry_of(uint64_t va)
{
	const uint64_t *table = host_l4;

	for (unsigned int level = 4;; level--) {
		uint64_t e = table[(va >> level_shift(level)) & 511];
		uint64_t span = 1UL << level_shift(level);

		if (!(e & PTE_P) || level == 1)
			return e & PTE_P ? e : 0;
		if (e & PTE_PS)
			return (e & ~(uint64_t)PTE_PS) |
			       (va & (span - 1) & PAGE_MASK);
		table = maddr_to_virt(e & PTE_ADDR);
	}
}

static void __init map_image(const char *from, const char *to, uint64_t flags)
{
	if (!map_range((uint64_t)from, virt_to_maddr(from), to - from, flags))
		panic("no memory to map the image");
}

/* Rounded outwards to 2 MiB: few and large pages. What lies between RAM and
 * the next boundary is never touched, and MTRRs keep devices uncached. */
static void __init map_direct(paddr_t start, paddr_t end)
{
	start = ROUND_DOWN(start, 1UL << 21);
	end = ROUND_UP(end, 1UL << 21);
	if (!map_range(DIRECT_VIRT_START + start, start, end - start, MAP_RW))
		panic("no memory to map the memory");
}

void __init map_init(void)
{
	uint32_t max = cpuid(0x80000000, 0).a;

	have_1g = max >= 0x80000001 && (cpuid(0x80000001, 0).d & BIT(26));
	host_cr3 = boot_alloc(PAGE_SIZE, PAGE_SIZE);
	host_l4 = maddr_to_virt(host_cr3);

	map_image(image_start, image_text_end, MAP_RX);
	map_image(image_text_end, image_rodata_end, MAP_RO);
	map_image(image_init_text_start, image_init_text_end, MAP_RX);
	map_image(image_init_text_end, image_end, MAP_RW);
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];

		if (r->type == MEMORY_RAM || r->type == MEMORY_ACPI ||
		    r->type == MEMORY_NVS)
			map_direct(r->start, r->end);
	}
	write_cr3(host_cr3);
}

/* The pages' entries are emptied; large pages are never used in the image. */
static void unmap_image(uint64_t va, uint64_t end)
{
	for (; va < end; va += PAGE_SIZE) {
		uint64_t *t = host_l4;

		for (unsigned int level = 4; level > 1; level--)
			t = maddr_to_virt(*entry_at(t, va, level) & PTE_ADDR);
		*entry_at(t, va, 1) = 0;
		invlpg((void *)va);
	}
}

void memory_free_init(void)
{
	uint64_t start = (uint64_t)image_init_text_start;
	uint64_t end = (uint64_t)image_init_end;
	paddr_t pa = virt_to_maddr(image_init_text_start);

	unmap_image(start, end);
	memory_release(pa, pa + (end - start));
	printk("%lu KiB of start-up code and data given back\n",
	       (end - start) >> 10);
}

/* In pieces of step bytes. */
static volatile void *map_device(paddr_t addr, size_t size, uint64_t flags,
				 size_t step)
{
	paddr_t start = addr & PAGE_MASK;
	uint64_t va;

	size = ROUND_UP(addr + size, PAGE_SIZE) - start;
	spin_lock(&map_lock);
	va = mmio_next;
	if (size > MMIO_VIRT_END - va)
		va = 0;
	for (size_t at = 0; va && at < size; at += step)
		if (!map_range(va + at, start + at, min(step, size - at),
			       flags))
			va = 0;
	if (va)
		mmio_next += size;
	spin_unlock(&map_lock);
	return va ? (volatile char *)va + (addr - start) : NULL;
}

volatile void *map_mmio(paddr_t addr, size_t size)
{
	return map_device(addr, size, MAP_UC, size + PAGE_SIZE);
}

volatile void *map_framebuffer(paddr_t addr, size_t size)
{
	return map_device(addr, size, MAP_WC, PAGE_SIZE);
}

uint64_t map_window(unsigned int pages, paddr_t addr)
{
	uint64_t va, end;

	spin_lock(&map_lock);
	va = mmio_next;
	end = va + pages * PAGE_SIZE;
	for (uint64_t at = va; at < end; at += PAGE_SIZE)
		if (end > MMIO_VIRT_END ||
		    !map_range(at, addr, PAGE_SIZE, MAP_RW & ~PTE_G)) {
			va = 0;
			break;
		}
	if (va)
		mmio_next = end;
	spin_unlock(&map_lock);
	return va;
}

void *map_firmware(paddr_t addr, size_t size)
{
	paddr_t start = addr & PAGE_MASK, end;
	bool ok;

	if (__builtin_add_overflow(addr, size, &end) ||
	    end > DIRECT_VIRT_END - DIRECT_VIRT_START)
		return NULL;
	end = ROUND_UP(end, PAGE_SIZE);
	spin_lock(&map_lock);
	ok = map_range(DIRECT_VIRT_START + start, start, end - start, MAP_RW);
	spin_unlock(&map_lock);
	return ok ? maddr_to_virt(addr) : NULL;
}
