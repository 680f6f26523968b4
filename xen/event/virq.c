/* SPDX-License-Identifier: MIT */
/*
 * Virtual interrupts. Some belong to a vCPU (timer, debug …); the others are
 * global: one domain hears each, dom0 unless a tool said otherwise, and it
 * binds them on its vCPU 0 (public/xen.h, "VIRTUAL INTERRUPTS").
 *
 * They are sent from interrupt handlers: the number of the port is read without
 * a lock and checked once the port is locked.
 */
#include "event/table.h"
#include "lib/errno.h"

static spinlock_t handlers_lock = SPINLOCK_INIT(LOCK_VIRQ_HANDLERS);
static struct domain *handlers[NR_VIRQS]; /* held; NULL: dom0 */

bool virq_is_global(uint32_t virq)
{
	switch (virq) {
	case VIRQ_TIMER:
	case VIRQ_DEBUG:
	case VIRQ_XENOPROF:
	case VIRQ_XENPMU:
		return false;
	default:
		return true;
	}
}

/* Table lock held. */
static long bind_virq(struct vcpu *v, uint32_t virq, evtchn_port_t *port)
{
	struct domain *d = v->domain;
	struct port *p;
	unsigned long flags;
	int err;

	if (v->virq_to_port[virq])
		return -EEXIST;
	err = port_find_free(d, &p);
	if (err)
		return err;
	flags = port_lock(p);
	p->virq = virq;
	p->vcpu = (uint16_t)v->id;
	port_open(d, p, PORT_VIRQ);
	port_unlock(p, flags);
	atomic_set(&v->virq_to_port[virq], p->number);
	*port = p->number;
	return 0;
}

long evtchn_bind_virq(struct vcpu *caller, struct evtchn_bind_virq *op)
{
	struct domain *d = caller->domain;
	struct vcpu *v;
	uint32_t virq;
	long err;

	if (op->virq >= NR_VIRQS)
		return -EINVAL;
	virq = (uint32_t)index_nospec(op->virq, NR_VIRQS);
	if (virq_is_global(virq) && op->vcpu != 0)
		return -EINVAL;
	v = domain_vcpu(d, op->vcpu);
	if (!v)
		return -ENOENT;
	spin_lock(&d->events->lock);
	err = bind_virq(v, virq, &op->port);
	spin_unlock(&d->events->lock);
	return err;
}

void event_send_virq(struct vcpu *v, unsigned int virq)
{
	struct domain *d = v->domain;
	uint32_t n = atomic_read(&v->virq_to_port[virq]);
	struct port *p;
	unsigned long flags;

	if (!n)
		return;
	p = port_get(d->events, n);
	flags = port_lock(p);
	if (p->state == PORT_VIRQ && p->virq == virq)
		port_raise(d, p);
	port_unlock(p, flags);
}

void event_send_global_virq(unsigned int virq)
{
	unsigned long flags = spin_lock_irqsave(&handlers_lock);
	struct domain *d = handlers[virq] ? handlers[virq] : dom0;

	/* Early in its life a domain has no vCPU. */
	if (d && d->events && d->max_vcpus && d->vcpu[0])
		event_send_virq(d->vcpu[0], virq);
	spin_unlock_irqrestore(&handlers_lock, flags);
}

int event_set_virq_handler(struct domain *d, uint32_t virq)
{
	struct domain *old;
	unsigned long flags;

	if (virq >= NR_VIRQS || !virq_is_global(virq))
		return -EINVAL;
	virq = (uint32_t)index_nospec(virq, NR_VIRQS);
	/* Nothing of it may be left when it is gone. Its end and this are both
	 * dom0's, one at a time. */
	if (d->dying != DOMDYING_ALIVE)
		return -EINVAL;
	hold_domain(d);
	flags = spin_lock_irqsave(&handlers_lock);
	old = handlers[virq];
	handlers[virq] = d;
	spin_unlock_irqrestore(&handlers_lock, flags);
	if (old)
		put_domain(old);
	return 0;
}

void event_clear_virq_handlers(struct domain *d)
{
	unsigned int held = 0;
	unsigned long flags = spin_lock_irqsave(&handlers_lock);

	for (uint32_t virq = 0; virq < NR_VIRQS; virq++) {
		if (handlers[virq] != d)
			continue;
		handlers[virq] = NULL;
		held++;
	}
	spin_unlock_irqrestore(&handlers_lock, flags);
	while (held--)
		put_domain(d);
}

void event_setup(void)
{
	send_global_virq = event_send_global_virq;
	send_guest_virq = event_send_virq;
}
