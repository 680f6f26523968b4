/* SPDX-License-Identifier: MIT */
/*
 * The I/O APICs that the MADT lists. An input is known by its global number
 * (GSI). Each chip's index and data registers are one resource: ioapic_lock.
 */
#include "cpu/ioapic.h"
#include "cpu/acpi.h"
#include "cpu/cpu.h"
#include "cpu/init.h"
#include "cpu/irq.h"
#include "console/printk.h"
#include "lib/lock.h"
#include "mem/map.h"

#define IOAPIC_VERSION  1
#define IOAPIC_RTE(n)   (0x10 + 2 * (n))
#define RTE_ACTIVE_LOW  BIT(13)
#define RTE_LEVEL       BIT(15)
#define RTE_MASKED      BIT(16)
#define MADT_ACTIVE_LOW 3
#define MADT_LEVEL      (3 << 2)

struct ioapic {
	volatile uint32_t *regs; /* [0] index, [4] data */
	unsigned int gsi_base, inputs;
};
static struct ioapic ioapics[ARRAY_SIZE(acpi_info.ioapic)];
static unsigned int nr_ioapics;
static spinlock_t ioapic_lock = SPINLOCK_INIT(LOCK_IOAPIC);

static uint32_t ioapic_read(const struct ioapic *io, uint32_t reg)
{
	io->regs[0] = reg;
	return io->regs[4];
}

static void ioapic_write(const struct ioapic *io, uint32_t reg, uint32_t v)
{
	io->regs[0] = reg;
	io->regs[4] = v;
}

static const struct ioapic *find(unsigned int gsi)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (gsi - ioapics[i].gsi_base < ioapics[i].inputs)
			return &ioapics[i];
	return NULL;
}

bool ioapic_has(unsigned int gsi)
{
	return find(gsi) != NULL;
}

unsigned int ioapic_gsis(void)
{
	unsigned int top = 0;

	for (unsigned int i = 0; i < nr_ioapics; i++)
		top = max(top, ioapics[i].gsi_base + ioapics[i].inputs);
	return top;
}

void ioapic_route(unsigned int gsi, uint8_t vector, uint32_t apic_id,
		  bool level, bool active_low)
{
	const struct ioapic *io = find(gsi);
	unsigned int reg;
	unsigned long flags;

	if (!io)
		return;
	reg = IOAPIC_RTE(gsi - io->gsi_base);
	flags = spin_lock_irqsave(&ioapic_lock);
	ioapic_write(io, reg, RTE_MASKED);
	ioapic_write(io, reg + 1, apic_id << 24);
	ioapic_write(io, reg,
		     (uint32_t)(RTE_MASKED | vector | (level ? RTE_LEVEL : 0) |
				(active_low ? RTE_ACTIVE_LOW : 0)));
	spin_unlock_irqrestore(&ioapic_lock, flags);
}

void ioapic_mask(unsigned int gsi, bool masked)
{
	const struct ioapic *io = find(gsi);
	unsigned int reg;
	unsigned long flags;
	uint32_t low;

	if (!io)
		return;
	reg = IOAPIC_RTE(gsi - io->gsi_base);
	flags = spin_lock_irqsave(&ioapic_lock);
	low = ioapic_read(io, reg);
	ioapic_write(io, reg,
		     (uint32_t)(masked ? low | RTE_MASKED : low & ~RTE_MASKED));
	spin_unlock_irqrestore(&ioapic_lock, flags);
}

/* ACPI, "Interrupt Source Override Structure": ISA lines are edge-triggered and
 * active high, and their own GSIs, unless it says otherwise. */
unsigned int ioapic_isa_gsi(unsigned int line, bool *level, bool *active_low)
{
	*level = *active_low = false;
	for (unsigned int i = 0; i < acpi_info.nr_overrides; i++) {
		const struct acpi_isa_override *o = &acpi_info.override[i];

		if (o->source != line)
			continue;
		*level = (o->flags & MADT_LEVEL) == MADT_LEVEL;
		*active_low = (o->flags & MADT_ACTIVE_LOW) == MADT_ACTIVE_LOW;
		return o->gsi;
	}
	return line;
}

void ioapic_init(void)
{
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++) {
		const struct acpi_ioapic *a = &acpi_info.ioapic[i];
		struct ioapic *io = &ioapics[nr_ioapics];

		io->regs = map_mmio(a->addr, 0x20);
		if (!io->regs) {
			printk(XENLOG_ERR "I/O APIC %u at %#lx: no room to map "
					  "it, its interrupts are lost\n",
			       a->id, a->addr);
			continue;
		}
		io->gsi_base = a->gsi_base;
		io->inputs =
			((ioapic_read(io, IOAPIC_VERSION) >> 16) & 0xff) + 1;
		for (unsigned int n = 0; n < io->inputs; n++)
			ioapic_write(io, IOAPIC_RTE(n), RTE_MASKED);
		nr_ioapics++;
		printk(XENLOG_INFO "I/O APIC %u at %#lx: GSIs %u to %u\n",
		       a->id, a->addr, io->gsi_base,
		       io->gsi_base + io->inputs - 1);
	}
	if (!nr_ioapics)
		printk(XENLOG_WARNING "No I/O APIC: only MSIs will arrive\n");
	irq_init(ioapic_gsis());
}
