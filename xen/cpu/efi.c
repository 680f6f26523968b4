/* SPDX-License-Identifier: MIT */
#include "cpu/efi.h"

#include "console/printk.h"
#include "mem/map.h"

#define SYSTEM_TABLE  0x5453595320494249UL /* "IBI SYST" */
#define RUNTIME_TABLE 0x56524553544e5552UL /* "RUNTSERV" */
/* One of them takes 24 bytes; firmware has about ten. */
#define MAX_TABLES 1024

struct efi_header {
	uint64_t signature;
	uint32_t revision, size, crc, reserved;
};

struct efi_system_table {
	struct efi_header header;
	paddr_t vendor;
	uint32_t vendor_revision, pad;
	uint64_t consoles[6];
	paddr_t runtime, boot;
	uint64_t nr_tables;
	paddr_t tables;
};

struct efi_info efi_info;

static void read_vendor(paddr_t at)
{
	for (unsigned int i = 0; i + 1 < EFI_VENDOR_MAX; i++) {
		const uint16_t *c = at ? map_firmware(at + 2 * i, 2) : NULL;

		efi_info.vendor[i] = c ? *c : 0;
		if (!efi_info.vendor[i])
			return;
	}
}

void efi_init(paddr_t system_table)
{
	const struct efi_system_table *t;
	const struct efi_header *rt;

	if (!system_table)
		return;
	t = map_firmware(system_table, sizeof(*t));
	if (!t || t->header.signature != SYSTEM_TABLE || !t->tables ||
	    !t->nr_tables || t->nr_tables > MAX_TABLES) {
		printk(XENLOG_WARNING
		       "UEFI: no system table at %#lx, where the "
		       "loader said\n",
		       system_table);
		return;
	}
	efi_info.version = t->header.revision;
	efi_info.vendor_revision = t->vendor_revision;
	read_vendor(t->vendor);
	rt = t->runtime ? map_firmware(t->runtime, sizeof(*rt)) : NULL;
	if (rt && rt->signature == RUNTIME_TABLE)
		efi_info.rt_version = rt->revision;
	efi_info.nr_tables = (uint32_t)t->nr_tables;
	efi_info.tables = t->tables;
	printk("UEFI: version %u.%u, %u tables\n", efi_info.version >> 16,
	       (efi_info.version & 0xffff) / 10, efi_info.nr_tables);
}
