/* SPDX-License-Identifier: MIT */
/* xl vcpu-list, xl vcpu-pin, xl vcpu-set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "cpumap.h"
#include "host.h"
#include "json.h"
#include "spec.h"
#include "xl.h"

struct vcpu_line {
	const char *name;
	uint32_t domid, vcpu;
	xc_vcpuinfo_t info;
	char hard[256], soft[256];
};

static void print_vcpu(const struct vcpu_line *v)
{
	printf("%-32s %5u %5u", v->name, v->domid, v->vcpu);
	if (v->info.online)
		printf(" %4u   %c%c- ", v->info.cpu,
		       v->info.running ? 'r' : '-',
		       v->info.blocked ? 'b' : '-');
	else
		printf(" %4c   %c%cp ", '-', '-', '-');
	printf("%9.1f  %s / %s\n", (double)v->info.cpu_time / 1e9, v->hard,
	       v->soft);
}

static void json_vcpu(struct json *j, const struct vcpu_line *v)
{
	json_object(j, NULL);
	json_string(j, "name", v->name);
	json_uint(j, "domid", v->domid);
	json_uint(j, "vcpu", v->vcpu);
	json_bool(j, "online", v->info.online);
	json_bool(j, "running", v->info.running);
	json_bool(j, "blocked", v->info.blocked);
	if (v->info.online)
		json_uint(j, "cpu", v->info.cpu);
	json_double(j, "cpu_seconds", (double)v->info.cpu_time / 1e9);
	json_string(j, "hard_affinity", v->hard);
	json_string(j, "soft_affinity", v->soft);
	json_object_end(j);
}

static void affinity(struct vcpu_line *v, xc_cpumap_t hard, xc_cpumap_t soft)
{
	strcpy(v->hard, "-");
	strcpy(v->soft, "-");
	if (!hard || !soft ||
	    xc_vcpu_getaffinity(host_xc(), v->domid, (int)v->vcpu, hard, soft,
				XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT))
		return;
	cpumap_format(hard, host_cpus(), v->hard, sizeof(v->hard));
	cpumap_format(soft, host_cpus(), v->soft, sizeof(v->soft));
}

static void print_domain(const struct dom_info *d, struct json *j)
{
	xc_cpumap_t hard = xc_cpumap_alloc(host_xc());
	xc_cpumap_t soft = xc_cpumap_alloc(host_xc());
	char *name = host_name(d->domid);
	struct vcpu_line v = {.name = name ? name : "", .domid = d->domid};

	for (v.vcpu = 0; v.vcpu <= d->max_vcpu_id &&
			 d->max_vcpu_id != XEN_INVALID_MAX_VCPU_ID;
	     v.vcpu++) {
		if (xc_vcpu_getinfo(host_xc(), v.domid, v.vcpu, &v.info))
			continue;
		affinity(&v, hard, soft);
		if (j)
			json_vcpu(j, &v);
		else
			print_vcpu(&v);
	}
	free(name);
	free(hard);
	free(soft);
}

static int run_list(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct dom_info *list = NULL, one;
	struct json j, *out = xl_wants_json(cmd, argc, argv, 0) ? &j : NULL;
	unsigned int nr = 0;

	host_xc();
	if (out) {
		json_start(out, stdout);
		json_array(out, NULL);
	} else {
		printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU",
		       "CPU", "State", "Time(s)", "Affinity (Hard / Soft)");
	}
	if (optind == argc)
		list = host_domains(&nr);
	for (unsigned int i = 0; i < nr; i++)
		print_domain(&list[i], out);
	for (; optind < argc; optind++)
		if (host_domain(host_need(argv[optind]), &one))
			print_domain(&one, out);
	if (out) {
		json_array_end(out);
		json_end(out);
	}
	free(list);
	return XL_OK;
}

const struct xl_cmd cmd_vcpu_list = {
	.name = "vcpu-list",
	.usage = "[Domain, ...]",
	.summary = "List the VCPUs for all/some domains",
	.options = "--json             Facts as JSON",
	.run = run_list,
};

struct pin {
	uint32_t domid, flags;
	xc_cpumap_t hard, soft;
};

static int pin_one(const struct pin *p, int vcpu)
{
	if (!xc_vcpu_setaffinity(host_xc(), p->domid, vcpu, p->hard, p->soft,
				 p->flags))
		return XL_OK;
	return xl_fail("cannot pin vCPU %d of domain %u: %s", vcpu, p->domid,
		       errno == EINVAL ? "none of the processors is usable"
				       : strerror(errno));
}

/* "-" leaves an affinity alone. */
static bool pin_map(const char *s, uint32_t bit, xc_cpumap_t map,
		    uint32_t *flags)
{
	if (!strcmp(s, "-"))
		return true;
	*flags |= bit;
	return cpumap_from(s, map);
}

static int pin_all(const struct pin *p, const char *which)
{
	struct dom_info d;
	long vcpu;
	int rc = XL_OK;

	if (strcmp(which, "all")) {
		if (!xl_number("the vCPU", which, 0, 8191, &vcpu))
			return XL_FAIL;
		return pin_one(p, (int)vcpu);
	}
	if (!host_domain(p->domid, &d))
		return xl_fail("domain %u is gone", p->domid);
	for (uint32_t i = 0; i <= d.max_vcpu_id && rc == XL_OK; i++)
		rc = pin_one(p, (int)i);
	return rc;
}

/* With -N: the set that the vCPUs would be given. */
static int show_pin(const struct pin *p)
{
	bool hard = p->flags & XEN_VCPUAFFINITY_HARD;
	char text[256];

	cpumap_format(hard ? p->hard : p->soft, host_cpus(), text,
		      sizeof(text));
	printf("cpumap: %s\n", text);
	return XL_OK;
}

static int run_pin(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{"force", 0, NULL, 'f'},
		{"ignore-global-affinity-masks", 0, NULL, 'i'},
		{"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct pin p = {0};
	bool masks = true;
	struct dom_info d;
	int opt, rc;

	while ((opt = xl_getopt(cmd, argc, argv, "f", longs, 3)) != -1) {
		if (opt == 'f')
			p.flags |= XEN_VCPUAFFINITY_FORCE;
		masks &= opt != 'i';
	}
	p.hard = xc_cpumap_alloc(host_xc());
	p.soft = xc_cpumap_alloc(host_xc());
	if (!p.hard || !p.soft)
		return xl_fail("out of memory");
	p.domid = host_need(argv[optind]);
	if (!pin_map(argv[optind + 2], XEN_VCPUAFFINITY_HARD, p.hard,
		     &p.flags) ||
	    !pin_map(argc - optind > 3 ? argv[optind + 3] : "-",
		     XEN_VCPUAFFINITY_SOFT, p.soft, &p.flags))
		return XL_FAIL;
	if (masks && host_domain(p.domid, &d))
		cpumap_mask(d.flags & XEN_DOMINF_hvm_guest, p.hard);
	rc = xl_globals.dryrun ? show_pin(&p) : pin_all(&p, argv[optind + 1]);
	free(p.hard);
	free(p.soft);
	return rc;
}

const struct xl_cmd cmd_vcpu_pin = {
	.name = "vcpu-pin",
	.usage = "[option] <Domain> <VCPU|all> <Hard affinity|-|all> "
		 "<Soft affinity|-|all>",
	.summary = "Set which CPUs a VCPU can use",
	.options = "-f, --force        undo an override pinning done by the "
		   "kernel\n"
		   "--ignore-global-affinity-masks Ignore global masks in "
		   "xl.conf",
	.run = run_pin,
	.changes = true,
	.dryrun = true,
};

static int run_set(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{"ignore-host", 0, NULL, 'i'},
		{"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct dom_info d;
	uint32_t domid;
	bool any = false;
	long n;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "i", longs, 2)) != -1)
		any |= opt == 'i';
	domid = host_need(argv[optind]);
	if (!host_domain(domid, &d))
		return xl_fail("domain %u is gone", domid);
	if (!xl_number("the number of vCPUs", argv[optind + 1], 1,
		       (long)d.max_vcpu_id + 1, &n))
		return XL_FAIL;
	if (!any && n > (long)host_cpus() && n > (long)d.vcpus)
		return xl_fail("%ld vCPUs are more than the host's %u "
			       "processors: give -i to have them all the same",
			       n, host_cpus());
	for (uint32_t i = 0; i <= d.max_vcpu_id; i++)
		if (!host_write((long)i < n ? "online" : "offline",
				"/local/domain/%u/cpu/%u/availability", domid,
				i))
			return xl_fail("cannot write to the store: %s",
				       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_vcpu_set = {
	.name = "vcpu-set",
	.usage = "[option] <Domain> <vCPUs>",
	.summary = "Set the number of active VCPUs allowed for the domain",
	.options = "-i, --ignore-host  Don't limit the vCPU based on the host "
		   "CPU count",
	.run = run_set,
	.changes = true,
};
