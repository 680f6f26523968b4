/* SPDX-License-Identifier: MIT */
/*
 * Switching a domain to FIFO event channels: the guest gives a control block
 * for each vCPU and pages of event words, which stay held until they are given
 * back (reset, death).
 */
#include "domain/guest_access.h"
#include "event/fifo.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/layout.h"

/* The guest's own RAM at gfn, held and writable; NULL if it is not that. */
static void *hold_guest_page(struct domain *d, uint64_t gfn)
{
	enum p2m_type type;
	mfn_t mfn = get_guest_frame(d, _gfn(gfn), true, &type);

	if (mfn_eq(mfn, INVALID_MFN))
		return NULL;
	if (!p2m_is_ram(type)) {
		put_guest_frame(mfn, true);
		return NULL;
	}
	return mfn_to_virt(mfn);
}

static void let_go(void *virt)
{
	if (virt)
		put_guest_frame(
			virt_to_mfn((void *)((uintptr_t)virt & PAGE_MASK)),
			true);
}

static struct fifo_vcpu *new_vcpu(void)
{
	struct fifo_vcpu *fv = xnew(struct fifo_vcpu);

	if (!fv)
		return NULL;
	for (uint8_t i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
		spin_lock_init(&fv->queue[i].lock, LOCK_EVENT_QUEUE);
		fv->queue[i].priority = i;
	}
	return fv;
}

static void free_fifo(struct fifo *f)
{
	for (unsigned int i = 0; i < MAX_VCPUS; i++) {
		if (!f->vcpu[i])
			continue;
		let_go(f->vcpu[i]->control);
		xfree(f->vcpu[i]);
	}
	for (unsigned int i = 0; i < FIFO_MAX_PAGES; i++)
		let_go(f->page[i]);
	xfree(f);
}

void fifo_destroy(struct domain *d)
{
	struct event_table *t = d->events;

	if (!t->fifo)
		return;
	t->abi = t->sel_shift == 5 ? &event_abi_level2_32 : &event_abi_level2;
	free_fifo(t->fifo);
	t->fifo = NULL;
	/* Ports that only FIFO has stay in the table, free. */
}

static struct fifo *new_fifo(struct domain *d)
{
	struct fifo *f = xnew(struct fifo);

	if (!f)
		return NULL;
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		f->vcpu[i] = new_vcpu();
		if (!f->vcpu[i]) {
			free_fifo(f);
			return NULL;
		}
	}
	return f;
}

static int set_control(struct domain *d, struct fifo_vcpu *fv, uint64_t gfn,
		       uint32_t offset)
{
	struct evtchn_fifo_control_block *control;
	char *page;

	if (fv->control)
		return -EINVAL;
	page = hold_guest_page(d, gfn);
	if (!page)
		return -EINVAL;
	control = (void *)(page + offset);
	for (int i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++)
		fv->queue[i].head = &control->head[i];
	/* Whoever sees the block sees the heads. */
	atomic_set(&fv->control, control);
	return 0;
}

/* Events that two-level had pending are raised when their page comes. */
static void switch_ports(struct domain *d, struct fifo *f)
{
	struct event_table *t = d->events;
	const struct event_abi *old = t->abi;

	t->fifo = f;
	atomic_set(&t->abi, &event_abi_fifo);
	for (uint32_t n = 1; n < t->valid && n < old->max_ports; n++) {
		struct port *p = port_get(t, n);
		unsigned long flags = port_lock(p);

		if (test_bit(n, t->pending))
			p->late = true;
		p->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		port_unlock(p, flags);
	}
}

/* The first control block: the domain becomes FIFO. Table lock held. */
static int start_fifo(struct domain *d, struct vcpu *v,
		      const struct evtchn_init_control *op)
{
	struct fifo *f = new_fifo(d);
	int err;

	if (!f)
		return -ENOMEM;
	err = set_control(d, f->vcpu[v->id], op->control_gfn, op->offset);
	if (err) {
		free_fifo(f);
		return err;
	}
	switch_ports(d, f);
	return 0;
}

long evtchn_init_control(struct vcpu *caller, struct evtchn_init_control *op)
{
	struct domain *d = caller->domain;
	struct vcpu *v = domain_vcpu(d, op->vcpu);
	struct event_table *t = d->events;
	long err;

	op->link_bits = EVTCHN_FIFO_LINK_BITS;
	if (!v)
		return -ENOENT;
	if (op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control_block) ||
	    op->offset % 8)
		return -EINVAL;
	spin_lock(&t->lock);
	if (!t->fifo)
		err = start_fifo(d, v, op);
	else
		err = set_control(d, t->fifo->vcpu[v->id], op->control_gfn,
				  op->offset);
	spin_unlock(&t->lock);
	return err;
}

/* Raises what was raised before there was a word for it. */
static void raise_late(struct domain *d, uint32_t from, uint32_t to)
{
	struct event_table *t = d->events;

	for (uint32_t n = from; n < to && n < t->valid; n++) {
		struct port *p = port_get(t, n);
		unsigned long flags;

		if (!p->late)
			continue;
		flags = port_lock(p);
		p->late = false;
		port_raise(d, p);
		port_unlock(p, flags);
	}
}

/* Table lock held. */
static long add_page(struct domain *d, struct fifo *f, uint64_t gfn)
{
	uint32_t words = f->words;
	event_word_t *page;

	if (words >= EVTCHN_FIFO_NR_CHANNELS)
		return -ENOSPC;
	page = hold_guest_page(d, gfn);
	if (!page)
		return -EINVAL;
	f->page[words / FIFO_WORDS_PER_PAGE] = page;
	atomic_set(&f->words, words + (uint32_t)FIFO_WORDS_PER_PAGE);
	smp_mb(); /* with set_pending(): one of us sees the other */
	raise_late(d, words, f->words);
	return 0;
}

long evtchn_expand_array(struct vcpu *v, struct evtchn_expand_array *op)
{
	struct domain *d = v->domain;
	struct event_table *t = d->events;
	long err = -EOPNOTSUPP;

	spin_lock(&t->lock);
	if (t->fifo)
		err = add_page(d, t->fifo, op->array_gfn);
	spin_unlock(&t->lock);
	return err;
}
