/* SPDX-License-Identifier: MIT */
/* The host: processors, nodes, memory, the hypervisor's console. */
#include "private.h"

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
	struct xen_sysctl op = SYSCTL(physinfo);
	int rc = xc_sysctl(xch, &op);

	if (rc == 0)
		*info = op.u.physinfo;
	return rc;
}

/* ---- How many: asked once, because neither changes while Xen runs ---- */

int xc_get_max_cpus(xc_interface *xch)
{
	static int max_cpus;
	xc_physinfo_t info;

	if (!max_cpus) {
		if (xc_physinfo(xch, &info))
			return -1;
		max_cpus = (int)info.max_cpu_id + 1;
	}
	return max_cpus;
}

int xc_get_max_nodes(xc_interface *xch)
{
	static int max_nodes;
	xc_physinfo_t info;

	if (!max_nodes) {
		if (xc_physinfo(xch, &info))
			return -1;
		max_nodes = (int)info.max_node_id + 1;
	}
	return max_nodes;
}

int xc_get_online_cpus(xc_interface *xch)
{
	xc_physinfo_t info;

	return xc_physinfo(xch, &info) ? -1 : (int)info.nr_cpus;
}

/* ---- Maps: a bit for each ---- */

int xc_get_cpumap_size(xc_interface *xch)
{
	int n = xc_get_max_cpus(xch);

	return n < 0 ? -1 : (n + 7) / 8;
}

int xc_get_nodemap_size(xc_interface *xch)
{
	int n = xc_get_max_nodes(xch);

	return n < 0 ? -1 : (n + 7) / 8;
}

xc_cpumap_t xc_cpumap_alloc(xc_interface *xch)
{
	int size = xc_get_cpumap_size(xch);

	return size <= 0 ? NULL : calloc(1, (size_t)size);
}

xc_nodemap_t xc_nodemap_alloc(xc_interface *xch)
{
	int size = xc_get_nodemap_size(xch);

	return size <= 0 ? NULL : calloc(1, (size_t)size);
}

void xc_cpumap_clearcpu(int cpu, xc_cpumap_t map)
{
	map[cpu / 8] &= (uint8_t) ~(1u << cpu % 8);
}

void xc_cpumap_setcpu(int cpu, xc_cpumap_t map)
{
	map[cpu / 8] |= (uint8_t)(1u << cpu % 8);
}

int xc_cpumap_testcpu(int cpu, xc_cpumap_t map)
{
	return map[cpu / 8] >> cpu % 8 & 1;
}

/* ---- Topology ---- */

int xc_cputopoinfo(xc_interface *xch, unsigned *max_cpus, xc_cputopo_t *cputopo)
{
	struct xen_sysctl op = SYSCTL(cputopoinfo);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, cputopo, *max_cpus * sizeof(*cputopo), SAFE_OUT))
		return -1;
	op.u.cputopoinfo.num_cpus = *max_cpus;
	set_xen_guest_handle_raw(op.u.cputopoinfo.cputopo, s.p);
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &s);
	if (rc == 0)
		*max_cpus = op.u.cputopoinfo.num_cpus;
	return rc;
}

int xc_numainfo(xc_interface *xch, unsigned *max_nodes, xc_meminfo_t *meminfo,
		uint32_t *distance)
{
	struct xen_sysctl op = SYSCTL(numainfo);
	size_t n = *max_nodes;
	struct safe m, d;
	int rc;

	if (safe_get(xch, &m, meminfo, n * sizeof(*meminfo), SAFE_OUT))
		return -1;
	if (safe_get(xch, &d, distance, n * n * sizeof(*distance), SAFE_OUT)) {
		safe_put(xch, &m);
		return -1;
	}
	op.u.numainfo.num_nodes = *max_nodes;
	set_xen_guest_handle_raw(op.u.numainfo.meminfo, m.p);
	set_xen_guest_handle_raw(op.u.numainfo.distance, d.p);
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &d);
	safe_put(xch, &m);
	if (rc == 0)
		*max_nodes = op.u.numainfo.num_nodes;
	return rc;
}

int xc_pcitopoinfo(xc_interface *xch, unsigned num_devs,
		   physdev_pci_device_t *devs, uint32_t *nodes)
{
	unsigned int done = 0;
	struct safe d, n;
	int rc = 0;

	if (safe_get(xch, &d, devs, num_devs * sizeof(*devs), SAFE_IN))
		return -1;
	if (safe_get(xch, &n, nodes, num_devs * sizeof(*nodes), SAFE_BOTH)) {
		safe_put(xch, &d);
		return -1;
	}
	while (rc == 0 && done < num_devs) {
		struct xen_sysctl op = SYSCTL(pcitopoinfo);

		op.u.pcitopoinfo.num_devs = num_devs - done;
		set_xen_guest_handle_raw(op.u.pcitopoinfo.devs,
					 (physdev_pci_device_t *)d.p + done);
		set_xen_guest_handle_raw(op.u.pcitopoinfo.nodes,
					 (uint32_t *)n.p + done);
		rc = xc_sysctl(xch, &op);
		done += op.u.pcitopoinfo.num_devs;
	}
	safe_put(xch, &n);
	safe_put(xch, &d);
	return rc;
}

int xc_getcpuinfo(xc_interface *xch, int max_cpus, xc_cpuinfo_t *info,
		  int *nr_cpus)
{
	struct xen_sysctl op = SYSCTL(getcpuinfo);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, info, (size_t)max_cpus * sizeof(*info), SAFE_OUT))
		return -1;
	op.u.getcpuinfo.max_cpus = (uint32_t)max_cpus;
	set_xen_guest_handle_raw(op.u.getcpuinfo.info, s.p);
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &s);
	if (nr_cpus)
		*nr_cpus = (int)op.u.getcpuinfo.nr_cpus;
	return rc;
}

int xc_availheap(xc_interface *xch, int min_width, int max_width, int node,
		 uint64_t *bytes)
{
	struct xen_sysctl op = SYSCTL(availheap);
	int rc;

	op.u.availheap.min_bitwidth = (uint32_t)min_width;
	op.u.availheap.max_bitwidth = (uint32_t)max_width;
	op.u.availheap.node = node;
	rc = xc_sysctl(xch, &op);
	*bytes = op.u.availheap.avail_bytes;
	return rc;
}

/* ---- Processors, on and off ---- */

static int cpu_hotplug(xc_interface *xch, int cpu, unsigned int what)
{
	struct xen_sysctl op = SYSCTL(cpu_hotplug);

	op.u.cpu_hotplug.cpu = (uint32_t)cpu;
	op.u.cpu_hotplug.op = what;
	return xc_sysctl(xch, &op);
}

int xc_cpu_online(xc_interface *xch, int cpu)
{
	return cpu_hotplug(xch, cpu, XEN_SYSCTL_CPU_HOTPLUG_ONLINE);
}

int xc_cpu_offline(xc_interface *xch, int cpu)
{
	return cpu_hotplug(xch, cpu, XEN_SYSCTL_CPU_HOTPLUG_OFFLINE);
}

int xc_smt_enable(xc_interface *xch)
{
	return cpu_hotplug(xch, 0, XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE);
}

int xc_smt_disable(xc_interface *xch)
{
	return cpu_hotplug(xch, 0, XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE);
}

int xc_microcode_update(xc_interface *xch, const void *buf, size_t len)
{
	struct xen_platform_op op = {.cmd = XENPF_microcode_update};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, buf, len, SAFE_IN))
		return -1;
	op.u.microcode.length = (uint32_t)len;
	set_xen_guest_handle_raw(op.u.microcode.data, s.p);
	rc = do_platform_op(xch, &op);
	safe_put(xch, &s);
	return rc;
}

/* ---- The hypervisor's console ---- */

int xc_readconsolering(xc_interface *xch, char *buffer, unsigned int *pnr_chars,
		       int clear, int incremental, uint32_t *pindex)
{
	struct xen_sysctl op = SYSCTL(readconsole);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, buffer, *pnr_chars, SAFE_OUT))
		return -1;
	set_xen_guest_handle_raw(op.u.readconsole.buffer, s.p);
	op.u.readconsole.count = *pnr_chars;
	op.u.readconsole.clear = (uint8_t)clear;
	if (pindex) {
		op.u.readconsole.index = *pindex;
		op.u.readconsole.incremental = (uint8_t)incremental;
	}
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &s);
	if (rc == 0) {
		*pnr_chars = op.u.readconsole.count;
		if (pindex)
			*pindex = op.u.readconsole.index;
	}
	return rc;
}

int xc_send_debug_keys(xc_interface *xch, const char *keys)
{
	struct xen_sysctl op = SYSCTL(debug_keys);
	size_t len = strlen(keys);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, keys, len, SAFE_IN))
		return -1;
	set_xen_guest_handle_raw(op.u.debug_keys.keys, s.p);
	op.u.debug_keys.nr_keys = (uint32_t)len;
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &s);
	return rc;
}
