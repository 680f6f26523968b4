/* SPDX-License-Identifier: MIT */
/* Making a domain: ordered steps, each with an undo. */
#ifndef OSTLER_XL_CREATE_H
#define OSTLER_XL_CREATE_H

#include "loadconf.h"

/*
 * Makes a domain, paused. On failure says which step failed and why, and
 * leaves nothing behind. l's UUID and MACs are filled in.
 */
bool create_domain(struct loaded *l, uint32_t *domid);
/* Keeps a running domain's configuration for its restart and for listings. */
bool create_keep(struct loaded *l, uint32_t domid, const uint8_t uuid[16]);

#endif
