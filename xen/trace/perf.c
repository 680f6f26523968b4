/* SPDX-License-Identifier: MIT */
#include "trace/perf.h"

struct perf_source *perf_sources;

void perf_register(struct perf_source *s)
{
	struct perf_source **end = &perf_sources;

	while (*end)
		end = &(*end)->next;
	s->next = NULL;
	*end = s;
}
