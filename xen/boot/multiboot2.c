/* SPDX-License-Identifier: MIT */
/*
 * Multiboot 2, as GRUB speaks it under BIOS and UEFI (Multiboot2 Specification
 * 2.0, "Boot information format"): a list of tags.
 */
#include "boot/bootinfo.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/layout.h"

struct mb2_tag {
	uint32_t type, size; /* with this header; the next is 8-aligned */
};

enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_LOADER = 2,
	MB2_MODULE = 3,
	MB2_MMAP = 6,
	MB2_FRAMEBUFFER = 8,
	MB2_EFI64 = 12,
	MB2_ACPI1 = 14,
	MB2_ACPI2 = 15,
	MB2_EFI_MMAP = 17,
};

struct mb2_range {
	uint64_t addr, length;
	uint32_t type, reserved;
};

struct mb2_framebuffer {
	uint64_t addr;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
	uint8_t colour[6];
} __packed;

struct efi_range {
	uint32_t type, pad;
	uint64_t phys, virt, pages, attribute;
};

/* A copy of n bytes of the tag's contents; false if it has fewer. */
static bool __init get(void *dst, const struct mb2_tag *t, size_t off, size_t n)
{
	if (t->size < sizeof(*t) + off || t->size - sizeof(*t) - off < n)
		return false;
	memcpy(dst, (const char *)(t + 1) + off, n);
	return true;
}

static const char *__init text_at(struct boot_info *bi, const struct mb2_tag *t,
				  size_t off)
{
	if (t->size <= sizeof(*t) + off)
		return "";
	return boot_keep_text(bi, (const char *)(t + 1) + off,
			      t->size - sizeof(*t) - off);
}

static void __init parse_module(struct boot_info *bi, const struct mb2_tag *t)
{
	uint32_t bounds[2];

	if (get(bounds, t, 0, sizeof(bounds)))
		boot_add_module(bi, bounds[0], bounds[1],
				boot_skip_name(bi, text_at(bi, t, 8)));
}

static void __init parse_map(struct boot_info *bi, const struct mb2_tag *t)
{
	struct mb2_range r;
	uint32_t entry[2]; /* size, version */

	if (!get(entry, t, 0, sizeof(entry)) || entry[0] < sizeof(r))
		return;
	for (size_t off = 8; get(&r, t, off, sizeof(r)); off += entry[0])
		memory_map_add(&bi->memory, r.addr, r.length, r.type);
}

/* UEFI's memory types (UEFI 2.10, "EFI_BOOT_SERVICES.AllocatePages()"). */
static uint32_t __init efi_memory_type(uint32_t type)
{
	switch (type) {
	case 1 ... 4: /* loader and boot services: over */
	case 7:
		return MEMORY_RAM;
	case 8:
		return MEMORY_UNUSABLE;
	case 9:
		return MEMORY_ACPI;
	case 10:
		return MEMORY_NVS;
	default:
		return MEMORY_RESERVED;
	}
}

/* Only when there was no plain map: it says the same with more words. */
static void __init parse_efi_map(struct boot_info *bi, const struct mb2_tag *t)
{
	struct efi_range r;
	uint32_t entry[2];

	if (!get(entry, t, 0, sizeof(entry)) || entry[0] < sizeof(r))
		return;
	for (size_t off = 8; get(&r, t, off, sizeof(r)); off += entry[0])
		memory_map_add(&bi->memory, r.phys, r.pages << PAGE_SHIFT,
			       efi_memory_type(r.type));
}

static void __init parse_framebuffer(struct boot_info *bi,
				     const struct mb2_tag *t)
{
	struct mb2_framebuffer f;

	if (!get(&f, t, 0, offsetof(struct mb2_framebuffer, colour)))
		return;
	memset(f.colour, 0, sizeof(f.colour));
	get(f.colour, t, offsetof(struct mb2_framebuffer, colour),
	    sizeof(f.colour));
	bi->framebuffer = (struct framebuffer){
		f.addr,      f.pitch,     f.width,     f.height,
		f.bpp,       f.type,      f.colour[0], f.colour[1],
		f.colour[2], f.colour[3], f.colour[4], f.colour[5],
	};
}

/* The tag holds a copy of the RSDP, not its address: ours gets one, for good,
 * because acpi_rsdp_addr stays. */
static uint8_t rsdp_copy[36] __aligned(16);

static void __init parse_acpi(struct boot_info *bi, const struct mb2_tag *t)
{
	size_t n = t->type == MB2_ACPI2 ? 36 : 20;

	if (t->type == MB2_ACPI1 && bi->rsdp)
		return;
	if (get(rsdp_copy, t, 0, n))
		bi->rsdp = virt_to_maddr(rsdp_copy);
}

static void __init parse_tag(struct boot_info *bi, const struct mb2_tag *t)
{
	switch (t->type) {
	case MB2_CMDLINE:
		bi->command_line = boot_skip_name(bi, text_at(bi, t, 0));
		break;
	case MB2_MODULE:
		parse_module(bi, t);
		break;
	case MB2_MMAP:
		parse_map(bi, t);
		break;
	case MB2_FRAMEBUFFER:
		parse_framebuffer(bi, t);
		break;
	case MB2_EFI64:
		bi->efi = true;
		get(&bi->efi_table, t, 0, sizeof(bi->efi_table));
		break;
	case MB2_ACPI1:
	case MB2_ACPI2:
		parse_acpi(bi, t);
		break;
	}
}

/* Calls fn for each tag; stops where the list is damaged. */
static void __init for_each_tag(struct boot_info *bi, const char *info,
				uint32_t total,
				void (*fn)(struct boot_info *,
					   const struct mb2_tag *))
{
	uint32_t off = 8;

	while (off <= total && total - off >= sizeof(struct mb2_tag)) {
		const struct mb2_tag *t = (const void *)(info + off);

		if (t->type == MB2_END)
			return;
		if (t->size < sizeof(*t) || t->size > total - off)
			break;
		fn(bi, t);
		off += ROUND_UP(t->size, 8);
	}
	printk(XENLOG_ERR "Boot loader: its list of tags is damaged at offset "
			  "%u of %u\n",
	       off, total);
}

/* The loader's name decides how command lines read: it is found first. */
static void __init find_loader(struct boot_info *bi, const struct mb2_tag *t)
{
	if (t->type == MB2_LOADER)
		bi->loader = text_at(bi, t, 0);
}

static void __init find_efi_map(struct boot_info *bi, const struct mb2_tag *t)
{
	if (t->type == MB2_EFI_MMAP)
		parse_efi_map(bi, t);
}

void __init multiboot2_parse(struct boot_info *bi, paddr_t addr)
{
	const char *info = maddr_to_virt(addr);
	uint32_t total;

	memcpy(&total, info, sizeof(total));
	for_each_tag(bi, info, total, find_loader);
	for_each_tag(bi, info, total, parse_tag);
	if (!bi->memory.n)
		for_each_tag(bi, info, total, find_efi_map);
}
