/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space as dom0 sees it: the machine's, but for the MSI and
 * MSI-X capabilities, behind which stand our own vectors.
 */
#ifndef OSTLER_HVM_DEV_VPCI_H
#define OSTLER_HVM_DEV_VPCI_H

#include "hvm/hvm.h"

int vpci_init(struct domain *d);
void vpci_destroy(struct domain *d);

#endif
