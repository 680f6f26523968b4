/* SPDX-License-Identifier: MIT */
/* The table of hypercalls as data: what dispatch, counters and tools read. */
#ifndef OSTLER_HYPERCALL_TABLE_H
#define OSTLER_HYPERCALL_TABLE_H

#include "domain/domain.h"

enum hypercall_who { ANY, PRIV, CHECKED };

/* One operation, in the order of table.def. */
struct hypercall_op {
	const char *call, *name;
	uint8_t nr, who;
	uint8_t is_command;
	uint32_t cmd;
};
extern const struct hypercall_op hypercall_ops[];
extern const unsigned int nr_hypercall_ops;

/* How often operation i was called, on all CPUs together. */
uint64_t hypercall_count(unsigned int i);
void hypercall_counts_reset(void);

#endif
