/* SPDX-License-Identifier: MIT */
/*
 * What a guest may use of the daemon. dom0 and the tools are not limited.
 * Each overrun is answered with the quota's error and logged once for that
 * domain and quota.
 */
#ifndef OSTLER_XENSTORE_QUOTA_H
#define OSTLER_XENSTORE_QUOTA_H

#include <stdbool.h>

enum quota {
	QUOTA_NODES,
	QUOTA_WATCHES,
	QUOTA_TRANSACTIONS,
	QUOTA_OUTSTANDING,
	QUOTA_TRANS_NODES,
	QUOTA_MEMORY,
	QUOTA_NODE_SIZE,
	QUOTA_PATH_MAX,
	QUOTA_PERMS,
	QUOTA_COUNT,
	QUOTA_SOFT_MEMORY = QUOTA_COUNT, /* a warning only */
	QUOTA_ALL
};

struct quota_def {
	const char *name;
	unsigned int value;
	const char *descr;
};

extern struct quota_def quotas[QUOTA_ALL];

/* Sets the quota called @name (soft ones apart); 0 or EINVAL. */
int quota_set(const char *name, bool soft, unsigned int value);

/* "name=value" of the command line; 0 or EINVAL. */
int quota_set_arg(const char *arg, bool soft);

#endif
