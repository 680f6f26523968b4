/* SPDX-License-Identifier: MIT */
/*
 * Frames that are let go late. An entry that mapped a frame of another domain's
 * is gone, but a CPU may remember it, and the frame may go to somebody else
 * with the reference that the entry held. To make all CPUs forget costs an
 * interrupt each, and who unmaps one such frame mostly unmaps many: they wait
 * here, still held, until there are NR_LATE of them, or LATE_TIME has passed,
 * or somebody finds that one is in his way.
 *
 * One list for all domains: it is dom0 that has such mappings.
 */
#include "pv/pv.h"

#include "cpu/time.h"
#include "lib/atomic.h"

#define NR_LATE   256
#define LATE_TIME MILLISECS(1)

static struct {
	spinlock_t lock; /* held until those that were in it are put */
	unsigned int nr;
	struct {
		struct domain *d; /* in whose table it was */
		uint64_t pte;
	} at[NR_LATE];
	struct timer timer;
} late = {.lock = SPINLOCK_INIT(LOCK_LATE_PUT)};

static void put_all(void)
{
	for (unsigned int i = 0; i < late.nr; i++) {
		pv_flush_stale(late.at[i].d);
		pv_put_mapped(late.at[i].pte);
	}
	WRITE_ONCE(late.nr, 0);
}

void pv_put_late(struct domain *d, uint64_t pte)
{
	spin_lock(&late.lock);
	if (late.nr == NR_LATE)
		put_all();
	late.at[late.nr].d = d;
	late.at[late.nr].pte = pte;
	WRITE_ONCE(late.nr, late.nr + 1);
	if (late.nr == 1)
		timer_set(&late.timer, now() + LATE_TIME);
	spin_unlock(&late.lock);
}

void pv_finish_puts(void)
{
	/* It is so until the last of them is put. */
	if (likely(!READ_ONCE(late.nr)))
		return;
	spin_lock(&late.lock);
	put_all();
	spin_unlock(&late.lock);
}

static void time_is_up(void *unused)
{
	(void)unused;
	pv_finish_puts();
}

void pv_for_each_late(const struct domain *d,
		      void (*fn)(const void *ctx, uint64_t pte),
		      const void *ctx)
{
	spin_lock(&late.lock);
	for (unsigned int i = 0; i < late.nr; i++)
		if (late.at[i].d == d)
			fn(ctx, late.at[i].pte);
	spin_unlock(&late.lock);
}

void pv_late_puts_init(void)
{
	timer_init(&late.timer, time_is_up, NULL);
}
