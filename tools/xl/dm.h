/* SPDX-License-Identifier: MIT */
/*
 * The device model, QEMU: HVM guests have one, and so has a PV or PVH guest
 * with disks that only QEMU can read or with a frame buffer.
 */
#ifndef OSTLER_XL_DM_H
#define OSTLER_XL_DM_H

#include "domconf.h"

/* Starts it if the domain needs one, and waits until it runs. */
bool dm_start(uint32_t domid, struct domain_config *dc);
/* Ends it, if there is one. */
void dm_stop(uint32_t domid);

/* dmargs.c: its command line, ended by NULL. False after a complaint. */
bool dm_arguments(uint32_t domid, struct domain_config *dc, const char *program,
		  struct string_list *out);

#endif
