/* SPDX-License-Identifier: MIT */
/* xl cpupool-create: a pool from a file as xlcpupool.cfg(5) has it. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "cpumap.h"
#include "host.h"
#include "keys.h"
#include "loadconf.h"
#include "xl.h"

struct pool_conf {
	struct arena arena;
	const char *name;
	int sched; /* of sched_names; -1: the host's */
	struct cpu_list cpus, nodes;
};

#define F(field) offsetof(struct pool_conf, field)

static const char *const sched_names[] = {"credit", "credit2", "arinc653",
					  "rtds",   "null",    NULL};
#define FIRST_SCHED XEN_SCHEDULER_CREDIT

/* A list of numbers, or one string such as "0-3,^2". */
static void take_list(struct key_ctx *k, const struct cfg_value *v,
		      const char *prefix, struct cpu_list *into)
{
	struct spec_error e;
	const char *text = "";

	if (v->kind != CFG_LIST)
		text = v->text;
	for (unsigned int i = 0; v->kind == CFG_LIST && i < v->nr; i++) {
		if (v->item[i]->kind == CFG_LIST) {
			text = "";
			break;
		}
		text = arena_printf(k->arena, "%s%s%s%s", text,
				    *text ? "," : "", prefix, v->item[i]->text);
	}
	if (!cpulist_parse(k->arena, text, into, &e))
		key_complain(k, v, &e);
}

static void key_pool_cpus(struct key_ctx *k, const struct cfg_value *v)
{
	take_list(k, v, "", &((struct pool_conf *)k->into)->cpus);
}

static void key_pool_nodes(struct key_ctx *k, const struct cfg_value *v)
{
	take_list(k, v, "node:", &((struct pool_conf *)k->into)->nodes);
}

static const struct key keys[] = {
	STRING("name", name),
	CHOICE("sched", sched, sched_names),
	CUSTOM("cpus", key_pool_cpus),
	CUSTOM("nodes", key_pool_nodes),
};

static const struct key_table pool_keys = {keys, ARRAY_SIZE(keys),
					   "xlcpupool.cfg(5)"};

static bool parse(struct pool_conf *pc, const char *file, const char *extra)
{
	struct diag d = {.out = stderr};
	struct key_ctx k = {.into = pc, .arena = &pc->arena, .diag = &d};
	struct cfg cfg;
	size_t len = 0;
	char *text = NULL;

	cfg_init(&cfg);
	if (file && !(text = cfg_read_file(file, &len))) {
		fprintf(stderr, "Failed to read config file: %s: %s\n", file,
			strerror(errno));
		return false;
	}
	if ((!text || cfg_parse(&cfg, file, text, len, &d)) &&
	    cfg_parse(&cfg, "settings", extra, strlen(extra), &d))
		keys_apply(&k, &pool_keys, &cfg);
	if (!pc->name && file)
		pc->name = basename(arena_printf(&pc->arena, "%s", file));
	else if (pc->name)
		pc->name = arena_printf(&pc->arena, "%s", pc->name);
	free(text);
	cfg_free(&cfg);
	return d.errors == 0;
}

/* The processors that it is to have; false when one is not free. */
static bool choose_cpus(const struct pool_conf *pc, xc_cpumap_t map,
			unsigned int *nr)
{
	xc_cpumap_t free_ones = xc_cpupool_freeinfo(host_xc());
	bool ok = free_ones != NULL;

	if (pc->nodes.nr || pc->cpus.nr)
		cpumap_of(pc->nodes.nr ? &pc->nodes : &pc->cpus, map);
	for (unsigned int i = 0; ok && i < host_cpus(); i++) {
		uint8_t bit = (uint8_t)(1u << (i % 8));

		if (!(map[i / 8] & bit))
			continue;
		if (free_ones[i / 8] & bit) {
			++*nr;
		} else if (pc->nodes.nr) {
			map[i / 8] &= (uint8_t)~bit;
		} else {
			fprintf(stderr, "cpu %u illegal or not free\n", i);
			ok = false;
		}
	}
	if (ok && pc->nodes.nr && !*nr) {
		fprintf(stderr, "no free cpu found\n");
		ok = false;
	}
	free(free_ones);
	return ok;
}

/* The pool, whole or not at all. */
static int make(const struct pool_conf *pc, uint32_t sched, xc_cpumap_t map)
{
	uint32_t pool = XC_CPUPOOL_POOLID_ANY;
	uint8_t id[16];
	char text[40];

	if (xc_cpupool_create(host_xc(), &pool, sched))
		return xl_fail("error on creating cpupool: %s",
			       errno == EOPNOTSUPP || errno == ENOSYS
				       ? "this hypervisor has one pool only"
				       : strerror(errno));
	for (unsigned int i = 0; i < host_cpus(); i++) {
		if (!cpumap_has(map, i) ||
		    !xc_cpupool_addcpu(host_xc(), pool, (int)i))
			continue;
		xl_fail("processor %u does not come into the pool: %s", i,
			strerror(errno));
		xc_cpupool_removecpu(host_xc(), pool, -1);
		xc_cpupool_destroy(host_xc(), pool);
		return XL_FAIL;
	}
	uuid_generate(id);
	snprintf(text, sizeof(text), UUID_FMT, UUID_ARG(id));
	host_write(text, "/local/pool/%u/uuid", pool);
	host_write(pc->name, "/local/pool/%u/name", pool);
	return XL_OK;
}

static int act(const struct pool_conf *pc, const char *source, bool dryrun)
{
	xc_cpumap_t map = xc_cpumap_alloc(host_xc());
	uint32_t other, sched = (uint32_t)pc->sched + FIRST_SCHED;
	unsigned int nr = 0;
	int id, rc = XL_FAIL;

	if (!pc->name) {
		fprintf(stderr, "Missing cpupool name!\n");
	} else if (host_pool_find(pc->name, &other)) {
		fprintf(stderr, "Pool name \"%s\" already exists\n", pc->name);
	} else if (pc->sched < 0 && xc_sched_id(host_xc(), &id)) {
		fprintf(stderr, "get_scheduler sysctl failed.\n");
	} else if (map && choose_cpus(pc, map, &nr)) {
		if (pc->sched < 0)
			sched = (uint32_t)id;
		printf("Using config file \"%s\"\n"
		       "cpupool name:   %s\n"
		       "scheduler:      %s\n"
		       "number of cpus: %u\n",
		       source, pc->name, host_sched_name(sched), nr);
		rc = dryrun ? XL_OK : make(pc, sched, map);
	}
	free(map);
	return rc;
}

static int run_create(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{"defconfig", 1, NULL, 'f'},
		{"dryrun", 0, NULL, 'n'},
		{"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct pool_conf pc = {.sched = -1};
	bool dryrun = xl_globals.dryrun;
	const char *file = NULL;
	char *extra = NULL;
	int opt, rc = XL_FAIL;

	while ((opt = xl_getopt(cmd, argc, argv, "nf:", longs, 0)) != -1) {
		dryrun |= opt == 'n';
		if (opt == 'f')
			file = optarg;
	}
	if (load_operands(argc - optind, argv + optind, &file, &extra) &&
	    parse(&pc, file, extra))
		rc = act(&pc, file ? file : "command line", dryrun);
	arena_free(&pc.arena);
	free(extra);
	return rc;
}

const struct xl_cmd cmd_cpupool_create = {
	.name = "cpupool-create",
	.usage = "[options] [<ConfigFile>] [Variable=value ...]",
	.summary = "Create a new CPU pool",
	.options =
		"-h, --help                   Print this help.\n"
		"-f FILE, --defconfig=FILE    Use the given configuration "
		"file.\n"
		"-n, --dryrun                 Dry run - prints the resulting "
		"configuration.",
	.run = run_create,
	.changes = true,
	.dryrun = true,
};
