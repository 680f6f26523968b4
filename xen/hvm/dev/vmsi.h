/* SPDX-License-Identifier: MIT */
/* A message that dom0 programmed into a device, and our own in its place. */
#ifndef OSTLER_HVM_DEV_VMSI_H
#define OSTLER_HVM_DEV_VMSI_H

#include "cpu/irq.h"
#include "hvm/hvm.h"

struct vmsi {
	struct domain *domain;
	uint64_t address; /* the guest's */
	uint32_t data;
	bool bound;
	unsigned int irq;    /* cpu/irq.h's number */
	struct msi_msg host; /* what the device is to send */
};

/* The guest's message is in address and data: host is what to write. */
int vmsi_bind(struct vmsi *m);
void vmsi_unbind(struct vmsi *m);

#endif
