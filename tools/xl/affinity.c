/* SPDX-License-Identifier: MIT */
/* Pinning, weight and cap; see affinity.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "affinity.h"
#include "cpumap.h"
#include "host.h"
#include "hostconf.h"
#include "xl.h"

static bool pin(uint32_t domid, const struct domain_config *dc,
		const struct cpu_lists *lists, bool soft, xc_cpumap_t map)
{
	uint32_t flag = soft ? XEN_VCPUAFFINITY_SOFT : XEN_VCPUAFFINITY_HARD;

	for (long long i = 0; i < dc->maxvcpus; i++) {
		unsigned int which = lists->each ? (unsigned int)i : 0;

		if (which >= lists->nr)
			break;
		cpumap_of(&lists->list[which], map);
		if (!soft && !dc->ignore_masks)
			cpumap_mask(dc->type != TYPE_PV, map);
		if (!xc_vcpu_setaffinity(host_xc(), domid, (int)i,
					 soft ? NULL : map, soft ? map : NULL,
					 flag))
			continue;
		xl_fail("cannot pin vCPU %lld: %s", i,
			errno == EINVAL ? "cpus= leaves it no processor"
					: strerror(errno));
		return false;
	}
	return true;
}

static bool has_masks(bool hvm)
{
	const struct host_conf *hc = host_conf();

	return hc->mask[MASK_ALL].nr || hc->mask[hvm ? MASK_HVM : MASK_PV].nr;
}

static bool pin_all(uint32_t domid, const struct domain_config *dc)
{
	xc_cpumap_t map;
	struct cpu_lists hard = dc->cpus;
	struct cpu_term all = {.all = true, .last = CPU_LIST_MAX};
	struct cpu_list everywhere = {.nr = 1, .term = &all};
	bool ok;

	/* A mask of the host's holds for those too that say nothing. */
	if (!hard.nr && !dc->ignore_masks && has_masks(dc->type != TYPE_PV))
		hard = (struct cpu_lists){.nr = 1, .list = &everywhere};
	if (!hard.nr && !dc->cpus_soft.nr)
		return true;
	map = xc_cpumap_alloc(host_xc());
	ok = map && pin(domid, dc, &hard, false, map) &&
	     pin(domid, dc, &dc->cpus_soft, true, map);
	free(map);
	return ok;
}

static bool weigh(uint32_t domid, const struct domain_config *dc)
{
	struct xen_domctl_sched_credit2 s;

	if (dc->cpu_weight < 0 && dc->cap < 0)
		return true;
	if (xc_sched_credit2_domain_get(host_xc(), domid, &s)) {
		xl_warn("cpu_weight and cap have no effect: the scheduler is "
			"not credit2");
		return true;
	}
	if (dc->cpu_weight >= 0)
		s.weight = (uint16_t)dc->cpu_weight;
	if (dc->cap >= 0)
		s.cap = (uint16_t)dc->cap;
	if (!xc_sched_credit2_domain_set(host_xc(), domid, &s))
		return true;
	xl_fail("cannot set the weight and cap: %s", strerror(errno));
	return false;
}

bool affinity_apply(uint32_t domid, const struct domain_config *dc)
{
	return pin_all(domid, dc) && weigh(domid, dc);
}

long affinity_utc_offset(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) ? tm.tm_gmtoff : 0;
}
