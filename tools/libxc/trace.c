/* SPDX-License-Identifier: MIT */
/*
 * Looking on: the hypervisor's trace buffers, processor trace of vCPUs,
 * performance counters, lock profiles, machine checks.
 */
#include "private.h"

#include <xen/trace.h>

/* ---- trace buffers ---- */

static int tbuf_op(xc_interface *xch, struct xen_sysctl *op, uint32_t cmd)
{
	op->u.tbuf_op.cmd = cmd;
	return xc_sysctl(xch, op);
}

int xc_tbuf_set_size(xc_interface *xch, unsigned long size)
{
	struct xen_sysctl op = SYSCTL(tbuf_op);

	op.u.tbuf_op.size = (uint32_t)size;
	return tbuf_op(xch, &op, XEN_SYSCTL_TBUFOP_set_size);
}

int xc_tbuf_get_size(xc_interface *xch, unsigned long *size)
{
	struct xen_sysctl op = SYSCTL(tbuf_op);
	struct t_info *info;
	size_t len;

	if (tbuf_op(xch, &op, XEN_SYSCTL_TBUFOP_get_info))
		return -1;
	len = op.u.tbuf_op.size;
	info = xc_map_foreign_range(xch, DOMID_XEN, (int)len, PROT_READ,
				    op.u.tbuf_op.buffer_mfn);
	if (!info)
		return -1;
	*size = info->tbuf_size;
	munmap(info, len);
	return *size ? 0 : -1;
}

int xc_tbuf_enable(xc_interface *xch, unsigned long pages, unsigned long *mfn,
		   unsigned long *size)
{
	struct xen_sysctl enable = SYSCTL(tbuf_op), info = SYSCTL(tbuf_op);

	/* Fails when there are buffers already, which are then used. */
	xc_tbuf_set_size(xch, pages);
	if (tbuf_op(xch, &enable, XEN_SYSCTL_TBUFOP_enable) ||
	    tbuf_op(xch, &info, XEN_SYSCTL_TBUFOP_get_info))
		return -1;
	*size = info.u.tbuf_op.size;
	*mfn = info.u.tbuf_op.buffer_mfn;
	return 0;
}

int xc_tbuf_disable(xc_interface *xch)
{
	struct xen_sysctl op = SYSCTL(tbuf_op);

	return tbuf_op(xch, &op, XEN_SYSCTL_TBUFOP_disable);
}

int xc_tbuf_set_cpu_mask(xc_interface *xch, xc_cpumap_t mask)
{
	struct xen_sysctl op = SYSCTL(tbuf_op);
	int size = xc_get_cpumap_size(xch), rc;
	struct safe s;

	if (size <= 0 || safe_get(xch, &s, mask, (size_t)size, SAFE_IN))
		return -1;
	set_xen_guest_handle_raw(op.u.tbuf_op.cpu_mask.bitmap, s.p);
	op.u.tbuf_op.cpu_mask.nr_bits = (uint32_t)xc_get_max_cpus(xch);
	rc = tbuf_op(xch, &op, XEN_SYSCTL_TBUFOP_set_cpu_mask);
	safe_put(xch, &s);
	return rc;
}

int xc_tbuf_set_evt_mask(xc_interface *xch, uint32_t mask)
{
	struct xen_sysctl op = SYSCTL(tbuf_op);

	op.u.tbuf_op.evt_mask = mask;
	return tbuf_op(xch, &op, XEN_SYSCTL_TBUFOP_set_evt_mask);
}

/* ---- processor trace ---- */

static int vmtrace(xc_interface *xch, uint32_t domid, uint32_t vcpu,
		   uint32_t cmd, uint64_t key, uint64_t in, uint64_t *out)
{
	struct xen_domctl op = DOMCTL(vmtrace_op, domid);
	int rc;

	op.u.vmtrace_op.cmd = cmd;
	op.u.vmtrace_op.vcpu = vcpu;
	op.u.vmtrace_op.key = key;
	op.u.vmtrace_op.value = in;
	rc = xc_domctl(xch, &op);
	if (rc == 0 && out)
		*out = op.u.vmtrace_op.value;
	return rc;
}

int xc_vmtrace_enable(xc_interface *xch, uint32_t domid, uint32_t vcpu)
{
	return vmtrace(xch, domid, vcpu, XEN_DOMCTL_vmtrace_enable, 0, 0, NULL);
}

int xc_vmtrace_disable(xc_interface *xch, uint32_t domid, uint32_t vcpu)
{
	return vmtrace(xch, domid, vcpu, XEN_DOMCTL_vmtrace_disable, 0, 0,
		       NULL);
}

int xc_vmtrace_reset_and_enable(xc_interface *xch, uint32_t domid,
				uint32_t vcpu)
{
	return vmtrace(xch, domid, vcpu, XEN_DOMCTL_vmtrace_reset_and_enable, 0,
		       0, NULL);
}

int xc_vmtrace_output_position(xc_interface *xch, uint32_t domid, uint32_t vcpu,
			       uint64_t *pos)
{
	return vmtrace(xch, domid, vcpu, XEN_DOMCTL_vmtrace_output_position, 0,
		       0, pos);
}

int xc_vmtrace_get_option(xc_interface *xch, uint32_t domid, uint32_t vcpu,
			  uint64_t key, uint64_t *value)
{
	return vmtrace(xch, domid, vcpu, XEN_DOMCTL_vmtrace_get_option, key, 0,
		       value);
}

int xc_vmtrace_set_option(xc_interface *xch, uint32_t domid, uint32_t vcpu,
			  uint64_t key, uint64_t value)
{
	return vmtrace(xch, domid, vcpu, XEN_DOMCTL_vmtrace_set_option, key,
		       value, NULL);
}

/* ---- performance counters and lock profiles ---- */

int xc_perfc_reset(xc_interface *xch)
{
	struct xen_sysctl op = SYSCTL(perfc_op);

	op.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_reset;
	return xc_sysctl(xch, &op);
}

int xc_perfc_query_number(xc_interface *xch, int *nbr_desc, int *nbr_val)
{
	struct xen_sysctl op = SYSCTL(perfc_op);
	int rc;

	op.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query;
	rc = xc_sysctl(xch, &op);
	if (nbr_desc)
		*nbr_desc = (int)op.u.perfc_op.nr_counters;
	if (nbr_val)
		*nbr_val = (int)op.u.perfc_op.nr_vals;
	return rc;
}

int xc_perfc_query(xc_interface *xch, xc_hypercall_buffer_t *desc,
		   xc_hypercall_buffer_t *val)
{
	struct xen_sysctl op = SYSCTL(perfc_op);

	op.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query;
	set_xen_guest_handle_raw(op.u.perfc_op.desc, buffer_of(desc));
	set_xen_guest_handle_raw(op.u.perfc_op.val, buffer_of(val));
	return xc_sysctl(xch, &op);
}

int xc_lockprof_reset(xc_interface *xch)
{
	struct xen_sysctl op = SYSCTL(lockprof_op);

	op.u.lockprof_op.cmd = XEN_SYSCTL_LOCKPROF_reset;
	return xc_sysctl(xch, &op);
}

int xc_lockprof_query_number(xc_interface *xch, uint32_t *n_elems)
{
	struct xen_sysctl op = SYSCTL(lockprof_op);
	int rc;

	op.u.lockprof_op.cmd = XEN_SYSCTL_LOCKPROF_query;
	rc = xc_sysctl(xch, &op);
	*n_elems = op.u.lockprof_op.nr_elem;
	return rc;
}

int xc_lockprof_query(xc_interface *xch, uint32_t *n_elems, uint64_t *time,
		      xc_hypercall_buffer_t *data)
{
	struct xen_sysctl op = SYSCTL(lockprof_op);
	int rc;

	op.u.lockprof_op.cmd = XEN_SYSCTL_LOCKPROF_query;
	op.u.lockprof_op.max_elem = *n_elems;
	set_xen_guest_handle_raw(op.u.lockprof_op.data, buffer_of(data));
	rc = xc_sysctl(xch, &op);
	*n_elems = op.u.lockprof_op.nr_elem;
	if (time)
		*time = op.u.lockprof_op.time;
	return rc;
}

/* ---- machine checks ---- */

int xc_mca_op(xc_interface *xch, struct xen_mc *mc)
{
	return do_mca(xch, mc);
}

int xc_mca_op_inject_v2(xc_interface *xch, unsigned int flags,
			xc_cpumap_t cpumap, unsigned int nr_cpus)
{
	struct xen_mc mc = {.cmd = XEN_MC_inject_v2};
	struct xen_mc_inject_v2 *inject = &mc.u.mc_inject_v2;
	struct safe s;
	int rc;

	if (cpumap && !nr_cpus) {
		errno = EINVAL;
		return -1;
	}
	if (safe_get(xch, &s, cpumap, (nr_cpus + 7) / 8, SAFE_IN))
		return -1;
	inject->flags = flags;
	set_xen_guest_handle_raw(inject->cpumap.bitmap, s.p);
	inject->cpumap.nr_bits = cpumap ? nr_cpus : 0;
	rc = do_mca(xch, &mc);
	safe_put(xch, &s);
	return rc;
}
