/* SPDX-License-Identifier: MIT */
/*
 * Domains whose console is not in the store yet. Stock tools introduce a domain
 * before they write its console's nodes, so these are watched until they come.
 */
#ifndef OSTLER_CONSOLE_AWAITED_H
#define OSTLER_CONSOLE_AWAITED_H

#include <stdint.h>

/* The domain is there, its console is not. */
void awaited_add(uint32_t domid);
/* Lets go of all that were not added since the last sweep. */
void awaited_sweep(void);

#endif
