/* SPDX-License-Identifier: MIT */
/* xl sched-credit2, xl cpupool-list: scheduling parameters and pools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "cpumap.h"
#include "host.h"
#include "json.h"
#include "xl.h"

struct sched_opts {
	const char *domain, *pool;
	long weight, cap, ratelimit; /* -1: not given */
	bool params, json;
};

static bool is_credit2(uint32_t sched)
{
	return sched == XEN_SCHEDULER_CREDIT2;
}

static void print_domain(uint32_t domid, struct json *j)
{
	struct xen_domctl_sched_credit2 s;
	char *name;

	if (xc_sched_credit2_domain_get(host_xc(), domid, &s))
		return;
	name = host_name(domid);
	if (j) {
		json_object(j, NULL);
		json_string(j, "name", name);
		json_uint(j, "domid", domid);
		json_uint(j, "weight", s.weight);
		json_uint(j, "cap", s.cap);
		json_object_end(j);
	} else {
		printf("%-33s %4u %6u %4u\n", name ? name : "", domid, s.weight,
		       s.cap);
	}
	free(name);
}

static void print_pool_line(uint32_t pool, struct json *j)
{
	struct xen_sysctl_credit2_schedule s = {0};
	char *name = host_pool_name(pool);

	if (xc_sched_credit2_params_get(host_xc(), pool, &s))
		s.ratelimit_us = 0;
	if (j) {
		json_string(j, "pool", name);
		json_uint(j, "ratelimit_us", s.ratelimit_us);
	} else {
		printf("Cpupool %s: ratelimit=%uus\n", name, s.ratelimit_us);
	}
	free(name);
}

static void print_pool(uint32_t pool, const struct dom_info *list,
		       unsigned int nr, struct json *j)
{
	if (j)
		json_object(j, NULL);
	print_pool_line(pool, j);
	if (j)
		json_array(j, "domains");
	else
		printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
	for (unsigned int i = 0; i < nr; i++)
		if (list[i].cpupool == pool)
			print_domain(list[i].domid, j);
	if (j) {
		json_array_end(j);
		json_object_end(j);
	}
}

/* Calls each() for every pool. */
static void each_pool(void (*each)(const xc_cpupoolinfo_t *info, void *arg),
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

struct listing {
	struct dom_info *list;
	unsigned int nr;
	struct json *json;
	uint32_t only; /* a pool, or XC_CPUPOOL_POOLID_ANY */
	bool params, cpus;
};

static void sched_pool(const xc_cpupoolinfo_t *info, void *arg)
{
	struct listing *l = arg;

	if (!is_credit2(info->sched_id) ||
	    (l->only != XC_CPUPOOL_POOLID_ANY && l->only != info->cpupool_id))
		return;
	if (l->params)
		print_pool_line(info->cpupool_id, NULL);
	else
		print_pool(info->cpupool_id, l->list, l->nr, l->json);
}

static int set_domain(const struct sched_opts *o, uint32_t domid)
{
	struct xen_domctl_sched_credit2 s;

	if (xc_sched_credit2_domain_get(host_xc(), domid, &s))
		return xl_fail("domain %u is not scheduled by credit2", domid);
	if (o->weight >= 0)
		s.weight = (uint16_t)o->weight;
	if (o->cap >= 0)
		s.cap = (uint16_t)o->cap;
	if (xc_sched_credit2_domain_set(host_xc(), domid, &s))
		return xl_fail("cannot set domain %u's scheduling: %s", domid,
			       strerror(errno));
	return XL_OK;
}

static int one_domain(const struct sched_opts *o)
{
	uint32_t domid = host_need(o->domain);

	if (o->weight >= 0 || o->cap >= 0)
		return set_domain(o, domid);
	printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
	print_domain(domid, NULL);
	return XL_OK;
}

static int set_ratelimit(const struct sched_opts *o, uint32_t pool)
{
	struct xen_sysctl_credit2_schedule s = {
		.ratelimit_us = (uint32_t)o->ratelimit,
	};

	if (xc_sched_credit2_params_set(host_xc(), pool, &s))
		return xl_fail("cannot set the rate limit: %s",
			       strerror(errno));
	return XL_OK;
}

static int list_pools(const struct sched_opts *o)
{
	struct json j;
	struct listing l = {.only = XC_CPUPOOL_POOLID_ANY,
			    .params = o->params,
			    .json = o->json ? &j : NULL};

	if (o->pool && !host_pool_find(o->pool, &l.only))
		return xl_fail("unknown cpupool '%s'", o->pool);
	if (o->params && !o->pool)
		l.only = 0;
	if (o->ratelimit >= 0)
		return set_ratelimit(o, l.only);
	l.list = host_domains(&l.nr);
	if (l.json) {
		json_start(&j, stdout);
		json_array(&j, NULL);
	}
	each_pool(sched_pool, &l);
	if (l.json) {
		json_array_end(&j);
		json_end(&j);
	}
	free(l.list);
	return XL_OK;
}

static int run_credit2(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{"domain", 1, NULL, 'd'},  {"weight", 1, NULL, 'w'},
		{"cap", 1, NULL, 'c'},     {"schedparam", 0, NULL, 's'},
		{"cpupool", 1, NULL, 'p'}, {"ratelimit_us", 1, NULL, 'r'},
		{"json", 0, NULL, 'j'},    {"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct sched_opts o = {.weight = -1, .cap = -1, .ratelimit = -1};
	bool ok = true;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "d:w:c:p:r:s", longs, 0)) !=
	       -1) {
		if (opt == 'd')
			o.domain = optarg;
		else if (opt == 'p')
			o.pool = optarg;
		else if (opt == 's')
			o.params = true;
		else if (opt == 'j')
			o.json = true;
		else if (opt == 'w')
			ok = xl_number("the weight", optarg, 1, 65535,
				       &o.weight);
		else if (opt == 'c')
			ok = xl_number("the cap", optarg, 0, 65535, &o.cap);
		else if (opt == 'r')
			ok = xl_number("the rate limit", optarg, 0, 500000,
				       &o.ratelimit);
		if (!ok)
			return XL_FAIL;
	}
	if (o.pool && (o.domain || o.weight >= 0 || o.cap >= 0))
		return xl_fail("a cpupool cannot go with a domain's options");
	if (!o.domain && (o.weight >= 0 || o.cap >= 0))
		return xl_fail("a weight or cap needs a domain: -d");
	if (o.ratelimit >= 0 && !o.params)
		return xl_fail("a rate limit needs -s");
	return o.domain ? one_domain(&o) : list_pools(&o);
}

const struct xl_cmd cmd_sched_credit2 = {
	.name = "sched-credit2",
	.usage = "[-d <Domain> [-w[=WEIGHT]]] [-p CPUPOOL]",
	.summary = "Get/set credit2 scheduler parameters",
	.options = "-d DOMAIN, --domain=DOMAIN     Domain to modify\n"
		   "-w WEIGHT, --weight=WEIGHT     Weight (int)\n"
		   "-c CAP,    --cap=CAP           Cap (int)\n"
		   "-s         --schedparam        Query / modify scheduler "
		   "parameters\n"
		   "-r RLIMIT, --ratelimit_us=RLIMIT Set the scheduling rate "
		   "limit, in microseconds\n"
		   "-p CPUPOOL, --cpupool=CPUPOOL  Restrict output to CPUPOOL\n"
		   "--json                         Facts as JSON",
	.run = run_credit2,
	.changes = true,
};

static unsigned int count_cpus(const xc_cpupoolinfo_t *info)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < host_cpus(); i++)
		n += info->cpumap[i / 8] >> (i % 8) & 1;
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
	if (optind < argc && !host_pool_find(argv[optind], &l.only))
		return xl_fail("unknown cpupool '%s'", argv[optind]);
	host_xc();
	if (l.json) {
		json_start(&j, stdout);
		json_array(&j, NULL);
	} else if (l.cpus) {
		printf("%-19sCPU list\n", "Name");
	} else {
		printf("%-19sCPUs   Sched     Active   Domain count\n", "Name");
	}
	each_pool(list_pool, &l);
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
