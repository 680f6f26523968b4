/* SPDX-License-Identifier: MIT */
/* xl info: the host's facts, name : value. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmds.h"
#include "host.h"
#include "json.h"
#include "spec.h"
#include "xl.h"

/* One output for two forms: a line, or a member of an object. */
struct facts {
	struct json *json; /* NULL: lines */
	const char *only;  /* the value of this one alone, NULL: all */
	bool found;
};

/* A line; of the one that was asked for, its value. */
static void line(struct facts *f, const char *name, const char *value)
{
	if (!f->only) {
		printf("%-23s: %s\n", name, value);
	} else if (!strcmp(f->only, name)) {
		puts(value);
		f->found = true;
	}
}

static void text(struct facts *f, const char *name, const char *value)
{
	if (f->json)
		json_string(f->json, name, value);
	else
		line(f, name, value);
}

static void number(struct facts *f, const char *name, uint64_t value)
{
	char buf[24];

	if (f->json) {
		json_uint(f->json, name, value);
	} else {
		snprintf(buf, sizeof(buf), "%llu", (unsigned long long)value);
		line(f, name, buf);
	}
}

static void print_host(struct facts *f)
{
	struct utsname u;

	if (uname(&u))
		return;
	text(f, "host", u.nodename);
	text(f, "release", u.release);
	text(f, "version", u.version);
	text(f, "machine", u.machine);
}

static void print_caps(struct facts *f, const xc_physinfo_t *p)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} caps[] = {
		{XEN_SYSCTL_PHYSCAP_pv, "pv"},
		{XEN_SYSCTL_PHYSCAP_hvm, "hvm"},
		{XEN_SYSCTL_PHYSCAP_directio, "hvm_directio pv_directio"},
		{XEN_SYSCTL_PHYSCAP_hap, "hap"},
		{XEN_SYSCTL_PHYSCAP_shadow, "shadow"},
		{XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share, "iommu_hap_pt_share"},
		{XEN_SYSCTL_PHYSCAP_vmtrace, "vmtrace"},
		{XEN_SYSCTL_PHYSCAP_vpmu, "vpmu"},
		{XEN_SYSCTL_PHYSCAP_gnttab_v1, "gnttab-v1"},
		{XEN_SYSCTL_PHYSCAP_gnttab_v2, "gnttab-v2"},
	};
	char words[256] = "";

	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++) {
		if (!(p->capabilities & caps[i].bit))
			continue;
		if (*words)
			strcat(words, " ");
		strcat(words, caps[i].name);
	}
	text(f, "virt_caps", words);
}

static void print_cpus(struct facts *f, const xc_physinfo_t *p)
{
	char buf[96];
	size_t n = 0;
	unsigned int cores = p->cores_per_socket ? p->cores_per_socket : 1;
	unsigned int threads = p->threads_per_core ? p->threads_per_core : 1;

	number(f, "nr_cpus", p->nr_cpus);
	number(f, "max_cpu_id", p->max_cpu_id);
	number(f, "nr_nodes", p->nr_nodes);
	number(f, "cores_per_socket", cores);
	number(f, "threads_per_core", threads);
	snprintf(buf, sizeof(buf), "%.3f", (double)p->cpu_khz / 1000);
	text(f, "cpu_mhz", buf);
	for (unsigned int i = 0; i < 8; i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%08x",
				      i ? ":" : "", p->hw_cap[i]);
	text(f, "hw_caps", buf);
	print_caps(f, p);
}

static uint64_t free_cpus(void)
{
	int size = xc_get_cpumap_size(host_xc());
	xc_cpumap_t map = xc_cpupool_freeinfo(host_xc());
	uint64_t n = 0;

	for (int i = 0; map && i < size; i++)
		n += (uint64_t)__builtin_popcount(map[i]);
	free(map);
	return n;
}

static uint64_t mib(uint64_t pages)
{
	return pages >> 8;
}

static bool print_memory(struct facts *f)
{
	xc_physinfo_t p;
	long freed, used;

	memset(&p, 0, sizeof(p));
	if (xc_physinfo(host_xc(), &p)) {
		xl_fail("the hypervisor does not say what the host has: %s",
			strerror(errno));
		return false;
	}
	freed = xc_sharing_freed_pages(host_xc());
	used = xc_sharing_used_frames(host_xc());
	print_cpus(f, &p);
	number(f, "total_memory", mib(p.total_pages));
	number(f, "free_memory", mib(p.free_pages - p.outstanding_pages));
	number(f, "sharing_freed_memory", freed > 0 ? mib((uint64_t)freed) : 0);
	number(f, "sharing_used_memory", used > 0 ? mib((uint64_t)used) : 0);
	number(f, "outstanding_claims", mib(p.outstanding_pages));
	number(f, "free_cpus", free_cpus());
	return true;
}

static const char *scheduler(void)
{
	int id = -1;

	if (xc_sched_id(host_xc(), &id))
		id = -1;
	return host_sched_name((uint32_t)id);
}

static void print_build(struct facts *f)
{
	struct xen_compile_info c;
	union {
		xen_build_id_t id;
		char room[sizeof(xen_build_id_t) + 64];
	} u;
	char hex[2 * 64 + 1] = "";
	int n;

	memset(&c, 0, sizeof(c));
	if (!xc_version(host_xc(), XENVER_compile_info, &c)) {
		text(f, "cc_compiler", c.compiler);
		text(f, "cc_compile_by", c.compile_by);
		text(f, "cc_compile_domain", c.compile_domain);
		text(f, "cc_compile_date", c.compile_date);
	}
	memset(&u, 0, sizeof(u));
	u.id.len = 64;
	n = xc_version(host_xc(), XENVER_build_id, &u.id);
	for (int i = 0; i < n && i < 64; i++)
		snprintf(hex + 2 * i, 3, "%02x", u.id.buf[i]);
	text(f, "build_id", hex);
}

static void print_xen(struct facts *f)
{
	int version = xc_version(host_xc(), XENVER_version, NULL);
	int page = xc_version(host_xc(), XENVER_pagesize, NULL);
	xen_extraversion_t extra = "";
	xen_capabilities_info_t caps = "";
	xen_changeset_info_t change = "";
	xen_commandline_t line = "";
	struct xen_platform_parameters params = {0};
	char buf[sizeof(extra) + 32];

	if (version < 0)
		version = 0;
	xc_version(host_xc(), XENVER_extraversion, &extra);
	xc_version(host_xc(), XENVER_capabilities, &caps);
	xc_version(host_xc(), XENVER_changeset, &change);
	xc_version(host_xc(), XENVER_commandline, &line);
	xc_version(host_xc(), XENVER_platform_parameters, &params);
	number(f, "xen_major", (uint64_t)version >> 16);
	number(f, "xen_minor", (uint64_t)version & 0xffff);
	text(f, "xen_extra", extra);
	snprintf(buf, sizeof(buf), "%d.%d%s", version >> 16, version & 0xffff,
		 extra);
	text(f, "xen_version", buf);
	text(f, "xen_caps", caps);
	text(f, "xen_scheduler", scheduler());
	number(f, "xen_pagesize", page > 0 ? (uint64_t)page : 4096);
	snprintf(buf, sizeof(buf), "virt_start=0x%lx",
		 (unsigned long)params.virt_start);
	text(f, "platform_params", buf);
	text(f, "xen_changeset", change);
	text(f, "xen_commandline", line);
	print_build(f);
	number(f, "xend_config_format", 4);
}

static void print_topology(struct facts *f)
{
	xc_cputopo_t *cpus;
	unsigned int n = 0;

	if (xc_cputopoinfo(host_xc(), &n, NULL) || !n)
		return;
	cpus = calloc(n, sizeof(*cpus));
	if (!cpus || xc_cputopoinfo(host_xc(), &n, cpus))
		n = 0;
	if (f->json)
		json_array(f->json, "cpu_topology");
	else
		printf("cpu_topology           :\n"
		       "cpu:    core    socket     node\n");
	for (unsigned int i = 0; i < n; i++) {
		if (cpus[i].core == XEN_INVALID_CORE_ID)
			continue;
		if (f->json) {
			json_object(f->json, NULL);
			json_uint(f->json, "cpu", i);
			json_uint(f->json, "core", cpus[i].core);
			json_uint(f->json, "socket", cpus[i].socket);
			json_uint(f->json, "node", cpus[i].node);
			json_object_end(f->json);
		} else {
			printf("%3u:    %4u     %4u     %4u\n", i, cpus[i].core,
			       cpus[i].socket, cpus[i].node);
		}
	}
	if (f->json)
		json_array_end(f->json);
	else
		printf("device topology        :\ndevice           node\n"
		       "No device topology data available\n");
	free(cpus);
}

static void numa_line(struct facts *f, unsigned int i, const xc_meminfo_t *m,
		      const uint32_t *distance, unsigned int n)
{
	if (f->json) {
		json_object(f->json, NULL);
		json_uint(f->json, "node", i);
		json_uint(f->json, "memory_mb", m->memsize >> 20);
		json_uint(f->json, "free_mb", m->memfree >> 20);
		json_array(f->json, "distances");
		for (unsigned int k = 0; k < n; k++)
			json_uint(f->json, NULL, distance[k]);
		json_array_end(f->json);
		json_object_end(f->json);
		return;
	}
	printf("%4u:    %6llu     %6llu      %u", i,
	       (unsigned long long)m->memsize >> 20,
	       (unsigned long long)m->memfree >> 20, distance[0]);
	for (unsigned int k = 1; k < n; k++)
		printf(",%u", distance[k]);
	putchar('\n');
}

static void print_numa(struct facts *f)
{
	unsigned int n = 0;
	xc_meminfo_t *mem;
	uint32_t *distance;

	if (xc_numainfo(host_xc(), &n, NULL, NULL) || !n)
		return;
	mem = calloc(n, sizeof(*mem));
	distance = calloc((size_t)n * n, sizeof(*distance));
	if (f->json)
		json_array(f->json, "numa_info");
	else
		printf("numa_info              :\n"
		       "node:    memsize    memfree    distances\n");
	if (mem && distance && !xc_numainfo(host_xc(), &n, mem, distance))
		for (unsigned int i = 0; i < n; i++)
			if (mem[i].memsize != XEN_INVALID_MEM_SZ)
				numa_line(f, i, &mem[i], distance + i * n, n);
	if (f->json)
		json_array_end(f->json);
	free(mem);
	free(distance);
}

static int run_info(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"numa", 0, NULL, 'n'},
					      {"json", 0, NULL, 'j'},
					      {"help", 0, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct facts f = {.json = NULL};
	struct json j;
	bool numa = false, ok;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "n", longs, 0)) != -1) {
		numa |= opt == 'n';
		if (opt == 'j')
			f.json = &j;
	}
	if (!f.json && optind < argc) {
		f.only = argv[optind];
		numa = false;
	}
	if (f.json) {
		json_start(&j, stdout);
		json_object(&j, NULL);
	}
	host_xc();
	print_host(&f);
	ok = print_memory(&f);
	if (ok && numa) {
		print_topology(&f);
		print_numa(&f);
	}
	if (ok)
		print_xen(&f);
	if (f.json) {
		json_object_end(&j);
		json_end(&j);
	}
	if (ok && f.only && !f.found)
		return xl_fail("'%s' is not among what xl info tells", f.only);
	return ok ? XL_OK : XL_FAIL;
}

const struct xl_cmd cmd_info = {
	.name = "info",
	.usage = "[-n] [--json] [Name]",
	.summary = "Get information about Xen host",
	.options = "-n, --numa         List host NUMA topology information\n"
		   "--json             Facts as JSON",
	.run = run_info,
};
