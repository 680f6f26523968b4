/* SPDX-License-Identifier: MIT */
/*
 * domctl's dispatch: version, right, domain, then the operation's handler.
 */
#include "control/domctl.h"

#include "console/printk.h"
#include "lib/errno.h"

/* One tool's change at a time; a second one comes again. */
static spinlock_t domctl_lock = SPINLOCK_INIT(LOCK_DOMCTL);

static domctl_fn *const handlers[] = {
	[XEN_DOMCTL_createdomain] = domctl_createdomain,
	[XEN_DOMCTL_destroydomain] = domctl_destroydomain,
	[XEN_DOMCTL_pausedomain] = domctl_pausedomain,
	[XEN_DOMCTL_unpausedomain] = domctl_unpausedomain,
	[XEN_DOMCTL_getdomaininfo] = domctl_getdomaininfo,
	[XEN_DOMCTL_max_mem] = domctl_max_mem,
	[XEN_DOMCTL_shadow_op] = domctl_shadow_op,
	[XEN_DOMCTL_setvcpuaffinity] = domctl_setvcpuaffinity,
	[XEN_DOMCTL_setvcpucontext] = domctl_setvcpucontext,
	[XEN_DOMCTL_getvcpucontext] = domctl_getvcpucontext,
	[XEN_DOMCTL_getvcpuinfo] = domctl_getvcpuinfo,
	[XEN_DOMCTL_max_vcpus] = domctl_max_vcpus,
	[XEN_DOMCTL_scheduler_op] = domctl_scheduler_op,
	[XEN_DOMCTL_getvcpuaffinity] = domctl_getvcpuaffinity,
	[XEN_DOMCTL_setdebugging] = domctl_setdebugging,
	[XEN_DOMCTL_setdomainhandle] = domctl_setdomainhandle,
	[XEN_DOMCTL_irq_permission] = domctl_irq_permission,
	[XEN_DOMCTL_iomem_permission] = domctl_iomem_permission,
	[XEN_DOMCTL_ioport_permission] = domctl_ioport_permission,
	[XEN_DOMCTL_hypercall_init] = domctl_hypercall_init,
	[XEN_DOMCTL_settimeoffset] = domctl_settimeoffset,
	[XEN_DOMCTL_resumedomain] = domctl_resumedomain,
	[XEN_DOMCTL_sendtrigger] = domctl_sendtrigger,
	[XEN_DOMCTL_subscribe] = domctl_subscribe,
	[XEN_DOMCTL_gethvmcontext] = domctl_gethvmcontext,
	[XEN_DOMCTL_sethvmcontext] = domctl_sethvmcontext,
	[XEN_DOMCTL_set_address_size] = domctl_set_address_size,
	[XEN_DOMCTL_get_address_size] = domctl_get_address_size,
	[XEN_DOMCTL_set_ext_vcpucontext] = domctl_set_ext_vcpucontext,
	[XEN_DOMCTL_get_ext_vcpucontext] = domctl_get_ext_vcpucontext,
	[XEN_DOMCTL_set_target] = domctl_set_target,
	[XEN_DOMCTL_settscinfo] = domctl_settscinfo,
	[XEN_DOMCTL_gettscinfo] = domctl_gettscinfo,
	[XEN_DOMCTL_getpageframeinfo3] = domctl_getpageframeinfo3,
	[XEN_DOMCTL_debug_op] = domctl_debug_op,
	[XEN_DOMCTL_gethvmcontext_partial] = domctl_gethvmcontext_partial,
	[XEN_DOMCTL_set_access_required] = domctl_set_access_required,
	[XEN_DOMCTL_set_virq_handler] = domctl_set_virq_handler,
	[XEN_DOMCTL_setnodeaffinity] = domctl_setnodeaffinity,
	[XEN_DOMCTL_getnodeaffinity] = domctl_getnodeaffinity,
	[XEN_DOMCTL_get_cpu_policy] = domctl_get_cpu_policy,
	[XEN_DOMCTL_set_cpu_policy] = domctl_set_cpu_policy,
	[XEN_DOMCTL_get_paging_mempool_size] = domctl_get_paging_mempool_size,
	[XEN_DOMCTL_set_paging_mempool_size] = domctl_set_paging_mempool_size,
};

/* A debugger's have numbers far from the others. */
#define GDBSX(cmd) ((cmd)-XEN_DOMCTL_gdbsx_guestmemio)
static domctl_fn *const gdbsx_handlers[] = {
	[GDBSX(XEN_DOMCTL_gdbsx_guestmemio)] = domctl_gdbsx_guestmemio,
	[GDBSX(XEN_DOMCTL_gdbsx_pausevcpu)] = domctl_gdbsx_pausevcpu,
	[GDBSX(XEN_DOMCTL_gdbsx_unpausevcpu)] = domctl_gdbsx_unpausevcpu,
	[GDBSX(XEN_DOMCTL_gdbsx_domstatus)] = domctl_gdbsx_domstatus,
};

static domctl_fn *find_handler(uint32_t cmd)
{
	uint32_t gdbsx = GDBSX(cmd);

	if (cmd < ARRAY_SIZE(handlers))
		return handlers[index_nospec(cmd, ARRAY_SIZE(handlers))];
	if (gdbsx < ARRAY_SIZE(gdbsx_handlers))
		return gdbsx_handlers[index_nospec(gdbsx,
						   ARRAY_SIZE(gdbsx_handlers))];
	return NULL;
}

/* getdomaininfo finds the next domain, not just the one. */
static struct domain *find_target(const struct xen_domctl *op)
{
	if (op->cmd == XEN_DOMCTL_getdomaininfo)
		return next_domain(op->domain);
	return get_domain(op->domain);
}

/* dom0 may, and nobody else: what a stub domain may do to its target, it asks
 * for by other calls. The domain that keeps the store learns who is there. */
static bool may_ask(const struct domain *caller, uint32_t cmd)
{
	return caller->privileged ||
	       (cmd == XEN_DOMCTL_getdomaininfo &&
		(caller->create_flags & XEN_DOMCTL_CDF_xs_domain));
}

long domctl(struct vcpu *v, struct xen_domctl *op)
{
	struct domain *d = NULL;
	domctl_fn *fn = find_handler(op->cmd);
	long rc;

	if (op->interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (!fn) {
		if (!v->domain->privileged)
			return -EPERM;
		printk(XENLOG_DEBUG "domctl %u: not implemented\n", op->cmd);
		return -ENOSYS;
	}
	if (op->cmd != XEN_DOMCTL_createdomain) {
		d = find_target(op);
		if (!d)
			return -ESRCH;
	}
	if (!may_ask(v->domain, op->cmd)) {
		rc = -EPERM;
	} else if (!spin_trylock(&domctl_lock)) {
		rc = -ERESTART;
	} else {
		rc = fn(d, op);
		spin_unlock(&domctl_lock);
	}
	if (d)
		put_domain(d);
	return rc;
}
