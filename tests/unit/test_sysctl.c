/* SPDX-License-Identifier: MIT */
/*
 * sysctl and the scheduler's domctls: answers, limits, bad addresses. What
 * they ask of lower floors is made up here: two CPUs, 1,000 pages, a ring of
 * messages, two counters.
 */
#include "harness.h"

#include "console/console.h"
#include "control/domctl.h"
#include "control/sysctl.h"
#include "cpu/acpi.h"
#include "cpu/pci.h"
#include "domain/cpu_policy.h"
#include "event/event.h"
#include "fake.h"
#include "grant/grant.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "trace/perf.h"

/* The floors below. */
struct cpu_features cpu_features = {.vendor = CPU_OTHER};
struct cpu_policy cpu_policies[NR_POLICIES];
const struct domain_kind *domain_kind_hvm, *domain_kind_pv;
cpumask_t cpu_online_map = {{3}}, sched_cpus = {{3}};
unsigned int nr_cpus = 2;
uint64_t tsc_khz = 2000000;
uint32_t sched_ratelimit_us = 1000;
void (*console_key)(char c);

bool spin_trylock(spinlock_t *l)
{
	if (spin_is_locked(l))
		return false;
	spin_lock(l);
	return true;
}
uint32_t cpu_apic_id(unsigned int cpu)
{
	return cpu;
}
uint32_t pci_read(pci_sbdf_t dev, unsigned int reg, unsigned int size)
{
	(void)reg;
	(void)size;
	return dev.devfn == 8 ? 0x8086 : 0xffff;
}
s_time_t now(void)
{
	return 5000000000;
}
s_time_t sched_idle_time(unsigned int cpu)
{
	return 1000 + cpu;
}
s_time_t sched_runtime(struct sched_unit *u)
{
	(void)u;
	return 7;
}
long cpu_hotplug(unsigned int cpu, bool online)
{
	return cpu == 1 && !online ? 0 : -EINVAL;
}
static cpumask_t last_hard, last_soft;
int sched_set_affinity(struct sched_unit *u, const cpumask_t *hard,
		       const cpumask_t *soft)
{
	if (!(hard->bits[0] & 3))
		return -EINVAL;
	u->hard_affinity = last_hard = *hard;
	u->soft_affinity = last_soft = *soft;
	return 0;
}
int sched_set_params(struct sched_group *g, unsigned int weight,
		     unsigned int cap)
{
	g->weight = (uint16_t)weight;
	g->cap = (uint16_t)cap;
	return 0;
}
uint64_t free_page_count(void)
{
	return 300;
}
uint64_t total_page_count(void)
{
	return 1000;
}
uint64_t own_page_count(void)
{
	return 50;
}
uint64_t claimed_page_count(void)
{
	return 20;
}
mfn_t max_mfn(void)
{
	return _mfn(1999);
}
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *r)
{
	memset(r, 0, sizeof(*r));
	r->time[RUNSTATE_running] = 100 + v->id;
}
void domain_get_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
}
long cpu_policy_copy_out(const struct cpu_policy *p, uint64_t leaves,
			 uint32_t *nr_leaves, uint64_t msrs, uint32_t *nr_msrs)
{
	(void)leaves;
	(void)msrs;
	*nr_leaves = (uint32_t)(p - cpu_policies);
	*nr_msrs = 2;
	return 0;
}
void machine_reboot(void)
{
	exit(EXIT_FAILURE);
}
static unsigned int dumps;
void event_dump(void)
{
	dumps++;
}
void grant_dump(void)
{
	dumps += 10;
}
void tasklet_schedule(struct tasklet *t, unsigned int cpu)
{
	(void)cpu;
	t->fn(t->data);
}

static const char ring[] = "(XEN) one\n(XEN) two\n";
static uint32_t ring_from;
uint32_t console_ring_start(void)
{
	return ring_from;
}
size_t console_ring_read(uint32_t *index, char *dst, size_t n)
{
	size_t have = sizeof(ring) - 1 - *index;

	n = min(n, have);
	memcpy(dst, ring + *index, n);
	*index += (uint32_t)n;
	return n;
}
void console_ring_clear(uint32_t index)
{
	ring_from = index;
}

static uint64_t counters[2];
static void counter_name(unsigned int i, char *buf, size_t size)
{
	snprintf(buf, size, "counter %u", i);
}
static uint64_t counter_value(unsigned int i)
{
	return counters[i];
}
static void counter_reset(void)
{
	counters[0] = counters[1] = 0;
}
static struct perf_source counter_source = {
	.nr = 2,
	.name = counter_name,
	.value = counter_value,
	.reset = counter_reset,
};

/* A world of dom0 and d2; no parts. */
static int no_part(struct domain *d)
{
	(void)d;
	return 0;
}
static void no_part_destroy(struct domain *d)
{
	(void)d;
}
static const struct domain_part part = {.relinquish = no_part,
					.destroy = no_part_destroy};
static struct domain *d0, *d2;
static void start(void)
{
	fake_start();
	d0 = fake_domain(0, NULL);
	d2 = fake_domain(2, NULL);
	this_cpu(current) = d0->vcpu[0];
}
static void end(void)
{
	CHECK_EQ(fake_end(&part), 0);
}
static struct xen_sysctl op;
static long call(uint32_t cmd)
{
	op.cmd = cmd;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return sysctl(d0->vcpu[0], &op);
}
#define MEM ((void *)fake_guest_memory)

static void dispatch(void)
{
	start();
	memset(&op, 0, sizeof(op));
	op.cmd = XEN_SYSCTL_sched_id;
	op.interface_version = XEN_SYSCTL_INTERFACE_VERSION + 1;
	CHECK_EQ(sysctl(d0->vcpu[0], &op), -EACCES);
	CHECK_EQ(call(XEN_SYSCTL_sched_id), 0);
	CHECK_EQ(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT2);
	CHECK_EQ(call(0), -ENOSYS);
	CHECK_EQ(call(13), -ENOSYS);
	CHECK_EQ(call(1000), -ENOSYS);
	CHECK_EQ(call(UINT32_MAX), -ENOSYS);
	CHECK_EQ(call(XEN_SYSCTL_livepatch_op), -ENOSYS);
	CHECK_EQ(call(XEN_SYSCTL_coverage_op), -EOPNOTSUPP);
	CHECK_EQ(call(XEN_SYSCTL_psr_cmt_op), -ENODEV);
	end();
}

static void machine(void)
{
	struct xen_sysctl_cputopo *topo = MEM;
	struct xen_sysctl_cpuinfo *info = MEM;
	struct xen_sysctl_meminfo *mem = MEM;
	struct physdev_pci_device *dev = MEM;
	uint32_t *nodes = (void *)(fake_guest_memory + 1024);

	start();
	domain_kind_hvm = &fake_kind;
	CHECK_EQ(call(XEN_SYSCTL_physinfo), 0);
	CHECK_EQ(op.u.physinfo.nr_cpus, 2);
	sched_cpus.bits[0] = 1;
	CHECK_EQ(call(XEN_SYSCTL_physinfo), 0);
	CHECK_EQ(op.u.physinfo.nr_cpus, 1);
	CHECK_EQ(op.u.physinfo.max_cpu_id, 1);
	sched_cpus.bits[0] = 3;
	CHECK_EQ(op.u.physinfo.threads_per_core *
			 op.u.physinfo.cores_per_socket,
		 1); /* CPUID of this fake machine names no topology */
	CHECK_EQ(op.u.physinfo.free_pages, 300);
	CHECK_EQ(op.u.physinfo.outstanding_pages, 20);
	CHECK_EQ(op.u.physinfo.capabilities,
		 XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap |
			 XEN_SYSCTL_PHYSCAP_gnttab_v1);

	memset(&op, 0, sizeof(op));
	CHECK_EQ(call(XEN_SYSCTL_cputopoinfo), 0);
	CHECK_EQ(op.u.cputopoinfo.num_cpus, 2);
	op.u.cputopoinfo.cputopo.p = MEM;
	op.u.cputopoinfo.num_cpus = 9;
	CHECK_EQ(call(XEN_SYSCTL_cputopoinfo), 0);
	CHECK_EQ(op.u.cputopoinfo.num_cpus, 2);
	CHECK_EQ(topo[1].socket, 1);
	op.u.cputopoinfo.cputopo.p = (void *)8;
	CHECK_EQ(call(XEN_SYSCTL_cputopoinfo), -EFAULT);

	op.u.getcpuinfo.max_cpus = 1;
	op.u.getcpuinfo.info.p = MEM;
	CHECK_EQ(call(XEN_SYSCTL_getcpuinfo), 0);
	CHECK_EQ(op.u.getcpuinfo.nr_cpus, 1);
	CHECK_EQ(info[0].idletime, 1000);

	memset(&op, 0, sizeof(op));
	CHECK_EQ(call(XEN_SYSCTL_numainfo), 0);
	CHECK_EQ(op.u.numainfo.num_nodes, 1);
	op.u.numainfo.meminfo.p = MEM;
	CHECK_EQ(call(XEN_SYSCTL_numainfo), 0);
	CHECK_EQ(mem->memfree, 300 << PAGE_SHIFT);
	op.u.availheap.node = -1;
	CHECK_EQ(call(XEN_SYSCTL_availheap), 0);
	CHECK_EQ(op.u.availheap.avail_bytes, 300 << PAGE_SHIFT);

	dev[0] = (struct physdev_pci_device){.devfn = 8};
	dev[1] = (struct physdev_pci_device){.devfn = 9};
	memset(&op, 0, sizeof(op));
	CHECK_EQ(call(XEN_SYSCTL_pcitopoinfo), -EINVAL);
	op.u.pcitopoinfo.devs.p = MEM;
	op.u.pcitopoinfo.nodes.p = nodes;
	op.u.pcitopoinfo.num_devs = 2;
	CHECK_EQ(call(XEN_SYSCTL_pcitopoinfo), 0);
	CHECK_EQ(nodes[0], 0);
	CHECK_EQ(nodes[1], XEN_INVALID_DEV);
	end();
}

static void pages_offline(void)
{
	struct xen_sysctl_page_offline_op *p = &op.u.page_offline;
	uint32_t *status = MEM;

	start();
	*p = (struct xen_sysctl_page_offline_op){
		.cmd = sysctl_query_page_offline, .start = 5, .end = 6};
	p->status.p = MEM;
	CHECK_EQ(call(XEN_SYSCTL_page_offline_op), 0);
	CHECK_EQ(status[1], PG_OFFLINE_STATUS_ONLINE);
	p->end = FAKE_FRAMES;
	CHECK_EQ(call(XEN_SYSCTL_page_offline_op), -EINVAL);
	p->end = 4;
	CHECK_EQ(call(XEN_SYSCTL_page_offline_op), -EINVAL);
	p->start = 0;
	p->end = UINT32_MAX;
	CHECK_EQ(call(XEN_SYSCTL_page_offline_op), -EINVAL);
	p->end = 4;
	p->cmd = sysctl_page_offline;
	CHECK_EQ(call(XEN_SYSCTL_page_offline_op), -EOPNOTSUPP);
	p->cmd = 9;
	CHECK_EQ(call(XEN_SYSCTL_page_offline_op), -EINVAL);
	end();
}

static void domains(void)
{
	struct xen_domctl_getdomaininfo *list = MEM;
	struct xen_sysctl_getdomaininfolist *l = &op.u.getdomaininfolist;

	start();
	memset(&op, 0, sizeof(op));
	l->max_domains = 10;
	l->buffer.p = MEM;
	CHECK_EQ(call(XEN_SYSCTL_getdomaininfolist), 0);
	CHECK_EQ(l->num_domains, 2);
	CHECK_EQ(list[1].domain, 2);
	l->first_domain = 1;
	CHECK_EQ(call(XEN_SYSCTL_getdomaininfolist), 0);
	CHECK_EQ(l->num_domains, 1);
	CHECK_EQ(list[0].domain, 2);
	l->max_domains = 0;
	CHECK_EQ(call(XEN_SYSCTL_getdomaininfolist), 0);
	CHECK_EQ(l->num_domains, 0);
	l->max_domains = 1;
	l->buffer.p = (void *)8;
	CHECK_EQ(call(XEN_SYSCTL_getdomaininfolist), -EFAULT);
	end();
}

static void messages(void)
{
	struct xen_sysctl_readconsole *r = &op.u.readconsole;
	struct xen_sysctl_perfc_op *p = &op.u.perfc_op;
	struct xen_sysctl_perfc_desc *desc = MEM;
	uint32_t *val = (void *)(fake_guest_memory + 4096);

	start();
	memset(&op, 0, sizeof(op));
	r->buffer.p = MEM;
	r->count = 10;
	r->clear = 1;
	CHECK_EQ(call(XEN_SYSCTL_readconsole), 0);
	CHECK_EQ(r->count, 10);
	CHECK(!memcmp(fake_guest_memory, "(XEN) one\n", 10));
	r->count = 100;
	r->clear = 0;
	CHECK_EQ(call(XEN_SYSCTL_readconsole), 0);
	CHECK_EQ(r->count, 10);
	CHECK(!memcmp(fake_guest_memory, "(XEN) two\n", 10));
	r->incremental = 1;
	r->index = 4;
	r->count = 100;
	CHECK_EQ(call(XEN_SYSCTL_readconsole), 0);
	CHECK_EQ(r->count, 16);
	r->index = 0;
	r->buffer.p = (void *)8;
	CHECK_EQ(call(XEN_SYSCTL_readconsole), -EFAULT);

	memcpy(fake_guest_memory, "egh?", 4);
	memset(&op, 0, sizeof(op));
	op.u.debug_keys.keys.p = MEM;
	op.u.debug_keys.nr_keys = 4;
	CHECK_EQ(call(XEN_SYSCTL_debug_keys), 0);
	CHECK_EQ(dumps, 11);
	op.u.debug_keys.keys.p = (void *)8;
	CHECK_EQ(call(XEN_SYSCTL_debug_keys), -EFAULT);
	keys_init();
	console_key('e');
	CHECK_EQ(dumps, 12);
	for (const char *k = "mpPqr"; *k; k++)
		debug_key(*k);

	perf_register(&counter_source);
	counters[0] = 5;
	counters[1] = 7;
	memset(&op, 0, sizeof(op));
	CHECK_EQ(call(XEN_SYSCTL_perfc_op), -EINVAL);
	p->cmd = XEN_SYSCTL_PERFCOP_query;
	CHECK_EQ(call(XEN_SYSCTL_perfc_op), 0);
	CHECK_EQ(p->nr_counters, 2);
	p->desc.p = MEM;
	p->val.p = val;
	CHECK_EQ(call(XEN_SYSCTL_perfc_op), 0);
	CHECK(!strcmp(desc[1].name, "counter 1"));
	CHECK_EQ(desc[1].nr_vals, 1);
	CHECK_EQ(val[1], 7);
	p->cmd = XEN_SYSCTL_PERFCOP_reset;
	CHECK_EQ(call(XEN_SYSCTL_perfc_op), 0);
	CHECK_EQ(counters[1], 0);
	end();
}

static void processors(void)
{
	struct xen_sysctl_cpu_featureset *f = &op.u.cpu_featureset;
	struct xen_sysctl_pm_op *pm = &op.u.pm_op;
	uint32_t *words = MEM;

	start();
	cpu_policies[POLICY_HVM_MAX].basic[1].d = 0x1234;
	memset(&op, 0, sizeof(op));
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_featureset), 0);
	CHECK_EQ(f->nr_features, 19);
	f->features.p = MEM;
	f->index = XEN_SYSCTL_cpu_featureset_hvm_max;
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_featureset), 0);
	CHECK_EQ(words[0], 0x1234);
	f->nr_features = 1;
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_featureset), -ENOBUFS);
	f->index = 6;
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_featureset), -EINVAL);
	memset(&op, 0, sizeof(op));
	op.u.cpu_policy.index = XEN_SYSCTL_cpu_policy_hvm_default;
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_policy), 0);
	CHECK_EQ(op.u.cpu_policy.nr_leaves, POLICY_HVM_DEFAULT);
	op.u.cpu_policy._rsvd = 1;
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_policy), -EINVAL);
	CHECK_EQ(call(XEN_SYSCTL_get_cpu_levelling_caps), 0);
	memset(&op, 0, sizeof(op));
	op.u.cpu_hotplug.cpu = 1;
	op.u.cpu_hotplug.op = XEN_SYSCTL_CPU_HOTPLUG_OFFLINE;
	CHECK_EQ(call(XEN_SYSCTL_cpu_hotplug), 0);
	op.u.cpu_hotplug.op = XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE;
	CHECK_EQ(call(XEN_SYSCTL_cpu_hotplug), -EOPNOTSUPP);
	op.u.cpu_hotplug.op = XEN_SYSCTL_CPU_HOTPLUG_ONLINE;
	op.u.cpu_hotplug.cpu = 0;
	CHECK_EQ(call(XEN_SYSCTL_cpu_hotplug), -EINVAL);
	op.u.get_pmstat.cpuid = 1;
	CHECK_EQ(call(XEN_SYSCTL_get_pmstat), -ENODEV);
	op.u.get_pmstat.cpuid = 2;
	CHECK_EQ(call(XEN_SYSCTL_get_pmstat), -EINVAL);
	*pm = (struct xen_sysctl_pm_op){.cmd = XEN_SYSCTL_pm_op_get_max_cstate};
	CHECK_EQ(call(XEN_SYSCTL_pm_op), 0);
	CHECK_EQ(pm->u.get_max_cstate, XEN_SYSCTL_CX_UNLIMITED);
	pm->cmd = GET_CPUFREQ_PARA;
	CHECK_EQ(call(XEN_SYSCTL_pm_op), -EINVAL);
	end();
}

static void pools(void)
{
	struct xen_sysctl_cpupool_op *p = &op.u.cpupool_op;
	struct xen_sysctl_scheduler_op *s = &op.u.scheduler_op;

	start();
	*p = (struct xen_sysctl_cpupool_op){.op = XEN_SYSCTL_CPUPOOL_OP_INFO,
					    .cpumap = {.nr_bits = 300}};
	p->cpumap.bitmap.p = MEM;
	memset(fake_guest_memory, 0xff, 64);
	CHECK_EQ(call(XEN_SYSCTL_cpupool_op), 0);
	CHECK_EQ(p->n_dom, 2);
	CHECK_EQ(fake_guest_memory[0], 3);
	CHECK_EQ(fake_guest_memory[37], 0);
	CHECK_EQ((uint8_t)fake_guest_memory[38], 0xff);
	p->op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO;
	CHECK_EQ(call(XEN_SYSCTL_cpupool_op), 0);
	CHECK_EQ(fake_guest_memory[0], 0);
	p->op = XEN_SYSCTL_CPUPOOL_OP_DESTROY;
	CHECK_EQ(call(XEN_SYSCTL_cpupool_op), -EBUSY);
	p->op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	p->cpupool_id = 1;
	CHECK_EQ(call(XEN_SYSCTL_cpupool_op), -ENOENT);
	p->op = XEN_SYSCTL_CPUPOOL_OP_CREATE;
	CHECK_EQ(call(XEN_SYSCTL_cpupool_op), -EOPNOTSUPP);
	p->op = 99;
	CHECK_EQ(call(XEN_SYSCTL_cpupool_op), -ENOSYS);

	*s = (struct xen_sysctl_scheduler_op){
		.sched_id = XEN_SCHEDULER_CREDIT2,
		.cmd = XEN_SYSCTL_SCHEDOP_getinfo};
	CHECK_EQ(call(XEN_SYSCTL_scheduler_op), 0);
	CHECK_EQ(s->u.sched_credit2.ratelimit_us, 1000);
	s->cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	s->u.sched_credit2.ratelimit_us = 99;
	CHECK_EQ(call(XEN_SYSCTL_scheduler_op), -EINVAL);
	s->u.sched_credit2.ratelimit_us = 2000;
	CHECK_EQ(call(XEN_SYSCTL_scheduler_op), 0);
	CHECK_EQ(sched_ratelimit_us, 2000);
	s->cpupool_id = 1;
	CHECK_EQ(call(XEN_SYSCTL_scheduler_op), -ESRCH);
	s->cpupool_id = 0;
	s->sched_id = XEN_SCHEDULER_CREDIT;
	CHECK_EQ(call(XEN_SYSCTL_scheduler_op), -EINVAL);
	end();
}

static void shares(void)
{
	struct xen_domctl c = {0};
	struct xen_domctl_scheduler_op *s = &c.u.scheduler_op;
	struct xen_domctl_vcpuaffinity *a = &c.u.vcpuaffinity;

	start();
	*s = (struct xen_domctl_scheduler_op){
		.sched_id = XEN_SCHEDULER_CREDIT2,
		.cmd = XEN_DOMCTL_SCHEDOP_putinfo,
		.u.credit2 = {.weight = 512, .cap = 50}};
	CHECK_EQ(domctl_scheduler_op(d2, &c), 0);
	s->u.credit2.weight = 0;
	s->u.credit2.cap = UINT16_MAX;
	CHECK_EQ(domctl_scheduler_op(d2, &c), 0); /* as it is */
	s->cmd = XEN_DOMCTL_SCHEDOP_getinfo;
	CHECK_EQ(domctl_scheduler_op(d2, &c), 0);
	CHECK_EQ(s->u.credit2.weight, 512);
	CHECK_EQ(s->u.credit2.cap, 50);
	s->cmd = XEN_DOMCTL_SCHEDOP_getvcpuinfo;
	CHECK_EQ(domctl_scheduler_op(d2, &c), -EINVAL);
	s->sched_id = XEN_SCHEDULER_RTDS;
	CHECK_EQ(domctl_scheduler_op(d2, &c), -EINVAL);

	memset(&c, 0, sizeof(c));
	c.u.getvcpuinfo.vcpu = 1;
	CHECK_EQ(domctl_getvcpuinfo(d2, &c), 0);
	CHECK_EQ(c.u.getvcpuinfo.cpu_time, 101);
	c.u.getvcpuinfo.vcpu = FAKE_VCPUS;
	CHECK_EQ(domctl_getvcpuinfo(d2, &c), -EINVAL);

	memset(&c, 0, sizeof(c));
	CHECK_EQ(domctl_setvcpuaffinity(d2, &c), -EINVAL);
	a->flags = XEN_VCPUAFFINITY_HARD;
	a->cpumap_hard.nr_bits = 4;
	a->cpumap_hard.bitmap.p = MEM;
	fake_guest_memory[0] = (char)0xfe; /* CPUs 1 to 3; then noise */
	CHECK_EQ(domctl_setvcpuaffinity(d2, &c), 0);
	CHECK_EQ(last_hard.bits[0], 0xe);
	CHECK_EQ(fake_guest_memory[0], 2); /* what is online */
	fake_guest_memory[0] = 4;
	CHECK_EQ(domctl_setvcpuaffinity(d2, &c), -EINVAL);
	CHECK_EQ(domctl_getvcpuaffinity(d2, &c), 0);
	CHECK_EQ(fake_guest_memory[0], 0xe);
	a->cpumap_hard.bitmap.p = (void *)8;
	CHECK_EQ(domctl_setvcpuaffinity(d2, &c), -EFAULT);
	CHECK_EQ(domctl_getvcpuaffinity(d2, &c), -EFAULT);
	end();
}

static const struct test_case cases[] = {
	{"sysctl: version, commands that there are not", dispatch},
	{"sysctl: the machine, its CPUs, memory, devices", machine},
	{"sysctl: pages that might be offline", pages_offline},
	{"sysctl: the list of domains", domains},
	{"sysctl: messages, debug keys, counters", messages},
	{"sysctl: what CPUs offer, power", processors},
	{"sysctl: the CPU pool and its scheduler", pools},
	{"domctl: weights, vCPUs, affinity", shares},
};

int main(void)
{
	return RUN_CASES(cases);
}
