/* SPDX-License-Identifier: MIT */
/* CPU pools: one function per sub-operation. */
#include "private.h"

static int pool_op(xc_interface *xch, struct xen_sysctl *op, uint32_t cmd,
		   uint32_t pool)
{
	op->u.cpupool_op.op = cmd;
	op->u.cpupool_op.cpupool_id = pool;
	return do_sysctl_again(xch, op);
}

int xc_cpupool_create(xc_interface *xch, uint32_t *ppoolid, uint32_t sched_id)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);
	int rc;

	op.u.cpupool_op.sched_id = sched_id;
	rc = pool_op(xch, &op, XEN_SYSCTL_CPUPOOL_OP_CREATE,
		     *ppoolid == XC_CPUPOOL_POOLID_ANY
			     ? XEN_SYSCTL_CPUPOOL_PAR_ANY
			     : *ppoolid);
	if (rc == 0)
		*ppoolid = op.u.cpupool_op.cpupool_id;
	return rc;
}

int xc_cpupool_destroy(xc_interface *xch, uint32_t poolid)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);

	return pool_op(xch, &op, XEN_SYSCTL_CPUPOOL_OP_DESTROY, poolid);
}

/* A sub-operation that fills a CPU map: the map, or NULL. */
static xc_cpumap_t pool_map(xc_interface *xch, struct xen_sysctl *op,
			    uint32_t cmd, uint32_t pool)
{
	int size = xc_get_cpumap_size(xch), rc;
	xc_cpumap_t map = xc_cpumap_alloc(xch);
	struct safe s;

	if (!map)
		return NULL;
	if (safe_get(xch, &s, map, (size_t)size, SAFE_OUT))
		goto fail;
	set_xen_guest_handle_raw(op->u.cpupool_op.cpumap.bitmap, s.p);
	op->u.cpupool_op.cpumap.nr_bits = (uint32_t)size * 8;
	rc = pool_op(xch, op, cmd, pool);
	safe_put(xch, &s);
	if (rc >= 0)
		return map;
fail:
	free(map);
	return NULL;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);
	xc_cpupoolinfo_t *info = calloc(1, sizeof(*info));

	if (!info)
		return NULL;
	/* Answers for the first pool from poolid on. */
	info->cpumap = pool_map(xch, &op, XEN_SYSCTL_CPUPOOL_OP_INFO, poolid);
	if (!info->cpumap) {
		free(info);
		return NULL;
	}
	info->cpupool_id = op.u.cpupool_op.cpupool_id;
	info->sched_id = op.u.cpupool_op.sched_id;
	info->n_dom = op.u.cpupool_op.n_dom;
	return info;
}

void xc_cpupool_infofree(xc_interface *xch, xc_cpupoolinfo_t *info)
{
	(void)xch;
	free(info->cpumap);
	free(info);
}

xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);

	return pool_map(xch, &op, XEN_SYSCTL_CPUPOOL_OP_FREEINFO, 0);
}

static uint32_t cpu_or_any(int cpu)
{
	return cpu < 0 ? XEN_SYSCTL_CPUPOOL_PAR_ANY : (uint32_t)cpu;
}

int xc_cpupool_addcpu(xc_interface *xch, uint32_t poolid, int cpu)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);

	op.u.cpupool_op.cpu = cpu_or_any(cpu);
	return pool_op(xch, &op, XEN_SYSCTL_CPUPOOL_OP_ADDCPU, poolid);
}

int xc_cpupool_removecpu(xc_interface *xch, uint32_t poolid, int cpu)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);
	int rc, tries = 5;

	/* A vCPU pinned for a moment makes the CPU busy: try again. */
	do {
		op.u.cpupool_op.cpu = cpu_or_any(cpu);
		rc = pool_op(xch, &op, XEN_SYSCTL_CPUPOOL_OP_RMCPU, poolid);
	} while (rc && errno == EADDRINUSE && --tries > 0);
	return rc;
}

int xc_cpupool_movedomain(xc_interface *xch, uint32_t poolid, uint32_t domid)
{
	struct xen_sysctl op = SYSCTL(cpupool_op);

	op.u.cpupool_op.domid = domid;
	return pool_op(xch, &op, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN, poolid);
}
