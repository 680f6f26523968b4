/* SPDX-License-Identifier: MIT */
/*
 * sysctl's dispatch: version, then the operation's handler. Only dom0 gets here
 * (hypercall/table.def). What has no handler answers as the stock hypervisor
 * does where the feature is not built in.
 */
#include "control/sysctl.h"

#include "console/printk.h"
#include "lib/errno.h"

/* One at a time; a second caller comes again. */
static spinlock_t sysctl_lock = SPINLOCK_INIT(LOCK_DOMCTL);

static long coverage(struct xen_sysctl *op)
{
	(void)op;
	return -EOPNOTSUPP;
}

/* As the stock one without CONFIG_TRACEBUFFER: there is no trace ring. */
static long trace_buffers(struct xen_sysctl *op)
{
	(void)op;
	return -ENOSYS;
}

static sysctl_fn *const handlers[] = {
	[XEN_SYSCTL_readconsole] = sysctl_readconsole,
	[XEN_SYSCTL_tbuf_op] = trace_buffers,
	[XEN_SYSCTL_physinfo] = sysctl_physinfo,
	[XEN_SYSCTL_sched_id] = sysctl_sched_id,
	[XEN_SYSCTL_perfc_op] = sysctl_perfc_op,
	[XEN_SYSCTL_getdomaininfolist] = sysctl_getdomaininfolist,
	[XEN_SYSCTL_debug_keys] = sysctl_debug_keys,
	[XEN_SYSCTL_getcpuinfo] = sysctl_getcpuinfo,
	[XEN_SYSCTL_availheap] = sysctl_availheap,
	[XEN_SYSCTL_get_pmstat] = sysctl_get_pmstat,
	[XEN_SYSCTL_cpu_hotplug] = sysctl_cpu_hotplug,
	[XEN_SYSCTL_pm_op] = sysctl_pm_op,
	[XEN_SYSCTL_page_offline_op] = sysctl_pages_offline,
	[XEN_SYSCTL_cputopoinfo] = sysctl_cputopoinfo,
	[XEN_SYSCTL_numainfo] = sysctl_numainfo,
	[XEN_SYSCTL_cpupool_op] = sysctl_cpupool_op,
	[XEN_SYSCTL_scheduler_op] = sysctl_scheduler_op,
	[XEN_SYSCTL_coverage_op] = coverage,
	[XEN_SYSCTL_psr_cmt_op] = sysctl_psr_cmt_op,
	[XEN_SYSCTL_pcitopoinfo] = sysctl_pcitopoinfo,
	[XEN_SYSCTL_psr_alloc] = sysctl_psr_alloc,
	[XEN_SYSCTL_get_cpu_levelling_caps] = sysctl_get_cpu_levelling_caps,
	[XEN_SYSCTL_get_cpu_featureset] = sysctl_get_cpu_featureset,
	[XEN_SYSCTL_get_cpu_policy] = sysctl_get_cpu_policy,
};

long sysctl(struct vcpu *v, struct xen_sysctl *op)
{
	sysctl_fn *fn;
	long rc;

	if (op->interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (!v->domain->privileged)
		return -EPERM;
	if (op->cmd >= ARRAY_SIZE(handlers) ||
	    !(fn = handlers[index_nospec(op->cmd, ARRAY_SIZE(handlers))])) {
		printk(XENLOG_DEBUG "sysctl %u: not implemented\n", op->cmd);
		return -ENOSYS;
	}
	if (!spin_trylock(&sysctl_lock))
		return -ERESTART;
	rc = fn(op);
	spin_unlock(&sysctl_lock);
	return rc;
}
