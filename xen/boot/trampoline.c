/* SPDX-License-Identifier: MIT */
/* The page where other CPUs start, see cpu/trampoline.h and trampoline_code.S.
 */
#include "cpu/trampoline.h"
#include "boot/boot.h"
#include "boot/dom0.h"
#include "console/printk.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "mem/frame.h"
#include "mem/layout.h"
#include "mem/map.h"
#include "mem/memory.h"

paddr_t trampoline_phys;

extern const char trampoline_code[], trampoline_words[], trampoline_end[],
	trampoline_high[];

/* As trampoline_code.S has them. */
struct trampoline_words {
	uint64_t stack, entry, arg, high, host_cr3;
	uint32_t cr3, cr4, cr0, efer;
	uint32_t jump_32[2], jump_64[2];
	uint16_t gdt_limit;
	uint32_t gdt_base;
} __packed;

static struct {
	uint64_t l4[512], l3[512], l2[512];
} tables __attribute__((section(".bss.page_aligned"), aligned(4096)));

/* The module that touches the page, or NULL. */
static const struct boot_module *__init module_at(const struct boot_info *bi,
						  paddr_t page)
{
	for (unsigned int i = 0; i < bi->nr_modules; i++)
		if (bi->module[i].start < page + PAGE_SIZE &&
		    bi->module[i].end > page)
			return &bi->module[i];
	return NULL;
}

/* The highest page in [start, end) that no module touches, or 0. */
static paddr_t __init page_in(const struct boot_info *bi, paddr_t start,
			      paddr_t end)
{
	while (end >= start + PAGE_SIZE) {
		paddr_t page = ROUND_DOWN(end, PAGE_SIZE) - PAGE_SIZE;
		const struct boot_module *m = module_at(bi, page);

		if (!m)
			return page;
		end = m->start;
	}
	return 0;
}

/* The highest page of RAM below 640 KiB; page 0 is the BIOS's. */
static paddr_t __init find_page(const struct boot_info *bi)
{
	paddr_t best = 0;

	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];
		paddr_t page;

		if (r->type != MEMORY_RAM || r->start >= 0xa0000)
			continue;
		page = page_in(bi, r->start, min(r->end, (paddr_t)0xa0000));
		best = max(best, page);
	}
	return best;
}

static struct trampoline_words *words(void)
{
	return maddr_to_virt(trampoline_phys +
			     (trampoline_words - trampoline_code));
}

void __init trampoline_init(const struct boot_info *bi)
{
	const uint64_t table = 0x23, large = 0xe3; /* present, writable … */
	struct trampoline_words *w;

	trampoline_phys = find_page(bi);
	if (!trampoline_phys) {
		printk(XENLOG_WARNING "No memory below 640 KiB: other CPUs "
				      "cannot be started\n");
		return;
	}
	memcpy(maddr_to_virt(trampoline_phys), trampoline_code,
	       trampoline_end - trampoline_code);
	w = words();
	w->jump_32[0] += trampoline_phys;
	w->jump_64[0] += trampoline_phys;
	w->gdt_base += trampoline_phys;
	w->high = (uint64_t)trampoline_high;
	w->cr3 = virt_to_maddr(tables.l4);
	tables.l2[0] = large;
	tables.l3[0] = virt_to_maddr(tables.l2) | table;
}

void trampoline_prepare(void *stack_top, void (*entry)(unsigned long),
			unsigned long arg)
{
	struct trampoline_words *w = words();

	memcpy(tables.l4, maddr_to_virt(host_cr3), PAGE_SIZE);
	tables.l4[0] = virt_to_maddr(tables.l3) | 0x23;
	w->stack = (uint64_t)stack_top;
	w->entry = (uint64_t)entry;
	w->arg = arg;
	w->host_cr3 = host_cr3;
	w->cr0 = read_cr0();
	w->cr4 = read_cr4();
	w->efer = rdmsr(MSR_EFER) & ~EFER_LMA;
}

/* A PV dom0 looks for the firmware's tables down here, as on a machine of its
 * own: it may map what is nobody's. */
static void __init keep_for_dom0(paddr_t start, paddr_t end)
{
	for (paddr_t p = ROUND_UP(start, PAGE_SIZE); p + PAGE_SIZE <= end;
	     p += PAGE_SIZE)
		frame_assign(maddr_to_mfn(p), 0, DOMID_IO);
}

void __init trampoline_done(const struct boot_info *bi)
{
	for (unsigned int i = 0; i < machine_map.n; i++) {
		const struct memory_range *r = &machine_map.range[i];

		/* A module down here stays where it is. */
		for (paddr_t p = 0; p < 0xa0000; p += PAGE_SIZE)
			if (module_at(bi, p))
				return;
		if (r->type != MEMORY_RAM || r->start >= 0xa0000)
			continue;
		/* Page 0 has the BIOS's data, which dom0 may still read. */
		if (dom0_wants_pv())
			keep_for_dom0(r->start, min(r->end, (paddr_t)0xa0000));
		else
			memory_release(max(r->start, PAGE_SIZE),
				       min(r->end, (paddr_t)0xa0000));
	}
}
