/* SPDX-License-Identifier: MIT */
/*
 * Configuration space accesses, by ports 0xcf8/0xcfc and by ECAM, decoded and
 * handed to whoever emulates that part of the device; else passed on. What is
 * passed on takes no lock of ours.
 */
#include "hvm/dev/vpci.h"

#include "console/printk.h"
#include "cpu/pci.h"
#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc

#define PCI_COMMAND 0x04
#define CAP_MSI     0x05
#define CAP_MSIX    0x11

struct vpci {
	uint32_t address; /* 0xcf8 */
	struct vpci_dev *devices;
};

static struct vpci_dev *find(const struct vpci *p, pci_sbdf_t s)
{
	for (struct vpci_dev *d = p->devices; d; d = d->next)
		if (d->sbdf.seg == s.seg && d->sbdf.bus == s.bus &&
		    d->sbdf.devfn == s.devfn)
			return d;
	return NULL;
}

static uint32_t config_read(struct domain *d, pci_sbdf_t s, unsigned int reg,
			    unsigned int size)
{
	struct vpci_dev *dev = find(hvm_domain(d)->pci, s);
	uint32_t val;

	if (!dev || !vpci_msi_covers(dev, reg))
		return pci_read(s, reg, size);
	spin_lock(&hvm_domain(d)->lock);
	val = vpci_msi_read(dev, reg, size);
	spin_unlock(&hvm_domain(d)->lock);
	return val;
}

static void config_write(struct domain *d, pci_sbdf_t s, unsigned int reg,
			 unsigned int size, uint32_t val)
{
	struct vpci_dev *dev = find(hvm_domain(d)->pci, s);

	if (!dev) {
		pci_write(s, reg, size, val);
		return;
	}
	spin_lock(&hvm_domain(d)->lock);
	if (vpci_msi_covers(dev, reg)) {
		vpci_msi_write(dev, reg, size, val);
	} else if (vpci_msix_covers(dev, reg)) {
		vpci_msix_write(dev, reg, size, val);
	} else {
		pci_write(s, reg, size, val);
		if (reg == PCI_COMMAND)
			vpci_msix_find_table(dev);
	}
	spin_unlock(&hvm_domain(d)->lock);
}

static void data_port(struct domain *d, unsigned int port, unsigned int size,
		      bool write, uint32_t *val)
{
	uint32_t a = hvm_domain(d)->pci->address;
	pci_sbdf_t s = {.bus = (a >> 16) & 0xff, .devfn = (a >> 8) & 0xff};
	unsigned int reg = (a & 0xfc) | (port & 3);

	if (!(a & BIT(31)) || (reg & (size - 1))) {
		if (!write)
			*val = ~0U;
	} else if (write) {
		config_write(d, s, reg, size, *val);
	} else {
		*val = config_read(d, s, reg, size);
	}
}

static void ports(struct vcpu *v, unsigned int port, unsigned int size,
		  bool write, uint32_t *val, void *data)
{
	struct vpci *p = data;

	if (port >= PORT_DATA) {
		data_port(v->domain, port, size, write, val);
	} else if (port == PORT_ADDRESS && size == 4) {
		if (write)
			p->address = *val;
		else
			*val = p->address;
	} else if (size == 1) {
		/* 0xcf9 is the reset control register. */
		if (write)
			outb((uint16_t)port, (uint8_t)*val);
		else
			*val = inb((uint16_t)port);
	} else if (!write) {
		*val = ~0U;
	}
}

static void ecam(struct vcpu *v, gpa_t gpa, unsigned int size, bool write,
		 uint64_t *val, void *data)
{
	const struct pci_ecam *w = data;
	uint64_t offset = gpa - w->base;
	pci_sbdf_t s = {.seg = w->seg,
			.bus = (uint8_t)(offset >> 20),
			.devfn = (uint8_t)(offset >> 12)};
	unsigned int reg = offset & 0xfff;

	if (!write)
		*val = ~0UL;
	if (size > 4 || (reg & (size - 1)))
		return;
	if (write)
		config_write(v->domain, s, reg, size, (uint32_t)*val);
	else
		*val = config_read(v->domain, s, reg, size);
}

static void add_device(pci_sbdf_t s, void *data)
{
	struct domain *d = data;
	struct vpci *p = hvm_domain(d)->pci;
	unsigned int msi = pci_find_cap(s, CAP_MSI);
	unsigned int msix = pci_find_cap(s, CAP_MSIX);
	struct vpci_dev *dev;

	if (!msi && !msix)
		return;
	dev = xnew(struct vpci_dev);
	if (!dev) {
		printk(XENLOG_ERR "PCI %02x:%02x.%u: no memory for its MSI\n",
		       s.bus, s.devfn >> 3, s.devfn & 7);
		return;
	}
	dev->domain = d;
	dev->sbdf = s;
	dev->next = p->devices;
	p->devices = dev;
	if (msi)
		vpci_msi_init(dev, msi);
	if (msix && vpci_msix_init(dev, msix))
		printk(XENLOG_ERR "PCI %02x:%02x.%u: no memory for MSI-X\n",
		       s.bus, s.devfn >> 3, s.devfn & 7);
}

int vpci_init(struct domain *d)
{
	const struct pci_ecam *w;
	unsigned int n = pci_ecam_windows(&w);
	struct vpci *p = xnew(struct vpci);
	int rc;

	if (!p)
		return -ENOMEM;
	hvm_domain(d)->pci = p;
	pci_scan(add_device, d);
	rc = portio_register(d, PORT_ADDRESS, 8, ports, p);
	for (unsigned int i = 0; !rc && i < n; i++)
		rc = mmio_register(d,
				   w[i].base + ((paddr_t)w[i].bus_first << 20),
				   (w[i].bus_last - w[i].bus_first + 1UL) << 20,
				   ecam, (void *)(uintptr_t)&w[i]);
	return rc;
}

void vpci_destroy(struct domain *d)
{
	struct vpci *p = hvm_domain(d)->pci;

	if (!p)
		return;
	while (p->devices) {
		struct vpci_dev *dev = p->devices;

		p->devices = dev->next;
		vmsi_unbind(&dev->msg);
		for (unsigned int i = 0; i < dev->nr_entries; i++)
			vmsi_unbind(&dev->entry[i].msi);
		xfree(dev->entry);
		xfree(dev);
	}
	xfree(p);
	hvm_domain(d)->pci = NULL;
}
