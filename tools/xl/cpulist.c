/* SPDX-License-Identifier: MIT */
/* Lists of processors and nodes: "0-3,^2,node:1", "all"; see spec.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

static bool number(const char *s, char **end, unsigned int *n)
{
	unsigned long v;

	if (!isdigit((unsigned char)*s))
		return false;
	v = strtoul(s, end, 10);
	*n = (unsigned int)v;
	return v <= CPU_LIST_MAX;
}

static bool parse_term(const char *s, struct cpu_term *t)
{
	char *end;

	memset(t, 0, sizeof(*t));
	if (*s == '^') {
		t->exclude = true;
		s++;
	}
	if (!strncmp(s, "node:", 5) || !strncmp(s, "nodes:", 6)) {
		t->nodes = true;
		s = strchr(s, ':') + 1;
		if (*s == '^') { /* nodes:0-3,nodes:^2 is written too */
			t->exclude = true;
			s++;
		}
	}
	if (!strcmp(s, "all")) {
		t->all = true;
		return true;
	}
	if (!number(s, &end, &t->first))
		return false;
	t->last = t->first;
	if (*end == '-' && !number(end + 1, &end, &t->last))
		return false;
	return !*end && t->first <= t->last;
}

bool cpulist_parse(struct arena *a, const char *s, struct cpu_list *l,
		   struct spec_error *e)
{
	struct spec_word w;
	struct cpu_term t;
	size_t pos = 0;

	memset(l, 0, sizeof(*l));
	while (spec_next(a, s, &pos, NULL, &w)) {
		if (w.key || !parse_term(w.value, &t))
			return spec_fail(e, w.at,
					 "expected processors such as all, "
					 "0-3, ^5 or node:1; found '%s'",
					 w.value);
		if (!(l->nr & (l->nr - 1)))
			l->term =
				arena_grow(a, l->term, l->nr * sizeof(t),
					   (l->nr ? 2 * l->nr : 1) * sizeof(t));
		l->term[l->nr++] = t;
	}
	if (!l->nr)
		return spec_fail(e, 0,
				 "expected processors such as all or "
				 "0-3; found nothing");
	return true;
}

void cpulist_resolve(const struct cpu_list *l, unsigned int nr_cpus,
		     const uint32_t *node_of, uint8_t *map)
{
	memset(map, 0, (nr_cpus + 7) / 8);
	for (unsigned int i = 0; i < l->nr; i++) {
		const struct cpu_term *t = &l->term[i];

		for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
			unsigned int n = !t->nodes ? cpu
					 : node_of ? node_of[cpu]
						   : 0;

			if (!t->all && (n < t->first || n > t->last))
				continue;
			if (t->exclude)
				map[cpu / 8] &= (uint8_t) ~(1u << (cpu % 8));
			else
				map[cpu / 8] |= (uint8_t)(1u << (cpu % 8));
		}
	}
}

bool cpumap_has(const uint8_t *map, unsigned int cpu)
{
	return map[cpu / 8] >> (cpu % 8) & 1;
}

void cpumap_format(const uint8_t *map, unsigned int nr_cpus, char *buf,
		   size_t size)
{
	unsigned int first, cpu = 0, set = 0;
	size_t n = 0;

	for (unsigned int i = 0; i < nr_cpus; i++)
		set += cpumap_has(map, i);
	if (set == nr_cpus || !set) {
		snprintf(buf, size, "%s", set ? "all" : "none");
		return;
	}
	while (cpu < nr_cpus && n < size) {
		if (!cpumap_has(map, cpu)) {
			cpu++;
			continue;
		}
		for (first = cpu; cpu < nr_cpus && cpumap_has(map, cpu);)
			cpu++;
		n += (size_t)snprintf(buf + n, size - n,
				      first + 1 == cpu ? "%s%u" : "%s%u-%u",
				      n ? "," : "", first, cpu - 1);
	}
}
