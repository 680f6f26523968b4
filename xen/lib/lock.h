/* SPDX-License-Identifier: MIT */
/*
 * Ticket spin locks. Every lock has a level from the list below; debug builds
 * stop the machine when a CPU takes a lock whose level is not above those it
 * holds. A lock that interrupt handlers take is always taken with
 * spin_lock_irqsave(); the others with interrupts in either state.
 */
#ifndef OSTLER_LIB_LOCK_H
#define OSTLER_LIB_LOCK_H

#include "lib/types.h"

/* The lock order, outermost first: the one place that states it. */
enum lock_level {
	LOCK_DOMCTL = 1, /* tools' calls that change the set of domains */
	LOCK_DOMAIN,     /* struct domain: life cycle, handles, limits */
	LOCK_IOREQ,      /* HVM domains' device models' servers */
	LOCK_PAGING,     /* PV page-table changes of a domain */
	LOCK_LATE_PUT,   /* frames that PV domains let go late */
	LOCK_GRANT,      /* a grant table; two at once in domid order */
	LOCK_GRANT_PEER, /* … the second of them */
	LOCK_P2M,        /* a p2m; two at once in domid order */
	LOCK_P2M_PEER,
	LOCK_EVENT, /* a domain's event channels; two: domid order */
	LOCK_EVENT_PEER,
	LOCK_VDEV, /* a domain's virtual devices */
	LOCK_PIRQ, /* physical interrupts bound to domains */
	LOCK_IRQ,  /* one physical interrupt line */
	LOCK_VLAPIC,
	LOCK_VIRQ_HANDLERS, /* who hears which global virtual interrupt */
	LOCK_PORT,          /* one event channel; two: by address */
	LOCK_PORT_PEER,
	LOCK_EVENT_QUEUE, /* one FIFO queue of a vCPU; two: by address */
	LOCK_EVENT_QUEUE_PEER,
	LOCK_SCHED_GLOBAL, /* scheduler parameters, cpupools */
	LOCK_RUNQUEUE,     /* a CPU's run queue; two at once by CPU number */
	LOCK_RUNQUEUE_PEER,
	LOCK_AREA,    /* one area of a vCPU's in its guest's memory */
	LOCK_PAGES,   /* a domain's page accounting */
	LOCK_CLAIM,   /* all domains' claims */
	LOCK_DOMLIST, /* the table of domains */
	LOCK_MAP,     /* our own page tables */
	LOCK_HEAP,    /* heap, page allocator */
	LOCK_TIMER,   /* a CPU's timers */
	LOCK_SMP,     /* cross-CPU calls */
	LOCK_IOAPIC,  /* the I/O APICs' index and data registers */
	LOCK_PCI,     /* ports 0xcf8 and 0xcfc */
	LOCK_CONSOLE, /* always last */
	LOCK_LEVELS,
};

typedef struct spinlock {
	uint16_t head, tail;
	uint16_t level;
	uint16_t owner; /* CPU + 1 in debug builds, 0 when free */
} spinlock_t;

#define SPINLOCK_INIT(lvl)                                                     \
	{                                                                      \
		.level = (lvl)                                                 \
	}

static inline void spin_lock_init(spinlock_t *l, enum lock_level level)
{
	*l = (spinlock_t)SPINLOCK_INIT(level);
}

bool spin_trylock(spinlock_t *l);
bool spin_is_locked(const spinlock_t *l);

#if defined(OSTLER_DEBUG) || defined(OSTLER_UNIT)
void spin_lock(spinlock_t *l);
/* The second of two at once, where the list has a …_PEER: it counts as that. */
void spin_lock_peer(spinlock_t *l);
void spin_unlock(spinlock_t *l);

/* Returns the flags register as it was; pass it to the unlock. */
unsigned long spin_lock_irqsave(spinlock_t *l);
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags);
#else
/* Another has it: until the ticket's turn comes. */
void spin_wait(const spinlock_t *l, uint16_t ticket);

static inline void spin_lock(spinlock_t *l)
{
	uint16_t ticket = __atomic_fetch_add(&l->tail, 1, __ATOMIC_SEQ_CST);

	if (unlikely(__atomic_load_n(&l->head, __ATOMIC_ACQUIRE) != ticket))
		spin_wait(l, ticket);
}

static inline void spin_lock_peer(spinlock_t *l)
{
	spin_lock(l);
}

static inline void spin_unlock(spinlock_t *l)
{
	__atomic_store_n(&l->head, (uint16_t)(l->head + 1), __ATOMIC_RELEASE);
}

static inline unsigned long spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
	spin_lock(l);
	return flags;
}

static inline void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	spin_unlock(l);
	if (flags & (1UL << 9)) /* IF */
		__asm__ volatile("sti" : : : "memory");
}
#endif

/*
 * Around every interrupt handler: what the interrupted code holds does not
 * count for the lock order, because locks that handlers take are never held
 * with interrupts on.
 */
#ifdef OSTLER_DEBUG
uint64_t lock_irq_enter(void);
void lock_irq_leave(uint64_t held);
#else
static inline uint64_t lock_irq_enter(void)
{
	return 0;
}
static inline void lock_irq_leave(uint64_t held)
{
	(void)held;
}
#endif

#endif
