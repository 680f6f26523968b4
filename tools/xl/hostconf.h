/* SPDX-License-Identifier: MIT */
/*
 * xl.conf(5): what holds for all domains of this host. Read when first asked
 * for, so a command that wants nothing of it does not open the file; a file
 * with mistakes ends the command with them.
 */
#ifndef OSTLER_XL_HOSTCONF_H
#define OSTLER_XL_HOSTCONF_H

#include "domconf.h"

enum balloon_mode { BALLOON_OFF, BALLOON_ON, BALLOON_AUTO };
enum domid_policy { DOMID_NEXT, DOMID_AT_RANDOM };
enum host_mask { MASK_ALL, MASK_HVM, MASK_PV, NR_MASKS };

struct host_conf {
	struct arena arena;
	int autoballoon;  /* enum balloon_mode */
	int domid_policy; /* enum domid_policy */
	const char *lockfile;
	long long max_grant_frames, max_maptrack_frames; /* -1: not said */
	long long max_grant_version;
	const char *vif_script, *vif_bridge, *vif_gateway; /* or NULL */
	const char *vif_backend;
	enum tristate claim_mode;
	struct cpu_list mask[NR_MASKS]; /* nr 0: all processors */

	/* Taken, to no effect. */
	int output_format;
	enum tristate run_hotplug_scripts;
};

const struct host_conf *host_conf(void);

/* For host_conf() and the tests; reports every mistake. */
bool hostconf_parse(struct host_conf *hc, const char *name, const char *text,
		    size_t len, struct diag *d);
void hostconf_free(struct host_conf *hc);

#endif
