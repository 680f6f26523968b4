/* SPDX-License-Identifier: MIT */
/* xl cpupool-list and what changes a pool that there is; making one is
 * cmd_poolcreate.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "cpumap.h"
#include "host.h"
#include "json.h"
#include "xl.h"

struct listing {
	struct json *json;
	uint32_t only; /* a pool, or XC_CPUPOOL_POOLID_ANY */
	bool cpus;
};

static unsigned int count_cpus(const xc_cpupoolinfo_t *info)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < host_cpus(); i++)
		n += cpumap_has(info->cpumap, i);
	return n;
}

/* The pool's own list, "all" spelt out. */
static void pool_cpus(const xc_cpupoolinfo_t *info, char *buf, size_t size)
{
	unsigned int n = host_cpus();

	cpumap_format(info->cpumap, n, buf, size);
	if (!strcmp(buf, "all") && n > 1)
		snprintf(buf, size, "0-%u", n - 1);
	else if (!strcmp(buf, "all"))
		snprintf(buf, size, "0");
}

static void list_pool(const xc_cpupoolinfo_t *info, void *arg)
{
	struct listing *l = arg;
	char *name, cpus[256];

	if (l->only != XC_CPUPOOL_POOLID_ANY && l->only != info->cpupool_id)
		return;
	name = host_pool_name(info->cpupool_id);
	pool_cpus(info, cpus, sizeof(cpus));
	if (l->json) {
		json_object(l->json, NULL);
		json_string(l->json, "name", name);
		json_uint(l->json, "id", info->cpupool_id);
		json_string(l->json, "scheduler",
			    host_sched_name(info->sched_id));
		json_uint(l->json, "nr_cpus", count_cpus(info));
		json_string(l->json, "cpus", cpus);
		json_uint(l->json, "domains", info->n_dom);
		json_object_end(l->json);
	} else if (l->cpus) {
		printf("%-19s%s\n", name, cpus);
	} else {
		printf("%-19s%3u %9s       y       %4u\n", name,
		       count_cpus(info), host_sched_name(info->sched_id),
		       info->n_dom);
	}
	free(name);
}

static int run_pools(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"cpus", 0, NULL, 'c'},
					      {"json", 0, NULL, 'j'},
					      {"help", 0, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct listing l = {.only = XC_CPUPOOL_POOLID_ANY};
	struct json j;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "c", longs, 0)) != -1) {
		l.cpus |= opt == 'c';
		if (opt == 'j')
			l.json = &j;
	}
	if (optind < argc && !host_pool_find(argv[optind], &l.only)) {
		fprintf(stderr, "Pool '%s' does not exist\n", argv[optind]);
		return XL_FAIL;
	}
	host_xc();
	if (l.json) {
		json_start(&j, stdout);
		json_array(&j, NULL);
	} else if (l.cpus) {
		printf("%-19sCPU list\n", "Name");
	} else {
		printf("%-19sCPUs   Sched     Active   Domain count\n", "Name");
	}
	host_each_pool(list_pool, &l);
	if (l.json) {
		json_array_end(&j);
		json_end(&j);
	}
	return XL_OK;
}

const struct xl_cmd cmd_cpupool_list = {
	.name = "cpupool-list",
	.usage = "[-c|--cpus] [<CPU Pool>]",
	.summary = "List CPU pools on host",
	.options = "-c, --cpus                     Output list of CPUs used by "
		   "a pool\n"
		   "--json                         Facts as JSON",
	.run = run_pools,
};

/* A pool as an operand: its number, or the end of the command. */
static uint32_t need_pool(const char *name)
{
	uint32_t pool;

	if (host_pool_find(name, &pool))
		return pool;
	fprintf(stderr, "unknown cpupool '%s'\n", name);
	exit(XL_FAIL);
}

/* Takes every processor out of a pool without domains. */
static int empty_pool(uint32_t pool)
{
	xc_cpupoolinfo_t *info = xc_cpupool_getinfo(host_xc(), pool);
	int rc = 0;

	if (!info)
		return -1;
	if (info->n_dom) {
		errno = EBUSY;
		rc = -1;
	}
	for (unsigned int i = 0; !rc && i < host_cpus(); i++)
		if (cpumap_has(info->cpumap, i))
			rc = xc_cpupool_removecpu(host_xc(), pool, (int)i);
	xc_cpupool_infofree(host_xc(), info);
	return rc;
}

static int run_destroy(const struct xl_cmd *cmd, int argc, char **argv)
{
	const char *name = argv[xl_operands(cmd, argc, argv, 1)];
	uint32_t pool = need_pool(name);
	char path[64];

	if (empty_pool(pool) || xc_cpupool_destroy(host_xc(), pool))
		return xl_fail("Can't destroy cpupool '%s': %s", name,
			       errno == EBUSY ? "there are domains in it"
					      : strerror(errno));
	snprintf(path, sizeof(path), "/local/pool/%u", pool);
	xs_rm(host_xs(), XBT_NULL, path);
	return XL_OK;
}

const struct xl_cmd cmd_cpupool_destroy = {
	.name = "cpupool-destroy",
	.usage = "<CPU Pool>",
	.summary = "Deactivates a CPU pool",
	.run = run_destroy,
	.changes = true,
};

static int run_rename(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t pool = need_pool(argv[i]);

	if (!host_write(argv[i + 1], "/local/pool/%u/name", pool))
		return xl_fail("Can't rename cpupool '%s': %s", argv[i],
			       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_cpupool_rename = {
	.name = "cpupool-rename",
	.usage = "<CPU Pool> <new name>",
	.summary = "Renames a CPU pool",
	.run = run_rename,
	.changes = true,
};

/* Calls change() for each processor of a list; how many it could not do. */
static int each_cpu(const char *list, uint32_t pool,
		    int (*change)(xc_interface *xc, uint32_t pool, int cpu))
{
	xc_cpumap_t map = xc_cpumap_alloc(host_xc());
	int failed = 0;

	if (!map || !cpumap_from(list, map)) {
		free(map);
		exit(XL_FAIL);
	}
	for (unsigned int i = 0; i < host_cpus(); i++) {
		if (!cpumap_has(map, i) || !change(host_xc(), pool, (int)i))
			continue;
		xl_warn("processor %u: %s", i, strerror(errno));
		failed++;
	}
	free(map);
	return failed;
}

/* As the stock tool: what could not be moved is told, and no failure. */
static int run_add(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t pool = need_pool(argv[i]);

	if (each_cpu(argv[i + 1], pool, xc_cpupool_addcpu))
		fprintf(stderr, "some cpus may not have been added to %s\n",
			argv[i]);
	return XL_OK;
}

const struct xl_cmd cmd_cpupool_cpu_add = {
	.name = "cpupool-cpu-add",
	.usage = "<CPU Pool> <CPU nr>|node:<node nr>",
	.summary = "Adds a CPU to a CPU pool",
	.run = run_add,
	.changes = true,
};

static int run_remove(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t pool = need_pool(argv[i]);

	if (each_cpu(argv[i + 1], pool, xc_cpupool_removecpu))
		fprintf(stderr, "some cpus may not have been removed from %s\n",
			argv[i]);
	return XL_OK;
}

const struct xl_cmd cmd_cpupool_cpu_remove = {
	.name = "cpupool-cpu-remove",
	.usage = "<CPU Pool> <CPU nr>|node:<node nr>",
	.summary = "Removes a CPU from a CPU pool",
	.run = run_remove,
	.changes = true,
};

static int run_migrate(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	struct dom_info d;
	uint32_t domid;

	if (!host_lookup(argv[i], &domid) || !host_domain(domid, &d)) {
		fprintf(stderr, "unknown domain '%s'\n", argv[i]);
		return XL_FAIL;
	}
	if (xc_cpupool_movedomain(host_xc(), need_pool(argv[i + 1]), domid))
		return xl_fail("cannot move domain %u to cpupool '%s': %s",
			       domid, argv[i + 1], strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_cpupool_migrate = {
	.name = "cpupool-migrate",
	.usage = "<Domain> <CPU Pool>",
	.summary = "Moves a domain into a CPU pool",
	.run = run_migrate,
	.changes = true,
};

static void count(const xc_cpupoolinfo_t *info __attribute__((unused)),
		  void *arg)
{
	++*(unsigned int *)arg;
}

static unsigned int pool_count(void)
{
	unsigned int n = 0;

	host_each_pool(count, &n);
	return n;
}

/* Several nodes would be a pool each: only a host that is one is split. */
static int run_split(const struct xl_cmd *cmd, int argc, char **argv)
{
	unsigned int nr = 0;

	xl_operands(cmd, argc, argv, 0);
	if (xc_numainfo(host_xc(), &nr, NULL, NULL) || nr > 1)
		return xl_fail("splitting a host of several nodes is not "
			       "supported: cpupool-create with nodes= makes "
			       "a pool of one");
	if (pool_count() > 1) {
		fprintf(stderr, "splitting not possible, already cpupools in "
				"use\n");
		return XL_FAIL;
	}
	return host_write("Pool-node0", "/local/pool/0/name") ? XL_OK : XL_FAIL;
}

const struct xl_cmd cmd_cpupool_numa_split = {
	.name = "cpupool-numa-split",
	.usage = "",
	.summary = "Splits up the machine into one CPU pool per NUMA node",
	.run = run_split,
	.changes = true,
};
