/* SPDX-License-Identifier: MIT */
/* The host's handles and domains; see host.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xentoollog.h>

#include "batch.h"
#include "host.h"
#include "xl.h"

static xc_interface *xc;
static struct xs_handle *xs;

static void __attribute__((noreturn)) no_hypervisor(int error)
{
	if (geteuid())
		xl_fail("this needs root: the hypervisor's device, "
			"/dev/xen/privcmd, is root's");
	else if (error == ENOENT || error == ENODEV || error == ENXIO)
		xl_fail("/dev/xen/privcmd is missing: this is not dom0 of a "
			"Xen host, or the module xen-privcmd is not loaded");
	else
		xl_fail("the hypervisor does not answer: %s", strerror(error));
	exit(XL_FAIL);
}

xc_interface *host_xc(void)
{
	xentoollog_logger *log;

	if (xc)
		return xc;
	/* The library's own log is for -v: it says little to act on. */
	log = (xentoollog_logger *)xtl_createlogger_stdiostream(
		stderr, xl_globals.verbose ? XTL_DETAIL : XTL_CRITICAL, 0);
	xc = xc_interface_open(log, log, 0);
	if (!xc)
		no_hypervisor(errno);
	return xc;
}

struct xs_handle *host_xs(void)
{
	if (!xs)
		xs = xs_open(0);
	if (!xs) {
		xl_fail("the store does not answer: %s (is xenstored running?)",
			strerror(errno));
		exit(XL_FAIL);
	}
	return xs;
}

bool host_store_again(void)
{
	if (xs)
		xs_close(xs);
	xs = xs_open(0);
	return xs;
}

void host_forget(void)
{
	batch_forget();
	if (xs)
		xs_daemon_destroy_postfork(xs);
	if (xc)
		xc_interface_close(xc);
	xs = NULL;
	xc = NULL;
}

static void convert(const xc_domaininfo_t *from, struct dom_info *to)
{
	to->domid = from->domain;
	to->flags = from->flags;
	to->vcpus = from->nr_online_vcpus;
	to->max_vcpu_id = from->max_vcpu_id;
	to->cpupool = from->cpupool;
	to->memory_kb = (from->tot_pages + from->shr_pages) << 2;
	to->outstanding_kb = from->outstanding_pages << 2;
	to->shared_kb = from->shr_pages << 2;
	to->max_kb = from->max_pages << 2;
	to->cpu_ns = from->cpu_time;
	memcpy(to->handle, from->handle, sizeof(to->handle));
}

static void __attribute__((noreturn)) list_failed(void)
{
	xl_fail("the hypervisor does not list its domains: %s",
		strerror(errno));
	exit(XL_FAIL);
}

static void *need(void *p)
{
	if (!p) {
		xl_fail("out of memory");
		exit(XL_FAIL);
	}
	return p;
}

#define BATCH 256

struct dom_info *host_domains(unsigned int *nr)
{
	static xc_domaininfo_t raw[BATCH];
	struct dom_info *list = NULL;
	uint32_t first = 0;
	int n;

	*nr = 0;
	do {
		n = xc_domain_getinfolist(host_xc(), first, BATCH, raw);
		if (n < 0)
			list_failed();
		list = need(realloc(list, (*nr + (unsigned int)n + 1) *
						  sizeof(*list)));
		for (int i = 0; i < n; i++)
			convert(&raw[i], &list[(*nr)++]);
		if (n)
			first = raw[n - 1].domain + 1u;
	} while (n == BATCH);
	return list;
}

bool host_domain(uint32_t domid, struct dom_info *info)
{
	xc_domaininfo_t raw;
	int n = xc_domain_getinfolist(host_xc(), domid, 1, &raw);

	if (n < 0)
		list_failed();
	if (n != 1 || raw.domain != domid)
		return false;
	convert(&raw, info);
	return true;
}

const char *host_sched_name(uint32_t id)
{
	static const char *const names[] = {
		[XEN_SCHEDULER_CREDIT] = "credit",
		[XEN_SCHEDULER_CREDIT2] = "credit2",
		[XEN_SCHEDULER_ARINC653] = "arinc653",
		[XEN_SCHEDULER_RTDS] = "rtds",
		[XEN_SCHEDULER_NULL] = "null",
	};

	return id < ARRAY_SIZE(names) && names[id] ? names[id] : "unknown";
}
