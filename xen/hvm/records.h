/* SPDX-License-Identifier: MIT */
/* The records of a guest PC's board, for save.c. */
#ifndef OSTLER_HVM_RECORDS_H
#define OSTLER_HVM_RECORDS_H

#include "hvm/hvm.h"

#include <xen/hvm/save.h>

struct board_record {
	unsigned int type, instances;
	size_t size;
	void (*save)(struct domain *d, unsigned int instance, void *buf);
	int (*load)(struct domain *d, unsigned int instance, const void *buf);
};

/* NULL: no such record, or the domain has no such device. */
const struct board_record *board_record(const struct domain *d,
					unsigned int type);
/* Controllers and timers as after power-on. What says the time goes on, and
 * lines are as their devices hold them. */
void board_reset(struct domain *d);

#endif
