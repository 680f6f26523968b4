/* SPDX-License-Identifier: MIT */
/* Processor sets of this host; see cpumap.h. */
#include <stdlib.h>

#include "cpumap.h"
#include "host.h"
#include "hostconf.h"
#include "xl.h"

unsigned int host_cpus(void)
{
	static int n;

	if (n <= 0)
		n = xc_get_max_cpus(host_xc());
	return n > 0 ? (unsigned int)n : 1;
}

void cpumap_of(const struct cpu_list *l, xc_cpumap_t map)
{
	unsigned int n = host_cpus();
	uint32_t *nodes = calloc(n, sizeof(*nodes));
	xc_cputopo_t *topo = calloc(n, sizeof(*topo));

	if (nodes && topo && !xc_cputopoinfo(host_xc(), &n, topo))
		for (unsigned int i = 0; i < n && i < host_cpus(); i++)
			nodes[i] = topo[i].node;
	cpulist_resolve(l, host_cpus(), nodes, map);
	free(nodes);
	free(topo);
}

void cpumap_mask(bool hvm, xc_cpumap_t map)
{
	const struct cpu_list *masks[] = {
		&host_conf()->mask[MASK_ALL],
		&host_conf()->mask[hvm ? MASK_HVM : MASK_PV],
	};
	unsigned int bytes = (host_cpus() + 7) / 8;

	for (unsigned int i = 0; i < ARRAY_SIZE(masks); i++) {
		xc_cpumap_t mask;

		if (!masks[i]->nr)
			continue;
		mask = xc_cpumap_alloc(host_xc());
		if (!mask)
			continue;
		cpumap_of(masks[i], mask);
		for (unsigned int b = 0; b < bytes; b++)
			map[b] &= mask[b];
		free(mask);
	}
}

bool cpumap_from(const char *s, xc_cpumap_t map)
{
	struct arena a = {NULL};
	struct spec_error e;
	struct cpu_list l;
	bool ok = cpulist_parse(&a, s, &l, &e);

	if (ok)
		cpumap_of(&l, map);
	else
		xl_fail("%s", e.what);
	arena_free(&a);
	return ok;
}
