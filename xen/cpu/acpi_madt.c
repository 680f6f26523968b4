/* SPDX-License-Identifier: MIT */
/*
 * The MADT: processors, I/O APICs and how ISA lines are wired (ACPI, "Multiple
 * APIC Description Table"). Entries shorter than their type needs are skipped;
 * one that leaves the table ends the walk.
 */
#include "cpu/acpi_tables.h"
#include "console/printk.h"
#include "lib/string.h"

struct madt {
	struct acpi_header header;
	uint32_t lapic_addr, flags;
} __packed;
#define MADT_PCAT_COMPAT BIT(0)

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_ADDRESS = 5,
	MADT_X2APIC = 9,
};
#define LAPIC_ENABLED BIT(0)

struct madt_lapic {
	uint8_t type, length, acpi_id, apic_id;
	uint32_t flags;
} __packed;
struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t addr, gsi_base;
} __packed;
struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} __packed;
struct madt_lapic_address {
	uint8_t type, length;
	uint16_t reserved;
	uint64_t addr;
} __packed;
struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, acpi_id;
} __packed;

static void add_cpu(uint32_t apic_id, uint32_t acpi_id, uint32_t flags)
{
	struct acpi_info *a = &acpi_info;

	if (!(flags & LAPIC_ENABLED))
		return;
	/* Firmware may list a processor by both kinds of entry. */
	for (unsigned int i = 0; i < a->nr_cpus; i++)
		if (a->cpu[i].apic_id == apic_id)
			return;
	if (a->nr_cpus == ARRAY_SIZE(a->cpu)) {
		printk(XENLOG_WARNING "ACPI: CPU with APIC ID %u left out: %zu "
				      "is the most\n",
		       apic_id, ARRAY_SIZE(a->cpu));
		return;
	}
	a->cpu[a->nr_cpus].apic_id = apic_id;
	a->cpu[a->nr_cpus].acpi_id = acpi_id;
	a->nr_cpus++;
}

static void add_ioapic(const struct madt_ioapic *e)
{
	struct acpi_info *a = &acpi_info;

	if (a->nr_ioapics == ARRAY_SIZE(a->ioapic)) {
		printk(XENLOG_WARNING "ACPI: I/O APIC %u left out: %zu are the "
				      "most\n",
		       e->id, ARRAY_SIZE(a->ioapic));
		return;
	}
	a->ioapic[a->nr_ioapics++] =
		(struct acpi_ioapic){e->id, e->gsi_base, e->addr};
}

static void add_override(const struct madt_override *e)
{
	struct acpi_info *a = &acpi_info;

	if (e->bus != 0 || a->nr_overrides == ARRAY_SIZE(a->override))
		return;
	a->override[a->nr_overrides++] =
		(struct acpi_isa_override){e->source, e->gsi, e->flags};
}

static void parse_entry(const uint8_t *p)
{
	union {
		struct madt_lapic lapic;
		struct madt_ioapic ioapic;
		struct madt_override override;
		struct madt_lapic_address address;
		struct madt_x2apic x2apic;
	} e;

	memset(&e, 0, sizeof(e));
	memcpy(&e, p, min((size_t)p[1], sizeof(e)));
	if (p[0] == MADT_LAPIC && p[1] >= sizeof(e.lapic))
		add_cpu(e.lapic.apic_id, e.lapic.acpi_id, e.lapic.flags);
	else if (p[0] == MADT_IOAPIC && p[1] >= sizeof(e.ioapic))
		add_ioapic(&e.ioapic);
	else if (p[0] == MADT_OVERRIDE && p[1] >= sizeof(e.override))
		add_override(&e.override);
	else if (p[0] == MADT_LAPIC_ADDRESS && p[1] >= sizeof(e.address))
		acpi_info.lapic_addr = e.address.addr;
	else if (p[0] == MADT_X2APIC && p[1] >= sizeof(e.x2apic))
		add_cpu(e.x2apic.apic_id, e.x2apic.acpi_id, e.x2apic.flags);
}

void acpi_parse_madt(void)
{
	const struct madt *m = (const struct madt *)acpi_find("APIC", 0);
	const uint8_t *p, *end;

	if (!m || m->header.length < sizeof(*m)) {
		printk(XENLOG_WARNING "ACPI: no MADT: one CPU, no I/O APIC\n");
		return;
	}
	acpi_info.lapic_addr = m->lapic_addr;
	acpi_info.pcat_compat = m->flags & MADT_PCAT_COMPAT;
	p = (const uint8_t *)(m + 1);
	end = (const uint8_t *)m + m->header.length;
	for (; end - p >= 2; p += p[1]) {
		if (p[1] < 2 || p[1] > end - p) {
			printk(XENLOG_WARNING "ACPI: MADT entry of type %u has "
					      "length %u: the rest is left "
					      "out\n",
			       p[0], p[1]);
			return;
		}
		parse_entry(p);
	}
}
