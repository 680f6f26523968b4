/* SPDX-License-Identifier: MIT */
/* Virtual processors: number, registers, affinity, NUMA placement. */
#include "private.h"

int xc_domain_max_vcpus(xc_interface *xch, uint32_t domid, unsigned int max)
{
	struct xen_domctl op = DOMCTL(max_vcpus, domid);

	op.u.max_vcpus.max = max;
	return xc_domctl(xch, &op);
}

int xc_vcpu_getinfo(xc_interface *xch, uint32_t domid, uint32_t vcpu,
		    xc_vcpuinfo_t *info)
{
	struct xen_domctl op = DOMCTL(getvcpuinfo, domid);
	int rc;

	op.u.getvcpuinfo.vcpu = vcpu;
	rc = xc_domctl(xch, &op);
	*info = op.u.getvcpuinfo;
	return rc;
}

long long xc_domain_get_cpu_usage(xc_interface *xch, uint32_t domid, int vcpu)
{
	xc_vcpuinfo_t info;

	if (xc_vcpu_getinfo(xch, domid, (uint32_t)vcpu, &info))
		return -1;
	return (long long)info.cpu_time;
}

static int vcpu_context(xc_interface *xch, struct xen_domctl *op, uint32_t vcpu,
			vcpu_guest_context_any_t *ctxt, int dir)
{
	struct safe s;
	int rc;

	if (safe_get(xch, &s, ctxt, sizeof(*ctxt), dir))
		return -1;
	op->u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle_raw(op->u.vcpucontext.ctxt, s.p);
	rc = xc_domctl(xch, op);
	safe_put(xch, &s);
	return rc;
}

/* NULL is an argument with a meaning: the vCPU is reset. */
int xc_vcpu_setcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
		       vcpu_guest_context_any_t *ctxt)
{
	struct xen_domctl op = DOMCTL(setvcpucontext, domid);

	return vcpu_context(xch, &op, vcpu, ctxt, SAFE_IN);
}

int xc_vcpu_getcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
		       vcpu_guest_context_any_t *ctxt)
{
	struct xen_domctl op = DOMCTL(getvcpucontext, domid);

	return vcpu_context(xch, &op, vcpu, ctxt, SAFE_OUT);
}

int xc_vcpu_get_extstate(xc_interface *xch, uint32_t domid, uint32_t vcpu,
			 xc_vcpu_extstate_t *extstate)
{
	struct xen_domctl op = DOMCTL(getvcpuextstate, domid);
	struct safe s;
	int rc;

	/* With no size given this asks how large the state is. */
	if (safe_get(xch, &s, extstate->size ? extstate->buffer : NULL,
		     extstate->size, SAFE_OUT))
		return -1;
	op.u.vcpuextstate.vcpu = vcpu;
	op.u.vcpuextstate.xfeature_mask = extstate->xfeature_mask;
	op.u.vcpuextstate.size = extstate->size;
	set_xen_guest_handle_raw(op.u.vcpuextstate.buffer, s.p);
	rc = xc_domctl(xch, &op);
	safe_put(xch, &s);
	if (rc == 0 && !extstate->size && !extstate->xfeature_mask) {
		extstate->xfeature_mask = op.u.vcpuextstate.xfeature_mask;
		extstate->size = op.u.vcpuextstate.size;
	}
	return rc;
}

/* One domctl with a hard and a soft map, each of which may be NULL. */
static int vcpu_affinity(xc_interface *xch, struct xen_domctl *op, int vcpu,
			 xc_cpumap_t hard, xc_cpumap_t soft, uint32_t flags,
			 int dir)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	int size = xc_get_cpumap_size(xch), rc = -1;
	struct safe h, s;

	if (size <= 0)
		return -1;
	if (safe_get(xch, &h, hard, (size_t)size, dir))
		return -1;
	if (safe_get(xch, &s, soft, (size_t)size, dir))
		goto out;
	a->vcpu = (uint32_t)vcpu;
	a->flags = flags;
	set_xen_guest_handle_raw(a->cpumap_hard.bitmap, h.p);
	a->cpumap_hard.nr_bits = (uint32_t)size * 8;
	set_xen_guest_handle_raw(a->cpumap_soft.bitmap, s.p);
	a->cpumap_soft.nr_bits = (uint32_t)size * 8;
	rc = xc_domctl(xch, op);
	safe_put(xch, &s);
out:
	safe_put(xch, &h);
	return rc;
}

int xc_vcpu_setaffinity(xc_interface *xch, uint32_t domid, int vcpu,
			xc_cpumap_t cpumap_hard_inout,
			xc_cpumap_t cpumap_soft_inout, uint32_t flags)
{
	struct xen_domctl op = DOMCTL(setvcpuaffinity, domid);

	return vcpu_affinity(xch, &op, vcpu, cpumap_hard_inout,
			     cpumap_soft_inout, flags, SAFE_BOTH);
}

int xc_vcpu_getaffinity(xc_interface *xch, uint32_t domid, int vcpu,
			xc_cpumap_t cpumap_hard, xc_cpumap_t cpumap_soft,
			uint32_t flags)
{
	struct xen_domctl op = DOMCTL(getvcpuaffinity, domid);

	return vcpu_affinity(xch, &op, vcpu, cpumap_hard, cpumap_soft, flags,
			     SAFE_OUT);
}

static int node_affinity(xc_interface *xch, struct xen_domctl *op,
			 xc_nodemap_t map, int dir)
{
	int size = xc_get_nodemap_size(xch), rc;
	struct safe s;

	if (size <= 0)
		return -1;
	if (safe_get(xch, &s, map, (size_t)size, dir))
		return -1;
	set_xen_guest_handle_raw(op->u.nodeaffinity.nodemap.bitmap, s.p);
	op->u.nodeaffinity.nodemap.nr_bits = (uint32_t)size * 8;
	rc = xc_domctl(xch, op);
	safe_put(xch, &s);
	return rc;
}

int xc_domain_node_setaffinity(xc_interface *xch, uint32_t domid,
			       xc_nodemap_t nodemap)
{
	struct xen_domctl op = DOMCTL(setnodeaffinity, domid);

	return node_affinity(xch, &op, nodemap, SAFE_IN);
}

int xc_domain_node_getaffinity(xc_interface *xch, uint32_t domid,
			       xc_nodemap_t nodemap)
{
	struct xen_domctl op = DOMCTL(getnodeaffinity, domid);

	return node_affinity(xch, &op, nodemap, SAFE_OUT);
}

static void put_all(xc_interface *xch, struct safe *s, unsigned int n)
{
	while (n)
		safe_put(xch, &s[--n]);
}

int xc_domain_setvnuma(xc_interface *xch, uint32_t domid, uint32_t nr_vnodes,
		       uint32_t nr_vmemranges, uint32_t nr_vcpus,
		       xen_vmemrange_t *vmemrange, unsigned int *vdistance,
		       unsigned int *vcpu_to_vnode,
		       unsigned int *vnode_to_pnode)
{
	struct xen_domctl op = DOMCTL(setvnumainfo, domid);
	const void *from[] = {vmemrange, vdistance, vcpu_to_vnode,
			      vnode_to_pnode};
	const size_t sizes[] = {
		nr_vmemranges * sizeof(*vmemrange),
		(size_t)nr_vnodes * nr_vnodes * sizeof(*vdistance),
		nr_vcpus * sizeof(*vcpu_to_vnode),
		nr_vnodes * sizeof(*vnode_to_pnode),
	};
	struct safe s[4];
	unsigned int n;
	int rc = -1;

	for (n = 0; n < 4; n++) {
		if (!from[n] || !sizes[n]) {
			errno = EINVAL;
			goto out;
		}
		if (safe_get(xch, &s[n], from[n], sizes[n], SAFE_IN))
			goto out;
	}
	op.u.vnuma.nr_vnodes = nr_vnodes;
	op.u.vnuma.nr_vmemranges = nr_vmemranges;
	op.u.vnuma.nr_vcpus = nr_vcpus;
	set_xen_guest_handle_raw(op.u.vnuma.vmemrange, s[0].p);
	set_xen_guest_handle_raw(op.u.vnuma.vdistance, s[1].p);
	set_xen_guest_handle_raw(op.u.vnuma.vcpu_to_vnode, s[2].p);
	set_xen_guest_handle_raw(op.u.vnuma.vnode_to_pnode, s[3].p);
	rc = xc_domctl(xch, &op);
out:
	put_all(xch, s, n);
	return rc;
}

int xc_domain_getvnuma(xc_interface *xch, uint32_t domid, uint32_t *nr_vnodes,
		       uint32_t *nr_vmemranges, uint32_t *nr_vcpus,
		       xen_vmemrange_t *vmemrange, unsigned int *vdistance,
		       unsigned int *vcpu_to_vnode)
{
	struct xen_vnuma_topology_info info = {
		.domid = (domid_t)domid,
		.nr_vnodes = *nr_vnodes,
		.nr_vcpus = *nr_vcpus,
		.nr_vmemranges = *nr_vmemranges,
	};
	struct safe s[3];
	unsigned int n = 0;
	int rc = -1;

	if (safe_get(xch, &s[n], vmemrange, *nr_vmemranges * sizeof(*vmemrange),
		     SAFE_OUT))
		goto out;
	n++;
	if (safe_get(xch, &s[n], vdistance,
		     (size_t)*nr_vnodes * *nr_vnodes * sizeof(*vdistance),
		     SAFE_OUT))
		goto out;
	n++;
	if (safe_get(xch, &s[n], vcpu_to_vnode,
		     *nr_vcpus * sizeof(*vcpu_to_vnode), SAFE_OUT))
		goto out;
	n++;
	set_xen_guest_handle_raw(info.vmemrange.h, s[0].p);
	set_xen_guest_handle_raw(info.vdistance.h, s[1].p);
	set_xen_guest_handle_raw(info.vcpu_to_vnode.h, s[2].p);
	rc = (int)xc_memory_op(xch, XENMEM_get_vnumainfo, &info, sizeof(info));
	*nr_vnodes = info.nr_vnodes;
	*nr_vcpus = info.nr_vcpus;
	*nr_vmemranges = info.nr_vmemranges;
out:
	put_all(xch, s, n);
	return rc;
}
