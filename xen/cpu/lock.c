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

static void check_order(const spinlock_t *l)
{
	uint64_t held = this_cpu(levels_held);

	if (unlikely(l->level && held >> l->level)) {
		this_cpu(levels_held) = 0; /* the console's lock is next */
		panic("lock order: level %u taken at %p while holding %#lx",
		      l->level, __builtin_return_address(1), held);
	}
}
static void note_taken(spinlock_t *l)
{
	this_cpu(levels_held) |= BIT(l->level) & ~1UL;
	l->owner = (uint16_t)(smp_processor_id() + 1);
}
static void note_released(spinlock_t *l)
{
	if (unlikely(l->owner != smp_processor_id() + 1))
		panic("lock of level %u released by CPU %u, held by %d",
		      l->level, smp_processor_id(), l->owner - 1);
	l->owner = 0;
	this_cpu(levels_held) &= ~BIT(l->level);
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
#else
static void check_order(const spinlock_t *l)
{
	(void)l;
}
static void note_taken(spinlock_t *l)
{
	(void)l;
}
static void note_released(spinlock_t *l)
{
	(void)l;
}
#endif

void spin_lock(spinlock_t *l)
{
	uint16_t ticket;

	check_order(l);
	ticket = __atomic_fetch_add(&l->tail, 1, __ATOMIC_SEQ_CST);
	while (unlikely(atomic_read(&l->head) != ticket))
		cpu_relax();
	note_taken(l);
}

bool spin_trylock(spinlock_t *l)
{
	uint16_t ticket = atomic_read(&l->head);

	/* Free means head == tail; whoever moves tail from there has it. */
	if (!atomic_cas(&l->tail, &ticket, (uint16_t)(ticket + 1)))
		return false;
	note_taken(l);
	return true;
}

void spin_unlock(spinlock_t *l)
{
	note_released(l);
	atomic_set(&l->head, (uint16_t)(l->head + 1));
}

bool spin_is_locked(const spinlock_t *l)
{
	return atomic_read(&l->head) != atomic_read(&l->tail);
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
