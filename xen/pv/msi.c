/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts of a PV dom0's devices: we write the message, in
 * the device's configuration space or its table (PCI Local Bus Specification,
 * "MSI Capability Structure", "MSI-X Capability and Table Structure").
 */
#include "pv/pirq.h"

#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"
#include "mem/map.h"

#define CAP_MSI  0x05
#define CAP_MSIX 0x11

#define CONTROL      2
#define MSI_ENABLE   BIT(0)
#define MSI_MME      GENMASK(6, 4)
#define MSI_64       BIT(7)
#define MSI_MASKABLE BIT(8)

#define MSIX_SIZE   GENMASK(10, 0)
#define MSIX_ENABLE BIT(15)
#define MSIX_TABLE  4

#define ENTRY_SIZE   16
#define ENTRY_MASKED BIT(0)

/* Tables that are mapped, for good: a device's are few and stay. */
struct table {
	struct table *next;
	paddr_t at;
	unsigned int entries;
	volatile void *va;
};
static struct table *tables;

int pv_msi_enable(struct pv_pirq *p, irq_handler *fn)
{
	unsigned int at = pci_find_cap(p->dev, CAP_MSI), data;
	struct msi_msg m;
	uint32_t control;
	int rc;

	if (!at)
		return -EINVAL;
	rc = irq_alloc_msi(0, fn, p, &p->irq, &m);
	if (rc)
		return rc;
	control = pci_read(p->dev, at + CONTROL, 2);
	data = control & MSI_64 ? 12 : 8;
	pci_write(p->dev, at + 4, 4, (uint32_t)m.address);
	if (control & MSI_64)
		pci_write(p->dev, at + 8, 4, (uint32_t)(m.address >> 32));
	pci_write(p->dev, at + data, 2, m.data);
	if (control & MSI_MASKABLE)
		pci_write(p->dev, at + data + 4, 4, 0);
	control &= ~(uint32_t)MSI_MME;
	pci_write(p->dev, at + CONTROL, 2, control | MSI_ENABLE);
	p->cap = at;
	p->kind = PIRQ_MSI;
	return 0;
}

/* The lock of dom0's pirqs is held. */
static volatile uint32_t *map_table(paddr_t at, unsigned int entries,
				    unsigned int n)
{
	struct table *t = tables;

	while (t && (t->at != at || t->entries != entries))
		t = t->next;
	if (!t) {
		t = xnew(struct table);
		if (!t)
			return NULL;
		t->va = map_mmio(at, entries * ENTRY_SIZE);
		if (!t->va) {
			xfree(t);
			return NULL;
		}
		t->at = at;
		t->entries = entries;
		t->next = tables;
		tables = t;
	}
	return (volatile uint32_t *)((volatile char *)t->va + n * ENTRY_SIZE);
}

/* Device memory only, whatever dom0 says that its BAR is. */
static bool is_device(paddr_t at, size_t size)
{
	paddr_t last = at + size - 1;

	return (at & 3) == 0 && last >= at &&
	       last >> cpu_features.phys_bits == 0 &&
	       !mfn_valid(maddr_to_mfn(at)) && !mfn_valid(maddr_to_mfn(last));
}

int pv_msix_enable(struct pv_pirq *p, unsigned int n, paddr_t table_base,
		   irq_handler *fn)
{
	unsigned int cap = pci_find_cap(p->dev, CAP_MSIX), entries;
	struct msi_msg m;
	uint32_t control;
	paddr_t at;
	int rc;

	if (!cap)
		return -EINVAL;
	control = pci_read(p->dev, cap + CONTROL, 2);
	entries = (control & MSIX_SIZE) + 1;
	at = table_base + (pci_read(p->dev, cap + MSIX_TABLE, 4) & ~7U);
	if (n >= entries || !is_device(at, entries * ENTRY_SIZE))
		return -EINVAL;
	p->entry = map_table(at, entries, n);
	if (!p->entry)
		return -ENOMEM;
	rc = irq_alloc_msi(0, fn, p, &p->irq, &m);
	if (rc)
		return rc;
	p->entry[3] |= ENTRY_MASKED;
	p->entry[0] = (uint32_t)m.address;
	p->entry[1] = (uint32_t)(m.address >> 32);
	p->entry[2] = m.data;
	p->entry[3] &= ~(uint32_t)ENTRY_MASKED;
	pci_write(p->dev, cap + CONTROL, 2, control | MSIX_ENABLE);
	p->cap = cap;
	p->kind = PIRQ_MSIX;
	return 0;
}

void pv_msi_disable(struct pv_pirq *p)
{
	if (p->kind == PIRQ_MSIX)
		p->entry[3] |= ENTRY_MASKED;
	else
		pci_write(p->dev, p->cap + CONTROL, 2,
			  pci_read(p->dev, p->cap + CONTROL, 2) &
				  ~(uint32_t)MSI_ENABLE);
	irq_free_msi(p->irq);
}
