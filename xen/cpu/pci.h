/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space, through ports 0xcf8/0xcfc and the ECAM that the MCFG
 * names. size is 1, 2 or 4 bytes; reg is aligned to it.
 */
#ifndef OSTLER_CPU_PCI_H
#define OSTLER_CPU_PCI_H

#include "lib/types.h"

typedef struct {
	uint16_t seg;
	uint8_t bus, devfn;
} pci_sbdf_t;

uint32_t pci_read(pci_sbdf_t dev, unsigned int reg, unsigned int size);
void pci_write(pci_sbdf_t dev, unsigned int reg, unsigned int size,
	       uint32_t val);
/* Calls fn for every function that answers. */
void pci_scan(void (*fn)(pci_sbdf_t dev, void *data), void *data);
/* The ECAM windows: base, segment, buses; number of them. */
struct pci_ecam {
	paddr_t base;
	uint16_t seg;
	uint8_t bus_first, bus_last;
};
unsigned int pci_ecam_windows(const struct pci_ecam **w);
/* The offset of a capability, 0 if the device has none. */
unsigned int pci_find_cap(pci_sbdf_t dev, uint8_t id);

#endif
