/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a guest were written since the last look: what live migration
 * asks (XEN_DOMCTL_shadow_op). For kinds with a p2m.
 *
 * RAM that was not written is P2M_RAM_LOGDIRTY there, and its first write makes
 * it P2M_RAM_RW again (vram_written()). What the hypervisor writes for the
 * guest, or lets others write, is noted beside it as bits.
 */
#ifndef OSTLER_DOMAIN_LOG_DIRTY_H
#define OSTLER_DOMAIN_LOG_DIRTY_H

#include "domain/domain.h"
#include "lib/atomic.h"

struct log_dirty {
	bool on;
	uint64_t at;    /* where a call that gave way goes on */
	uint32_t found; /* … and what it has found so far */
	uint64_t nr;    /* gfns that there are bits for */
	uint64_t noted[];
};

/*
 * All of its memory counts as not written from now on; or nobody asks any more.
 * 0, -EINVAL (it is so already), -ENOMEM, -ERESTART: call again.
 */
int log_dirty_enable(struct domain *d);
int log_dirty_disable(struct domain *d);
/* How many pages there are to ask for. */
uint64_t log_dirty_pages(const struct domain *d);

/*
 * Bits for the nr pages (a multiple of 512) from first on, into zeroed ones;
 * clean: they count as not written from now on, which holds for certain after
 * log_dirty_settle(). How many were written, or -ENOMEM.
 */
int log_dirty_collect(struct domain *d, uint64_t first, uint64_t nr,
		      uint64_t *bits, bool clean);
void log_dirty_settle(struct domain *d);
/* Before the first of several: what was written until now is found. */
void log_dirty_sync(struct domain *d);

static inline bool log_dirty_is_on(const struct domain *d)
{
	return unlikely(READ_ONCE(d->log_dirty)) && d->log_dirty->on;
}

/*
 * The hypervisor is about to write to gfn, with interrupts off until it is
 * done, or holds the frame as writable.
 */
static inline void log_dirty_note(struct domain *d, gfn_t gfn)
{
	struct log_dirty *l = d->log_dirty;

	if (log_dirty_is_on(d) && gfn_x(gfn) < l->nr)
		atomic_or(&l->noted[gfn_x(gfn) / 64], BIT(gfn_x(gfn) % 64));
}

/* The domain is gone. */
void log_dirty_destroy(struct domain *d);

#endif
