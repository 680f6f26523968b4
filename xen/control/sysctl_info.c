/* SPDX-License-Identifier: MIT */
/* sysctl: the machine as it is: processors, memory, devices, domains. */
#include "control/domctl.h"
#include "control/sysctl.h"

#include "cpu/pci.h"
#include "domain/cpu_policy.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"

#define SCHED_ID XEN_SCHEDULER_CREDIT2

/* How many low bits of an APIC ID number threads, and threads and cores. */
struct topology {
	unsigned int thread_bits, package_bits;
};

static unsigned int bits_for(unsigned int n)
{
	return n > 1 ? 32 - (unsigned int)__builtin_clz(n - 1) : 0;
}

/* Intel SDM Vol. 2, "CPUID", leaves 0x0b and 1; AMD APM Vol. 3, Fn8000_0008. */
static struct topology read_topology(void)
{
	const struct cpu_features *f = &cpu_features;
	struct topology t = {0, 0};
	struct cpuid_regs r;

	if (f->max_basic >= 0xb && cpuid(0xb, 0).b) {
		t.thread_bits = cpuid(0xb, 0).a & 31;
		t.package_bits = cpuid(0xb, 1).a & 31;
	} else if (f->vendor != CPU_INTEL && f->max_extended >= 0x80000008) {
		r = cpuid(0x80000008, 0);
		t.package_bits = r.c >> 12 & 15 ? r.c >> 12 & 15
						: bits_for((r.c & 0xff) + 1);
	} else if (f->l1_edx & BIT(28)) {
		t.package_bits = bits_for(cpuid(1, 0).b >> 16 & 0xff);
	}
	t.package_bits = max(t.package_bits, t.thread_bits);
	return t;
}

static struct xen_sysctl_cputopo topology_of(unsigned int cpu)
{
	struct topology t = read_topology();
	uint32_t id = cpu_apic_id(cpu);

	return (struct xen_sysctl_cputopo){
		.core = (id & (uint32_t)(BIT(t.package_bits) - 1)) >>
			t.thread_bits,
		.socket = id >> t.package_bits,
		.node = 0,
	};
}

/* CPUs on CPU 0's core, and in its package. */
static void count_siblings(uint32_t *on_core, uint32_t *in_package)
{
	struct xen_sysctl_cputopo first = topology_of(0);

	*on_core = *in_package = 0;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		struct xen_sysctl_cputopo t = topology_of(cpu);

		*in_package += t.socket == first.socket;
		*on_core += t.socket == first.socket && t.core == first.core;
	}
}

/* Words of public/arch-x86/cpufeatureset.h, as far as physinfo has room. */
static void hw_caps(uint32_t cap[8])
{
	const struct cpu_policy *p = &cpu_policies[POLICY_HOST];

	cap[0] = p->basic[1].d;
	cap[1] = p->basic[1].c;
	cap[2] = p->extd[1].d;
	cap[3] = p->extd[1].c;
	cap[4] = p->xstate[1].a;
	cap[5] = p->feat[0].b;
	cap[6] = p->feat[0].c;
	cap[7] = p->extd[7].d;
}

long sysctl_physinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_physinfo *pi = &op->u.physinfo;
	uint32_t on_core, in_package;

	count_siblings(&on_core, &in_package);
	*pi = (struct xen_sysctl_physinfo){
		.threads_per_core = on_core,
		.cores_per_socket = in_package / on_core,
		.nr_cpus = cpumask_weight(&sched_cpus),
		.max_cpu_id = nr_cpus - 1,
		.nr_nodes = 1,
		.max_node_id = 0,
		.cpu_khz = (uint32_t)tsc_khz,
		.capabilities = XEN_SYSCTL_PHYSCAP_gnttab_v1,
		.total_pages = total_page_count(),
		.free_pages = free_page_count(),
		.outstanding_pages = claimed_page_count(),
		.max_mfn = mfn_x(max_mfn()),
	};
	if (domain_kind_hvm)
		pi->capabilities |= XEN_SYSCTL_PHYSCAP_hvm |
				    XEN_SYSCTL_PHYSCAP_hap;
	if (domain_kind_pv)
		pi->capabilities |= XEN_SYSCTL_PHYSCAP_pv;
	hw_caps(pi->hw_cap);
	return 0;
}

long sysctl_sched_id(struct xen_sysctl *op)
{
	op->u.sched_id.sched_id = SCHED_ID;
	return 0;
}

long sysctl_getdomaininfolist(struct xen_sysctl *op)
{
	struct xen_sysctl_getdomaininfolist *l = &op->u.getdomaininfolist;
	uint64_t buffer = guest_handle_va(l->buffer);
	unsigned int id = l->first_domain;
	uint32_t n = 0;
	struct domain *d;

	while (n < l->max_domains && (d = next_domain(id)) != NULL) {
		struct xen_domctl_getdomaininfo info;

		id = d->id + 1U;
		domain_get_info(d, &info);
		put_domain(d);
		if (copy_elem_to_guest(buffer, n, &info))
			return -EFAULT;
		n++;
	}
	l->num_domains = n;
	return 0;
}

long sysctl_getcpuinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_getcpuinfo *c = &op->u.getcpuinfo;
	uint32_t n = min(c->max_cpus, (uint32_t)nr_cpus);

	for (uint32_t i = 0; i < n; i++) {
		struct xen_sysctl_cpuinfo info = {
			.idletime = (uint64_t)sched_idle_time(i)};

		if (copy_elem_to_guest(guest_handle_va(c->info), i, &info))
			return -EFAULT;
	}
	c->nr_cpus = n;
	return 0;
}

/* Memory is one region here: whatever the width, all that is free. */
long sysctl_availheap(struct xen_sysctl *op)
{
	struct xen_sysctl_availheap *h = &op->u.availheap;

	h->avail_bytes = h->node > 0 ? 0 : free_page_count() << PAGE_SHIFT;
	return 0;
}

long sysctl_cputopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_cputopoinfo *t = &op->u.cputopoinfo;
	uint64_t list = guest_handle_va(t->cputopo);
	uint32_t n = list ? min(t->num_cpus, (uint32_t)nr_cpus) : 0;

	for (uint32_t i = 0; i < n; i++) {
		struct xen_sysctl_cputopo topo = topology_of(i);

		if (!cpumask_test(&sched_cpus, i)) /* offline */
			topo = (struct xen_sysctl_cputopo){
				XEN_INVALID_CORE_ID, XEN_INVALID_SOCKET_ID,
				XEN_INVALID_NODE_ID};
		if (copy_elem_to_guest(list, i, &topo))
			return -EFAULT;
	}
	t->num_cpus = list ? n : (uint32_t)nr_cpus;
	return 0;
}

/* One node. */
long sysctl_numainfo(struct xen_sysctl *op)
{
	struct xen_sysctl_numainfo *n = &op->u.numainfo;
	uint64_t info = guest_handle_va(n->meminfo);
	uint64_t distance = guest_handle_va(n->distance);
	struct xen_sysctl_meminfo m = {
		.memsize = total_page_count() << PAGE_SHIFT,
		.memfree = free_page_count() << PAGE_SHIFT,
	};
	uint32_t local = 10; /* as ACPI's SLIT has it */

	if ((info || distance) && !n->num_nodes)
		return 0;
	if (info && copy_to_guest(info, &m, sizeof(m)))
		return -EFAULT;
	if (distance && copy_to_guest(distance, &local, sizeof(local)))
		return -EFAULT;
	n->num_nodes = 1;
	return 0;
}

/* A device's node; XEN_INVALID_DEV if nothing answers there. */
static uint32_t node_of(const physdev_pci_device_t *dev)
{
	pci_sbdf_t sbdf = {
		.seg = dev->seg, .bus = dev->bus, .devfn = dev->devfn};

	return pci_read(sbdf, 0, 2) == 0xffff ? XEN_INVALID_DEV : 0;
}

long sysctl_pcitopoinfo(struct xen_sysctl *op)
{
	struct xen_sysctl_pcitopoinfo *t = &op->u.pcitopoinfo;
	uint64_t devs = guest_handle_va(t->devs);
	uint64_t nodes = guest_handle_va(t->nodes);
	uint32_t n = min(t->num_devs, 64U); /* callers ask for the rest */

	if (!devs || !nodes)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		physdev_pci_device_t dev;
		uint32_t node;

		if (copy_elem_from_guest(&dev, devs, i))
			return -EFAULT;
		node = node_of(&dev);
		if (copy_elem_to_guest(nodes, i, &node))
			return -EFAULT;
	}
	t->num_devs = n;
	return 0;
}

/* Pages are never taken out of use; asking about them is all there is. */
long sysctl_pages_offline(struct xen_sysctl *op)
{
	const struct xen_sysctl_page_offline_op *p = &op->u.page_offline;
	uint64_t list = guest_handle_va(p->status);

	if (p->end < p->start || p->end - p->start >= 1U << 20)
		return -EINVAL;
	if (p->cmd == sysctl_page_offline || p->cmd == sysctl_page_online)
		return -EOPNOTSUPP;
	if (p->cmd != sysctl_query_page_offline)
		return -EINVAL;
	for (uint32_t i = 0; i <= p->end - p->start; i++) {
		uint32_t status = PG_OFFLINE_STATUS_ONLINE;

		if (!mfn_valid(_mfn((uint64_t)p->start + i)))
			return -EINVAL;
		if (copy_elem_to_guest(list, i, &status))
			return -EFAULT;
	}
	return 0;
}
