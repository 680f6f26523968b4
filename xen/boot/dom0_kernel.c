/* SPDX-License-Identifier: MIT */
/*
 * dom0's kernel and initial RAM disk: unpacked and brought where they belong.
 *
 * The loader may have put the modules where the kernel must go, so both are
 * first taken out of the way: the kernel unpacked into pages of ours, the RAM
 * disk copied into frames that will be dom0's.
 */
#include "boot/dom0.h"

#include "console/printk.h"
#include "boot/libc.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"
#include "mem/map.h"
#include "mem/memory.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/elfnote.h>

static unsigned int __init order_for(uint64_t bytes)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < bytes)
		order++;
	return order;
}

static void *__init scratch_alloc(void *ctx __maybe_unused, size_t size)
{
	return libc_malloc(size);
}

static void __init scratch_free(void *ctx __maybe_unused, void *p)
{
	libc_free(p);
}

static void __init report_kernel(const struct image_elf *elf,
				 const struct image_payload *p, bool pv)
{
	printk("dom0 kernel: %s %s, %s, %lu KiB, at %#lx to %#lx, entry %#lx\n",
	       elf->notes.guest_os, elf->notes.guest_version,
	       image_format_name(p->format), p->unpacked >> 10, elf->pstart,
	       elf->pend, pv ? elf->notes.entry : elf->notes.phys32_entry);
}

/* Frames for size bytes below 4 GiB that keep out of the kernel's way; those
 * that do not are held until there are some that do. */
static mfn_t __init alloc_aside(const struct image_elf *elf, unsigned int order)
{
	mfn_t wrong[8], mfn = INVALID_MFN;
	unsigned int n = 0;

	while (n < ARRAY_SIZE(wrong)) {
		paddr_t start;

		mfn = alloc_domain_pages(order,
					 ALLOC_BELOW_4G | ALLOC_UNCLEARED);
		if (mfn_eq(mfn, INVALID_MFN))
			break;
		start = mfn_to_maddr(mfn);
		if (start >= elf->pend ||
		    start + (PAGE_SIZE << order) <= (elf->pstart & PAGE_MASK))
			break;
		wrong[n++] = mfn;
		mfn = INVALID_MFN;
	}
	while (n--)
		free_domain_pages(wrong[n], order);
	return mfn;
}

static void __init move_initrd(struct dom0_build *b)
{
	const struct boot_module *m = &b->bi->module[1];
	uint64_t size = m->end - m->start;
	char *to;

	if (b->bi->nr_modules < 2 || !size)
		return;
	b->initrd_order = order_for(size);
	b->initrd_mfn = alloc_aside(&b->elf, b->initrd_order);
	if (mfn_eq(b->initrd_mfn, INVALID_MFN))
		panic("dom0's initial RAM disk: no room below 4 GiB for its "
		      "%lu KiB: give the machine more memory",
		      size >> 10);
	b->initrd = mfn_to_maddr(b->initrd_mfn);
	b->initrd_size = size;
	to = maddr_to_virt(b->initrd);
	memcpy(to, map_firmware(m->start, size), size);
}

static void __init unpack_kernel(struct dom0_build *b, struct image_payload *p)
{
	const struct boot_module *m = &b->bi->module[0];
	const struct image_mem mem = {scratch_alloc, scratch_free, NULL};
	const char *why = "";
	void *to;

	if (image_find(map_firmware(m->start, m->end - m->start),
		       m->end - m->start, p, &why))
		panic("dom0's kernel (first module, %lu bytes): %s",
		      m->end - m->start, why);
	b->kernel_order = order_for(p->unpacked);
	b->kernel_mfn = INVALID_MFN;
	if (b->kernel_order <= MAX_ORDER)
		b->kernel_mfn = alloc_pages(b->kernel_order, 0);
	if (mfn_eq(b->kernel_mfn, INVALID_MFN))
		panic("dom0's kernel: no room for %lu KiB: give the machine "
		      "more memory",
		      p->unpacked >> 10);
	to = mfn_to_virt(b->kernel_mfn);
	libc_begin();
	if (image_unpack(p, to, &mem, &why))
		panic("dom0's kernel (%s): %s", image_format_name(p->format),
		      why);
	libc_end();
	if (image_parse_elf(to, p->unpacked, &b->elf, &why))
		panic("dom0's kernel: %s", why);
}

void __init dom0_unpack(struct dom0_build *b, bool pv)
{
	struct image_payload p;

	if (!b->bi->nr_modules)
		panic("no dom0 kernel: it is the first module that the boot "
		      "loader must load");
	unpack_kernel(b, &p);
	if (pv && (!image_is_pv(&b->elf) || !b->elf.is64))
		panic("dom0's kernel cannot start as PV: it has no Xen notes "
		      "of a 64-bit PV kernel (Linux: CONFIG_XEN_PV)");
	if (!pv && !image_is_pvh(&b->elf))
		panic("dom0's kernel cannot start as PVH: it has no "
		      "XEN_ELFNOTE_PHYS32_ENTRY (Linux: CONFIG_XEN_PVH)");
	report_kernel(&b->elf, &p, pv);
	move_initrd(b);
}

static int __init place_segment(void *ctx, const struct image_segment *seg)
{
	const struct dom0_build *b = ctx;
	char *to = maddr_to_virt(seg->paddr);

	for (paddr_t a = seg->paddr & PAGE_MASK; a < seg->paddr + seg->memsz;
	     a += PAGE_SIZE)
		if (!dom0_owns(b, maddr_to_mfn(a)))
			panic("dom0's kernel wants memory at %#lx, which is "
			      "not dom0's: raise dom0_mem=",
			      a);
	memcpy(to, seg->data, seg->filesz);
	memset(to + seg->filesz, 0, seg->memsz - seg->filesz);
	return 0;
}

void __init dom0_place_kernel(struct dom0_build *b)
{
	image_load(&b->elf, place_segment, b);
	free_pages(b->kernel_mfn, b->kernel_order);
}

static paddr_t __init put(paddr_t *at, const void *data, size_t size)
{
	paddr_t here = ROUND_UP(*at, 16UL);

	memcpy(maddr_to_virt(here), data, size);
	*at = here + size;
	return here;
}

void __init dom0_write_start_info(struct dom0_build *b)
{
	const char *words = b->bi->module[0].words;
	const struct memory_map *map = b->d->memory_map;
	struct hvm_start_info info = {
		.magic = XEN_HVM_START_MAGIC_VALUE,
		.version = 1,
		.flags = SIF_PRIVILEGED | SIF_INITDOMAIN,
		.rsdp_paddr = b->rsdp,
		.memmap_entries = map->n,
	};
	paddr_t at = b->start_info;

	at += sizeof(info);
	info.cmdline_paddr = put(&at, words, strlen(words) + 1);
	if (b->initrd_size) {
		struct hvm_modlist_entry m = {.paddr = b->initrd,
					      .size = b->initrd_size};

		info.nr_modules = 1;
		info.modlist_paddr = put(&at, &m, sizeof(m));
	}
	info.memmap_paddr = ROUND_UP(at, 16UL);
	for (unsigned int i = 0; i < map->n; i++) {
		const struct memory_range *r = &map->range[i];
		struct hvm_memmap_table_entry e = {.addr = r->start,
						   .size = r->end - r->start,
						   .type = r->type};

		memcpy(maddr_to_virt(info.memmap_paddr + i * sizeof(e)), &e,
		       sizeof(e));
	}
	at = info.memmap_paddr + map->n * sizeof(struct hvm_memmap_table_entry);
	if (at > b->tables + b->tables_size)
		panic("dom0's command line is too long (%lu bytes)",
		      strlen(words));
	memcpy(maddr_to_virt(b->start_info), &info, sizeof(info));
}
