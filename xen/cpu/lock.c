/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks, see lib/lock.h. In debug builds each CPU keeps the set of
 * levels that it holds; interrupt handlers start with an empty one.
 */
#include "lib/lock.h"
#include "console/printk.h"
#include "cpu/cpu.h"
#include "lib/atomic.h"

#ifdef OSTLER_DEBUG
static DEFINE_PER_CPU(uint64_t, levels_held);

#define OWNER_PEER BIT(15) /* taken with spin_lock_peer() */

static void check_order(unsigned int level)
{
	uint64_t held = this_cpu(levels_held);

	if (unlikely(level && held >> level)) {
		this_cpu(levels_held) = 0; /* the console's lock is next */
		panic("lock order: level %u taken at %p while holding %#lx",
		      level, __builtin_return_address(0), held);
	}
}
static void note_taken(spinlock_t *l, unsigned int peer)
{
	this_cpu(levels_held) |= BIT(l->level + peer) & ~1UL;
	l->owner =
		(uint16_t)((smp_processor_id() + 1) | (peer ? OWNER_PEER : 0));
}
static void note_released(spinlock_t *l)
{
	unsigned int peer = l->owner & OWNER_PEER ? 1 : 0;

	if (unlikely((l->owner & ~OWNER_PEER) != smp_processor_id() + 1))
		panic("lock of level %u released by CPU %u, held by %d",
		      l->level, smp_processor_id(),
		      (int)(l->owner & ~OWNER_PEER) - 1);
	l->owner = 0;
	this_cpu(levels_held) &= ~BIT(l->level + peer);
}
uint64_t lock_irq_enter(void)
{
	uint64_t held = this_cpu(levels_held);

	this_cpu(levels_held) = 0;
	return held;
}
void lock_irq_leave(uint64_t held)
{
	this_cpu(levels_held) = held;
}

static inline void take(spinlock_t *l, unsigned int peer)
{
	uint16_t ticket;

	check_order(l->level + peer);
	ticket = __atomic_fetch_add(&l->tail, 1, __ATOMIC_SEQ_CST);
	while (unlikely(atomic_read(&l->head) != ticket))
		cpu_relax();
	note_taken(l, peer);
}

void spin_lock(spinlock_t *l)
{
	take(l, 0);
}

void spin_lock_peer(spinlock_t *l)
{
	take(l, 1);
}

void spin_unlock(spinlock_t *l)
{
	note_released(l);
	atomic_set(&l->head, (uint16_t)(l->head + 1));
}

unsigned long spin_lock_irqsave(spinlock_t *l)
{
	unsigned long flags = local_irq_save();

	spin_lock(l);
	return flags;
}

void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	spin_unlock(l);
	local_irq_restore(flags);
}
#else
static void note_taken(const spinlock_t *l, unsigned int peer)
{
	(void)l;
	(void)peer;
}

void spin_wait(const spinlock_t *l, uint16_t ticket)
{
	while (atomic_read(&l->head) != ticket)
		cpu_relax();
}
#endif

bool spin_trylock(spinlock_t *l)
{
	uint16_t ticket = atomic_read(&l->head);

	/* Free means head == tail; whoever moves tail from there has it. */
	if (!atomic_cas(&l->tail, &ticket, (uint16_t)(ticket + 1)))
		return false;
	note_taken(l, 0);
	return true;
}

bool spin_is_locked(const spinlock_t *l)
{
	return atomic_read(&l->head) != atomic_read(&l->tail);
}
