/* SPDX-License-Identifier: MIT */
/* See hostmem.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "hostconf.h"
#include "hostmem.h"
#include "xl.h"

/* Below this a Linux that serves devices is in trouble. */
#define DOM0_LEAST_KB (128ull << 10)
/* dom0's driver takes a few milliseconds a MiB, and nothing tells us. */
#define STEP_US 20000u
#define IDLE_MS 10000u

static bool free_kb(uint64_t *kb)
{
	xc_physinfo_t p;

	memset(&p, 0, sizeof(p));
	if (xc_physinfo(host_xc(), &p))
		return false;
	*kb = (p.free_pages - p.outstanding_pages) << 2;
	return true;
}

/* "auto": unless the hypervisor was told how much dom0 may have. */
static bool may_balloon(void)
{
	xen_commandline_t line = "";

	if (host_conf()->autoballoon != BALLOON_AUTO)
		return host_conf()->autoballoon == BALLOON_ON;
	if (xc_version(host_xc(), XENVER_commandline, line) < 0)
		return false;
	for (char *save, *w = strtok_r(line, " ", &save); w;
	     w = strtok_r(NULL, " ", &save))
		if (!strncmp(w, "dom0_mem=", strlen("dom0_mem=")))
			return false;
	return true;
}

/* Waits as long as there is more from time to time. */
static bool wait_free(uint64_t want)
{
	uint64_t have = 0, most = 0;

	for (unsigned int ms = 0; ms < IDLE_MS; ms += STEP_US / 1000) {
		if (!free_kb(&have) || have >= want)
			return true; /* creating it will tell */
		if (have > most) {
			most = have;
			ms = 0;
		}
		usleep(STEP_US);
	}
	return false;
}

static bool shrink_dom0(uint64_t kb)
{
	struct dom_info d;
	char text[24];
	long target;

	if (!host_domain(0, &d))
		return false;
	target = host_read_number((long)d.memory_kb,
				  "/local/domain/0/memory/target");
	if (target > (long)d.memory_kb)
		target = (long)d.memory_kb;
	if (target < (long)(kb + DOM0_LEAST_KB))
		return false;
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)target - (unsigned long long)kb);
	xl_note("taking %llu MiB from dom0", (unsigned long long)kb >> 10);
	return host_write(text, "/local/domain/0/memory/target");
}

bool hostmem_need(const char *guest, uint64_t kb)
{
	uint64_t have;

	if (!free_kb(&have) || kb <= have)
		return true;
	if (may_balloon() && shrink_dom0(kb - have) && wait_free(kb))
		return true;
	free_kb(&have);
	xl_fail("not enough memory: %s needs %llu MiB, the host has %llu MiB "
		"free. Shrink a guest or dom0 (xl mem-set), or give %s less",
		guest, (unsigned long long)(kb + 1023) >> 10,
		(unsigned long long)have >> 10, guest);
	return false;
}
