/* SPDX-License-Identifier: MIT */
/* The I/O APICs: redirection entries, by GSI. Callers serialise per GSI. */
#ifndef OSTLER_CPU_IOAPIC_H
#define OSTLER_CPU_IOAPIC_H

#include "lib/types.h"

/* Masks the 8259s. */
void pic_disable(void);

unsigned int ioapic_gsis(void); /* the highest GSI and one */
bool ioapic_has(unsigned int gsi);
/* Points the input at a CPU's vector, masked. */
void ioapic_route(unsigned int gsi, uint8_t vector, uint32_t apic_id,
		  bool level, bool active_low);
void ioapic_mask(unsigned int gsi, bool masked);
/* The GSI of an ISA line, and how it is wired. */
unsigned int ioapic_isa_gsi(unsigned int line, bool *level, bool *active_low);

#endif
