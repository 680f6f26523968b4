/* SPDX-License-Identifier: MIT */
/* domctl: a domain's share of the CPUs, and where its vCPUs run. */
#include "control/domctl.h"
#include "control/sysctl.h"

#include "lib/errno.h"

static long find_vcpu(struct domain *d, uint32_t id, struct vcpu **v)
{
	*v = domain_vcpu(d, id);
	if (*v)
		return 0;
	return id < d->max_vcpus ? -ESRCH : -EINVAL;
}

/* Weight 0 and cap ~0 stand for "as it is". */
static long put_params(struct domain *d,
		       const struct xen_domctl_sched_credit2 *c)
{
	return sched_set_params(&d->sched,
				c->weight ? c->weight : d->sched.weight,
				c->cap != UINT16_MAX ? c->cap : d->sched.cap);
}

long domctl_scheduler_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return put_params(d, &s->u.credit2);
	case XEN_DOMCTL_SCHEDOP_getinfo:
		s->u.credit2.weight = d->sched.weight;
		s->u.credit2.cap = d->sched.cap;
		return 0;
	}
	return -EINVAL; /* vCPUs have no parameters of their own */
}

long domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *i = &op->u.getvcpuinfo;
	struct vcpu_runstate_info r;
	struct vcpu *v;
	long err = find_vcpu(d, i->vcpu, &v);

	if (err)
		return err;
	vcpu_get_runstate(v, &r);
	i->online = v->online;
	i->blocked = v->unit.state == SCHED_BLOCKED;
	i->running = v->unit.state == SCHED_RUNNING;
	i->cpu_time = r.time[RUNSTATE_running];
	i->cpu = v->unit.cpu;
	return 0;
}

static void cpumask_and(cpumask_t *a, const cpumask_t *b)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(a->bits); i++)
		a->bits[i] &= b->bits[i];
}

long domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v;
	long err = find_vcpu(d, a->vcpu, &v);

	if (err)
		return err;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    cpumask_to_tool(&a->cpumap_hard, &v->unit.hard_affinity))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    cpumask_to_tool(&a->cpumap_soft, &v->unit.soft_affinity))
		return -EFAULT;
	return 0;
}

/* Tells what of the sets the vCPU can be run on: the tool's maps are in and
 * out. */
static long tell_effective(const struct xen_domctl_vcpuaffinity *a,
			   cpumask_t *hard, cpumask_t *soft)
{
	cpumask_and(hard, &sched_cpus);
	cpumask_and(soft, hard);
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    cpumask_to_tool(&a->cpumap_hard, hard))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    cpumask_to_tool(&a->cpumap_soft, soft))
		return -EFAULT;
	return 0;
}

long domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	cpumask_t hard, soft;
	struct vcpu *v;
	long err;

	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	err = find_vcpu(d, a->vcpu, &v);
	if (err)
		return err;
	hard = v->unit.hard_affinity;
	soft = v->unit.soft_affinity;
	if ((a->flags & XEN_VCPUAFFINITY_HARD) &&
	    cpumask_from_tool(&hard, &a->cpumap_hard))
		return -EFAULT;
	if ((a->flags & XEN_VCPUAFFINITY_SOFT) &&
	    cpumask_from_tool(&soft, &a->cpumap_soft))
		return -EFAULT;
	err = sched_set_affinity(&v->unit, &hard, &soft);
	return err ? err : tell_effective(a, &hard, &soft);
}
