/* SPDX-License-Identifier: MIT */
/*
 * dom0's ACPI tables: the firmware's own, in place, under a new root that
 * leaves out what dom0 has no business with, and a MADT that lists its virtual
 * CPUs and the I/O APICs (ACPI Specification, "ACPI Software Programming
 * Model").
 */
#include "boot/dom0.h"

#include "console/printk.h"
#include "cpu/acpi.h"
#include "lib/string.h"
#include "mem/layout.h"

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __packed;

struct xsdt {
	struct acpi_header h;
	uint64_t entry[];
} __packed;

struct madt {
	struct acpi_header h;
	uint32_t lapic_addr, flags;
	uint8_t entry[];
} __packed;
#define MADT_PCAT_COMPAT 1

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
struct madt_x2apic {
	uint8_t type, length, reserved[2];
	uint32_t apic_id, flags, acpi_id;
} __packed;

/*
 * Timers and interrupt routing that are ours, IOMMUs, NUMA (dom0's memory has
 * none that it could know), and the table that describes a serial console.
 */
static const __initdata char hidden[][5] = {
	"APIC", "HPET", "DMAR", "IVRS", "SLIT", "SRAT", "MPST",
	"PMTT", "HMAT", "SPCR", "DBG2", "DBGP", "BGRT", "FPDT"};

static uint8_t __init checksum(const void *p, size_t n)
{
	const uint8_t *s = p;
	uint8_t sum = 0;

	while (n--)
		sum += *s++;
	return (uint8_t)-sum;
}

static void __init init_header(struct acpi_header *h, const char *signature,
			       uint8_t revision)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->signature, signature, 4);
	h->revision = revision;
	memcpy(h->oem_id, "Ostler", 6);
	memcpy(h->oem_table_id, "dom0    ", 8);
	h->oem_revision = 1;
	memcpy(&h->creator_id, "OSTL", 4);
	h->creator_revision = 1;
}

static void __init finish(struct acpi_header *h, size_t length)
{
	h->length = (uint32_t)length;
	h->checksum = 0;
	h->checksum = checksum(h, length);
}

/* The DSDT names its processors by the ACPI ids of the machine's CPUs; vCPUs
 * take these names in turn. */
static uint32_t __init acpi_id_of(unsigned int i)
{
	return i < acpi_info.nr_cpus ? acpi_info.cpu[i].acpi_id : i;
}

static char *__init add_cpus(char *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint32_t id = acpi_id_of(i), apic = i * 2;

		if (id < 255 && apic < 255) {
			struct madt_lapic e = {0, sizeof(e), (uint8_t)id,
					       (uint8_t)apic, 1};

			memcpy(p, &e, sizeof(e));
			p += sizeof(e);
		} else {
			struct madt_x2apic e = {9, sizeof(e), {}, apic, 1, id};

			memcpy(p, &e, sizeof(e));
			p += sizeof(e);
		}
	}
	return p;
}

static size_t __init make_madt(struct dom0_build *b, struct madt *m)
{
	char *p = (char *)m->entry;

	init_header(&m->h, "APIC", 4);
	m->lapic_addr = (uint32_t)acpi_info.lapic_addr;
	m->flags = 0; /* there are no 8259s */
	p = add_cpus(p, b->d->max_vcpus);
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++) {
		struct madt_ioapic e = {1,
					sizeof(e),
					(uint8_t)acpi_info.ioapic[i].id,
					0,
					(uint32_t)acpi_info.ioapic[i].addr,
					acpi_info.ioapic[i].gsi_base};

		memcpy(p, &e, sizeof(e));
		p += sizeof(e);
	}
	for (unsigned int i = 0; i < acpi_info.nr_overrides; i++) {
		struct madt_override e = {2,
					  sizeof(e),
					  0,
					  acpi_info.override[i].source,
					  acpi_info.override[i].gsi,
					  acpi_info.override[i].flags};

		memcpy(p, &e, sizeof(e));
		p += sizeof(e);
	}
	finish(&m->h, (size_t)(p - (char *)m));
	return m->h.length;
}

struct root {
	struct xsdt *x;
	unsigned int n, max;
};

static void __init add_table(const struct acpi_header *h, paddr_t addr,
			     void *data)
{
	struct root *r = data;

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden); i++)
		if (!memcmp(h->signature, hidden[i], 4))
			return;
	if (r->n == r->max) {
		printk(XENLOG_WARNING "dom0: ACPI table %.4s left out: too "
				      "many\n",
		       h->signature);
		return;
	}
	memcpy((char *)r->x->entry + 8 * r->n++, &addr, sizeof(addr));
}

paddr_t __init dom0_make_acpi(struct dom0_build *b, paddr_t at)
{
	struct rsdp *rsdp = maddr_to_virt(at);
	paddr_t madt_at = at + 64, xsdt_at;
	struct root root = {.max = 64};

	xsdt_at =
		ROUND_UP(madt_at + make_madt(b, maddr_to_virt(madt_at)), 16UL);
	root.x = maddr_to_virt(xsdt_at);
	init_header(&root.x->h, "XSDT", 1);
	memcpy(root.x->entry, &madt_at, sizeof(madt_at));
	root.n = 1;
	acpi_for_each(add_table, &root);
	finish(&root.x->h, sizeof(root.x->h) + 8 * root.n);

	memset(rsdp, 0, sizeof(*rsdp));
	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "Ostler", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt_at;
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
	b->rsdp = at;
	return xsdt_at + root.x->h.length;
}
