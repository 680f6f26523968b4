/* SPDX-License-Identifier: MIT */
/* xl mem-set, xl mem-max: a domain's memory target and its limit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "spec.h"
#include "xl.h"

/* What the toolstack leaves above the target for the guest's few extras. */
#define SLACK_KB 1024

static bool size_operand(const char *s, uint64_t *kb)
{
	uint64_t bytes;

	/* Without a letter the stock xl takes MiB, whatever its manual says. */
	if (!memsize_parse(s, 1 << 20, &bytes) || !(bytes >> 10)) {
		fprintf(stderr, "invalid memory size: %s\n", s);
		return false;
	}
	*kb = bytes >> 10;
	return true;
}

static uint64_t store_kb(uint32_t domid, const char *what)
{
	long n =
		host_read_number(-1, "/local/domain/%u/memory/%s", domid, what);

	return n < 0 ? 0 : (uint64_t)n;
}

static int set_target(uint32_t domid, uint64_t kb)
{
	uint64_t max = store_kb(domid, "static-max");
	uint64_t video = store_kb(domid, "videoram");
	struct dom_info d;
	char text[32];

	if (!host_domain(domid, &d))
		return xl_fail("domain %u is gone", domid);
	if (!max && !domid)
		max = d.memory_kb;
	if (max && kb > max)
		return xl_fail("%llu MiB are more than the most that domain "
			       "%u may have, %llu MiB",
			       (unsigned long long)kb >> 10, domid,
			       (unsigned long long)max >> 10);
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)(kb > video ? kb - video : kb));
	/* Up: the limit first, so that the guest can follow its target. */
	if (xc_domain_setmaxmem(host_xc(), domid, kb + SLACK_KB))
		return xl_fail("cannot set domain %u's limit: %s", domid,
			       strerror(errno));
	if (!host_write(text, "/local/domain/%u/memory/target", domid))
		return xl_fail("cannot write domain %u's target: %s", domid,
			       strerror(errno));
	if (d.flags & XEN_DOMINF_hvm_guest)
		xc_domain_set_pod_target(host_xc(), domid, kb >> 2, NULL, NULL,
					 NULL);
	return XL_OK;
}

static int run_set(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint64_t kb;

	if (!size_operand(argv[i + 1], &kb))
		return XL_FAIL;
	return set_target(host_need(argv[i]), kb);
}

const struct xl_cmd cmd_mem_set = {
	.name = "mem-set",
	.usage = "<Domain> <MemMB['b'[bytes]|'k'[KB]|'m'[MB]|'g'[GB]|'t'[TB]]>",
	.summary = "Set the current memory usage for a domain",
	.run = run_set,
	.changes = true,
};

static int run_max(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t domid = host_need(argv[i]);
	uint64_t kb, target = store_kb(domid, "target");

	if (!size_operand(argv[i + 1], &kb))
		return XL_FAIL;
	if (kb < target)
		return xl_fail("%llu MiB are less than domain %u's memory "
			       "target, %llu MiB: lower that first (mem-set)",
			       (unsigned long long)kb >> 10, domid,
			       (unsigned long long)target >> 10);
	if (xc_domain_setmaxmem(host_xc(), domid, kb + SLACK_KB))
		return xl_fail("cannot set domain %u's limit: %s", domid,
			       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_mem_max = {
	.name = "mem-max",
	.usage = "<Domain> <MemMB['b'[bytes]|'k'[KB]|'m'[MB]|'g'[GB]|'t'[TB]]>",
	.summary = "Set the maximum amount reservation for a domain",
	.run = run_max,
	.changes = true,
};
