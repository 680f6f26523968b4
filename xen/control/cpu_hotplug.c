/* SPDX-License-Identifier: MIT */
/*
 * CPUs taken from domains and given back (xen-hptool, dom0's sysfs). A CPU that
 * is offline to tools runs no vCPU and halts; it stays with us, answers its
 * interrupts and can be back at once.
 */
#include "control/control.h"

#include "console/printk.h"
#include "domain/domain.h"
#include "event/event.h"
#include "lib/atomic.h"
#include "lib/errno.h"

static void leave(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (sched_leave_closed_cpu(&v->unit))
			printk(XENLOG_WARNING "d%uv%u: its CPUs are offline: "
					      "it may run on all\n",
			       d->id, v->id);
}

static void close_cpu(unsigned int cpu)
{
	struct domain *d;

	sched_close_cpu(cpu);
	for (unsigned int id = 0; (d = next_domain(id)); id = d->id + 1U) {
		leave(d);
		put_domain(d);
	}
}

static long change(unsigned int cpu, bool online)
{
	if (!cpu || cpu >= nr_cpus || cpumask_test(&sched_cpus, cpu) == online)
		return -EINVAL;
	if (online)
		sched_open_cpu(cpu);
	else
		close_cpu(cpu);
	printk(XENLOG_INFO "CPU %u is %s\n", cpu,
	       online ? "online" : "offline: no domain runs there");
	send_global_virq(VIRQ_PCPU_STATE);
	return 0;
}

long cpu_hotplug(unsigned int cpu, bool online)
{
	static uint32_t busy;
	long rc;

	if (atomic_xchg(&busy, 1))
		return -EBUSY;
	rc = change(cpu, online);
	atomic_set(&busy, 0);
	return rc;
}
