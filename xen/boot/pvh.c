/* SPDX-License-Identifier: MIT */
/*
 * The PVH entry (public/arch-x86/hvm/start_info.h): we are a guest of another
 * hypervisor, or of QEMU's.
 */
#include "boot/bootinfo.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/layout.h"
#include <xen/arch-x86/hvm/start_info.h>

_Static_assert(sizeof(struct hvm_start_info) == 56, "layout");
_Static_assert(BOOT_MAGIC_PVH == XEN_HVM_START_MAGIC_VALUE, "one number");

/* The boot page tables reach 4 GiB, and loaders keep below. */
static bool __init reachable(paddr_t addr, size_t size)
{
	return addr && addr < 1UL << 32 && size <= (1UL << 32) - addr;
}

static const char *__init text_at(struct boot_info *bi, paddr_t addr)
{
	if (!reachable(addr, 1))
		return "";
	return boot_keep_text(bi, maddr_to_virt(addr), sizeof(bi->text));
}

static void __init parse_map(struct boot_info *bi,
			     const struct hvm_start_info *si)
{
	const struct hvm_memmap_table_entry *e;

	if (!reachable(si->memmap_paddr, si->memmap_entries * sizeof(*e)))
		return;
	e = maddr_to_virt(si->memmap_paddr);
	for (uint32_t i = 0; i < si->memmap_entries; i++)
		memory_map_add(&bi->memory, e[i].addr, e[i].size, e[i].type);
}

void __init pvh_parse(struct boot_info *bi, paddr_t addr)
{
	struct hvm_start_info si;
	const struct hvm_modlist_entry *m;

	memcpy(&si, maddr_to_virt(addr), sizeof(si));
	if (si.magic != XEN_HVM_START_MAGIC_VALUE)
		panic("PVH start info at %#lx has magic %#x", addr, si.magic);
	bi->loader = "PVH";
	bi->command_line = text_at(bi, si.cmdline_paddr);
	bi->rsdp = si.rsdp_paddr;
	if (si.version >= 1)
		parse_map(bi, &si);
	if (!reachable(si.modlist_paddr, si.nr_modules * sizeof(*m)))
		return;
	m = maddr_to_virt(si.modlist_paddr);
	for (uint32_t i = 0; i < si.nr_modules && i <= BOOT_MODULES_MAX; i++)
		boot_add_module(bi, m[i].paddr, m[i].paddr + m[i].size,
				text_at(bi, m[i].cmdline_paddr));
}
