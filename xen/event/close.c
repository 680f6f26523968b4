/* SPDX-License-Identifier: MIT */
/*
 * Closing ports: one, all that a guest has (reset), all of a dying domain. The
 * other end of an interdomain pair becomes unbound again, for the same domain.
 */
#include "domain/continuation.h"
#include "event/table.h"
#include "lib/errno.h"

#define PORTS_PER_CHECK 64 /* closed between two looks for other work */

/* Makes p free. Table lock held; p is not half of a pair. */
static void close_single(struct domain *d, struct port *p)
{
	unsigned long flags;

	if (p->state == PORT_PIRQ) {
		atomic_set(&d->events->pirq_to_port[p->pirq], 0);
		if (d->kind->pirq_unbind)
			d->kind->pirq_unbind(d, p->pirq);
	} else if (p->state == PORT_VIRQ) {
		struct vcpu *v = d->vcpu[virq_is_global(p->virq) ? 0 : p->vcpu];

		atomic_set(&v->virq_to_port[p->virq], 0);
	}
	flags = port_lock(p);
	port_free(d, p);
	port_unlock(p, flags);
}

/* Both tables locked: p of d becomes free, its peer in rd unbound. */
static void close_pair(struct domain *d, struct port *p)
{
	struct port *peer = p->peer;
	unsigned long flags = port_lock_pair(p, peer);

	port_free(d, p);
	peer->state = PORT_UNBOUND;
	peer->remote_id = d->id;
	port_unlock_pair(p, peer, flags);
}

/* A listener of ours hears that the other end is gone. No lock is held. */
static void tell_closed(struct domain *rd, uint8_t consumer, uint32_t vcpu,
			uint32_t port)
{
	struct vcpu *v = domain_vcpu(rd, vcpu);

	if (consumer && v)
		event_consumers[consumer - 1](v, port);
}

/* The table's lock must be given up to take both in order; then look again.
 * True if p was closed. */
static bool close_interdomain(struct domain *d, struct port *p)
{
	struct domain *rd = p->remote;
	uint32_t vcpu = 0, port = 0;
	uint8_t consumer = 0;
	bool still;

	hold_domain(rd);
	spin_unlock(&d->events->lock);
	event_lock_pair(d, rd);
	still = p->state == PORT_INTERDOMAIN && p->remote == rd;
	if (still) {
		consumer = p->peer->consumer;
		vcpu = p->peer->vcpu;
		port = p->peer->number;
		close_pair(d, p);
	}
	event_unlock_pair(d, rd);
	tell_closed(rd, consumer, vcpu, port);
	put_domain(rd);
	return still;
}

int port_close(struct domain *d, uint32_t n, bool by_guest)
{
	struct port *p = port_get(d->events, n);

	if (!p)
		return -EINVAL;
	for (;;) {
		spin_lock(&d->events->lock);
		if (p->state <= PORT_RESERVED || (by_guest && p->consumer)) {
			spin_unlock(&d->events->lock);
			return -EINVAL;
		}
		if (p->state != PORT_INTERDOMAIN) {
			close_single(d, p);
			spin_unlock(&d->events->lock);
			return 0;
		}
		if (close_interdomain(d, p))
			return 0;
	}
}

long evtchn_close(struct vcpu *v, struct evtchn_close *op)
{
	return port_close(v->domain, op->port, true);
}

/* Where this caller's reset stands, 0 if somebody else's is under way. */
static uint32_t reset_begin(struct event_table *t, struct vcpu *v)
{
	uint32_t n;

	spin_lock(&t->lock);
	if (!t->reset_next) {
		t->reset_next = 1;
		t->reset_by = v;
	}
	n = t->reset_by == v ? t->reset_next : 0;
	spin_unlock(&t->lock);
	return n;
}

/* 0; or -EAGAIN if ports were bound behind our back. */
static long reset_end(struct domain *d)
{
	struct event_table *t = d->events;
	long err = 0;

	spin_lock(&t->lock);
	t->reset_next = 0;
	t->reset_by = NULL;
	if (t->active > t->xen)
		err = -EAGAIN;
	else
		fifo_destroy(d);
	spin_unlock(&t->lock);
	return err;
}

static long reset(struct domain *d, struct vcpu *v)
{
	struct event_table *t = d->events;
	uint32_t n = reset_begin(t, v);

	if (!n)
		return -EBUSY;
	for (; n < READ_ONCE(t->valid); n++) {
		if (READ_ONCE(t->active) <= READ_ONCE(t->xen))
			break;
		port_close(d, n, true);
		if (n % PORTS_PER_CHECK == 0 && hypercall_must_yield()) {
			WRITE_ONCE(t->reset_next, n + 1);
			return -ERESTART;
		}
	}
	return reset_end(d);
}

long evtchn_reset(struct vcpu *v, struct evtchn_reset *op)
{
	struct domain *d = get_domain(op->dom);
	long err;

	if (!d)
		return -ESRCH;
	err = domain_check_privilege(v->domain, d);
	if (!err)
		err = d != v->domain && !d->control_pauses ? -EINVAL
							   : reset(d, v);
	put_domain(d);
	return err;
}

int event_close_all(struct domain *d)
{
	struct event_table *t = d->events;

	if (!t)
		return 0;
	/* Whoever saw the domain alive has bound his port when we get this. */
	spin_lock(&t->lock);
	spin_unlock(&t->lock);
	for (uint32_t n = max(t->close_next, 1U); n < t->valid; n++) {
		port_close(d, n, false);
		if (n % PORTS_PER_CHECK == 0 && hypercall_must_yield()) {
			t->close_next = n + 1;
			return -ERESTART;
		}
	}
	event_clear_virq_handlers(d);
	spin_lock(&t->lock);
	fifo_destroy(d);
	spin_unlock(&t->lock);
	return 0;
}
