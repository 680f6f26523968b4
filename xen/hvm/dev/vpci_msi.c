/* SPDX-License-Identifier: MIT */
/*
 * The MSI capability (PCI Local Bus Specification, "MSI Capability Structure").
 * dom0 sees its own address and data; the device has ours. One message only.
 */
#include "hvm/dev/vpci.h"

#include "console/printk.h"

#define CONTROL        2
#define CONTROL_ENABLE BIT(0)
#define CONTROL_MMC    GENMASK(3, 1) /* messages it could have */
#define CONTROL_MME    GENMASK(6, 4) /* … and has */
#define CONTROL_64     BIT(7)
#define CONTROL_MASK   BIT(8)

static unsigned int data_offset(const struct vpci_dev *dev)
{
	return dev->msi_64 ? 12 : 8;
}

void vpci_msi_init(struct vpci_dev *dev, unsigned int cap)
{
	uint32_t control = pci_read(dev->sbdf, cap + CONTROL, 2);

	dev->msi = cap;
	dev->msi_64 = control & CONTROL_64;
	dev->msi_mask = control & CONTROL_MASK;
	/* Mask and pending bits, behind the data, are the device's own. */
	dev->msi_len = data_offset(dev) + 2;
	dev->msg.domain = dev->domain;
}

bool vpci_msi_covers(const struct vpci_dev *dev, unsigned int reg)
{
	return dev->msi && reg >= (dev->msi & ~3U) &&
	       reg < dev->msi + dev->msi_len;
}

/* The capability's words up to its data, as dom0 sees them. */
static void build(struct vpci_dev *dev, uint32_t w[4])
{
	unsigned int i = 1;

	w[0] = pci_read(dev->sbdf, dev->msi, 4) & ~(CONTROL_MMC << 16);
	w[i++] = (uint32_t)dev->msg.address;
	if (dev->msi_64)
		w[i++] = (uint32_t)(dev->msg.address >> 32);
	w[i++] = dev->msg.data & 0xffff;
	if (i < 4)
		w[i] = 0;
}

uint32_t vpci_msi_read(struct vpci_dev *dev, unsigned int reg,
		       unsigned int size)
{
	uint32_t w[4], val;
	unsigned int at = reg - dev->msi;

	build(dev, w);
	val = w[at / 4] >> (at % 4 * 8);
	return size == 4 ? val : val & ((1U << size * 8) - 1);
}

static void program(struct vpci_dev *dev)
{
	const struct msi_msg *m = &dev->msg.host;

	pci_write(dev->sbdf, dev->msi + 4, 4, (uint32_t)m->address);
	if (dev->msi_64)
		pci_write(dev->sbdf, dev->msi + 8, 4,
			  (uint32_t)(m->address >> 32));
	pci_write(dev->sbdf, dev->msi + data_offset(dev), 2, m->data);
}

static void write_control(struct vpci_dev *dev, uint32_t control)
{
	int rc = 0;

	control &= ~CONTROL_MME;
	if (control & CONTROL_ENABLE) {
		rc = vmsi_bind(&dev->msg);
		if (!rc)
			program(dev);
		else
			printk(XENLOG_ERR "PCI %02x:%02x.%u: no vector for "
					  "its MSI (%d)\n",
			       dev->sbdf.bus, dev->sbdf.devfn >> 3,
			       dev->sbdf.devfn & 7, rc);
	}
	if (rc)
		control &= ~CONTROL_ENABLE;
	pci_write(dev->sbdf, dev->msi + CONTROL, 2, control);
	if (!(control & CONTROL_ENABLE))
		vmsi_unbind(&dev->msg);
}

void vpci_msi_write(struct vpci_dev *dev, unsigned int reg, unsigned int size,
		    uint32_t val)
{
	unsigned int at = reg - dev->msi, shift = at % 4 * 8;
	uint32_t mask = size == 4 ? ~0U : ((1U << size * 8) - 1) << shift;
	uint32_t w[4], old;

	build(dev, w);
	old = w[at / 4];
	val = (old & ~mask) | ((val << shift) & mask);
	if (at / 4 == 0) {
		write_control(dev, val >> 16);
		return;
	}
	if (at / 4 == 1)
		dev->msg.address = (dev->msg.address & ~0xffffffffUL) |
				   (val & ~3U);
	else if (at / 4 == 2 && dev->msi_64)
		dev->msg.address = (uint32_t)dev->msg.address | (uint64_t)val
									<< 32;
	else
		dev->msg.data = val & 0xffff;
	/* An affinity change while it is on. */
	if (dev->msg.bound && !vmsi_bind(&dev->msg))
		program(dev);
}
