/* SPDX-License-Identifier: MIT */
/*
 * Platform shared resources: Intel's cache and memory-bandwidth monitoring
 * and allocation, and the MSR accesses that reading them takes.
 */
#include "private.h"

int xc_resource_op(xc_interface *xch, uint32_t nr_ops, xc_resource_op_t *ops)
{
	int rc = nr_ops ? 0 : -1;

	for (uint32_t i = 0; i < nr_ops; i++) {
		struct xen_platform_op op = {.cmd = XENPF_resource_op};
		struct safe s;

		if (safe_get(xch, &s, ops[i].entries,
			     ops[i].nr_entries * sizeof(*ops[i].entries),
			     SAFE_BOTH))
			return -1;
		op.u.resource_op.nr_entries = ops[i].nr_entries;
		op.u.resource_op.cpu = ops[i].cpu;
		set_xen_guest_handle_raw(op.u.resource_op.entries, s.p);
		rc = do_platform_op(xch, &op);
		ops[i].result = (uint64_t)rc;
		safe_put(xch, &s);
	}
	/* For one operation the result is this function's own as well. */
	return nr_ops > 1 ? 0 : rc;
}

/* ---- monitoring ---- */

static int cmt_domain(xc_interface *xch, struct xen_domctl *op, uint32_t cmd)
{
	op->u.psr_cmt_op.cmd = cmd;
	return xc_domctl(xch, op);
}

int xc_psr_cmt_attach(xc_interface *xch, uint32_t domid)
{
	struct xen_domctl op = DOMCTL(psr_cmt_op, domid);

	return cmt_domain(xch, &op, XEN_DOMCTL_PSR_CMT_OP_ATTACH);
}

int xc_psr_cmt_detach(xc_interface *xch, uint32_t domid)
{
	struct xen_domctl op = DOMCTL(psr_cmt_op, domid);

	return cmt_domain(xch, &op, XEN_DOMCTL_PSR_CMT_OP_DETACH);
}

int xc_psr_cmt_get_domain_rmid(xc_interface *xch, uint32_t domid,
			       uint32_t *rmid)
{
	struct xen_domctl op = DOMCTL(psr_cmt_op, domid);
	int rc = cmt_domain(xch, &op, XEN_DOMCTL_PSR_CMT_OP_QUERY_RMID);

	if (rc == 0)
		*rmid = op.u.psr_cmt_op.data;
	return rc;
}

static int cmt_host(xc_interface *xch, uint32_t cmd, uint32_t cpu,
		    uint32_t *value)
{
	struct xen_sysctl op = SYSCTL(psr_cmt_op);
	int rc;

	op.u.psr_cmt_op.cmd = cmd;
	op.u.psr_cmt_op.u.l3_cache.cpu = cpu;
	rc = xc_sysctl(xch, &op);
	if (rc == 0)
		*value = (uint32_t)op.u.psr_cmt_op.u.data;
	return rc;
}

int xc_psr_cmt_enabled(xc_interface *xch)
{
	uint32_t enabled;

	if (cmt_host(xch, XEN_SYSCTL_PSR_CMT_enabled, 0, &enabled))
		return 0;
	return (int)enabled;
}

int xc_psr_cmt_get_total_rmid(xc_interface *xch, uint32_t *total_rmid)
{
	return cmt_host(xch, XEN_SYSCTL_PSR_CMT_get_total_rmid, 0, total_rmid);
}

int xc_psr_cmt_get_l3_upscaling_factor(xc_interface *xch,
				       uint32_t *upscaling_factor)
{
	return cmt_host(xch, XEN_SYSCTL_PSR_CMT_get_l3_upscaling_factor, 0,
			upscaling_factor);
}

int xc_psr_cmt_get_l3_event_mask(xc_interface *xch, uint32_t *event_mask)
{
	return cmt_host(xch, XEN_SYSCTL_PSR_CMT_get_l3_event_mask, 0,
			event_mask);
}

int xc_psr_cmt_get_l3_cache_size(xc_interface *xch, uint32_t cpu,
				 uint32_t *l3_cache_size)
{
	return cmt_host(xch, XEN_SYSCTL_PSR_CMT_get_l3_cache_size, cpu,
			l3_cache_size);
}

/* Intel SDM Vol. 3, "Monitoring Resource RMID Occupancy". */
enum {
	MSR_TSC = 0x10,
	MSR_QM_EVTSEL = 0xc8d,
	MSR_QM_CTR = 0xc8e,
};

int xc_psr_cmt_get_data(xc_interface *xch, uint32_t rmid, uint32_t cpu,
			xc_psr_cmt_type type, uint64_t *monitor_data,
			uint64_t *tsc)
{
	xc_resource_entry_t e[3] = {
		{.u.cmd = XEN_RESOURCE_OP_MSR_WRITE, .idx = MSR_QM_EVTSEL},
		{.u.cmd = XEN_RESOURCE_OP_MSR_READ, .idx = MSR_QM_CTR},
		{.u.cmd = XEN_RESOURCE_OP_MSR_READ, .idx = MSR_TSC},
	};
	xc_resource_op_t op = {
		.cpu = cpu,
		.nr_entries = tsc ? 3 : 2,
		.entries = e,
	};
	int rc;

	if (type > XC_PSR_CMT_LOCAL_MEM_COUNT)
		return -1;
	/* Event numbers are those of the enumeration, from 1. */
	e[0].val = (uint64_t)rmid << 32 | ((uint32_t)type + 1);
	rc = xc_resource_op(xch, 1, &op);
	if (rc < 0)
		return rc;
	/* The counter's top bits say error and unavailable. */
	if (op.result != op.nr_entries || e[1].val >> 62)
		return -1;
	*monitor_data = e[1].val;
	if (tsc)
		*tsc = e[2].val;
	return 0;
}

/* ---- allocation ---- */

static const struct {
	uint32_t set, get;
} alloc_cmds[] = {
	[XC_PSR_CAT_L3_CBM] = {XEN_DOMCTL_PSR_SET_L3_CBM,
			       XEN_DOMCTL_PSR_GET_L3_CBM},
	[XC_PSR_CAT_L3_CBM_CODE] = {XEN_DOMCTL_PSR_SET_L3_CODE,
				    XEN_DOMCTL_PSR_GET_L3_CODE},
	[XC_PSR_CAT_L3_CBM_DATA] = {XEN_DOMCTL_PSR_SET_L3_DATA,
				    XEN_DOMCTL_PSR_GET_L3_DATA},
	[XC_PSR_CAT_L2_CBM] = {XEN_DOMCTL_PSR_SET_L2_CBM,
			       XEN_DOMCTL_PSR_GET_L2_CBM},
	[XC_PSR_MBA_THRTL] = {XEN_DOMCTL_PSR_SET_MBA_THRTL,
			      XEN_DOMCTL_PSR_GET_MBA_THRTL},
};

static bool known_type(xc_psr_type type)
{
	if (type >= XC_PSR_CAT_L3_CBM && type <= XC_PSR_MBA_THRTL)
		return true;
	errno = EINVAL;
	return false;
}

int xc_psr_set_domain_data(xc_interface *xch, uint32_t domid, xc_psr_type type,
			   uint32_t target, uint64_t data)
{
	struct xen_domctl op = DOMCTL(psr_alloc, domid);

	if (!known_type(type))
		return -1;
	op.u.psr_alloc.cmd = alloc_cmds[type].set;
	op.u.psr_alloc.target = target;
	op.u.psr_alloc.data = data;
	return xc_domctl(xch, &op);
}

int xc_psr_get_domain_data(xc_interface *xch, uint32_t domid, xc_psr_type type,
			   uint32_t target, uint64_t *data)
{
	struct xen_domctl op = DOMCTL(psr_alloc, domid);
	int rc;

	if (!known_type(type))
		return -1;
	op.u.psr_alloc.cmd = alloc_cmds[type].get;
	op.u.psr_alloc.target = target;
	rc = xc_domctl(xch, &op);
	if (rc == 0)
		*data = op.u.psr_alloc.data;
	return rc;
}

static int alloc_info(xc_interface *xch, struct xen_sysctl *op, uint32_t cmd,
		      uint32_t socket)
{
	op->u.psr_alloc.cmd = cmd;
	op->u.psr_alloc.target = socket;
	return xc_sysctl(xch, op);
}

static int cache_info(xc_interface *xch, uint32_t socket, uint32_t cmd,
		      xc_psr_hw_info *out)
{
	struct xen_sysctl op = SYSCTL(psr_alloc);
	int rc = alloc_info(xch, &op, cmd, socket);

	if (rc)
		return rc;
	out->cat.cos_max = op.u.psr_alloc.u.cat_info.cos_max;
	out->cat.cbm_len = op.u.psr_alloc.u.cat_info.cbm_len;
	out->cat.cdp_enabled =
		cmd == XEN_SYSCTL_PSR_get_l3_info &&
		(op.u.psr_alloc.u.cat_info.flags & XEN_SYSCTL_PSR_CAT_L3_CDP);
	return 0;
}

static int bandwidth_info(xc_interface *xch, uint32_t socket,
			  xc_psr_hw_info *out)
{
	struct xen_sysctl op = SYSCTL(psr_alloc);
	int rc = alloc_info(xch, &op, XEN_SYSCTL_PSR_get_mba_info, socket);

	if (rc)
		return rc;
	out->mba.cos_max = op.u.psr_alloc.u.mba_info.cos_max;
	out->mba.thrtl_max = op.u.psr_alloc.u.mba_info.thrtl_max;
	out->mba.linear = op.u.psr_alloc.u.mba_info.flags &
			  XEN_SYSCTL_PSR_MBA_LINEAR;
	return 0;
}

int xc_psr_get_hw_info(xc_interface *xch, uint32_t socket,
		       xc_psr_feat_type type, xc_psr_hw_info *hw_info)
{
	if (!hw_info) {
		errno = EINVAL;
		return -1;
	}
	switch (type) {
	case XC_PSR_CAT_L2:
		return cache_info(xch, socket, XEN_SYSCTL_PSR_get_l2_info,
				  hw_info);
	case XC_PSR_CAT_L3:
		return cache_info(xch, socket, XEN_SYSCTL_PSR_get_l3_info,
				  hw_info);
	case XC_PSR_MBA:
		return bandwidth_info(xch, socket, hw_info);
	}
	errno = EOPNOTSUPP;
	return -1;
}
