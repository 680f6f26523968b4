/* SPDX-License-Identifier: MIT */
/*
 * Multiboot 1, as QEMU's -kernel and GRUB's "multiboot" speak it (Multiboot
 * Specification 0.6.96, "Boot information format").
 */
#include "boot/bootinfo.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/layout.h"

struct mb1_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
};
_Static_assert(offsetof(struct mb1_info, boot_loader_name) == 64, "layout");

enum {
	MB1_MEMORY = BIT(0),
	MB1_CMDLINE = BIT(2),
	MB1_MODULES = BIT(3),
	MB1_MMAP = BIT(6),
	MB1_LOADER = BIT(9),
};

struct mb1_module {
	uint32_t start, end, words, reserved;
};

struct mb1_range {
	uint32_t size; /* of what follows */
	uint64_t addr, length;
	uint32_t type;
} __packed;

static const char *__init text_at(struct boot_info *bi, uint32_t addr)
{
	return boot_keep_text(bi, maddr_to_virt(addr), sizeof(bi->text));
}

static void __init parse_map(struct boot_info *bi, uint32_t addr, uint32_t len)
{
	const char *p = maddr_to_virt(addr), *end = p + len;

	while ((size_t)(end - p) >= sizeof(struct mb1_range)) {
		struct mb1_range r;

		memcpy(&r, p, sizeof(r));
		memory_map_add(&bi->memory, r.addr, r.length, r.type);
		if (r.size < sizeof(r) - 4 || r.size > (size_t)(end - p) - 4)
			break;
		p += r.size + 4;
	}
}

static void __init parse_modules(struct boot_info *bi, uint32_t addr,
				 uint32_t n)
{
	const struct mb1_module *m = maddr_to_virt(addr);

	/* One more than we take, so that the rest is told of. */
	for (uint32_t i = 0; i < n && i <= BOOT_MODULES_MAX; i++) {
		const char *words = m[i].words ? text_at(bi, m[i].words) : "";

		boot_add_module(bi, m[i].start, m[i].end,
				boot_skip_name(bi, words));
	}
}

void __init multiboot1_parse(struct boot_info *bi, paddr_t addr)
{
	struct mb1_info mbi;

	memcpy(&mbi, maddr_to_virt(addr), sizeof(mbi));
	if (mbi.flags & MB1_LOADER)
		bi->loader = text_at(bi, mbi.boot_loader_name);
	if (mbi.flags & MB1_CMDLINE)
		bi->command_line = boot_skip_name(bi, text_at(bi, mbi.cmdline));
	if (mbi.flags & MB1_MMAP)
		parse_map(bi, mbi.mmap_addr, mbi.mmap_length);
	if (!bi->memory.n && (mbi.flags & MB1_MEMORY)) {
		memory_map_add(&bi->memory, 0, mbi.mem_lower * 1024UL,
			       MEMORY_RAM);
		memory_map_add(&bi->memory, 1UL << 20, mbi.mem_upper * 1024UL,
			       MEMORY_RAM);
	}
	if (mbi.flags & MB1_MODULES)
		parse_modules(bi, mbi.mods_addr, mbi.mods_count);
}
