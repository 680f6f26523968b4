/* SPDX-License-Identifier: MIT */
/* The shared-page transport (docs/misc/xenstore-ring.txt of Xen). */
#ifndef OSTLER_XENSTORE_RING_H
#define OSTLER_XENSTORE_RING_H

#include <stdbool.h>

struct domain;
struct transport;

extern const struct transport ring_transport;

/* Empties the ring and says which features there are. */
void ring_start(struct domain *d);

/* Says which features there are, on a ring that is in use. */
void ring_offer(struct domain *d);

/* The guest asked for a fresh start: gives it one. True if it did. */
bool ring_reconnect(struct domain *d);

#endif
