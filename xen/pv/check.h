/* SPDX-License-Identifier: MIT */
/* Counting anew what page tables hold: check.c. */
#ifndef OSTLER_PV_CHECK_H
#define OSTLER_PV_CHECK_H

#include "pv/pv.h"

/* What was found to hold a frame. */
struct pv_uses {
	uint32_t refs, types;
	uint8_t type; /* of the first */
	bool mixed;   /* others were of another */
};

/* For frames first … first + nr - 1. */
struct pv_census {
	uint64_t first, nr;
	struct pv_uses *uses;
};

/* Adds what d's own frames, tables and vCPUs hold; its lock is held. */
void pv_count_uses(const struct pv_census *c, struct domain *d);
/* How many of d's frames have counts that cannot be; a line for each, up to a
 * few. Takes the lock. */
unsigned int pv_check_domain(struct domain *d);
/* Debug builds, when what used d's tables has gone: none is left. */
#ifdef OSTLER_DEBUG
#define pv_check_end(d) ((void)pv_check_domain(d))
#else
#define pv_check_end(d) ((void)(d))
#endif

#endif
