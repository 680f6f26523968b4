/* SPDX-License-Identifier: MIT */
/*
 * Physical interrupts of a PV dom0. A pirq is its number for one: a GSI has its
 * own, messages have those behind (public/physdev.h). An event channel that is
 * bound to it gets an event for each interrupt.
 */
#ifndef OSTLER_PV_PIRQ_H
#define OSTLER_PV_PIRQ_H

#include "cpu/irq.h"
#include "cpu/pci.h"
#include "domain/domain.h"

#define NR_PIRQS 1024

struct pv_pirq {
	enum { PIRQ_FREE, PIRQ_GSI, PIRQ_MSI, PIRQ_MSIX } kind;
	struct domain *d;
	bool bound;       /* GSI: has a vector */
	bool level, low;  /* GSI: as setup_gsi said */
	unsigned int irq; /* MSI: cpu/irq.h's number */
	pci_sbdf_t dev;
	unsigned int cap;         /* of the device */
	volatile uint32_t *entry; /* MSI-X: in the device's table */
};

struct pv_pirqs {
	spinlock_t lock; /* LOCK_PIRQ */
	struct pv_pirq pirq[NR_PIRQS];
};

/* For dom0: its numbers. 0 or -ENOMEM. */
int pv_pirq_init(struct domain *d);
void pv_pirq_destroy(struct domain *d);
long pv_pirq_op(struct vcpu *v, uint32_t cmd, uint64_t arg);
int pv_pirq_bind(struct domain *d, unsigned int pirq, bool share);
void pv_pirq_unbind(struct domain *d, unsigned int pirq);

/* msi.c; the lock is held. p->dev is set; its kind is when this succeeds:
 * the device raises fn(p) from then on. 0 or -errno. */
int pv_msi_enable(struct pv_pirq *p, irq_handler *fn);
/* The same for entry n of the table that is behind table_base. */
int pv_msix_enable(struct pv_pirq *p, unsigned int n, paddr_t table_base,
		   irq_handler *fn);
void pv_msi_disable(struct pv_pirq *p);

#endif
