/* SPDX-License-Identifier: MIT */
/* What the boot loader told us: the part that the protocols share. */
#include "boot/bootinfo.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/layout.h"

const char *__init boot_keep_text(struct boot_info *bi, const char *s,
				  size_t max)
{
	size_t n = strnlen(s, max);
	char *copy = bi->text + bi->text_used;

	if (n >= sizeof(bi->text) - bi->text_used) {
		printk(XENLOG_ERR "Boot loader: a text of %zu bytes is too "
				  "long, ignored\n",
		       n);
		return "";
	}
	memcpy(copy, s, n);
	copy[n] = '\0';
	bi->text_used += n + 1;
	return copy;
}

void __init boot_add_module(struct boot_info *bi, paddr_t start, paddr_t end,
			    const char *words)
{
	struct boot_module *m = &bi->module[bi->nr_modules];

	if (end <= start) {
		printk(XENLOG_ERR "Boot loader: module [%#lx, %#lx) \"%s\" is "
				  "empty, ignored\n",
		       start, end, words);
		return;
	}
	if (bi->nr_modules == BOOT_MODULES_MAX) {
		printk(XENLOG_ERR "Boot loader: more than %u modules, \"%s\" "
				  "ignored\n",
		       BOOT_MODULES_MAX, words);
		return;
	}
	*m = (struct boot_module){start, end, words};
	bi->nr_modules++;
}

const char *__init boot_skip_name(const struct boot_info *bi, const char *words)
{
	if (strncmp(bi->loader, "GRUB 2", 6) == 0 ||
	    strncmp(bi->loader, "GRUB 1.9", 8) == 0)
		return words;
	while (*words == ' ')
		words++;
	while (*words && *words != ' ')
		words++;
	while (*words == ' ')
		words++;
	return words;
}

bool __init boot_info_parse(struct boot_info *bi, uint32_t magic, paddr_t addr)
{
	*bi = (struct boot_info){.loader = "?", .command_line = ""};
	switch (magic) {
	case BOOT_MAGIC_MULTIBOOT1:
		bi->protocol = "Multiboot";
		multiboot1_parse(bi, addr);
		return true;
	case BOOT_MAGIC_MULTIBOOT2:
		bi->protocol = "Multiboot 2";
		multiboot2_parse(bi, addr);
		return true;
	case BOOT_MAGIC_PVH:
		bi->protocol = "PVH";
		pvh_parse(bi, addr);
		return true;
	default:
		return false;
	}
}
