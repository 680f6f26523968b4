/* SPDX-License-Identifier: MIT */
/* xl list, xl vm-list, xl claims: the domains, a line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "domjson.h"
#include "host.h"
#include "json.h"
#include "spec.h"
#include "xl.h"

struct list_opts {
	bool longer, context, verbose, pool, numa, json, claims;
};

static const char *reason_name(const struct dom_info *d)
{
	static const char *const names[] = {"poweroff", "reboot",
					    "suspend",  "crash",
					    "watchdog", "soft reset"};
	unsigned int reason = dom_shutdown_reason(d);

	if (!(d->flags & XEN_DOMINF_shutdown))
		return "-";
	return reason < ARRAY_SIZE(names) ? names[reason] : "unknown";
}

static void states(const struct dom_info *d, char out[7])
{
	bool down = d->flags & XEN_DOMINF_shutdown;
	bool crashed = down && dom_shutdown_reason(d) == SHUTDOWN_crash;

	strcpy(out, "------");
	if (d->flags & XEN_DOMINF_running)
		out[0] = 'r';
	if (d->flags & XEN_DOMINF_blocked)
		out[1] = 'b';
	if (d->flags & XEN_DOMINF_paused)
		out[2] = 'p';
	if (down)
		out[3] = 's';
	if (crashed)
		out[4] = 'c';
	if (d->flags & XEN_DOMINF_dying)
		out[5] = 'd';
}

static void print_header(const struct list_opts *o)
{
	printf("%-40s %5s %5s %5s\tState\tTime(s)", "Name", "ID", "Mem",
	       "VCPUs");
	if (o->verbose)
		printf("   UUID                            Reason-Code\t"
		       "Security Label");
	else if (o->context)
		printf("   Security Label");
	if (o->claims)
		printf("  Claimed");
	if (o->pool)
		printf("         Cpupool");
	if (o->numa)
		printf(" NODE Affinity");
	putchar('\n');
}

static void print_nodes(uint32_t domid)
{
	xc_nodemap_t map = xc_nodemap_alloc(host_xc());
	char text[128] = "all";
	bool all = true;
	xc_physinfo_t p;

	memset(&p, 0, sizeof(p));
	if (map && !xc_physinfo(host_xc(), &p) &&
	    !xc_domain_node_getaffinity(host_xc(), domid, map)) {
		for (unsigned int i = 0; i <= p.max_node_id; i++)
			all &= cpumap_has(map, i);
		if (!all)
			cpumap_format(map, p.max_node_id + 1, text,
				      sizeof(text));
	}
	printf(" %s", text);
	free(map);
}

static void print_line(const struct list_opts *o, const struct dom_info *d,
		       const char *name)
{
	char flags[7], *pool;

	states(d, flags);
	printf("%-40s %5u %5llu %5u     %s  %8.1f", name ? name : "(null)",
	       d->domid,
	       (unsigned long long)(d->memory_kb + d->outstanding_kb) >> 10,
	       d->vcpus, flags, (double)d->cpu_ns / 1e9);
	if (o->verbose)
		printf(" " UUID_FMT " %8s %16s", UUID_ARG(d->handle),
		       reason_name(d), "-");
	else if (o->context)
		printf(" %16s", "-");
	if (o->claims)
		printf(" %5llu", (unsigned long long)d->outstanding_kb >> 10);
	if (o->pool) {
		pool = host_pool_name(d->cpupool);
		printf("%16s", pool ? pool : "-");
		free(pool);
	}
	if (o->numa)
		print_nodes(d->domid);
	putchar('\n');
}

static void json_line(struct json *j, const struct dom_info *d,
		      const char *name)
{
	char flags[7], uuid[40];
	char *pool = host_pool_name(d->cpupool);

	states(d, flags);
	snprintf(uuid, sizeof(uuid), UUID_FMT, UUID_ARG(d->handle));
	json_object(j, NULL);
	json_string(j, "name", name);
	json_uint(j, "domid", d->domid);
	json_string(j, "uuid", uuid);
	json_string(j, "type", d->flags & XEN_DOMINF_hvm_guest ? "hvm" : "pv");
	json_uint(j, "memory_kb", d->memory_kb);
	json_uint(j, "max_memory_kb", d->max_kb);
	json_uint(j, "outstanding_kb", d->outstanding_kb);
	json_uint(j, "vcpus", d->vcpus);
	json_string(j, "state", flags);
	json_string(j, "shutdown_reason",
		    d->flags & XEN_DOMINF_shutdown ? reason_name(d) : NULL);
	json_double(j, "cpu_seconds", (double)d->cpu_ns / 1e9);
	json_string(j, "pool", pool);
	json_object_end(j);
	free(pool);
}

static void print_json(const struct list_opts *o, const struct dom_info *list,
		       unsigned int nr, char **names)
{
	struct json j;

	json_start(&j, stdout);
	json_array(&j, NULL);
	for (unsigned int i = 0; i < nr; i++) {
		if (o->longer)
			domjson_print(&j, &list[i]);
		else
			json_line(&j, &list[i], names[i]);
	}
	json_array_end(&j);
	json_end(&j);
}

static void print_all(const struct list_opts *o, const struct dom_info *list,
		      unsigned int nr)
{
	char **names = host_names(list, nr);

	if (!names) {
		xl_fail("out of memory");
		return;
	}
	if (o->json || o->longer) {
		print_json(o, list, nr, names);
	} else {
		print_header(o);
		for (unsigned int i = 0; i < nr; i++)
			print_line(o, &list[i], names[i]);
	}
	host_free_names(names, nr);
}

/* The domains that were named, in that order. */
static int print_named(const struct list_opts *o, int argc, char **argv)
{
	struct dom_info *list = calloc((size_t)argc, sizeof(*list));
	unsigned int nr = 0;
	int rc = XL_OK;
	uint32_t domid;

	if (!list)
		return xl_fail("out of memory");
	for (int i = 0; i < argc && rc == XL_OK; i++) {
		if (!host_find(argv[i], &domid)) {
			rc = XL_FAIL;
		} else if (!host_domain(domid, &list[nr++])) {
			fprintf(stderr, "Error: Domain '%s' does not exist.\n",
				argv[i]);
			rc = XL_FAIL;
		}
	}
	if (rc == XL_OK)
		print_all(o, list, nr);
	free(list);
	return rc;
}

static void print_every(const struct list_opts *o, bool guests_only)
{
	unsigned int nr, skip = 0;
	struct dom_info *list = host_domains(&nr);

	if (guests_only && nr && list[0].domid == 0)
		skip = 1;
	print_all(o, list + skip, nr - skip);
	free(list);
}

static int run_list(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{"long", 0, NULL, 'l'},    {"verbose", 0, NULL, 'v'},
		{"context", 0, NULL, 'Z'}, {"cpupool", 0, NULL, 'c'},
		{"numa", 0, NULL, 'n'},    {"json", 0, NULL, 'j'},
		{"help", 0, NULL, 'h'},    {NULL, 0, NULL, 0},
	};
	struct list_opts o = {0};
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "lvhZcn", longs, 0)) != -1) {
		o.longer |= opt == 'l';
		o.verbose |= opt == 'v';
		o.context |= opt == 'Z';
		o.pool |= opt == 'c';
		o.numa |= opt == 'n';
		o.json |= opt == 'j';
	}
	if (optind < argc)
		return print_named(&o, argc - optind, argv + optind);
	print_every(&o, false);
	return XL_OK;
}

const struct xl_cmd cmd_list = {
	.name = "list",
	.usage = "[options] [Domain]",
	.summary = "List information about all/some domains",
	.options = "-l, --long              Output all VM details\n"
		   "-v, --verbose           Prints out UUIDs and security "
		   "context\n"
		   "-Z, --context           Prints out security context\n"
		   "-c, --cpupool           Prints the cpupool the domain is "
		   "in\n"
		   "-n, --numa              Prints out NUMA node affinity\n"
		   "--json                  Facts as JSON",
	.run = run_list,
};

static int run_claims(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct list_opts o = {.claims = true};

	o.json = xl_wants_json(cmd, argc, argv, 0);
	print_every(&o, false);
	return XL_OK;
}

const struct xl_cmd cmd_claims = {
	.name = "claims",
	.usage = "",
	.summary = "List outstanding claim information about all domains",
	.options = "--json                  Facts as JSON",
	.run = run_claims,
};

static int run_vm_list(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct list_opts o = {.json = xl_wants_json(cmd, argc, argv, 0)};
	unsigned int nr;
	struct dom_info *list;

	if (o.json) {
		print_every(&o, true);
		return XL_OK;
	}
	list = host_domains(&nr);
	printf("UUID                                  ID    name\n");
	for (unsigned int i = 0; i < nr; i++) {
		char *name = host_name(list[i].domid);

		printf(UUID_FMT "  %u    %s\n", UUID_ARG(list[i].handle),
		       list[i].domid, name ? name : "");
		free(name);
	}
	free(list);
	return XL_OK;
}

const struct xl_cmd cmd_vm_list = {
	.name = "vm-list",
	.usage = "",
	.summary = "List guest domains, excluding dom0, stubdoms, etc.",
	.options = "--json                  Facts as JSON",
	.run = run_vm_list,
};
