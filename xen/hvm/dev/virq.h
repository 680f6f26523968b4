/* SPDX-License-Identifier: MIT */
/*
 * A guest PC's interrupt lines: ISA, PCI INTx through links, and what they mean
 * to the two 8259s and the I/O APIC. hd->lock guards all of it.
 */
#ifndef OSTLER_HVM_DEV_VIRQ_H
#define OSTLER_HVM_DEV_VIRQ_H

#include "hvm/hvm.h"

#include <xen/hvm/save.h>

#define NS_SECOND 1000000000UL
/* Interrupts of a guest's timers come no closer together: none can use that,
 * and it costs us. */
#define MIN_PERIOD_NS 100000

int virq_init(struct domain *d); /* with PIC and I/O APIC */
void virq_destroy(struct domain *d);

void hvm_isa_irq(struct domain *d, unsigned int irq, bool level);
/* The same for devices of ours; lock held. */
void virq_isa(struct domain *d, unsigned int irq, bool level);
/* Input gsi of the I/O APIC has one more, or one less, who holds it up; lock
 * held. */
void virq_input(struct domain *d, unsigned int gsi, bool up);
/* Our ACPI hardware's interrupt; lock held. */
void hvm_sci(struct domain *d, bool level);
/* device 0 to 31, intx 0 to 3. */
void hvm_pci_intx(struct domain *d, unsigned int dev, unsigned int intx,
		  bool level);
/* A link (0 to 3) leads to ISA interrupt irq; 0: to none. */
int hvm_pci_link(struct domain *d, unsigned int link, unsigned int irq);
/*
 * The event callback of a guest that takes it by input or by a device's line:
 * it is up while the first vCPU's evtchn_upcall_pending is. virq_callback()
 * makes it so and returns which it is. Without such a board or input it never
 * comes.
 */
void virq_set_callback(struct domain *d, uint64_t via);
bool virq_callback(struct domain *d);
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data);

/* The lines, any of the three records; -EINVAL for a route that cannot be. */
void virq_save(struct domain *d, struct hvm_hw_pci_irqs *pci,
	       struct hvm_hw_isa_irqs *isa, struct hvm_hw_pci_link *link);
int virq_load(struct domain *d, const struct hvm_hw_pci_irqs *pci,
	      const struct hvm_hw_isa_irqs *isa,
	      const struct hvm_hw_pci_link *link);

/* vpic.c */
int vpic_init(struct domain *d);
/* An input of the pair goes up or down; lock held. */
void vpic_line(struct domain *d, unsigned int irq, bool level);
/*
 * What INTA would give now, or -1; and INTA for it. Between vpic_lend() and one
 * of the others the guest may take it, unseen: an edge that comes meanwhile is
 * the next one.
 */
int vpic_highest(struct domain *d);
void vpic_lend(struct domain *d, uint8_t vector);
void vpic_return(struct domain *d);
void vpic_ack(struct domain *d, uint8_t vector);

void vpic_save(struct domain *d, unsigned int chip, struct hvm_hw_vpic *r);
int vpic_load(struct domain *d, unsigned int chip, const struct hvm_hw_vpic *r);
/* An input is so, and nothing comes of it; lock held. */
void vpic_set_line(struct domain *d, unsigned int irq, bool level);

/* vpit.c: the 8254 and port 0x61. */
int vpit_init(struct domain *d);
void vpit_destroy(struct domain *d);
void vpit_save(struct domain *d, struct hvm_hw_pit *r);
int vpit_load(struct domain *d, const struct hvm_hw_pit *r);

/* vrtc.c: the real-time clock. vrtc_again(): what decides about its line
 * changed; lock held. */
int vrtc_init(struct domain *d);
void vrtc_destroy(struct domain *d);
void vrtc_again(struct domain *d);
void vrtc_save(struct domain *d, struct hvm_hw_rtc *r);
int vrtc_load(struct domain *d, const struct hvm_hw_rtc *r);

/* vhpet.c. Legacy: it has the interrupts of the 8254 and the clock. */
int vhpet_init(struct domain *d);
void vhpet_destroy(struct domain *d);
bool vhpet_is_legacy(const struct domain *d);
void vhpet_save(struct domain *d, struct hvm_hw_hpet *r);
int vhpet_load(struct domain *d, const struct hvm_hw_hpet *r);

/* vacpi.c: buttons and the PM timer. A guest without them minds no press. */
int vacpi_init(struct domain *d);
void vacpi_destroy(struct domain *d);
void vacpi_power_button(struct domain *d);
void vacpi_sleep_button(struct domain *d);
void vacpi_save(struct domain *d, struct hvm_hw_pmtimer *r);
void vacpi_load(struct domain *d, const struct hvm_hw_pmtimer *r);

#endif
