/* SPDX-License-Identifier: MIT */
/*
 * The log of written pages: the p2m's types say it, bits what they cannot. A
 * frame that somebody holds as writable (a grant that is mapped) keeps its bit
 * for as long.
 *
 * Whoever writes notes it after it holds the frame; whoever cleans looks who
 * holds it after it has cleared the bit. So one of them sees the other.
 */
#include "domain/log_dirty.h"

#include "domain/continuation.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"

/* Leaves between two looks at what else is to be done. */
#define BATCH 512

/* A walk over leaves that goes from one type to another, within [at, end). */
struct change {
	struct log_dirty *log;
	enum p2m_type from, to;
	uint64_t at, end;
	uint64_t *bits; /* of the pages from `at`; NULL: nobody asks */
	unsigned int found, left;
	bool keep; /* only look */
};

/* After its bit was cleared, and its type set. */
static void note_held(struct log_dirty *l, uint64_t gfn, mfn_t mfn)
{
	if (frame_type_count(mfn) && gfn < l->nr)
		atomic_or(&l->noted[gfn / 64], BIT(gfn % 64));
}

static bool is_noted(const struct log_dirty *l, uint64_t gfn)
{
	return gfn < l->nr && (READ_ONCE(l->noted[gfn / 64]) & BIT(gfn % 64));
}

/* One page of RAM; written: its type says so. */
static void look(struct change *c, uint64_t gfn, mfn_t mfn, bool written)
{
	struct log_dirty *l = c->log;
	bool noted = is_noted(l, gfn);

	if (!written && !noted)
		return;
	if (c->bits) {
		c->bits[(gfn - c->at) / 64] |= BIT((gfn - c->at) % 64);
		c->found++;
	}
	if (c->keep)
		return;
	if (noted)
		atomic_and(&l->noted[gfn / 64], ~BIT(gfn % 64));
	note_held(l, gfn, mfn);
}

static int change_leaf(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		       unsigned int order, void *cookie)
{
	struct change *c = cookie;
	uint64_t from = max(gfn_x(gfn), c->at);
	uint64_t to = min(gfn_x(gfn) + (1UL << order), c->end);
	bool written = type == c->from;
	int rc = 0;

	if (from >= c->end)
		return 1;
	mfn = mfn_add(mfn, from - gfn_x(gfn));
	if (written && !c->keep)
		rc = p2m_set(p, _gfn(from), mfn, to - from, c->to);
	if (rc)
		return rc;
	if (c->to == P2M_RAM_LOGDIRTY && (written || type == c->to))
		for (uint64_t i = 0; i < to - from; i++)
			look(c, from + i, mfn_add(mfn, i), written);
	return c->left && !--c->left ? -ERESTART : 0;
}

/* From where the last call stood to the end. */
static int change_all(struct domain *d, struct change *c)
{
	struct log_dirty *l = d->log_dirty;
	gfn_t gfn = _gfn(l->at);
	int rc;

	do {
		c->left = BATCH;
		c->at = gfn_x(gfn);
		p2m_lock(&d->p2m);
		rc = p2m_walk(&d->p2m, &gfn, change_leaf, c);
		p2m_unlock(&d->p2m);
	} while (rc == -ERESTART && !hypercall_must_yield());
	l->at = rc == -ERESTART ? gfn_x(gfn) : 0;
	log_dirty_settle(d);
	return rc;
}

uint64_t log_dirty_pages(const struct domain *d)
{
	return gfn_x(d->p2m.max_gfn) + 1;
}

static struct log_dirty *make(struct domain *d)
{
	uint64_t nr = log_dirty_pages(d);
	struct log_dirty *l =
		xzalloc(sizeof(*l) + DIV_ROUND_UP(nr, 64U) * sizeof(uint64_t));

	if (l)
		l->nr = nr;
	return l;
}

/* Its memory stays until the domain goes: somebody may be about to note. */
int log_dirty_enable(struct domain *d)
{
	struct change c = {
		.from = P2M_RAM_RW,
		.to = P2M_RAM_LOGDIRTY,
		.end = UINT64_MAX,
	};

	if (!d->log_dirty) {
		struct log_dirty *l = make(d);

		if (!l)
			return -ENOMEM;
		smp_wmb();
		WRITE_ONCE(d->log_dirty, l);
	}
	c.log = d->log_dirty;
	if (c.log->on && !c.log->at)
		return -EINVAL;
	/* What a processor still knows of writes before is not of this log. */
	if (!c.log->on)
		log_dirty_sync(d);
	WRITE_ONCE(c.log->on, true);
	return change_all(d, &c);
}

int log_dirty_disable(struct domain *d)
{
	struct log_dirty *l = d->log_dirty;
	struct change c = {
		.log = l,
		.from = P2M_RAM_LOGDIRTY,
		.to = P2M_RAM_RW,
		.end = UINT64_MAX,
	};
	int rc;

	if (!l || !l->on)
		return -EINVAL;
	rc = change_all(d, &c);
	if (rc)
		return rc;
	WRITE_ONCE(l->on, false);
	for (uint64_t i = 0; i < DIV_ROUND_UP(l->nr, 64U); i++)
		l->noted[i] = 0;
	return 0;
}

int log_dirty_collect(struct domain *d, uint64_t first, uint64_t nr,
		      uint64_t *bits, bool clean)
{
	struct change c = {
		.log = d->log_dirty,
		.from = P2M_RAM_RW,
		.to = P2M_RAM_LOGDIRTY,
		.at = first,
		.end = first + nr,
		.bits = bits,
		.keep = !clean,
	};
	gfn_t gfn = _gfn(first);
	int rc;

	p2m_lock(&d->p2m);
	rc = p2m_walk(&d->p2m, &gfn, change_leaf, &c);
	p2m_unlock(&d->p2m);
	return rc < 0 ? rc : (int)c.found;
}

void log_dirty_sync(struct domain *d)
{
	if (d->kind->log_sync)
		d->kind->log_sync(d);
}

/* Every CPU has forgotten that it may write, and is done with what it wrote
 * with interrupts off. */
void log_dirty_settle(struct domain *d)
{
	p2m_flush(&d->p2m);
	d->p2m.flush(d->p2m.cookie);
}

void log_dirty_destroy(struct domain *d)
{
	xfree(d->log_dirty);
	d->log_dirty = NULL;
}
