/* SPDX-License-Identifier: MIT */
/*
 * domctl: what tools do to a domain (public/domctl.h). A handler gets the
 * domain that the operation names, referenced by the caller, and changes op for
 * those that answer; only one domctl runs at a time.
 */
#ifndef OSTLER_CONTROL_DOMCTL_H
#define OSTLER_CONTROL_DOMCTL_H

#include "control/control.h"

typedef long domctl_fn(struct domain *d, struct xen_domctl *op);

/* domctl_domain.c: life and limits. createdomain's d is NULL. */
domctl_fn domctl_createdomain, domctl_destroydomain, domctl_pausedomain,
	domctl_unpausedomain, domctl_resumedomain, domctl_max_mem,
	domctl_max_vcpus, domctl_setdomainhandle, domctl_set_target,
	domctl_subscribe, domctl_set_virq_handler, domctl_settimeoffset,
	domctl_setnodeaffinity, domctl_getnodeaffinity,
	domctl_set_access_required;

/* domctl_info.c */
domctl_fn domctl_getdomaininfo, domctl_getpageframeinfo3,
	domctl_get_address_size, domctl_set_address_size;
/* Also of sysctl's getdomaininfolist. */
void domain_get_info(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* domctl_cpu.c: what CPUs the domain sees, and their state */
domctl_fn domctl_get_cpu_policy, domctl_set_cpu_policy, domctl_gethvmcontext,
	domctl_sethvmcontext, domctl_gethvmcontext_partial,
	domctl_setvcpucontext, domctl_getvcpucontext, domctl_sendtrigger,
	domctl_gettscinfo, domctl_settscinfo;
/* Copies a policy to a tool's buffers: domctl and sysctl. */
long cpu_policy_copy_out(const struct cpu_policy *p, uint64_t leaves,
			 uint32_t *nr_leaves, uint64_t msrs, uint32_t *nr_msrs);

/* domctl_memory.c: paging memory, permissions */
domctl_fn domctl_shadow_op, domctl_get_paging_mempool_size,
	domctl_set_paging_mempool_size, domctl_hypercall_init,
	domctl_iomem_permission, domctl_ioport_permission,
	domctl_irq_permission;

/* domctl_debug.c: debuggers */
domctl_fn domctl_gdbsx_guestmemio, domctl_gdbsx_pausevcpu,
	domctl_gdbsx_unpausevcpu, domctl_gdbsx_domstatus, domctl_debug_op,
	domctl_setdebugging, domctl_get_ext_vcpucontext,
	domctl_set_ext_vcpucontext;

/* domctl_sched.c */
domctl_fn domctl_scheduler_op, domctl_getvcpuinfo, domctl_getvcpuaffinity,
	domctl_setvcpuaffinity;

#endif
