/* SPDX-License-Identifier: MIT */
/*
 * The shared page of a PV console (xen/io/console.h): the guest's output and
 * input rings. The guest may write anything there at any time, so indexes are
 * read once and checked.
 */
#ifndef OSTLER_CONSOLE_RING_H
#define OSTLER_CONSOLE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/io/console.h>

/*
 * Takes what the guest has written, up to size bytes. *bad is set when its
 * indexes make no sense; then its backlog is thrown away.
 */
size_t ring_take(struct xencons_interface *ring, char *buf, size_t size,
		 bool *bad);
/* Gives the guest input, as much as fits; returns how much. */
size_t ring_give(struct xencons_interface *ring, const char *buf, size_t n);
/* How much input fits now. */
size_t ring_room(const struct xencons_interface *ring);

#endif
