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

struct wanted {
	const char *name;
	bool number, found;
	uint32_t id;
};

static void compare(const xc_cpupoolinfo_t *info, void *arg)
{
	struct wanted *w = arg;
	char *name;

	if (w->found)
		return;
	w->id = info->cpupool_id;
	if (w->number) {
		w->found = w->id == strtoul(w->name, NULL, 10);
		return;
	}
	name = host_pool_name(w->id);
	w->found = name && !strcmp(name, w->name);
	free(name);
}

bool host_pool_find(const char *name, uint32_t *pool)
{
	size_t digits = strspn(name, "0123456789");
	struct wanted w = {.name = name, .number = *name && !name[digits]};

	host_each_pool(compare, &w);
	if (w.found)
		*pool = w.id;
	return w.found;
}
