/* SPDX-License-Identifier: MIT */
/*
 * The device model, QEMU: HVM guests have one, and so has a PV or PVH guest
 * with disks that only QEMU can read or with a frame buffer.
 */
#ifndef OSTLER_XL_DM_H
#define OSTLER_XL_DM_H

#include <sys/types.h>

#include "domconf.h"

/* Starts it if the domain needs one, and waits until it runs. */
bool dm_start(uint32_t domid, struct domain_config *dc);
/* Ends it, if there is one. */
void dm_stop(uint32_t domid);

/*
 * Only the back end of a guest's disks, in a driver domain: the process, which
 * names its log so. -1 after a complaint.
 */
pid_t dm_start_backend(uint32_t guest, const char *name);
/* Is the process that domain's device model still, and not another's? */
bool dm_is_model(pid_t pid, uint32_t domid);
/* Then ends it, and waits. */
void dm_end(pid_t pid, uint32_t domid);

/* dmargs.c: its command line, ended by NULL. False after a complaint. */
bool dm_arguments(uint32_t domid, struct domain_config *dc, const char *program,
		  struct string_list *out);

#endif
