/* SPDX-License-Identifier: MIT */
/*
 * xl sched-credit, sched-credit2, sched-rtds: scheduling parameters of domains
 * and pools. A scheduler is an entry of a table; the commands are the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "json.h"
#include "xl.h"

/* What can be set; -1: not given. */
struct sched_opts {
	const char *domain, *pool;
	long weight, cap;
	long ratelimit, tslice, delay;
	bool params, json;
};

/* What a domain has. */
struct share {
	unsigned int weight, cap;
};

struct scheduler {
	uint32_t id;
	const char *name;
	int (*get)(uint32_t domid, struct share *s);
	int (*set)(uint32_t domid, const struct share *s);
	/* A pool's parameters: shown, and set as the options say. */
	void (*show_pool)(uint32_t pool, const char *name, struct json *j);
	int (*set_pool)(const struct sched_opts *o, uint32_t pool);
};

static int credit_get(uint32_t domid, struct share *s)
{
	struct xen_domctl_sched_credit c;

	if (xc_sched_credit_domain_get(host_xc(), domid, &c))
		return -1;
	s->weight = c.weight;
	s->cap = c.cap;
	return 0;
}

static int credit_set(uint32_t domid, const struct share *s)
{
	struct xen_domctl_sched_credit c = {.weight = (uint16_t)s->weight,
					    .cap = (uint16_t)s->cap};

	return xc_sched_credit_domain_set(host_xc(), domid, &c);
}

static void credit_show_pool(uint32_t pool, const char *name, struct json *j)
{
	struct xen_sysctl_credit_schedule p = {0};

	xc_sched_credit_params_get(host_xc(), pool, &p);
	if (j) {
		json_uint(j, "tslice_ms", p.tslice_ms);
		json_uint(j, "ratelimit_us", p.ratelimit_us);
		json_uint(j, "migration_delay_us", p.vcpu_migr_delay_us);
	} else {
		printf("Cpupool %s: tslice=%ums ratelimit=%uus "
		       "migration-delay=%uus\n",
		       name, p.tslice_ms, p.ratelimit_us, p.vcpu_migr_delay_us);
	}
}

static int credit_set_pool(const struct sched_opts *o, uint32_t pool)
{
	struct xen_sysctl_credit_schedule p;

	if (xc_sched_credit_params_get(host_xc(), pool, &p))
		return -1;
	if (o->tslice >= 0)
		p.tslice_ms = (uint32_t)o->tslice;
	if (o->ratelimit >= 0)
		p.ratelimit_us = (uint32_t)o->ratelimit;
	if (o->delay >= 0)
		p.vcpu_migr_delay_us = (uint32_t)o->delay;
	return xc_sched_credit_params_set(host_xc(), pool, &p);
}

static const struct scheduler credit = {
	.id = XEN_SCHEDULER_CREDIT,
	.name = "credit",
	.get = credit_get,
	.set = credit_set,
	.show_pool = credit_show_pool,
	.set_pool = credit_set_pool,
};

static int credit2_get(uint32_t domid, struct share *s)
{
	struct xen_domctl_sched_credit2 c;

	if (xc_sched_credit2_domain_get(host_xc(), domid, &c))
		return -1;
	s->weight = c.weight;
	s->cap = c.cap;
	return 0;
}

static int credit2_set(uint32_t domid, const struct share *s)
{
	struct xen_domctl_sched_credit2 c = {.weight = (uint16_t)s->weight,
					     .cap = (uint16_t)s->cap};

	return xc_sched_credit2_domain_set(host_xc(), domid, &c);
}

static void credit2_show_pool(uint32_t pool, const char *name, struct json *j)
{
	struct xen_sysctl_credit2_schedule p = {0};

	xc_sched_credit2_params_get(host_xc(), pool, &p);
	if (j)
		json_uint(j, "ratelimit_us", p.ratelimit_us);
	else
		printf("Cpupool %s: ratelimit=%uus\n", name, p.ratelimit_us);
}

static int credit2_set_pool(const struct sched_opts *o, uint32_t pool)
{
	struct xen_sysctl_credit2_schedule p = {
		.ratelimit_us = (uint32_t)o->ratelimit,
	};

	return o->ratelimit < 0
		       ? 0
		       : xc_sched_credit2_params_set(host_xc(), pool, &p);
}

static const struct scheduler credit2 = {
	.id = XEN_SCHEDULER_CREDIT2,
	.name = "credit2",
	.get = credit2_get,
	.set = credit2_set,
	.show_pool = credit2_show_pool,
	.set_pool = credit2_set_pool,
};

static void print_domain(const struct scheduler *sc, uint32_t domid,
			 struct json *j)
{
	struct share s;
	char *name;

	if (sc->get(domid, &s))
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

struct listing {
	const struct scheduler *sc;
	struct dom_info *list;
	unsigned int nr, shown;
	struct json *json;
	uint32_t only; /* a pool, or XC_CPUPOOL_POOLID_ANY */
	bool params;
};

static void print_pool_line(const struct listing *l, uint32_t pool)
{
	char *name = host_pool_name(pool);

	if (l->json)
		json_string(l->json, "pool", name);
	l->sc->show_pool(pool, name, l->json);
	free(name);
}

static void print_pool(const struct listing *l, uint32_t pool)
{
	struct json *j = l->json;

	if (j)
		json_object(j, NULL);
	print_pool_line(l, pool);
	if (j)
		json_array(j, "domains");
	else
		printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
	for (unsigned int i = 0; i < l->nr; i++)
		if (l->list[i].cpupool == pool)
			print_domain(l->sc, l->list[i].domid, j);
	if (j) {
		json_array_end(j);
		json_object_end(j);
	}
}

static void sched_pool(const xc_cpupoolinfo_t *info, void *arg)
{
	struct listing *l = arg;

	if (info->sched_id != l->sc->id ||
	    (l->only != XC_CPUPOOL_POOLID_ANY && l->only != info->cpupool_id))
		return;
	l->shown++;
	if (l->params)
		print_pool_line(l, info->cpupool_id);
	else
		print_pool(l, info->cpupool_id);
}

/* The scheduler of a pool; sets *arg to it when the pool is *arg. */
struct pool_sched {
	uint32_t pool, sched;
};

static void find_sched(const xc_cpupoolinfo_t *info, void *arg)
{
	struct pool_sched *p = arg;

	if (info->cpupool_id == p->pool)
		p->sched = info->sched_id;
}

static bool has_scheduler(const struct scheduler *sc, uint32_t pool,
			  const char *what)
{
	struct pool_sched p = {.pool = pool, .sched = UINT32_MAX};

	host_each_pool(find_sched, &p);
	if (p.sched == sc->id)
		return true;
	xl_fail("%s: its scheduler is %s not %s", what,
		host_sched_name(p.sched), sc->name);
	return false;
}

static int set_domain(const struct scheduler *sc, const struct sched_opts *o,
		      uint32_t domid)
{
	struct share s;

	if (sc->get(domid, &s))
		return xl_fail("domain %u: %s", domid, strerror(errno));
	if (o->weight >= 0)
		s.weight = (unsigned int)o->weight;
	if (o->cap >= 0)
		s.cap = (unsigned int)o->cap;
	if (sc->set(domid, &s))
		return xl_fail("cannot set domain %u's scheduling: %s", domid,
			       strerror(errno));
	return XL_OK;
}

static int one_domain(const struct scheduler *sc, const struct sched_opts *o)
{
	uint32_t domid = host_need(o->domain);
	struct dom_info d;

	if (!host_domain(domid, &d) || !has_scheduler(sc, d.cpupool, o->domain))
		return XL_FAIL;
	if (o->weight >= 0 || o->cap >= 0)
		return set_domain(sc, o, domid);
	printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
	print_domain(sc, domid, NULL);
	return XL_OK;
}

static bool sets_pool(const struct sched_opts *o)
{
	return o->ratelimit >= 0 || o->tslice >= 0 || o->delay >= 0;
}

/* -s: one pool's parameters, the first pool's unless another is named. */
static int pool_params(const struct scheduler *sc, const struct sched_opts *o,
		       struct listing *l)
{
	if (l->only == XC_CPUPOOL_POOLID_ANY)
		l->only = 0;
	if (!has_scheduler(sc, l->only, o->pool ? o->pool : "the first pool"))
		return XL_FAIL;
	if (!sets_pool(o)) {
		print_pool_line(l, l->only);
		return XL_OK;
	}
	if (sc->set_pool(o, l->only))
		return xl_fail("cannot set the pool's scheduling: %s",
			       strerror(errno));
	return XL_OK;
}

static int list_pools(const struct scheduler *sc, const struct sched_opts *o)
{
	struct listing l = {.sc = sc, .only = XC_CPUPOOL_POOLID_ANY};
	struct json j;

	if (o->pool && !host_pool_find(o->pool, &l.only)) {
		fprintf(stderr, "unknown cpupool '%s'\n", o->pool);
		return XL_FAIL;
	}
	if (o->params)
		return pool_params(sc, o, &l);
	l.list = host_domains(&l.nr);
	if (o->json) {
		l.json = &j;
		json_start(&j, stdout);
		json_array(&j, NULL);
	}
	host_each_pool(sched_pool, &l);
	if (l.json) {
		json_array_end(&j);
		json_end(&j);
	}
	free(l.list);
	return XL_OK;
}

/* A number into one of the options, or a complaint. */
static bool take(struct sched_opts *o, int opt, const char *s)
{
	switch (opt) {
	case 'w':
		return xl_number("the weight", s, 1, 65535, &o->weight);
	case 'c':
		return xl_number("the cap", s, 0, 65535, &o->cap);
	case 'r':
		return xl_number("the rate limit", s, 0, 500000, &o->ratelimit);
	case 't':
		return xl_number("the time slice", s, 1, 1000, &o->tslice);
	case 'm':
		return xl_number("the migration delay", s, 0, 100000,
				 &o->delay);
	case 'd':
		o->domain = s;
		break;
	case 'p':
		o->pool = s;
		break;
	case 's':
		o->params = true;
		break;
	case 'j':
		o->json = true;
		break;
	}
	return true;
}

static const struct option longs[] = {
	{"domain", 1, NULL, 'd'},
	{"weight", 1, NULL, 'w'},
	{"cap", 1, NULL, 'c'},
	{"schedparam", 0, NULL, 's'},
	{"tslice_ms", 1, NULL, 't'},
	{"ratelimit_us", 1, NULL, 'r'},
	{"migration_delay_us", 1, NULL, 'm'},
	{"cpupool", 1, NULL, 'p'},
	{"json", 0, NULL, 'j'},
	{"help", 0, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int run_sched(const struct xl_cmd *cmd, int argc, char **argv,
		     const struct scheduler *sc, const char *shorts)
{
	struct sched_opts o = {.weight = -1,
			       .cap = -1,
			       .ratelimit = -1,
			       .tslice = -1,
			       .delay = -1};
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, shorts, longs, 0)) != -1)
		if (!take(&o, opt, optarg))
			return XL_FAIL;
	if ((o.pool || o.params) && (o.domain || o.weight >= 0 || o.cap >= 0))
		return xl_fail("a cpupool's options cannot go with a domain's");
	if (!o.domain && (o.weight >= 0 || o.cap >= 0))
		return xl_fail("a weight or cap needs a domain: -d");
	if (sets_pool(&o) && !o.params)
		return xl_fail("a pool's parameters need -s");
	return o.domain ? one_domain(sc, &o) : list_pools(sc, &o);
}

static int run_credit(const struct xl_cmd *cmd, int argc, char **argv)
{
	return run_sched(cmd, argc, argv, &credit, "d:w:c:p:r:t:m:s");
}

const struct xl_cmd cmd_sched_credit = {
	.name = "sched-credit",
	.usage = "[-d <Domain> [-w[=WEIGHT]|-c[=CAP]]] [-s [-t TSLICE] "
		 "[-r RATELIMIT]] [-p CPUPOOL]",
	.summary = "Get/set credit scheduler parameters",
	.options =
		"-d DOMAIN, --domain=DOMAIN        Domain to modify\n"
		"-w WEIGHT, --weight=WEIGHT        Weight (int)\n"
		"-c CAP, --cap=CAP                 Cap (int)\n"
		"-s         --schedparam           Query / modify scheduler "
		"parameters\n"
		"-t TSLICE, --tslice_ms=TSLICE     Set the timeslice, in "
		"milliseconds\n"
		"-r RLIMIT, --ratelimit_us=RLIMIT  Set the scheduling rate "
		"limit, in microseconds\n"
		"-m DLY, --migration_delay_us=DLY  Set the migration delay, in "
		"microseconds\n"
		"-p CPUPOOL, --cpupool=CPUPOOL     Restrict output to CPUPOOL\n"
		"--json                            Facts as JSON",
	.run = run_credit,
	.changes = true,
};

static int run_credit2(const struct xl_cmd *cmd, int argc, char **argv)
{
	return run_sched(cmd, argc, argv, &credit2, "d:w:c:p:r:s");
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
