/* SPDX-License-Identifier: MIT */
/*
 * Interrupts: vectors on this machine's CPUs, I/O APIC inputs (GSIs), MSIs.
 * Devices belong to dom0: a GSI or MSI is bound to a handler that the domain's
 * virtual interrupt controller (hvm/) or event/ gives.
 */
#ifndef OSTLER_CPU_IRQ_H
#define OSTLER_CPU_IRQ_H

#include "cpu/cpu.h"

#define VECTOR_FIRST_DYNAMIC 0x30
#define VECTOR_LAST_DYNAMIC  0xdf

typedef void irq_handler(void *data, unsigned int irq);

/*
 * GSIs. irq_bind_gsi() routes the input to a new vector on cpu, masked;
 * trigger and polarity as the guest's I/O APIC entry or physdev_op says.
 * The handler runs with interrupts off. For a level-triggered input the line
 * stays masked from the interrupt until irq_eoi_gsi().
 * 0, -EINVAL (no such GSI), -EBUSY (bound), -ENOSPC (no vector).
 */
int irq_bind_gsi(unsigned int gsi, bool level, bool active_low,
		 unsigned int cpu, irq_handler *fn, void *data);
/* Interrupts on; the handler is not running when it returns. */
void irq_unbind_gsi(unsigned int gsi);
void irq_mask_gsi(unsigned int gsi, bool masked);
void irq_eoi_gsi(unsigned int gsi);
int irq_set_affinity_gsi(unsigned int gsi, unsigned int cpu);
unsigned int nr_gsis(void);

/*
 * MSIs: a vector on cpu and the address/data pair that a device must write to
 * raise it. irq is an opaque number for the other calls.
 */
struct msi_msg {
	uint64_t address;
	uint32_t data;
};
int irq_alloc_msi(unsigned int cpu, irq_handler *fn, void *data,
		  unsigned int *irq, struct msi_msg *msg);
int irq_set_affinity_msi(unsigned int irq, unsigned int cpu,
			 struct msi_msg *msg);
/* As irq_unbind_gsi(). */
void irq_free_msi(unsigned int irq);

/* ioapic_init()'s part: room for the GSIs. */
void irq_init(unsigned int gsis);

/* Our own devices (the serial line): a handler on a legacy ISA line. */
int irq_request_isa(unsigned int line, irq_handler *fn, void *data);

#endif
