/* SPDX-License-Identifier: MIT */
/*
 * sysctl: CPU pools and their schedulers. There is one pool, number 0, with all
 * CPUs and all domains; pools to be made are refused.
 */
#include "control/sysctl.h"

#include "domain/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"

int cpumask_to_tool(const struct xenctl_bitmap *to, const cpumask_t *from)
{
	const uint8_t *bytes = (const uint8_t *)from->bits, zero = 0;
	uint32_t n = DIV_ROUND_UP(to->nr_bits, 8U);

	for (uint32_t i = 0; i < n; i++)
		if (copy_elem_to_guest(guest_handle_va(to->bitmap), i,
				       i < sizeof(from->bits) ? &bytes[i]
							      : &zero))
			return -EFAULT;
	return 0;
}

int cpumask_from_tool(cpumask_t *to, const struct xenctl_bitmap *from)
{
	uint32_t bits = min(from->nr_bits, (uint32_t)NR_CPUS);
	uint8_t *bytes = (uint8_t *)to->bits;

	memset(to, 0, sizeof(*to));
	if (copy_from_guest(bytes, guest_handle_va(from->bitmap),
			    DIV_ROUND_UP(bits, 8U)))
		return -EFAULT;
	/* A last byte may have bits that do not count. */
	if (bits % 8)
		bytes[bits / 8] &= (uint8_t)((1U << bits % 8) - 1);
	return 0;
}

static uint32_t count_domains(void)
{
	struct domain *d;
	uint32_t n = 0;

	for (unsigned int id = 0; (d = next_domain(id)) != NULL; n++) {
		id = d->id + 1U;
		put_domain(d);
	}
	return n;
}

static long pool_info(struct xen_sysctl_cpupool_op *p)
{
	/* The first pool from that number on. */
	if (p->cpupool_id)
		return -ENOENT;
	if (cpumask_to_tool(&p->cpumap, &sched_cpus))
		return -EFAULT;
	p->sched_id = XEN_SCHEDULER_CREDIT2;
	p->n_dom = count_domains();
	return 0;
}

static long pool_move_domain(const struct xen_sysctl_cpupool_op *p)
{
	struct domain *d = get_domain((domid_t)p->domid);

	if (!d)
		return -ESRCH;
	put_domain(d);
	return p->cpupool_id ? -ENOENT : 0; /* it is there */
}

long sysctl_cpupool_op(struct xen_sysctl *op)
{
	static const cpumask_t none;
	struct xen_sysctl_cpupool_op *p = &op->u.cpupool_op;

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return p->cpupool_id == 0 ? -EEXIST : -EOPNOTSUPP;
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		return p->cpupool_id ? -ENOENT : -EBUSY;
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		return pool_info(p);
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
		return p->cpupool_id ? -ENOENT : -EINVAL; /* none is free */
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN:
		return pool_move_domain(p);
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		return cpumask_to_tool(&p->cpumap, &none);
	}
	return -ENOSYS;
}

long sysctl_scheduler_op(struct xen_sysctl *op)
{
	struct xen_sysctl_scheduler_op *s = &op->u.scheduler_op;
	struct xen_sysctl_credit2_schedule *c = &s->u.sched_credit2;

	if (s->cpupool_id)
		return -ESRCH;
	if (s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	switch (s->cmd) {
	case XEN_SYSCTL_SCHEDOP_putinfo:
		if (c->ratelimit_us &&
		    (c->ratelimit_us > XEN_SYSCTL_SCHED_RATELIMIT_MAX ||
		     c->ratelimit_us < XEN_SYSCTL_SCHED_RATELIMIT_MIN))
			return -EINVAL;
		WRITE_ONCE(sched_ratelimit_us, c->ratelimit_us);
		return 0;
	case XEN_SYSCTL_SCHEDOP_getinfo:
		c->ratelimit_us = sched_ratelimit_us;
		return 0;
	}
	return -EINVAL;
}
