/* SPDX-License-Identifier: MIT */
/*
 * sysctl: what tools ask of the machine (public/sysctl.h). A handler changes op
 * for those that answer; it is copied back when the result is not negative.
 */
#ifndef OSTLER_CONTROL_SYSCTL_H
#define OSTLER_CONTROL_SYSCTL_H

#include "control/control.h"

typedef long sysctl_fn(struct xen_sysctl *op);

/* sysctl_info.c: the machine, its processors and memory */
sysctl_fn sysctl_physinfo, sysctl_sched_id, sysctl_getdomaininfolist,
	sysctl_getcpuinfo, sysctl_availheap, sysctl_cputopoinfo,
	sysctl_numainfo, sysctl_pcitopoinfo, sysctl_pages_offline;

/* sysctl_cpu.c: what CPUs offer; their power */
sysctl_fn sysctl_get_cpu_policy, sysctl_get_cpu_featureset,
	sysctl_get_cpu_levelling_caps, sysctl_cpu_hotplug, sysctl_get_pmstat,
	sysctl_pm_op, sysctl_psr_cmt_op, sysctl_psr_alloc;

/* sysctl_console.c: messages, debug keys, counters */
sysctl_fn sysctl_readconsole, sysctl_debug_keys, sysctl_perfc_op;

/* sysctl_sched.c: the one CPU pool and its scheduler */
sysctl_fn sysctl_cpupool_op, sysctl_scheduler_op;

/* A set of CPUs to and from a tool's bitmap. -EFAULT. */
int cpumask_to_tool(const struct xenctl_bitmap *to, const cpumask_t *from);
int cpumask_from_tool(cpumask_t *to, const struct xenctl_bitmap *from);

/* keys.c: what a debug key shows, on the console. Takes locks: not from an
 * interrupt. */
void debug_key(char key);
/* The console's keys, from now on. */
void keys_init(void);

#endif
