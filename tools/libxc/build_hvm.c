/* SPDX-License-Identifier: MIT */
/*
 * Fills an HVM guest: memory with the hole for VGA, hvmloader, and what
 * hvmloader reads: the HVM info page, and start info with the BIOS as module.
 */
#include <xenctrl.h>
#include <xen/hvm/hvm_info_table.h>

#include "build.h"

#define SEABIOS    "/usr/share/seabios/bios-256k.bin"
#define HOLE_START 0xf0000000ull /* default end of memory below 4 GiB */

/* Loads a file at the next frames for hvmloader to find. */
static int load_extra(struct build *b, const char *path, const char *what,
		      struct start_module *out)
{
	struct blob file = {0};
	uint64_t n, frame;
	int rc = -1;

	if (blob_open(&file, path, what, b->err))
		return -1;
	n = round_up(file.len, PAGE_SIZE) / PAGE_SIZE;
	frame = guest_take(b, n, what);
	if (frame != NO_FRAME)
		rc = guest_write_blob(b, frame * PAGE_SIZE, &file, 0, file.len,
				      n * PAGE_SIZE);
	out->paddr = frame * PAGE_SIZE;
	out->size = file.len;
	blob_close(&file);
	return rc;
}

static int load_firmware_tables(struct build *b)
{
	struct start_module m;

	if (b->cfg->smbios_file) {
		if (load_extra(b, b->cfg->smbios_file, "SMBIOS file", &m))
			return -1;
		b->out->smbios_addr = m.paddr;
		b->out->smbios_length = m.size;
	}
	if (b->cfg->acpi_file) {
		if (load_extra(b, b->cfg->acpi_file, "ACPI file", &m))
			return -1;
		b->out->acpi_addr = m.paddr;
		b->out->acpi_length = m.size;
	}
	return 0;
}

static int write_hvm_info(struct build *b)
{
	const struct build_config *cfg = b->cfg;
	struct hvm_info_table info = {
		.signature = "HVM INFO",
		.length = sizeof(info),
		.apic_mode = !cfg->no_apic,
		.nr_vcpus = cfg->max_vcpus,
		.low_mem_pgend = (uint32_t)(b->low_end / PAGE_SIZE),
		.high_mem_pgend = (uint32_t)(b->high_end / PAGE_SIZE),
		.reserved_mem_pgstart = IOREQ_SERVER_FRAME,
	};
	const uint8_t *p = (const uint8_t *)&info;
	uint8_t sum = 0;

	for (unsigned int i = 0; i < cfg->max_vcpus; i++)
		if (!cfg->vcpu_avail || (cfg->vcpu_avail[i / 8] >> i % 8 & 1))
			info.vcpu_online[i / 8] |= (uint8_t)(1u << i % 8);
	for (size_t i = 0; i < sizeof(info); i++)
		sum += p[i];
	info.checksum = (uint8_t)-sum;
	return guest_write(b, HVM_INFO_PADDR, &info, sizeof(info),
			   PAGE_SIZE - HVM_INFO_OFFSET);
}

static int set_memory_map(struct build *b, struct memory_map *m)
{
	/* hvmloader adds what lies below 1 MiB. */
	memory_map_add(m, MIB, b->low_end, E820_RAM);
	memory_map_add(m, 4 * GIB, b->high_end, E820_RAM);
	if (xc_domain_set_memory_map(b->xch, b->domid, m->entry, m->n))
		return build_fail_errno(b->err, "the guest's memory map");
	return 0;
}

static uint64_t mmio_start(const struct build_config *cfg)
{
	uint64_t start = 4 * GIB - cfg->mmio_hole_kb * 1024;

	/* A hole that would be smaller than the default is not made. */
	return cfg->mmio_hole_kb && start < HOLE_START ? start : HOLE_START;
}

int build_fill_hvm(struct build *b)
{
	const struct build_config *cfg = b->cfg;
	struct start_module bios = {.cmdline = "firmware"};
	struct memory_map map = {0};
	uint64_t start_info;

	if (container_memory(b, mmio_start(cfg), true) ||
	    guest_load_kernel(b, 0) ||
	    load_extra(b, cfg->bios ? cfg->bios : SEABIOS, "BIOS", &bios) ||
	    load_firmware_tables(b) || set_memory_map(b, &map))
		return -1;
	start_info = start_info_write(b, &bios, 1, NULL, 0, &map);
	if (start_info == NO_FRAME || container_special_pages(b) ||
	    write_hvm_info(b))
		return -1;
	return container_vcpu(b, b->kernel.elf.entry, start_info, false);
}
