/* SPDX-License-Identifier: MIT */
/*
 * One-shot timers: a pairing heap a CPU, ordered by time. Setting a timer is
 * one comparison; removing any is a merge of its children.
 *
 * The APIC's timer is programmed when the earliest time becomes earlier, not
 * when it becomes later: then the interrupt comes once for nothing and the next
 * time is programmed from there. A guest that keeps moving its own timer so
 * costs no access to the APIC each time.
 */
#include "cpu/time.h"
#include "cpu/apic.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "lib/atomic.h"
#include "lib/lock.h"

#define NEVER     INT64_MAX
#define MAX_BATCH 64 /* timers run before other softirqs get their turn */

struct timer_cpu {
	spinlock_t lock;
	struct timer *top, *running;
	s_time_t programmed; /* the interrupt that is to come; 0: none known */
};
/* By CPU, not per-CPU data: others look at them, and tests have several. */
static struct timer_cpu timers[NR_CPUS] = {
	[0 ... NR_CPUS - 1] = {.lock = SPINLOCK_INIT(LOCK_TIMER)},
};

/* Two heaps become one; both may be NULL. */
static struct timer *merge(struct timer *a, struct timer *b)
{
	struct timer *t;

	if (!a || !b)
		return a ? a : b;
	if (b->expires < a->expires) {
		t = a;
		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next)
		b->next->link = &b->next;
	b->link = &a->child;
	a->child = b;
	return a;
}

/* Siblings in pairs from the left, then the pairs from the right. */
static struct timer *merge_children(struct timer *first)
{
	struct timer *pairs = NULL, *all = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		if (b)
			b->next = NULL;
		a = merge(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *rest = pairs->next;

		pairs->next = NULL;
		all = merge(all, pairs);
		pairs = rest;
	}
	return all;
}

static void set_top(struct timer_cpu *c, struct timer *t)
{
	c->top = t;
	if (t) {
		t->next = NULL;
		t->link = &c->top;
	}
}

static void heap_insert(struct timer_cpu *c, struct timer *t)
{
	t->child = t->next = NULL;
	t->queued = true;
	set_top(c, merge(c->top, t));
}

static void heap_remove(struct timer_cpu *c, struct timer *t)
{
	struct timer *children;

	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->queued = false;
	children = merge_children(t->child);
	t->child = NULL;
	set_top(c, merge(c->top, children));
}

/* A timer's own lock, for its cpu field: held for a few instructions. */
static unsigned long timer_begin(struct timer *t)
{
	unsigned long flags = local_irq_save();

	while (atomic_xchg(&t->busy, 1))
		cpu_relax();
	return flags;
}

static void timer_end(struct timer *t, unsigned long flags)
{
	atomic_set(&t->busy, 0);
	local_irq_restore(flags);
}

/* timer_begin() done. */
static void dequeue(struct timer *t)
{
	struct timer_cpu *c = &timers[t->cpu];

	spin_lock(&c->lock);
	if (t->queued)
		heap_remove(c, t);
	spin_unlock(&c->lock);
}

/* Later than it was and with none below it: the heap is as good as before, and
 * the interrupt may come early. */
static inline bool stays_in_place(const struct timer *t, s_time_t expires)
{
	return t->queued && !t->child && expires >= t->expires;
}

/* timer_begin() done; it may be queued here, and nowhere else. */
static void enqueue(struct timer *t, unsigned int cpu, s_time_t expires)
{
	struct timer_cpu *c = &timers[cpu];

	t->cpu = (uint16_t)cpu;
	spin_lock(&c->lock);
	if (stays_in_place(t, expires)) {
		t->expires = expires;
		spin_unlock(&c->lock);
		return;
	}
	if (t->queued)
		heap_remove(c, t);
	t->expires = expires;
	heap_insert(c, t);
	if (c->top == t && (!c->programmed || expires < c->programmed)) {
		c->programmed = max(expires, (s_time_t)1);
		apic_timer_arm(expires);
		/* What is due runs before any guest does, however long the
		 * interrupt takes to come. */
		if (expires <= now())
			softirq_raise(SOFTIRQ_TIMER);
	}
	spin_unlock(&c->lock);
}

void timer_init(struct timer *t, void (*fn)(void *), void *data)
{
	*t = (struct timer){.fn = fn, .data = data};
}

void timer_set(struct timer *t, s_time_t expires)
{
	unsigned long flags = timer_begin(t);
	unsigned int cpu = smp_processor_id();

	if (unlikely(t->queued && t->cpu != cpu))
		dequeue(t);
	if (likely(!t->killed))
		enqueue(t, cpu, expires);
	timer_end(t, flags);
}

void timer_stop(struct timer *t)
{
	unsigned long flags;

	if (!READ_ONCE(t->queued))
		return;
	flags = timer_begin(t);
	dequeue(t);
	timer_end(t, flags);
}

static bool runs_somewhere(const struct timer *t)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (READ_ONCE(timers[cpu].running) == t)
			return true;
	return false;
}

void timer_kill(struct timer *t)
{
	unsigned long flags = timer_begin(t);

	t->killed = true;
	dequeue(t);
	timer_end(t, flags);
	while (runs_somewhere(t))
		cpu_relax();
}

bool timer_active(const struct timer *t)
{
	return READ_ONCE(t->queued);
}

int64_t timer_next(void)
{
	struct timer_cpu *c = &timers[smp_processor_id()];
	unsigned long flags = spin_lock_irqsave(&c->lock);
	int64_t next = c->top ? c->top->expires : NEVER;

	spin_unlock_irqrestore(&c->lock, flags);
	return next;
}

void timer_interrupt(struct cpu_regs *regs)
{
	(void)regs;
	timers[smp_processor_id()].programmed = 0;
	apic_eoi();
	softirq_raise(SOFTIRQ_TIMER);
}

/* Takes the earliest that is due by t, and marks it as running. */
static struct timer *take_due(struct timer_cpu *c, s_time_t t)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	struct timer *due = c->top;

	if (due && due->expires <= t)
		heap_remove(c, due);
	else
		due = NULL;
	c->running = due;
	spin_unlock_irqrestore(&c->lock, flags);
	return due;
}

static void program_next(struct timer_cpu *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	s_time_t next = c->top ? c->top->expires : NEVER;

	if (next != NEVER && (!c->programmed || next < c->programmed)) {
		c->programmed = max(next, (s_time_t)1);
		apic_timer_arm(next);
	}
	spin_unlock_irqrestore(&c->lock, flags);
}

void timer_softirq(void)
{
	struct timer_cpu *c = &timers[smp_processor_id()];
	s_time_t t = now();

	for (unsigned int i = 0; i < MAX_BATCH; i++) {
		struct timer *due = take_due(c, t);

		if (!due)
			break;
		due->fn(due->data);
		/* fn may have freed it: only the mark is taken back. */
		WRITE_ONCE(c->running, NULL);
	}
	program_next(c);
}
