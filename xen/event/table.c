/* SPDX-License-Identifier: MIT */
/*
 * The table of a domain's ports: buckets of ports, allocated as the numbers
 * grow and never freed before the domain, so that a port can be looked up
 * without a lock.
 */
#include "event/table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

_Static_assert(sizeof(struct port) == 40, "a bucket of ports fits in a page");
_Static_assert(NR_GROUPS *PORTS_PER_GROUP == EVTCHN_FIFO_NR_CHANNELS,
	       "every port that a link can name has a place");
_Static_assert(MAX_VCPUS == 128, "event_check_pollers() looks at two words");

/* One more bucket at the end of the table. */
static int table_grow(struct event_table *t)
{
	uint32_t n = t->valid;
	struct port ***group = &t->group[n / PORTS_PER_GROUP];
	struct port *bucket;

	if (!*group) {
		*group = xnew_array(struct port *, BUCKETS_PER_GROUP);
		if (!*group)
			return -ENOMEM;
	}
	bucket = xnew_array(struct port, PORTS_PER_BUCKET);
	if (!bucket)
		return -ENOMEM;
	for (uint32_t i = 0; i < PORTS_PER_BUCKET; i++) {
		spin_lock_init(&bucket[i].lock, LOCK_PORT);
		bucket[i].number = n + i;
	}
	(*group)[n / PORTS_PER_BUCKET % BUCKETS_PER_GROUP] = bucket;
	/* Only now may port_get() see it. */
	atomic_set(&t->valid, n + PORTS_PER_BUCKET);
	return 0;
}

int port_find_free(struct domain *d, struct port **out)
{
	struct event_table *t = d->events;
	uint32_t end = min(t->abi->max_ports, t->limit + 1);

	if (d->dying != DOMDYING_ALIVE)
		return -EINVAL;
	for (uint32_t n = t->first_free; n < end; n++) {
		struct port *p;

		if (n >= t->valid && table_grow(t))
			return -ENOMEM;
		p = port_get(t, n);
		if (p->state != PORT_FREE) {
			t->first_free += n == t->first_free;
			continue;
		}
		if (t->abi->is_busy(d, p))
			continue;
		*out = p;
		return 0;
	}
	return -ENOSPC;
}

void port_open(struct domain *d, struct port *p, enum port_state state)
{
	struct event_table *t = d->events;

	t->active++;
	p->state = state;
	if (!p->consumer)
		t->abi->init(d, p);
}

void port_free(struct domain *d, struct port *p)
{
	struct event_table *t = d->events;

	/* A new binding must not start with an old event. */
	if (port_usable(p))
		t->abi->clear_pending(d, p);
	p->late = false;
	if (p->consumer)
		t->xen--;
	t->active--;
	p->state = PORT_FREE;
	p->consumer = 0;
	p->vcpu = 0;
	t->first_free = min(t->first_free, p->number);
}

unsigned long port_lock_pair(struct port *a, struct port *b)
{
	struct port *first = a < b ? a : b, *second = a < b ? b : a;
	unsigned long flags = spin_lock_irqsave(&first->lock);

	if (second != first)
		spin_lock_peer(&second->lock);
	return flags;
}

void port_unlock_pair(struct port *a, struct port *b, unsigned long flags)
{
	struct port *first = a < b ? a : b, *second = a < b ? b : a;

	if (second != first)
		spin_unlock(&second->lock);
	spin_unlock_irqrestore(&first->lock, flags);
}

void event_lock_pair(struct domain *a, struct domain *b)
{
	struct domain *first = a->id < b->id ? a : b;
	struct domain *second = first == a ? b : a;

	spin_lock(&first->events->lock);
	if (second != first)
		spin_lock_peer(&second->events->lock);
}

void event_unlock_pair(struct domain *a, struct domain *b)
{
	spin_unlock(&a->events->lock);
	if (b != a)
		spin_unlock(&b->events->lock);
}

bool event_port_valid(struct domain *d, unsigned int port)
{
	return port_get(d->events, port) != NULL;
}

bool event_is_pending(struct domain *d, unsigned int port)
{
	struct port *p = port_get(d->events, port);
	unsigned long flags;
	bool pending;

	if (!p)
		return false;
	flags = port_lock(p);
	pending = port_usable(p) && d->events->abi->is_pending(d, p);
	port_unlock(p, flags);
	return pending;
}

void event_set_width(struct domain *d, unsigned int bits)
{
	/* The 32-bit shared_info: pending at the same place, 32 words of 32. */
	const size_t mask32 = offsetof(struct shared_info, evtchn_pending) +
			      32 * sizeof(uint32_t);
	struct event_table *t = d->events;

	spin_lock(&t->lock);
	if (!t->fifo) {
		t->sel_shift = bits == 32 ? 5 : 6;
		t->mask = bits == 32 ? (void *)((char *)d->shared_info + mask32)
				     : (void *)d->shared_info->evtchn_mask;
		t->abi = bits == 32 ? &event_abi_level2_32 : &event_abi_level2;
	}
	spin_unlock(&t->lock);
}

static void table_destroy(struct domain *d)
{
	struct event_table *t = d->events;

	if (!t)
		return;
	fifo_destroy(d);
	for (uint32_t i = 0; i < NR_GROUPS && t->group[i]; i++) {
		for (uint32_t j = 0; j < BUCKETS_PER_GROUP; j++)
			xfree(t->group[i][j]);
		xfree(t->group[i]);
	}
	xfree(t->pirq_to_port);
	xfree(t);
	d->events = NULL;
}

static int table_init(struct domain *d,
		      const struct xen_domctl_createdomain *cfg)
{
	struct event_table *t = xnew(struct event_table);

	if (!t)
		return -ENOMEM;
	spin_lock_init(&t->lock, LOCK_EVENT);
	t->abi = &event_abi_level2;
	t->sel_shift = 6;
	t->pending = (void *)d->shared_info->evtchn_pending;
	t->mask = (void *)d->shared_info->evtchn_mask;
	t->limit = min(cfg->max_evtchn_port,
		       (uint32_t)EVTCHN_FIFO_NR_CHANNELS - 1);
	d->events = t;
	d->suspend_notify = event_notify_suspend;
	if (table_grow(t)) {
		table_destroy(d);
		return -ENOMEM;
	}
	port_get(t, 0)->state = PORT_RESERVED;
	return 0;
}

const struct domain_part event_part = {
	.name = "event channels",
	.init = table_init,
	.relinquish = event_close_all,
	.destroy = table_destroy,
	.vcpu_moved = event_vcpu_moved,
};
