/* SPDX-License-Identifier: MIT */
/*
 * The two-level layout: a pending and a mask bit per port in the domain's
 * shared info, and in each vCPU's info a selector bit per word of those. The
 * order of the steps is the guest's guarantee that no event is lost: pending,
 * then selector, then the upcall flag (public/xen.h, struct shared_info).
 */
#include "event/table.h"
#include "lib/errno.h"

#define SEL32_OFFSET 4 /* of the selector in a 32-bit guest's vcpu_info */

/* Marks the word with port n in the vCPU's selector. */
static inline void select_word(struct vcpu *v, const struct event_table *t,
			       uint32_t n)
{
	struct vcpu_info *info = READ_ONCE(v->info);
	void *sel;

	/* No place yet: event_vcpu_moved() will mark everything. */
	if (unlikely(!info))
		return;
	sel = t->sel_shift == 6 ? (void *)&info->evtchn_pending_sel
				: (char *)info + SEL32_OFFSET;
	if (!test_and_set_bit(n >> t->sel_shift, sel))
		event_mark_pending(v);
}

/* Apart from set_pending(), which saves no registers then. */
static __attribute__((noinline)) void pending_and_polled(struct vcpu *v,
							 uint32_t n)
{
	const struct event_table *t = v->domain->events;

	if (!test_bit(n, t->mask))
		select_word(v, t, n);
	event_wake_pollers(v->domain, n);
}

static void set_pending(struct vcpu *v, struct port *p)
{
	const struct event_table *t = v->domain->events;
	uint32_t n = p->number;

	if (test_and_set_bit(n, t->pending))
		return;
	if (unlikely(event_is_polled(t)))
		pending_and_polled(v, n);
	else if (!test_bit(n, t->mask))
		select_word(v, t, n);
}

static void clear_pending(struct domain *d, struct port *p)
{
	clear_bit(p->number, d->events->pending);
}

static void unmask(struct domain *d, struct port *p)
{
	const struct event_table *t = d->events;

	if (test_and_clear_bit(p->number, t->mask) &&
	    test_bit(p->number, t->pending))
		select_word(d->vcpu[p->vcpu], t, p->number);
}

static bool is_pending(struct domain *d, struct port *p)
{
	return test_bit(p->number, d->events->pending);
}

static bool is_masked(struct domain *d, struct port *p)
{
	return test_bit(p->number, d->events->mask);
}

static bool is_busy(struct domain *d, struct port *p)
{
	(void)d;
	(void)p;
	return false;
}

static void init(struct domain *d, struct port *p)
{
	(void)d;
	(void)p;
}

void event_vcpu_moved(struct vcpu *v)
{
	struct vcpu_info *info = v->info;

	if (!info)
		return;
	/* What came before may have been marked in the old place: look at all
	 * words. */
	if (v->domain->events->sel_shift == 6)
		atomic_set(&info->evtchn_pending_sel, ~0UL);
	else
		atomic_set((uint32_t *)((char *)info + SEL32_OFFSET), ~0U);
	atomic_set(&info->evtchn_upcall_pending, 1);
	v->domain->kind->event_notify(v);
}

#define LEVEL2_OPS                                                             \
	.init = init, .set_pending = set_pending,                              \
	.clear_pending = clear_pending, .unmask = unmask,                      \
	.is_pending = is_pending, .is_masked = is_masked, .is_busy = is_busy

const struct event_abi event_abi_level2 = {
	.name = "two-level", .max_ports = EVTCHN_2L_NR_CHANNELS, LEVEL2_OPS};
const struct event_abi event_abi_level2_32 = {
	.name = "two-level, 32-bit", .max_ports = 32 * 32, LEVEL2_OPS};
