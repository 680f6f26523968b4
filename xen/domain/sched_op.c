/* SPDX-License-Identifier: MIT */
/*
 * sched_op: a vCPU yields, blocks, polls; a domain shuts down (public/sched.h).
 */
#include "domain/ops.h"

#include "lib/errno.h"

long sched_yield_op(struct vcpu *v)
{
	sched_yield(&v->unit);
	return 0;
}

long sched_block_op(struct vcpu *v)
{
	/* Blocking implies that events are wanted. */
	if (v->info)
		WRITE_ONCE(v->info->evtchn_upcall_mask, 0);
	vcpu_block(v);
	return 0;
}

long sched_shutdown(struct vcpu *v, struct sched_shutdown *op)
{
	if (op->reason > SHUTDOWN_MAX)
		return -EINVAL;
	domain_shutdown(v->domain, op->reason);
	return 0;
}

/* The code that a following crash, such as a triple fault, is reported with. */
long sched_shutdown_code(struct vcpu *v, struct sched_shutdown *op)
{
	struct domain *d = v->domain;

	if (op->reason > SHUTDOWN_MAX)
		return -EINVAL;
	spin_lock(&d->lock);
	d->crash_code = (uint8_t)op->reason;
	spin_unlock(&d->lock);
	return 0;
}

long sched_remote_shutdown(struct vcpu *v, struct sched_remote_shutdown *op)
{
	struct domain *d = get_domain(op->domain_id);
	long rc;

	if (!d)
		return -ESRCH;
	rc = domain_check_privilege(v->domain, d);
	if (!rc && d == v->domain)
		rc = -EPERM;
	if (!rc && op->reason > SHUTDOWN_MAX)
		rc = -EINVAL;
	if (!rc)
		domain_shutdown(d, op->reason);
	put_domain(d);
	return rc;
}

/* id 0 with a timeout starts a watchdog; an id with one, or with 0, pats or
 * stops it. */
long sched_watchdog(struct vcpu *v, struct sched_watchdog *op)
{
	struct domain *d = v->domain;
	s_time_t expires = now() + SECONDS(op->timeout);
	long rc = -EINVAL;

	spin_lock(&d->lock);
	if (!op->id && op->timeout) {
		rc = -ENOSPC;
		for (unsigned int i = 0; i < NR_WATCHDOGS; i++) {
			if (d->watchdog[i].in_use)
				continue;
			d->watchdog[i].in_use = true;
			timer_set(&d->watchdog[i].timer, expires);
			rc = i + 1;
			break;
		}
	} else if (op->id && op->id <= NR_WATCHDOGS) {
		struct watchdog *w = &d->watchdog[op->id - 1];

		if (w->in_use) {
			rc = 0;
			if (op->timeout) {
				timer_set(&w->timer, expires);
			} else {
				timer_stop(&w->timer);
				w->in_use = false;
			}
		}
	}
	spin_unlock(&d->lock);
	return rc;
}

/* The hardware domain's way to run on one CPU for a moment (dcdbas). */
long sched_pin_override(struct vcpu *v, struct sched_pin_override *op)
{
	cpumask_t all = {}, one = {};

	if (!v->domain->privileged)
		return -EPERM;
	if (op->pcpu < 0) {
		for (unsigned int c = 0; c < nr_cpus; c++)
			cpumask_set(&all, c);
		return sched_set_affinity(&v->unit, &all, &all);
	}
	if ((unsigned int)op->pcpu >= nr_cpus)
		return -EINVAL;
	cpumask_set(&one, (unsigned int)op->pcpu);
	return sched_set_affinity(&v->unit, &one, &one);
}
