/* SPDX-License-Identifier: MIT */
/*
 * A guest PC's interrupt lines: ISA, PCI INTx through links, and what they mean
 * to the two 8259s and the I/O APIC. hd->lock guards all of it.
 */
#ifndef OSTLER_HVM_DEV_VIRQ_H
#define OSTLER_HVM_DEV_VIRQ_H

#include "hvm/hvm.h"

int virq_init(struct domain *d); /* with PIC and I/O APIC */
void virq_destroy(struct domain *d);

void hvm_isa_irq(struct domain *d, unsigned int irq, bool level);
/* Our ACPI hardware's interrupt; lock held. */
void hvm_sci(struct domain *d, bool level);
/* device 0 to 31, intx 0 to 3. */
void hvm_pci_intx(struct domain *d, unsigned int dev, unsigned int intx,
		  bool level);
/* A link (0 to 3) leads to ISA interrupt irq; 0: to none. */
int hvm_pci_link(struct domain *d, unsigned int link, unsigned int irq);
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data);

/* vpic.c */
int vpic_init(struct domain *d);
/* An input of the pair goes up or down; lock held. */
void vpic_line(struct domain *d, unsigned int irq, bool level);
/* What INTA would give now, or -1; and INTA for it. */
int vpic_highest(struct domain *d);
void vpic_ack(struct domain *d, uint8_t vector);

/* vpit.c: the 8254 and port 0x61. */
int vpit_init(struct domain *d);
void vpit_destroy(struct domain *d);

/* vacpi.c: buttons and the PM timer. A guest without them minds no press. */
int vacpi_init(struct domain *d);
void vacpi_destroy(struct domain *d);
void vacpi_power_button(struct domain *d);
void vacpi_sleep_button(struct domain *d);

#endif
