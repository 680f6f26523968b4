/* SPDX-License-Identifier: MIT */
/*
 * Making ports: unbound, bound to another domain's, to a vCPU of one's own
 * (IPI), to a physical interrupt, to Xen itself. Each function checks all, then
 * finds a free port, then commits.
 */
#include "console/printk.h"
#include "event/table.h"
#include "lib/errno.h"
#include "mem/alloc.h"

/* Opens the free port p for vCPU vcpu; set fills what the state needs. */
static void commit(struct domain *d, struct port *p, enum port_state state,
		   uint32_t vcpu)
{
	unsigned long flags = port_lock(p);

	p->vcpu = (uint16_t)vcpu;
	port_open(d, p, state);
	port_unlock(p, flags);
}

/* Table lock held. */
static long alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port)
{
	struct port *p;
	int err = port_find_free(d, &p);

	if (err)
		return err;
	p->remote_id = remote;
	commit(d, p, PORT_UNBOUND, 0);
	*port = p->number;
	return 0;
}

long evtchn_alloc_unbound(struct vcpu *v, struct evtchn_alloc_unbound *op)
{
	struct domain *d = get_domain(op->dom);
	domid_t remote = op->remote_dom;
	long err;

	if (!d)
		return -ESRCH;
	if (remote == DOMID_SELF)
		remote = v->domain->id;
	err = domain_check_privilege(v->domain, d);
	/* Events to the port are its first vCPU's: there must be one. */
	if (!err && !READ_ONCE(d->vcpu[0]))
		err = -EINVAL;
	if (!err) {
		spin_lock(&d->events->lock);
		err = alloc_unbound(d, remote, &op->port);
		spin_unlock(&d->events->lock);
	}
	put_domain(d);
	return err;
}

/* Both tables are locked. */
static long bind_pair(struct domain *ld, struct domain *rd, uint32_t rport,
		      evtchn_port_t *out)
{
	struct port *l, *r = port_get(rd->events, rport);
	unsigned long flags;
	int err = port_find_free(ld, &l);

	if (err)
		return err;
	if (!r || r->state != PORT_UNBOUND || r->remote_id != ld->id)
		return -EINVAL;

	flags = port_lock_pair(l, r);
	l->remote = rd;
	l->peer = r;
	port_open(ld, l, PORT_INTERDOMAIN);
	r->remote = ld;
	r->peer = l;
	r->state = PORT_INTERDOMAIN; /* it keeps its vCPU and priority */
	/* Sends to r while it was unbound were lost: say so at this end. */
	port_raise(ld, l);
	port_unlock_pair(l, r, flags);
	*out = l->number;
	return 0;
}

long evtchn_bind_interdomain(struct vcpu *v, struct evtchn_bind_interdomain *op)
{
	struct domain *ld = v->domain, *rd = get_domain(op->remote_dom);
	long err;

	if (!rd)
		return -ESRCH;
	event_lock_pair(ld, rd);
	err = bind_pair(ld, rd, op->remote_port, &op->local_port);
	event_unlock_pair(ld, rd);
	put_domain(rd);
	return err;
}

long evtchn_bind_ipi(struct vcpu *v, struct evtchn_bind_ipi *op)
{
	struct domain *d = v->domain;
	struct port *p;
	int err;

	if (!domain_vcpu(d, op->vcpu))
		return -ENOENT;
	spin_lock(&d->events->lock);
	err = port_find_free(d, &p);
	if (!err) {
		commit(d, p, PORT_IPI, op->vcpu);
		op->port = p->number;
	}
	spin_unlock(&d->events->lock);
	return err;
}

/* Table lock held. */
static long bind_pirq(struct domain *d, struct evtchn_bind_pirq *op)
{
	struct event_table *t = d->events;
	struct port *p;
	int err;

	if (!t->pirq_to_port) {
		uint32_t *map = xnew_array(uint32_t, MAX_PIRQS);

		if (!map)
			return -ENOMEM;
		atomic_set(&t->pirq_to_port, map);
	}
	if (t->pirq_to_port[op->pirq])
		return -EEXIST;
	err = port_find_free(d, &p);
	if (err)
		return err;
	p->pirq = op->pirq;
	commit(d, p, PORT_PIRQ, 0);
	atomic_set(&t->pirq_to_port[op->pirq], p->number);
	err = d->kind->pirq_bind(d, op->pirq,
				 op->flags & BIND_PIRQ__WILL_SHARE);
	if (err) {
		unsigned long flags = port_lock(p);

		atomic_set(&t->pirq_to_port[op->pirq], 0);
		port_free(d, p);
		port_unlock(p, flags);
		return err;
	}
	op->port = p->number;
	return 0;
}

long evtchn_bind_pirq(struct vcpu *v, struct evtchn_bind_pirq *op)
{
	struct domain *d = v->domain;
	long err;

	if (!d->kind->pirq_bind || op->pirq >= MAX_PIRQS)
		return -EINVAL;
	spin_lock(&d->events->lock);
	err = bind_pirq(d, op);
	spin_unlock(&d->events->lock);
	return err;
}

void event_send_pirq(struct domain *d, unsigned int pirq)
{
	uint32_t *map = atomic_read(&d->events->pirq_to_port);
	struct port *p;
	unsigned long flags;

	if (!map || pirq >= MAX_PIRQS)
		return;
	p = port_get(d->events, atomic_read(&map[pirq]));
	flags = port_lock(p);
	/* It may have been closed since; port 0 is never a PIRQ's. */
	if (p->state == PORT_PIRQ && p->pirq == pirq)
		port_raise(d, p);
	port_unlock(p, flags);
}

static int move_port(struct port *p, uint32_t vcpu)
{
	switch (p->state) {
	case PORT_VIRQ:
		if (!virq_is_global(p->virq))
			return -EINVAL;
		break;
	case PORT_UNBOUND:
	case PORT_INTERDOMAIN:
	case PORT_PIRQ:
		break;
	default:
		return -EINVAL;
	}
	if (p->consumer)
		return -EINVAL;
	WRITE_ONCE(p->vcpu, (uint16_t)vcpu);
	return 0;
}

long evtchn_bind_vcpu(struct vcpu *v, struct evtchn_bind_vcpu *op)
{
	struct domain *d = v->domain;
	struct port *p = port_get(d->events, op->port);
	unsigned long flags;
	long err;

	if (!domain_vcpu(d, op->vcpu))
		return -ENOENT;
	if (!p)
		return -EINVAL;
	spin_lock(&d->events->lock);
	flags = port_lock(p);
	err = move_port(p, op->vcpu);
	port_unlock(p, flags);
	spin_unlock(&d->events->lock);
	return err;
}

long evtchn_set_priority(struct vcpu *v, struct evtchn_set_priority *op)
{
	struct domain *d = v->domain;
	struct port *p = port_get(d->events, op->port);
	unsigned long flags;
	long err;

	if (!p)
		return -EINVAL;
	flags = port_lock(p);
	if (!d->events->abi->set_priority)
		err = -ENOSYS;
	else if (!port_usable(p))
		err = -EACCES;
	else
		err = d->events->abi->set_priority(p, op->priority);
	port_unlock(p, flags);
	return err;
}

/* The number by which ports know a listener of ours, or 0. */
static uint8_t consumer_number(event_consumer_fn *fn)
{
	for (uint8_t i = 0; i < 8; i++) {
		event_consumer_fn *old = NULL;

		if (atomic_cas(&event_consumers[i], &old, fn) || old == fn)
			return i + 1;
	}
	return 0;
}

int event_alloc_xen_port(struct vcpu *v, domid_t remote,
			 event_consumer_fn *notify)
{
	struct domain *d = v->domain;
	struct port *p;
	int err;

	spin_lock(&d->events->lock);
	err = port_find_free(d, &p);
	if (!err) {
		p->remote_id = remote;
		p->consumer = consumer_number(notify);
		BUG_ON(!p->consumer);
		commit(d, p, PORT_UNBOUND, v->id);
		d->events->xen++;
	}
	spin_unlock(&d->events->lock);
	return err ? err : (int)p->number;
}

void event_free_xen_port(struct domain *d, unsigned int port)
{
	port_close(d, port, false);
}
