/* SPDX-License-Identifier: MIT */
/* The watch over one guest: what happens when it stops. */
#ifndef OSTLER_XL_SUPERVISE_H
#define OSTLER_XL_SUPERVISE_H

#include "loadconf.h"

/*
 * Forks the supervisor of a domain; the parent returns at once. It logs to
 * /var/log/xen/xl-NAME.log and takes l over. False after a complaint.
 */
bool supervise_start(struct loaded *l, uint32_t domid);
/* The same in the foreground: returns when the domain is gone for good. */
int supervise_run(struct loaded *l, uint32_t domid);

#endif
