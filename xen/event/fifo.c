/* SPDX-License-Identifier: MIT */
/*
 * The FIFO layout (public/event_channel.h, "FIFO ABI"): a word per port, which
 * the guest shares, and sixteen queues per vCPU, linked through those words.
 *
 * The guest may at any moment write anything into a word. Links are therefore
 * never followed here: only the tail that we remember is changed, with a
 * compare-and-swap that is tried a bounded number of times.
 *
 * A port goes to the queue of its vCPU and priority, but may still be the tail
 * of the queue it was on before: both queues are locked while it is linked.
 */
#include "console/printk.h"
#include "event/fifo.h"
#include "lib/errno.h"

#define PENDING (1U << EVTCHN_FIFO_PENDING)
#define MASKED  (1U << EVTCHN_FIFO_MASKED)
#define LINKED  (1U << EVTCHN_FIFO_LINKED)
#define BUSY    (1U << EVTCHN_FIFO_BUSY)

#define LOCK_TRIES 3
/* How often a well-behaved guest can change a linked word under us: once each
 * to mask, unmask, clear pending, clear linked (unmasking waits for BUSY). */
#define LINK_TRIES 4

/* The queue that p goes to and the one it was on last, locked. */
struct locked_queues {
	struct fifo_queue *to, *from;
	unsigned long flags;
};

static uint32_t pack_queue(const struct vcpu *v, const struct fifo_queue *q)
{
	return v->id << 8 | q->priority;
}

static struct fifo_queue *last_queue(struct fifo *f, const struct port *p)
{
	uint32_t last = READ_ONCE(p->last_queue);

	return &f->vcpu[last >> 8]->queue[last & 0xff];
}

static void lock_two(struct locked_queues *l)
{
	struct fifo_queue *first = min(l->to, l->from);
	struct fifo_queue *second = max(l->to, l->from);

	l->flags = spin_lock_irqsave(&first->lock);
	if (second != first)
		spin_lock_peer(&second->lock);
}

static void unlock_two(struct locked_queues *l)
{
	if (l->from != l->to)
		spin_unlock(&l->from->lock);
	spin_unlock_irqrestore(&l->to->lock, l->flags);
}

/* False if the port's queue kept changing: nothing is locked. */
static bool lock_queues(struct fifo *f, struct vcpu *v, struct port *p,
			struct locked_queues *l)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		l->to = &f->vcpu[v->id]->queue[READ_ONCE(p->priority)];
		l->from = last_queue(f, p);
		lock_two(l);
		if (likely(l->from == last_queue(f, p)))
			return true;
		unlock_two(l);
	}
	return false;
}

/* One try to make *word link to port n if it is linked at all: 1 done, 0 it is
 * not linked, -EAGAIN the guest changed it (*w is what it is now). */
static int try_link(event_word_t *word, event_word_t *w, uint32_t n)
{
	if (!(*w & LINKED))
		return 0;
	return atomic_cas(word, w, (*w & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | n)
		       ? 1
		       : -EAGAIN;
}

/* Makes the tail's word link to port n. False if the guest has consumed the
 * tail: the queue is empty. */
static bool link_tail(event_word_t *word, uint32_t n)
{
	event_word_t w = atomic_read(word);
	int done = try_link(word, &w, n);

	if (done >= 0)
		return done;
	/* BUSY makes the guest wait with unmasking. */
	w = atomic_or(word, BUSY) | BUSY;
	for (int i = 0; i < LINK_TRIES && done < 0; i++)
		done = try_link(word, &w, n);
	if (done <= 0)
		atomic_and(word, ~BUSY);
	/* A guest that still fights for the word loses the event. */
	return done != 0;
}

/* Puts p at the end of queue l->to. True if it is the queue's head. */
static bool enqueue(struct fifo *f, struct vcpu *v, struct port *p,
		    struct locked_queues *l)
{
	struct fifo_queue *q = l->to;
	bool linked = false;

	/* Was it a tail, then that queue is empty: the guest unlinked it. */
	if (l->from->tail == p->number)
		l->from->tail = 0;
	if (l->from != q)
		WRITE_ONCE(p->last_queue, pack_queue(v, q));
	if (q->tail)
		linked = link_tail(fifo_word(f, q->tail), p->number);
	if (!linked)
		atomic_set(q->head, p->number);
	q->tail = p->number;
	return !linked;
}

/* Raises p, whose word is there. */
static void raise_word(struct fifo *f, struct vcpu *v, struct port *p,
		       event_word_t *word)
{
	struct evtchn_fifo_control_block *control;
	struct locked_queues l;
	bool new = false, head = false;
	uint8_t priority = 0;

	/* Before PENDING is seen and until the port is linked, so that nobody
	 * is woken for an event that is not in its queue yet. */
	if (!lock_queues(f, v, p, &l)) {
		printk(XENLOG_GUEST XENLOG_WARNING
		       "d%u: port %u: event lost, its queue keeps changing\n",
		       v->domain->id, p->number);
		return;
	}
	control = atomic_read(&f->vcpu[v->id]->control);
	/* Without a control block the guest must not have unmasked it. */
	if (likely(control)) {
		priority = l.to->priority;
		new = !(atomic_or(word, PENDING) & PENDING);
		if (!(atomic_read(word) & MASKED) &&
		    !(atomic_or(word, LINKED) & LINKED))
			head = enqueue(f, v, p, &l);
	}
	unlock_two(&l);

	if (head &&
	    !(atomic_or(&control->ready, 1U << priority) & 1U << priority))
		event_mark_pending(v);
	if (new)
		event_check_pollers(v->domain, p->number);
}

static void set_pending(struct vcpu *v, struct port *p)
{
	struct fifo *f = v->domain->events->fifo;
	event_word_t *word = fifo_word(f, p->number);

	if (unlikely(!word)) {
		p->late = true;
		smp_mb();
		/* fifo_add_page() may have looked just before. */
		word = fifo_word(f, p->number);
		if (!word)
			return;
	}
	raise_word(f, v, p, word);
}

static event_word_t *port_word(struct domain *d, struct port *p)
{
	return fifo_word(d->events->fifo, p->number);
}

static void clear_pending(struct domain *d, struct port *p)
{
	event_word_t *word = port_word(d, p);

	/* It stays linked: the guest skips what is not pending. */
	if (word)
		atomic_and(word, ~PENDING);
}

static void unmask(struct domain *d, struct port *p)
{
	event_word_t *word = port_word(d, p);

	if (!word)
		return;
	atomic_and(word, ~MASKED);
	if (atomic_read(word) & PENDING)
		set_pending(d->vcpu[p->vcpu], p);
}

static bool is_pending(struct domain *d, struct port *p)
{
	event_word_t *word = port_word(d, p);

	return word && (atomic_read(word) & PENDING);
}

static bool is_masked(struct domain *d, struct port *p)
{
	event_word_t *word = port_word(d, p);

	return !word || (atomic_read(word) & MASKED);
}

static bool is_busy(struct domain *d, struct port *p)
{
	event_word_t *word = port_word(d, p);

	return word && (atomic_read(word) & LINKED);
}

static int set_priority(struct port *p, uint32_t priority)
{
	if (priority > EVTCHN_FIFO_PRIORITY_MIN)
		return -EINVAL;
	/* For events to come; one that is linked stays where it is. */
	WRITE_ONCE(p->priority, (uint8_t)priority);
	return 0;
}

static void init(struct domain *d, struct port *p)
{
	(void)d;
	p->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
}

const struct event_abi event_abi_fifo = {
	.name = "FIFO",
	.max_ports = EVTCHN_FIFO_NR_CHANNELS,
	.init = init,
	.set_pending = set_pending,
	.clear_pending = clear_pending,
	.unmask = unmask,
	.is_pending = is_pending,
	.is_masked = is_masked,
	.is_busy = is_busy,
	.set_priority = set_priority,
};
