/* SPDX-License-Identifier: MIT */
/*
 * The image: linked at IMAGE_VIRT_START, loaded at IMAGE_PHYS_START or, where
 * the loader can choose, at any 2 MiB boundary below 4 GiB. Each part starts a
 * page, because mem/map.c gives each its own rights.
 */
#include "mem/layout.h"

/* Needed to unpack dom0's kernel, and given back afterwards. */
#define UNPACKERS *liblzma.a:* *libzstd.a:* *liblz4.a:* *libz.a:*

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH("i386:x86-64")
ENTRY(entry_multiboot_phys)

PHDRS {
	image PT_LOAD FLAGS(7);
	note PT_NOTE FLAGS(4);
}

SECTIONS {
	. = IMAGE_VIRT_START;
	image_start = .;
	.text : AT(IMAGE_PHYS_START) {
		KEEP(*(.boot.header))
		*(.boot.entry)
		*(.text.hot .text.hot.*)
		. = ALIGN(4096);
		image_entry_text = .;
		*(.text.entry)
		. = ALIGN(4096);
		image_entry_text_end = .;
		*(EXCLUDE_FILE(UNPACKERS) .text EXCLUDE_FILE(UNPACKERS) .text.*)
		. = ALIGN(4096);
		image_text_end = .;
	} :image
	.rodata : {
		*(EXCLUDE_FILE(UNPACKERS) .rodata
		  EXCLUDE_FILE(UNPACKERS) .rodata.*)
		*(.data.rel.ro .data.rel.ro.*)
		*(.got .got.* .igot .igot.* .iplt .plt .plt.* .rela.*)
		. = ALIGN(8);
		image_fixup_start = .;
		KEEP(*(.fixup))
		image_fixup_end = .;
	} :image
	.note.Xen : {
		KEEP(*(.note.Xen))
	} :image :note
	.rodata.end : {
		. = ALIGN(4096);
		image_rodata_end = .;
		image_init_text_start = .;
	} :image
	.init.text : {
		*(.init.text .init.text.*)
		*(.text .text.*)
		. = ALIGN(4096);
		image_init_text_end = .;
	} :image
	.init.data : {
		*(.init.data .init.data.*)
		*(.init.rodata .init.rodata.*)
		*(.rodata .rodata.*)
		. = ALIGN(8);
		image_param_start = .;
		KEEP(*(.init.param))
		image_param_end = .;
		. = ALIGN(4096);
		*(.init.tables)
		. = ALIGN(4096);
		image_init_end = .;
	} :image
	.data : {
		*(.data.ro_after_init)
		. = ALIGN(4096);
		image_entry_data = .;
		*(.data.entry)
		. = ALIGN(4096);
		image_entry_data_end = .;
		__percpu_start = .;
		*(.data.percpu)
		. = ALIGN(4096);
		__percpu_entry_start = .;
		*(.data.percpu.entry)
		. = ALIGN(4096);
		__percpu_entry_end = .;
		*(.data.percpu.page)
		. = ALIGN(64);
		__percpu_end = .;
		*(.data .data.*)
	} :image
	.bss : {
		*(.bss.page_aligned)
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
		image_end = .;
	} :image

	entry_multiboot_phys = entry_multiboot - IMAGE_VIRT_START +
			       IMAGE_PHYS_START;

	/DISCARD/ : {
		*(.eh_frame .eh_frame_hdr .comment .note.GNU-stack)
		*(.note.gnu.* .interp .dynsym .dynstr .hash .gnu.hash .dynamic)
		*(.gcc_except_table .gcc_except_table.*)
	}
	ASSERT(image_end - image_start <= 0x800000,
	       "the entry code maps 8 MiB of image")
	ASSERT(entry_multiboot - IMAGE_VIRT_START < 0x100000, "entry")
}
