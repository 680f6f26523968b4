/* SPDX-License-Identifier: MIT */
/*
 * The dom0 builder: from the boot loader's modules to a vCPU at a kernel's
 * entry. Whatever cannot be done ends the start with a message that says which
 * module or option it was.
 */
#ifndef OSTLER_BOOT_DOM0_H
#define OSTLER_BOOT_DOM0_H

#include "boot/bootinfo.h"
#include "domain/domain.h"
#include "image/image.h"

void build_dom0(struct boot_info *bi);

/*
 * Where Debian's kernels are linked to run. Nothing of ours is put there before
 * dom0's kernel has its place: dom0_keep_zone() keeps it from the allocator
 * from the start; dom0_release_zone() gives it, and the modules, back.
 */
#define DOM0_ZONE_START 0x1000000UL
#define DOM0_ZONE_END   0x9000000UL
void dom0_keep_zone(void);
void dom0_release_zone(const struct boot_info *bi);

/* What the steps hand on to each other. */
struct dom0_build {
	struct domain *d;
	struct boot_info *bi;

	/* dom0_kernel.c: the unpacked kernel, in pages of ours */
	struct image_elf elf;
	mfn_t kernel_mfn;
	unsigned int kernel_order;
	/* the initial RAM disk, in frames that become dom0's */
	paddr_t initrd, initrd_size;
	mfn_t initrd_mfn;
	unsigned int initrd_order;

	/* dom0_memory.c: pages that it is to have in all */
	uint64_t pages;

	/* where start info and ACPI tables are, in dom0's memory */
	paddr_t tables, tables_size;
	paddr_t rsdp, start_info;
	paddr_t identity_table; /* HVM_PARAM_IDENT_PT */
};

/* dom0_options.c */
extern uint32_t dom0_max_vcpus;
/* Pages, from dom0_mem= and what there is. */
uint64_t dom0_pages(uint64_t available);
/* dom0=, or else what the machine can do. */
bool dom0_wants_pv(void);

/* dom0_kernel.c: in this order; the modules are free memory after the first */
void dom0_unpack(struct dom0_build *b, bool pv);
void dom0_place_kernel(struct dom0_build *b);
void dom0_write_start_info(struct dom0_build *b);

/* dom0_pv.c: everything from the unpacked kernel to its first vCPU's state */
void dom0_build_pv(struct dom0_build *b);

/* dom0_memory.c */
void dom0_take_memory(struct dom0_build *b);
void dom0_map_machine(struct dom0_build *b);
void dom0_make_map(struct dom0_build *b);
/* What a processor without unrestricted guest runs it on while its paging is
 * off (public/hvm/params.h). */
void dom0_make_identity_table(struct dom0_build *b);
bool dom0_owns(const struct dom0_build *b, mfn_t mfn);

/* dom0_acpi.c: writes RSDP, XSDT and MADT at b->tables; returns the end. */
paddr_t dom0_make_acpi(struct dom0_build *b, paddr_t at);

#endif
