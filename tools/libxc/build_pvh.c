/* SPDX-License-Identifier: MIT */
/*
 * Fills a PVH guest: memory, the kernel where it was linked, its modules, ACPI
 * tables and start info, and a vCPU at PHYS32_ENTRY.
 */
#include <xenctrl.h>
#include <xen/elfnote.h>
#include <xen/features.h>

#include "build.h"

/* The hole below 4 GiB holds the tables, the APIC and the special pages. */
#define ACPI_PADDR 0xfc000000ull
/* Where a kernel that knows no other place looks for the RSDP. */
#define LOW_RSDP 0xfff80ull
#define RSDP_LEN 64

struct tables {
	void *data;
	size_t len;
	uint64_t rsdp; /* 0: no ACPI */
};

/* An older Linux looks for the RSDP in low memory only. */
static bool low_rsdp(const struct image_elf *elf)
{
	return strcmp(elf->notes.guest_os, "linux") == 0 &&
	       !(elf->notes.features & 1u << XENFEAT_linux_rsdp_unrestricted);
}

static int load_tables(struct build *b, struct tables *t)
{
	uint64_t first = ACPI_PADDR / PAGE_SIZE;

	t->data = acpi_tables(b->cfg->max_vcpus, b->cfg->vcpu_avail, ACPI_PADDR,
			      &t->len);
	if (!t->data)
		return build_fail_errno(b->err, "ACPI tables for %u vCPUs",
					b->cfg->max_vcpus);
	if (populate_range(b, first, first + t->len / PAGE_SIZE, 0) ||
	    guest_write(b, ACPI_PADDR, t->data, t->len, t->len))
		return -1;
	t->rsdp = ACPI_PADDR;
	if (low_rsdp(&b->kernel.elf)) {
		t->rsdp = LOW_RSDP;
		return guest_write(b, LOW_RSDP, t->data, RSDP_LEN, RSDP_LEN);
	}
	return 0;
}

static int set_memory_map(struct build *b, const struct tables *t,
			  struct memory_map *m)
{
	uint64_t low_start = 0;

	if (t->rsdp == LOW_RSDP) {
		low_start = MIB;
		memory_map_add(m, 0, low_start - PAGE_SIZE, E820_RAM);
		memory_map_add(m, low_start - PAGE_SIZE, low_start, E820_ACPI);
	}
	memory_map_add(m, low_start, b->low_end, E820_RAM);
	memory_map_add(m, ACPI_PADDR, ACPI_PADDR + t->len, E820_ACPI);
	memory_map_add(m, SPECIAL_FRAME(0) * PAGE_SIZE, SPECIAL_END * PAGE_SIZE,
		       E820_RESERVED);
	memory_map_add(m, 4 * GIB, b->high_end, E820_RAM);
	if (xc_domain_set_memory_map(b->xch, b->domid, m->entry, m->n))
		return build_fail_errno(b->err, "the guest's memory map");
	return 0;
}

static int fill(struct build *b, struct tables *t)
{
	const struct build_config *cfg = b->cfg;
	struct start_module mods[BUILD_MODULES];
	struct memory_map map = {0};
	uint64_t start_info;

	if (container_memory(b, ACPI_PADDR, false) || guest_load_kernel(b, 0))
		return -1;
	if (!cfg->no_acpi && load_tables(b, t))
		return -1;
	for (unsigned int i = 0; i < cfg->nr_modules; i++) {
		mods[i].paddr = guest_load_module(b, i);
		mods[i].size = b->modules[i].len;
		mods[i].cmdline = cfg->modules[i].cmdline;
		if (mods[i].paddr == NO_FRAME)
			return -1;
	}
	if (set_memory_map(b, t, &map))
		return -1;
	start_info = start_info_write(b, mods, cfg->nr_modules, cfg->cmdline,
				      t->rsdp, &map);
	if (start_info == NO_FRAME || container_special_pages(b))
		return -1;
	return container_vcpu(b, b->kernel.elf.notes.phys32_entry, start_info,
			      true);
}

int build_fill_pvh(struct build *b)
{
	struct tables t = {0};
	int rc = fill(b, &t);

	free(t.data);
	return rc;
}
