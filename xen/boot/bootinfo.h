/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader told us, whichever it was. Strings and the table of
 * modules are copies; the modules themselves stay where they are, reserved,
 * until memory_release().
 */
#ifndef OSTLER_BOOT_BOOTINFO_H
#define OSTLER_BOOT_BOOTINFO_H

#include "console/screen.h"
#include "mem/memory_map.h"

#define BOOT_MODULES_MAX 16

struct boot_module {
	paddr_t start, end;
	const char *words; /* its command line, without a file name */
};

struct boot_info {
	const char *protocol;
	const char *loader;
	const char *command_line;
	bool efi;
	paddr_t efi_table; /* its system table; 0: not told */
	paddr_t rsdp;      /* 0: not told, look for it */
	struct memory_map memory;
	unsigned int nr_modules;
	struct boot_module module[BOOT_MODULES_MAX];
	struct framebuffer framebuffer;

	/* Storage of the strings. */
	size_t text_used;
	char text[8192];
};

/* The values of EAX at entry that tell the protocols apart. */
#define BOOT_MAGIC_MULTIBOOT1 0x2badb002
#define BOOT_MAGIC_MULTIBOOT2 0x36d76289
#define BOOT_MAGIC_PVH        0x336ec578

/*
 * Fills bi from the structure at addr. What is damaged is left out, with a
 * warning; false only if the protocol is none that we know.
 */
bool boot_info_parse(struct boot_info *bi, uint32_t magic, paddr_t addr);

/* For the three parsers. */
void multiboot1_parse(struct boot_info *bi, paddr_t addr);
void multiboot2_parse(struct boot_info *bi, paddr_t addr);
void pvh_parse(struct boot_info *bi, paddr_t addr);
/* Keeps at most max bytes of a string; "" when it does not fit. */
const char *boot_keep_text(struct boot_info *bi, const char *s, size_t max);
void boot_add_module(struct boot_info *bi, paddr_t start, paddr_t end,
		     const char *words);
/* Loaders other than GRUB 2 put the file's name before its words. */
const char *boot_skip_name(const struct boot_info *bi, const char *words);

#endif
