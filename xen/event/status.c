/* SPDX-License-Identifier: MIT */
/* What a port is: EVTCHNOP_status, and the debug key that shows all. */
#include "console/printk.h"
#include "event/table.h"
#include "lib/errno.h"

static void describe(const struct port *p, struct evtchn_status *op)
{
	op->vcpu = p->vcpu;
	switch ((enum port_state)p->state) {
	case PORT_FREE:
	case PORT_RESERVED:
		op->status = EVTCHNSTAT_closed;
		break;
	case PORT_UNBOUND:
		op->status = EVTCHNSTAT_unbound;
		op->u.unbound.dom = p->remote_id;
		break;
	case PORT_INTERDOMAIN:
		op->status = EVTCHNSTAT_interdomain;
		op->u.interdomain.dom = p->remote->id;
		op->u.interdomain.port = p->peer->number;
		break;
	case PORT_PIRQ:
		op->status = EVTCHNSTAT_pirq;
		op->u.pirq = p->pirq;
		break;
	case PORT_VIRQ:
		op->status = EVTCHNSTAT_virq;
		op->u.virq = p->virq;
		break;
	case PORT_IPI:
		op->status = EVTCHNSTAT_ipi;
		break;
	}
}

static long status(struct domain *d, struct evtchn_status *op)
{
	struct port *p = port_get(d->events, op->port);
	unsigned long flags;
	long err = 0;

	if (!p)
		return -EINVAL;
	flags = port_lock(p);
	if (p->consumer)
		err = -EACCES;
	else
		describe(p, op);
	port_unlock(p, flags);
	return err;
}

long evtchn_status(struct vcpu *v, struct evtchn_status *op)
{
	struct domain *d = get_domain(op->dom);
	long err;

	if (!d)
		return -ESRCH;
	err = domain_check_privilege(v->domain, d);
	if (!err)
		err = status(d, op);
	put_domain(d);
	return err;
}

/* Table lock held. */
static void dump_port(struct domain *d, struct port *p)
{
	static const char *const names[] = {
		"free", "reserved", "unbound", "interdomain",
		"pirq", "virq",     "ipi",
	};
	const struct event_abi *abi = d->events->abi;
	bool usable = port_usable(p);

	printk("  %5u %-11s pending=%d masked=%d vcpu=%u", p->number,
	       names[p->state], usable && abi->is_pending(d, p),
	       usable && abi->is_masked(d, p), p->vcpu);
	switch ((enum port_state)p->state) {
	case PORT_UNBOUND:
		printk(" for d%u", p->remote_id);
		break;
	case PORT_INTERDOMAIN:
		printk(" with d%u port %u", p->remote->id, p->peer->number);
		break;
	case PORT_PIRQ:
		printk(" pirq %u", p->pirq);
		break;
	case PORT_VIRQ:
		printk(" virq %u", p->virq);
		break;
	default:
		break;
	}
	printk("%s\n", p->consumer ? " (Xen)" : "");
}

static void dump_domain(struct domain *d)
{
	struct event_table *t = d->events;

	printk("d%u: event channels (%s), %u bound, %u for Xen\n", d->id,
	       t->abi->name, t->active, t->xen);
	spin_lock(&t->lock);
	for (uint32_t n = 1; n < t->valid; n++) {
		struct port *p = port_get(t, n);

		if (p->state != PORT_FREE)
			dump_port(d, p);
	}
	spin_unlock(&t->lock);
}

void event_dump(void)
{
	struct domain *d;

	for (unsigned int id = 0; (d = next_domain(id)) != NULL; id++) {
		id = d->id;
		if (d->events)
			dump_domain(d);
		put_domain(d);
	}
}
