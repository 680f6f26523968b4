/* SPDX-License-Identifier: MIT */
/*
 * A domain's event channels, as the files of event/ see them.
 *
 * A port's state, and what it is bound to, change only with the table's lock
 * and the port's own lock held; either alone is enough to read them. Both ports
 * of an interdomain pair are locked to make or break it, so whoever holds one
 * may use the other through peer.
 */
#ifndef OSTLER_EVENT_TABLE_H
#define OSTLER_EVENT_TABLE_H

#include "event/event.h"

enum port_state {
	PORT_FREE,
	PORT_RESERVED, /* port 0 */
	PORT_UNBOUND,
	PORT_INTERDOMAIN,
	PORT_PIRQ,
	PORT_VIRQ,
	PORT_IPI,
};

struct port {
	spinlock_t lock;
	uint8_t state;
	uint8_t consumer; /* Xen itself listens: event_consumers[consumer - 1]
			   */
	uint8_t priority; /* FIFO: the queue for the next event */
	bool late;        /* FIFO: raised before its word existed */
	uint16_t vcpu;    /* who is told */
	uint32_t last_queue; /* FIFO: vcpu << 8 | priority it was linked to */
	uint32_t number;
	union {
		domid_t remote_id; /* UNBOUND: who may bind */
		struct {
			struct domain *remote;
			struct port *peer;
		};
		uint32_t pirq, virq;
	};
};

#define PORTS_PER_BUCKET  64
#define BUCKETS_PER_GROUP 64
#define PORTS_PER_GROUP   (PORTS_PER_BUCKET * BUCKETS_PER_GROUP)
#define NR_GROUPS         (EVTCHN_FIFO_NR_CHANNELS / PORTS_PER_GROUP)
#define MAX_PIRQS         1024

struct fifo;

/* Where pending and mask bits are kept: level2.c, fifo.c. */
struct event_abi {
	const char *name;
	uint32_t max_ports;
	/* A usable port became bound. */
	void (*init)(struct domain *d, struct port *p);
	void (*set_pending)(struct vcpu *v, struct port *p);
	void (*clear_pending)(struct domain *d, struct port *p);
	void (*unmask)(struct domain *d, struct port *p);
	bool (*is_pending)(struct domain *d, struct port *p);
	bool (*is_masked)(struct domain *d, struct port *p);
	/* The guest has not taken the last event of a closed port yet. */
	bool (*is_busy)(struct domain *d, struct port *p);
	/* NULL: there are no priorities. */
	int (*set_priority)(struct port *p, uint32_t priority);
};

struct event_table {
	const struct event_abi *abi;
	uint32_t valid;     /* ports that have a struct port */
	uint32_t sel_shift; /* two-level: log2 of bits in a guest word */
	uint64_t *pending;  /* two-level: in shared info */
	uint64_t *mask;     /* … */
	uint64_t polling[MAX_VCPUS / 64]; /* vCPUs in SCHEDOP_poll */
	struct fifo *fifo;
	struct port **group[NR_GROUPS];

	spinlock_t lock;     /* LOCK_EVENT, for all below */
	uint32_t limit;      /* the highest port the domain may have */
	uint32_t first_free; /* none below is free */
	uint32_t active;     /* not free, port 0 apart */
	uint32_t xen;        /* … on which Xen listens */
	uint32_t reset_next; /* evtchn_reset() is there; 0: not under way */
	struct vcpu *reset_by;
	uint32_t close_next;    /* event_close_all() is there */
	uint32_t *pirq_to_port; /* MAX_PIRQS of them, or NULL */
};

extern const struct event_abi event_abi_level2, event_abi_level2_32,
	event_abi_fifo;

/* table.c */
static inline struct port *port_get(const struct event_table *t, uint32_t n)
{
	uint32_t valid = atomic_read(&t->valid);

	if (unlikely(n >= valid))
		return NULL;
	n = (uint32_t)index_nospec(n, valid);
	return &t->group[n / PORTS_PER_GROUP]
			[n / PORTS_PER_BUCKET % BUCKETS_PER_GROUP]
			[n % PORTS_PER_BUCKET];
}
/* A free port to bind, or -errno. Table lock held; nothing is taken yet. */
int port_find_free(struct domain *d, struct port **p);
/* Takes a free port; both locks held. */
void port_open(struct domain *d, struct port *p, enum port_state state);
/* Gives it back; both locks held. */
void port_free(struct domain *d, struct port *p);

static inline unsigned long port_lock(struct port *p)
{
	return spin_lock_irqsave(&p->lock);
}
/* For those who know that interrupts are on, as hypercalls do. */
static inline unsigned long port_lock_irqs_on(struct port *p)
{
	local_irq_disable();
	spin_lock(&p->lock);
	return X86_EFLAGS_IF;
}
static inline void port_unlock(struct port *p, unsigned long flags)
{
	spin_unlock_irqrestore(&p->lock, flags);
}
unsigned long port_lock_pair(struct port *a, struct port *b);
void port_unlock_pair(struct port *a, struct port *b, unsigned long flags);
/* Two tables in domid order; one if they are the same. */
void event_lock_pair(struct domain *a, struct domain *b);
void event_unlock_pair(struct domain *a, struct domain *b);

/* A guest listens on it. */
static inline bool port_usable(const struct port *p)
{
	return p->state > PORT_RESERVED && !p->consumer;
}
/* Something happened on port p of d. A lock that keeps p bound is held. */
static inline void port_raise(struct domain *d, struct port *p)
{
	if (likely(port_usable(p)))
		atomic_read(&d->events->abi)->set_pending(d->vcpu[p->vcpu], p);
}

/* send.c */
typedef void event_consumer_fn(struct vcpu *v, unsigned int port);
extern event_consumer_fn *event_consumers[];
/* The vCPU's upcall flag goes up. */
void event_mark_pending(struct vcpu *v);
void event_wake_pollers(struct domain *d, uint32_t port);
static inline bool event_is_polled(const struct event_table *t)
{
	return READ_ONCE(t->polling[0]) | READ_ONCE(t->polling[1]);
}
static inline void event_check_pollers(struct domain *d, uint32_t port)
{
	if (unlikely(event_is_polled(d->events)))
		event_wake_pollers(d, port);
}

/* Whoever subscribed to the domain's suspending is told. */
void event_notify_suspend(struct domain *d);

/* level2.c */
void event_vcpu_moved(struct vcpu *v);

/* close.c: of a dying domain; -ERESTART: call again. */
int event_close_all(struct domain *d);
/* By the guest itself or by us. */
int port_close(struct domain *d, uint32_t n, bool by_guest);

/* virq.c */
bool virq_is_global(uint32_t virq);
void event_clear_virq_handlers(struct domain *d);

/* fifo_setup.c: back to two-level; no port is bound. Table lock held, or the
 * domain is dead. */
void fifo_destroy(struct domain *d);

#endif
