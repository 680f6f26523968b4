/* SPDX-License-Identifier: MIT */
/*
 * Three domains with event channels, and each operation as one call: for the
 * tests of events, which include this once each.
 */
#ifndef OSTLER_TESTS_EVENT_WORLD_H
#define OSTLER_TESTS_EVENT_WORLD_H

#include "harness.h"

#include "event/event.h"
#include "fake.h"
#include "lib/errno.h"

static struct domain *d0, *d1, *d2;

static inline void start(void)
{
	fake_start();
	event_setup();
	d0 = fake_domain(0, &event_part);
	d1 = fake_domain(1, &event_part);
	d2 = fake_domain(2, &event_part);
}
static inline void end(void)
{
	CHECK_EQ(fake_end(&event_part), 0);
}
static inline struct vcpu *as(struct domain *d)
{
	this_cpu(current) = d->vcpu[0];
	return d->vcpu[0];
}
static inline unsigned int notified(struct domain *d, unsigned int vcpu)
{
	return container_of(d, struct fake_domain, d)->notified[vcpu];
}
static inline unsigned int woken(struct domain *d, unsigned int vcpu)
{
	return container_of(d, struct fake_domain, d)->woken[vcpu];
}

/* The operations in short: a port, or the error. */
static inline long unbound(struct domain *caller, domid_t dom, domid_t remote)
{
	struct evtchn_alloc_unbound op = {.dom = dom, .remote_dom = remote};
	long err = evtchn_alloc_unbound(as(caller), &op);

	return err ? err : (long)op.port;
}
static inline long interdomain(struct domain *caller, domid_t dom,
			       uint32_t port)
{
	struct evtchn_bind_interdomain op = {.remote_dom = dom,
					     .remote_port = port};
	long err = evtchn_bind_interdomain(as(caller), &op);

	return err ? err : (long)op.local_port;
}
static inline long virq(struct domain *d, uint32_t nr, uint32_t vcpu)
{
	struct evtchn_bind_virq op = {.virq = nr, .vcpu = vcpu};
	long err = evtchn_bind_virq(as(d), &op);

	return err ? err : (long)op.port;
}
static inline long ipi(struct domain *d, uint32_t vcpu)
{
	struct evtchn_bind_ipi op = {.vcpu = vcpu};
	long err = evtchn_bind_ipi(as(d), &op);

	return err ? err : (long)op.port;
}
static inline long pirq(struct domain *d, uint32_t nr)
{
	struct evtchn_bind_pirq op = {.pirq = nr};
	long err = evtchn_bind_pirq(as(d), &op);

	return err ? err : (long)op.port;
}
static inline long send(struct domain *d, long port)
{
	return evtchn_send(as(d), &(struct evtchn_send){(uint32_t)port});
}
static inline long close_port(struct domain *d, long port)
{
	return evtchn_close(as(d), &(struct evtchn_close){(uint32_t)port});
}
static inline long unmask(struct domain *d, long port)
{
	return evtchn_unmask(as(d), &(struct evtchn_unmask){(uint32_t)port});
}
static inline long to_vcpu(struct domain *d, long port, uint32_t vcpu)
{
	return evtchn_bind_vcpu(
		as(d), &(struct evtchn_bind_vcpu){(uint32_t)port, vcpu});
}
static inline long priority(struct domain *d, long port, uint32_t prio)
{
	return evtchn_set_priority(
		as(d), &(struct evtchn_set_priority){(uint32_t)port, prio});
}
static inline long reset(struct domain *caller, domid_t dom)
{
	return evtchn_reset(as(caller), &(struct evtchn_reset){dom});
}
static inline long status(struct domain *caller, domid_t dom, long port,
			  struct evtchn_status *op)
{
	*op = (struct evtchn_status){.dom = dom, .port = (uint32_t)port};
	return evtchn_status(as(caller), op);
}

/* The state of a two-level port, as the guest sees it. */
static inline bool pending(struct domain *d, long port)
{
	return test_bit((unsigned int)port, d->shared_info->evtchn_pending);
}
static inline bool selected(struct domain *d, unsigned int vcpu, long port)
{
	struct vcpu_info *i = d->vcpu[vcpu]->info;

	return i->evtchn_upcall_pending &&
	       (i->evtchn_pending_sel >> (port / 64)) & 1;
}
/* The guest takes all its events. */
static inline void take(struct domain *d)
{
	memset(d->shared_info->evtchn_pending, 0,
	       sizeof(d->shared_info->evtchn_pending));
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		d->vcpu[i]->info->evtchn_upcall_pending = 0;
		d->vcpu[i]->info->evtchn_pending_sel = 0;
	}
}

/* FIFO. Frame 60 + n of the domain is the control block of vCPU n, 50 + n the
 * n-th page of words. */

#define WORD_PENDING BIT(EVTCHN_FIFO_PENDING)
#define WORD_MASKED  BIT(EVTCHN_FIFO_MASKED)
#define WORD_LINKED  BIT(EVTCHN_FIFO_LINKED)

static inline struct evtchn_fifo_control_block *control(struct domain *d,
							unsigned int vcpu)
{
	return fake_page(d, 60 + vcpu);
}
static inline uint32_t *word(struct domain *d, long port)
{
	return (uint32_t *)fake_page(d, 50 + (uint64_t)port / 1024) +
	       port % 1024;
}
static inline long set_control(struct domain *d, uint32_t vcpu, uint64_t gfn,
			       uint32_t offset)
{
	struct evtchn_init_control op = {
		.control_gfn = gfn, .offset = offset, .vcpu = vcpu};
	long err = evtchn_init_control(as(d), &op);

	CHECK_EQ(op.link_bits, EVTCHN_FIFO_LINK_BITS);
	return err;
}
static inline long expand(struct domain *d, uint64_t gfn)
{
	return evtchn_expand_array(as(d), &(struct evtchn_expand_array){gfn});
}
static inline void fifo(struct domain *d)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		CHECK_EQ(set_control(d, i, 60 + i, 0), 0);
	CHECK_EQ(expand(d, 50), 0);
}
/* The guest takes the first event of a queue, as Linux does it. */
static inline uint32_t consume(struct domain *d, unsigned int vcpu,
			       unsigned int prio)
{
	struct evtchn_fifo_control_block *c = control(d, vcpu);
	uint32_t n = atomic_read(&c->head[prio]), w;

	if (!n)
		return 0;
	w = atomic_and(word(d, n),
		       ~(uint32_t)(WORD_LINKED | EVTCHN_FIFO_LINK_MASK));
	c->head[prio] = w & EVTCHN_FIFO_LINK_MASK;
	if (!c->head[prio])
		atomic_and(&c->ready, ~(1U << prio));
	if ((w & WORD_PENDING) && !(w & WORD_MASKED))
		atomic_and(word(d, n), ~(uint32_t)WORD_PENDING);
	else
		return consume(d, vcpu, prio); /* a stale one */
	return n;
}

#endif
