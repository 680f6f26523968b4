/* SPDX-License-Identifier: MIT */
/* The quotas and their defaults, which are the stock daemon's. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "quota.h"

struct quota_def quotas[QUOTA_ALL] = {
	[QUOTA_NODES] = {"nodes", 1000, "Nodes per domain"},
	[QUOTA_WATCHES] = {"watches", 128, "Watches per domain"},
	[QUOTA_TRANSACTIONS] = {"transactions", 10, "Transactions per domain"},
	[QUOTA_OUTSTANDING] = {"outstanding", 20,
			       "Outstanding requests per domain"},
	[QUOTA_TRANS_NODES] = {"transaction-nodes", 1024,
			       "Max. number of accessed nodes per transaction"},
	[QUOTA_MEMORY] = {"memory", 2560 * 1024,
			  "Total Xenstore memory per domain (error level)"},
	[QUOTA_NODE_SIZE] = {"node-size", 2048, "Max. size of a node"},
	[QUOTA_PATH_MAX] = {"path-max", 2048, "Max. length of a node path"},
	[QUOTA_PERMS] = {"permissions", 5,
			 "Max. number of permissions per node"},
	[QUOTA_SOFT_MEMORY] = {"memory", 2048 * 1024,
			       "Total Xenstore memory per domain "
			       "(warning level)"},
};

int quota_set(const char *name, bool soft, unsigned int value)
{
	int i = soft ? QUOTA_COUNT : 0, end = soft ? QUOTA_ALL : QUOTA_COUNT;

	for (; i < end; i++) {
		if (strcmp(quotas[i].name, name))
			continue;
		if (i == QUOTA_PATH_MAX && value > 2048)
			value = 2048;
		quotas[i].value = value;
		return 0;
	}
	return EINVAL;
}

int quota_set_arg(const char *arg, bool soft)
{
	const char *eq = strchr(arg, '=');
	char name[32], *end;
	unsigned long value;

	if (!eq || (size_t)(eq - arg) >= sizeof(name))
		return EINVAL;
	memcpy(name, arg, eq - arg);
	name[eq - arg] = '\0';
	value = strtoul(eq + 1, &end, 10);
	if (!eq[1] || *end || value > INT_MAX)
		return EINVAL;
	return quota_set(name, soft, value);
}
