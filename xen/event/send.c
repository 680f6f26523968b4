/* SPDX-License-Identifier: MIT */
/*
 * Sending: the hot path. It takes the sender's port only (LOCK_PORT), which
 * keeps the pair together while the other end is marked; nothing is allocated
 * and no table is locked.
 */
#include "event/table.h"
#include "lib/errno.h"

event_consumer_fn *event_consumers[8];

void event_mark_pending(struct vcpu *v)
{
	struct vcpu_info *info = READ_ONCE(v->info);

	if (likely(info) && !atomic_xchg(&info->evtchn_upcall_pending, 1))
		v->domain->kind->event_notify(v);
}

/* The other end of p is ours; p is locked and gets unlocked here, since the
 * listener may send in its turn. */
static void tell_xen(struct port *p, unsigned long flags)
{
	struct domain *d = p->remote;
	struct vcpu *v = d->vcpu[p->peer->vcpu];
	event_consumer_fn *fn = event_consumers[p->peer->consumer - 1];
	uint32_t n = p->peer->number;

	hold_domain(d);
	port_unlock(p, flags);
	fn(v, n);
	put_domain(d);
}

/* What is not between two guests; p is locked, and unlocked here. */
static __attribute__((noinline)) long
send_other(struct domain *d, struct port *p, unsigned long flags)
{
	long err = 0;

	if (p->consumer) {
		err = -EINVAL;
	} else if (p->state == PORT_INTERDOMAIN) {
		tell_xen(p, flags);
		return 0;
	} else if (p->state == PORT_IPI) {
		port_raise(d, p);
	} else if (p->state != PORT_UNBOUND) {
		/* To an unbound port: lost, and no error, as the ABI has it. */
		err = -EINVAL;
	}
	port_unlock(p, flags);
	return err;
}

/* p is locked, and unlocked here. */
static inline long send(struct domain *d, struct port *p, unsigned long flags)
{
	if (unlikely(p->consumer || p->state != PORT_INTERDOMAIN ||
		     p->peer->consumer))
		return send_other(d, p, flags);
	port_raise(p->remote, p->peer);
	port_unlock(p, flags);
	return 0;
}

long evtchn_send(struct vcpu *v, struct evtchn_send *op)
{
	struct domain *d = v->domain;
	struct port *p = port_get(d->events, op->port);

	return likely(p) ? send(d, p, port_lock_irqs_on(p)) : -EINVAL;
}

void event_notify_suspend(struct domain *d)
{
	struct port *p = port_get(d->events, d->suspend_port);

	/* Interrupts are on or off: a guest that crashes may have said that
	 * this is what it means. Port 0 is none. */
	if (p)
		send(d, p, port_lock(p));
}

long evtchn_unmask(struct vcpu *v, struct evtchn_unmask *op)
{
	struct domain *d = v->domain;
	struct port *p = port_get(d->events, op->port);
	unsigned long flags;

	if (!p)
		return -EINVAL;
	flags = port_lock(p);
	if (port_usable(p))
		d->events->abi->unmask(d, p);
	port_unlock(p, flags);
	return 0;
}

void event_notify_xen_port(struct domain *d, unsigned int n)
{
	struct port *p = port_get(d->events, n);
	unsigned long flags;

	if (!p)
		return;
	flags = port_lock(p);
	if (likely(p->consumer && p->state == PORT_INTERDOMAIN))
		port_raise(p->remote, p->peer);
	port_unlock(p, flags);
}

bool event_xen_port_bound(struct domain *d, unsigned int n)
{
	const struct port *p = port_get(d->events, n);

	return p && p->consumer && READ_ONCE(p->state) == PORT_INTERDOMAIN;
}

void event_wake_pollers(struct domain *d, uint32_t port)
{
	struct event_table *t = d->events;

	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct vcpu *v = d->vcpu[i];

		if (!test_bit(i, t->polling))
			continue;
		if (v->poll_port && v->poll_port != port)
			continue;
		if (!test_and_clear_bit(i, t->polling))
			continue;
		WRITE_ONCE(v->polling, false);
		vcpu_wake(v);
	}
}

void event_poll_begin(struct vcpu *v, uint32_t port)
{
	WRITE_ONCE(v->poll_port, port);
	WRITE_ONCE(v->polling, true);
	/* A locked operation: whoever raises a port after the caller has looked
	 * at it sees the bit. */
	set_bit(v->id, v->domain->events->polling);
}

void event_poll_end(struct vcpu *v)
{
	clear_bit(v->id, v->domain->events->polling);
	WRITE_ONCE(v->polling, false);
	WRITE_ONCE(v->poll_port, 0);
}
