/* SPDX-License-Identifier: MIT */
/*
 * dom0's I/O APICs: one for each of the machine's, with the same address and
 * the same GSIs. Unmasking an entry binds the physical line.
 */
#ifndef OSTLER_HVM_DEV_VIOAPIC_H
#define OSTLER_HVM_DEV_VIOAPIC_H

#include "hvm/hvm.h"

#include <xen/hvm/save.h>

int vioapic_init(struct domain *d);
/* One I/O APIC of a guest PC, with that many inputs. */
int vioapic_init_guest(struct domain *d, unsigned int pins);
/* An input of it goes up or down; hd->lock held. */
void vioapic_line(struct domain *d, unsigned int gsi, bool up);
/* Input 0 hands the 8259s' interrupts to the local APIC with that number. */
bool vioapic_passes_pic(struct domain *d, uint32_t apic_id);
/* Of a guest PC; -EINVAL: an address of its own. set_line() moves an input of
 * it and does no more, lock held. */
void vioapic_save(struct domain *d, struct hvm_hw_vioapic *r);
int vioapic_load(struct domain *d, const struct hvm_hw_vioapic *r);
void vioapic_set_line(struct domain *d, unsigned int gsi, bool up);
void vioapic_destroy(struct domain *d);
void vioapic_reset(struct domain *d);
/* A local APIC saw the end of a level-triggered vector. */
void vioapic_eoi(struct domain *d, uint8_t vector);

#endif
