/* SPDX-License-Identifier: MIT */
/* Processor pools: their names, which the store has, and all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

char *host_pool_name(uint32_t pool)
{
	char *name = host_read("/local/pool/%u/name", pool);

	if (!name && asprintf(&name, "Pool-%u", pool) < 0)
		name = NULL;
	return name;
}

bool host_pool_find(const char *name, uint32_t *pool)
{
	size_t digits = strspn(name, "0123456789");
	xc_cpupoolinfo_t *info;
	bool number = *name && !name[digits], found = false;

	for (uint32_t id = 0; !found;
	     id = info->cpupool_id + 1, xc_cpupool_infofree(host_xc(), info)) {
		char *other;

		info = xc_cpupool_getinfo(host_xc(), id);
		if (!info)
			return false;
		other = host_pool_name(info->cpupool_id);
		found = number ? info->cpupool_id == strtoul(name, NULL, 10)
			       : other && !strcmp(other, name);
		free(other);
		*pool = info->cpupool_id;
	}
	return found;
}

void host_each_pool(void (*each)(const xc_cpupoolinfo_t *info, void *arg),
		    void *arg)
{
	xc_cpupoolinfo_t *info;
	uint32_t id = 0;

	while ((info = xc_cpupool_getinfo(host_xc(), id))) {
		id = info->cpupool_id + 1;
		each(info, arg);
		xc_cpupool_infofree(host_xc(), info);
	}
}
