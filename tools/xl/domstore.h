/* SPDX-License-Identifier: MIT */
/*
 * A domain's own nodes in the store: what its kernel, the daemons and other
 * tools expect to find there (docs/misc/xenstore-paths of Xen).
 */
#ifndef OSTLER_XL_DOMSTORE_H
#define OSTLER_XL_DOMSTORE_H

#include "domconf.h"

struct build_result; /* tools/libxc/builder.h */

/* The tree of a fresh domain, before it has memory. False with errno set. */
bool domstore_make(uint32_t domid, struct domain_config *dc);
/* Its rings: the store's and the console's. */
bool domstore_rings(uint32_t domid, const struct build_result *r);
/* All of it away, also when only part of it is there. */
void domstore_remove(uint32_t domid);

#endif
