/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space as dom0 sees it: the machine's, but for the MSI and
 * MSI-X capabilities, behind which stand our own vectors.
 */
#ifndef OSTLER_HVM_DEV_VPCI_H
#define OSTLER_HVM_DEV_VPCI_H

#include "cpu/pci.h"
#include "hvm/dev/vmsi.h"

int vpci_init(struct domain *d);
void vpci_destroy(struct domain *d);

/* The rest is between vpci.c, vpci_msi.c and vpci_msix.c. */
struct vpci_msix_entry {
	struct vmsi msi;
	uint32_t control; /* bit 0: masked */
	bool written;     /* the device has our message */
};

struct vpci_dev {
	struct vpci_dev *next;
	struct domain *domain;
	pci_sbdf_t sbdf;

	unsigned int msi, msi_len; /* offset in configuration space; 0: none */
	bool msi_64, msi_mask;
	struct vmsi msg;

	unsigned int msix;
	unsigned int nr_entries;
	struct vpci_msix_entry *entry;
	paddr_t table;       /* as trapped; 0: not */
	volatile void *page; /* the table's first page, mapped */
	unsigned int pages;
};

void vpci_msi_init(struct vpci_dev *dev, unsigned int cap);
bool vpci_msi_covers(const struct vpci_dev *dev, unsigned int reg);
uint32_t vpci_msi_read(struct vpci_dev *dev, unsigned int reg,
		       unsigned int size);
void vpci_msi_write(struct vpci_dev *dev, unsigned int reg, unsigned int size,
		    uint32_t val);

int vpci_msix_init(struct vpci_dev *dev, unsigned int cap);
bool vpci_msix_covers(const struct vpci_dev *dev, unsigned int reg);
void vpci_msix_write(struct vpci_dev *dev, unsigned int reg, unsigned int size,
		     uint32_t val);
/* The device's memory may have moved: trap its table where it is now. */
void vpci_msix_find_table(struct vpci_dev *dev);

#endif
