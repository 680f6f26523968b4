/* SPDX-License-Identifier: MIT */
/*
 * MSI-X (PCI Local Bus Specification, "MSI-X Capability and Table Structure").
 * The table lies in the device's memory: its pages are trapped. dom0 writes its
 * messages into a copy; an entry that becomes unmasked gets one of our vectors,
 * and the device's table our message. The rest of the pages is passed on.
 */
#include "hvm/dev/vpci.h"

#include "console/printk.h"
#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/map.h"

#define CONTROL        2
#define CONTROL_SIZE   GENMASK(10, 0)
#define CONTROL_MASKED BIT(14)
#define CONTROL_ENABLE BIT(15)
#define TABLE          4

#define ENTRY_SIZE   16
#define ENTRY_MASKED BIT(0)

static volatile uint32_t *hardware(const struct vpci_dev *dev, unsigned int n)
{
	unsigned int offset = (unsigned int)(dev->table & ~PAGE_MASK);

	return (volatile uint32_t *)((volatile char *)dev->page + offset +
				     n * ENTRY_SIZE);
}

static void set_entry(struct vpci_dev *dev, unsigned int n)
{
	struct vpci_msix_entry *e = &dev->entry[n];
	volatile uint32_t *hw = hardware(dev, n);
	uint32_t control = pci_read(dev->sbdf, dev->msix + CONTROL, 2);
	int rc;

	if (!dev->table)
		return;
	if (!(control & CONTROL_ENABLE) || (control & CONTROL_MASKED) ||
	    (e->control & ENTRY_MASKED)) {
		hw[3] |= ENTRY_MASKED;
		return;
	}
	rc = vmsi_bind(&e->msi);
	if (rc) {
		printk(XENLOG_ERR "PCI %02x:%02x.%u: no vector for MSI-X "
				  "entry %u (%d)\n",
		       dev->sbdf.bus, dev->sbdf.devfn >> 3, dev->sbdf.devfn & 7,
		       n, rc);
		return;
	}
	hw[3] |= ENTRY_MASKED;
	hw[0] = (uint32_t)e->msi.host.address;
	hw[1] = (uint32_t)(e->msi.host.address >> 32);
	hw[2] = e->msi.host.data;
	hw[3] &= ~(uint32_t)ENTRY_MASKED;
}

/* A word of the table, in dom0's copy. */
static uint32_t read_word(const struct vpci_msix_entry *e, unsigned int word)
{
	switch (word) {
	case 0:
		return (uint32_t)e->msi.address;
	case 1:
		return (uint32_t)(e->msi.address >> 32);
	case 2:
		return e->msi.data;
	default:
		return e->control;
	}
}

static void write_word(struct vpci_dev *dev, unsigned int n, unsigned int word,
		       uint32_t val)
{
	struct vpci_msix_entry *e = &dev->entry[n];

	switch (word) {
	case 0:
		e->msi.address = (e->msi.address & ~0xffffffffUL) | (val & ~3U);
		break;
	case 1:
		e->msi.address = (uint32_t)e->msi.address | (uint64_t)val << 32;
		break;
	case 2:
		e->msi.data = val;
		break;
	default:
		e->control = val & ENTRY_MASKED;
	}
	if (word == 3 || !(e->control & ENTRY_MASKED))
		set_entry(dev, n);
}

/* The trapped pages beside the table. */
static void pass_on(struct vpci_dev *dev, uint64_t offset, unsigned int size,
		    bool write, uint64_t *val)
{
	volatile char *p = (volatile char *)dev->page + offset;

	switch (size) {
	case 1:
		if (write)
			*(volatile uint8_t *)p = (uint8_t)*val;
		else
			*val = *(volatile uint8_t *)p;
		break;
	case 2:
		if (write)
			*(volatile uint16_t *)p = (uint16_t)*val;
		else
			*val = *(volatile uint16_t *)p;
		break;
	case 4:
		if (write)
			*(volatile uint32_t *)p = (uint32_t)*val;
		else
			*val = *(volatile uint32_t *)p;
		break;
	case 8:
		if (write)
			*(volatile uint64_t *)p = *val;
		else
			*val = *(volatile uint64_t *)p;
		break;
	}
}

static void access_table(struct vpci_dev *dev, uint64_t at, unsigned int size,
			 bool write, uint64_t *val)
{
	unsigned int n = (unsigned int)(at / ENTRY_SIZE);
	unsigned int word = (at / 4) & 3;

	if (size < 4 || (at & (size - 1))) { /* not allowed, and not done */
		if (!write)
			*val = ~0UL;
		return;
	}
	if (write) {
		write_word(dev, n, word, (uint32_t)*val);
		if (size == 8)
			write_word(dev, n, word + 1, (uint32_t)(*val >> 32));
		return;
	}
	*val = read_word(&dev->entry[n], word);
	if (size == 8)
		*val |= (uint64_t)read_word(&dev->entry[n], word + 1) << 32;
}

static void access(struct vcpu *v, gpa_t gpa, unsigned int size, bool write,
		   uint64_t *val, void *data)
{
	struct vpci_dev *dev = data;
	uint64_t at = gpa - dev->table;

	spin_lock(&hvm_domain(v->domain)->lock);
	if (gpa >= dev->table && at < dev->nr_entries * ENTRY_SIZE)
		access_table(dev, at, size, write, val);
	else
		pass_on(dev, gpa - (dev->table & PAGE_MASK), size, write, val);
	spin_unlock(&hvm_domain(v->domain)->lock);
}

/* Where the table is; 0: its memory has no address yet. */
static paddr_t table_address(const struct vpci_dev *dev)
{
	uint32_t t = pci_read(dev->sbdf, dev->msix + TABLE, 4);
	unsigned int bar = 0x10 + (t & 7) * 4;
	uint64_t base = pci_read(dev->sbdf, bar, 4);

	if ((t & 7) > 5 || (base & 1))
		return 0;
	if ((base & 6) == 4)
		base |= (uint64_t)pci_read(dev->sbdf, bar + 4, 4) << 32;
	base &= ~0xfUL;
	return base ? base + (t & ~7U) : 0;
}

/* dom0 must not reach the table's pages directly. */
static void unmap_pages(struct domain *d, paddr_t first, unsigned int pages)
{
	int rc;

	p2m_lock(&d->p2m);
	rc = p2m_set(&d->p2m, gpa_to_gfn(first), INVALID_MFN, pages,
		     P2M_MMIO_DM);
	p2m_unlock(&d->p2m);
	p2m_flush(&d->p2m);
	if (rc)
		domain_crash(d, "no memory to trap an MSI-X table");
}

void vpci_msix_find_table(struct vpci_dev *dev)
{
	struct domain *d = dev->domain;
	paddr_t table, first;

	if (!dev->msix || !dev->entry)
		return;
	table = table_address(dev);
	if (table == dev->table || !table)
		return;
	if (dev->table) {
		/* It moved; the old pages are nobody's now. */
		mmio_unregister(d, dev->table & PAGE_MASK);
		p2m_lock(&d->p2m);
		p2m_clear(&d->p2m, gpa_to_gfn(dev->table), dev->pages);
		p2m_unlock(&d->p2m);
		p2m_flush(&d->p2m);
		dev->table = 0;
	}
	first = table & PAGE_MASK;
	dev->pages =
		(unsigned int)(((table + dev->nr_entries * ENTRY_SIZE - 1) >>
				PAGE_SHIFT) -
			       (first >> PAGE_SHIFT)) +
		1;
	dev->page = map_mmio(first, dev->pages * PAGE_SIZE);
	if (!dev->page ||
	    mmio_register(d, first, dev->pages * PAGE_SIZE, access, dev)) {
		printk(XENLOG_ERR "PCI %02x:%02x.%u: MSI-X table at %#lx "
				  "cannot be trapped\n",
		       dev->sbdf.bus, dev->sbdf.devfn >> 3, dev->sbdf.devfn & 7,
		       table);
		return;
	}
	dev->table = table;
	unmap_pages(d, first, dev->pages);
}

int vpci_msix_init(struct vpci_dev *dev, unsigned int cap)
{
	uint32_t control = pci_read(dev->sbdf, cap + CONTROL, 2);

	dev->nr_entries = (control & CONTROL_SIZE) + 1;
	dev->entry = xnew_array(struct vpci_msix_entry, dev->nr_entries);
	if (!dev->entry)
		return -ENOMEM;
	dev->msix = cap;
	for (unsigned int i = 0; i < dev->nr_entries; i++) {
		dev->entry[i].control = ENTRY_MASKED;
		dev->entry[i].msi.domain = dev->domain;
	}
	vpci_msix_find_table(dev);
	return 0;
}

bool vpci_msix_covers(const struct vpci_dev *dev, unsigned int reg)
{
	return dev->msix && dev->entry && reg >= (dev->msix & ~3U) &&
	       reg < dev->msix + 4;
}

/* The control word decides whether entries are live. */
void vpci_msix_write(struct vpci_dev *dev, unsigned int reg, unsigned int size,
		     uint32_t val)
{
	uint32_t old = pci_read(dev->sbdf, dev->msix + CONTROL, 2), new;

	vpci_msix_find_table(dev);
	pci_write(dev->sbdf, reg, size, val);
	new = pci_read(dev->sbdf, dev->msix + CONTROL, 2);
	if (!((old ^ new) & (CONTROL_ENABLE | CONTROL_MASKED)))
		return;
	for (unsigned int i = 0; i < dev->nr_entries; i++) {
		if (dev->table && (new &CONTROL_ENABLE))
			set_entry(dev, i);
		if (!(new &CONTROL_ENABLE)) {
			vmsi_unbind(&dev->entry[i].msi);
			dev->entry[i].control = ENTRY_MASKED;
		}
	}
}
