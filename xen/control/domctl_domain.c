/* SPDX-License-Identifier: MIT */
/*
 * domctl: domains are made, limited, stopped and destroyed.
 */
#include "control/domctl.h"

#include "console/printk.h"
#include "domain/guest_access.h"
#include "event/event.h"
#include "grant/grant.h"
#include "lib/errno.h"
#include "lib/string.h"

/* The next number that nobody has; they go round like process numbers. */
static bool pick_domid(domid_t *id)
{
	static domid_t last;

	for (unsigned int n = 1; n < DOMID_FIRST_RESERVED; n++) {
		domid_t i = (domid_t)((last + n) % DOMID_FIRST_RESERVED);
		struct domain *d;

		if (!i)
			continue;
		d = get_domain(i);
		if (d) {
			put_domain(d);
			continue;
		}
		*id = last = i;
		return true;
	}
	return false;
}

long domctl_createdomain(struct domain *d, struct xen_domctl *op)
{
	domid_t id = op->domain;
	long rc;

	if (id >= DOMID_FIRST_RESERVED || !id) {
		if (!pick_domid(&id))
			return -ENOMEM;
	} else {
		d = get_domain(id);
		if (d) {
			put_domain(d);
			return -EEXIST;
		}
	}
	rc = domain_create(id, &op->u.createdomain, false, &d);
	if (rc)
		return rc;
	op->domain = d->id;
	return 0;
}

long domctl_destroydomain(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	return domain_kill(d);
}

long domctl_pausedomain(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	if (d == current->domain)
		return -EINVAL;
	atomic_add(&d->control_pauses, 1U);
	domain_pause(d);
	return 0;
}

long domctl_unpausedomain(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	/* Only we subtract. */
	if (!READ_ONCE(d->control_pauses))
		return -EINVAL;
	atomic_sub(&d->control_pauses, 1U);
	d->created = true;
	domain_unpause(d);
	return 0;
}

long domctl_resumedomain(struct domain *d, struct xen_domctl *op)
{
	(void)op;
	if (d == current->domain)
		return -EINVAL;
	domain_resume(d);
	return 0;
}

long domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
	uint64_t pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

	/* A maximum below what it has is legal: it can only shrink then. */
	spin_lock(&d->pages_lock);
	d->max_pages = min(pages, (uint64_t)UINT32_MAX);
	spin_unlock(&d->pages_lock);
	domain_limit_tables(d);
	return 0;
}

long domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
	uint32_t n = op->u.max_vcpus.max;

	if (d == current->domain || n != d->max_vcpus)
		return -EINVAL;
	for (unsigned int i = 0; i < n; i++) {
		long rc = vcpu_create(d, i);

		if (rc)
			return rc;
	}
	return 0;
}

long domctl_setdomainhandle(struct domain *d, struct xen_domctl *op)
{
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}

/* d is a stub domain: it may act on target. */
long domctl_set_target(struct domain *d, struct xen_domctl *op)
{
	struct domain *t;

	if (d->target || d == current->domain)
		return -EINVAL;
	t = get_domain(op->u.set_target.target);
	if (!t)
		return -ESRCH;
	if (t == d || t == current->domain) {
		put_domain(t);
		return -EINVAL;
	}
	d->target = t; /* keeps the reference */
	return 0;
}

long domctl_subscribe(struct domain *d, struct xen_domctl *op)
{
	if (!event_port_valid(d, op->u.subscribe.port))
		return -EINVAL;
	d->suspend_port = op->u.subscribe.port;
	return 0;
}

long domctl_set_virq_handler(struct domain *d, struct xen_domctl *op)
{
	return event_set_virq_handler(d, op->u.set_virq_handler.virq);
}

long domctl_settimeoffset(struct domain *d, struct xen_domctl *op)
{
	int64_t s = op->u.settimeoffset.time_offset_seconds;

	if (s > INT32_MAX || s < INT32_MIN)
		return -EINVAL;
	d->time_offset = (int32_t)s;
	domain_update_wallclock(d);
	return 0;
}

/* One node is all there is: any set with it is right. */
long domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xenctl_bitmap *m = &op->u.nodeaffinity.nodemap;
	uint8_t byte = 0;

	(void)d;
	if (m->nr_bits && copy_from_guest(&byte, guest_handle_va(m->bitmap), 1))
		return -EFAULT;
	return byte & 1 ? 0 : -EINVAL;
}

long domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xenctl_bitmap *m = &op->u.nodeaffinity.nodemap;
	uint8_t zero = 0, one = 1;

	(void)d;
	for (uint32_t i = 0; i < (m->nr_bits + 7) / 8; i++)
		if (copy_elem_to_guest(guest_handle_va(m->bitmap), i,
				       i ? &zero : &one))
			return -EFAULT;
	return 0;
}

/* Without memory events there is nobody who could be required. */
long domctl_set_access_required(struct domain *d, struct xen_domctl *op)
{
	(void)d;
	return op->u.access_required.access_required ? -EOPNOTSUPP : 0;
}
