/* SPDX-License-Identifier: MIT */
/* The firmware's ACPI tables, as far as a hypervisor must know them. */
#ifndef OSTLER_CPU_ACPI_H
#define OSTLER_CPU_ACPI_H

#include "lib/types.h"

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision, creator_id, creator_revision;
} __packed;

/* Finds the tables; rsdp 0: search the BIOS area. False: there are none. */
bool acpi_init(paddr_t rsdp);
/* The table's n-th instance by signature, checksum verified, mapped for good.
 */
const struct acpi_header *acpi_find(const char *signature, unsigned int n);
/* Calls fn for each table in the XSDT or RSDT with its machine address. */
void acpi_for_each(void (*fn)(const struct acpi_header *h, paddr_t addr,
			      void *data),
		   void *data);
/* The RSDP as found: revision and address. */
extern paddr_t acpi_rsdp_addr;

/* What the MADT and FADT say. */
struct acpi_ioapic {
	uint32_t id, gsi_base;
	paddr_t addr;
};
struct acpi_isa_override {
	uint8_t source;
	uint32_t gsi;
	uint16_t flags; /* bits 0-1 polarity, 2-3 trigger, as in the MADT */
};
struct acpi_info {
	unsigned int nr_cpus, nr_ioapics, nr_overrides;
	struct {
		uint32_t apic_id, acpi_id;
	} cpu[256];
	struct acpi_ioapic ioapic[16];
	struct acpi_isa_override override[16];
	paddr_t lapic_addr;
	uint16_t pm1a_cnt, pm1b_cnt, pm_timer, sci;
	uint16_t reset_port; /* 0: none */
	uint8_t reset_value;
	uint8_t reset_space; /* as in a generic address: 0 memory, 1 port, 2 PCI
			      */
	paddr_t reset_addr;
	uint16_t smi_cmd; /* 0: ACPI mode is on for good */
	uint8_t acpi_enable;
	uint8_t century;     /* CMOS register of the century, 0: none */
	uint16_t boot_flags; /* IA-PC boot architecture flags */
	bool has_s5;
	uint8_t s5_typ_a, s5_typ_b;
	paddr_t dsdt;
	bool pcat_compat; /* there are two 8259s */
};
extern struct acpi_info acpi_info;

/* Turns the machine off, or restarts it: ACPI, then the old ways. */
void machine_halt(void) __noreturn;
void machine_poweroff(void) __noreturn;
void machine_reboot(void) __noreturn;

#endif
