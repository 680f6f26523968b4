/* SPDX-License-Identifier: MIT */
/*
 * Frames become page tables and cease to be: mm.h has the rules.
 *
 * Both ways are one walk, down a tree of at most four levels, with a stack of
 * positions instead of recursion, so that it can stop anywhere and go on later.
 * Going up, entry after entry takes what it maps; an entry that cannot turns
 * the walk, and what was taken so far is given back.
 */
#include "pv/pv.h"

#include "console/printk.h"
#include "domain/continuation.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

#define ENTRIES 512
#define BATCH   64 /* entries between looks at the clock */

static uint64_t *word(mfn_t mfn)
{
	return &mfn_to_frame(mfn)->word;
}

static uint64_t *table_of(const struct pv_position *p)
{
	return mfn_to_virt(p->mfn);
}

/*
 * The first use of a frame as t: the type is there, FRAME_VALIDATED is not.
 * The caller has a reference. -EINVAL: it has another type, with a count.
 */
static int take_type(struct domain *d, mfn_t mfn, enum frame_type t)
{
	uint64_t w = READ_ONCE(*word(mfn)), new;

	/* Perhaps only by a mapping that is no more. */
	if (unlikely(word_tcount(w) && word_type(w) == FRAME_WRITABLE)) {
		pv_finish_puts();
		w = READ_ONCE(*word(mfn));
	}
	do {
		if (word_tcount(w) || word_type(w) == FRAME_SHARED)
			return -EINVAL;
		new = word_set_type(w & ~FRAME_VALIDATED, t) + FRAME_TONE;
	} while (!atomic_cas(word(mfn), &w, new));
	pv_flush_stale(d);
	return 0;
}

/* The last use ends; everybody forgets what it was first. */
static void drop_type(struct domain *d, mfn_t mfn)
{
	uint64_t w;

	pv_flush_stale(d);
	w = READ_ONCE(*word(mfn));
	while (!atomic_cas(word(mfn), &w,
			   word_set_type(w & ~(FRAME_VALIDATED | FRAME_PARTIAL),
					 FRAME_NONE) -
				   FRAME_TONE))
		;
	put_page(mfn);
}

static void set_flag(mfn_t mfn, uint64_t set, uint64_t clear)
{
	uint64_t w = READ_ONCE(*word(mfn));

	while (!atomic_cas(word(mfn), &w, (w & ~clear) | set))
		;
}

static void push(struct pv_work *w, mfn_t mfn, unsigned int level, bool down)
{
	set_flag(mfn, FRAME_PARTIAL, FRAME_VALIDATED);
	w->at[w->depth++] = (struct pv_position){
		.mfn = mfn,
		.next = down ? ENTRIES : 0,
		.level = (uint8_t)level,
		.down = down,
	};
}

/* One more use of what may be a table: 0: done; 1: w has it to be made. */
static int begin_use(struct domain *d, struct pv_work *w, mfn_t mfn,
		     unsigned int level)
{
	enum frame_type t = level_type(level);
	uint64_t old;
	int rc;

	if (!get_page(mfn, d->id))
		return -EINVAL;
	old = READ_ONCE(*word(mfn));
	while (word_tcount(old) && word_type(old) == t) {
		rc = !(old & FRAME_VALIDATED)              ? -EBUSY
		     : word_tcount(old) == FRAME_COUNT_MAX ? -EINVAL
							   : 0;
		if (rc)
			goto refuse;
		if (atomic_cas(word(mfn), &old, old + FRAME_TONE))
			return 0;
	}
	rc = take_type(d, mfn, t);
	if (rc)
		goto refuse;
	push(w, mfn, level, false);
	return 1;

refuse:
	put_page(mfn);
	return rc;
}

/* One use less: 0: done; 1: it was the last, w has the table to be unmade. */
static int end_use(struct pv_work *w, mfn_t mfn, unsigned int level)
{
	uint64_t old = READ_ONCE(*word(mfn));

	while (word_tcount(old) > 1)
		if (atomic_cas(word(mfn), &old, old - FRAME_TONE)) {
			put_page(mfn);
			return 0;
		}
	push(w, mfn, level, true);
	return 1;
}

/* An entry of an upper level that maps its own table, read-only: a linear page
 * table. It holds nothing, as the table cannot go before itself. */
static bool is_linear(const struct pv_position *p, uint64_t pte)
{
	return pv_may_be_linear(p->level) && mfn_eq(pte_mfn(pte), p->mfn) &&
	       !(pte & PTE_RW);
}

/* The next entry takes what it maps: 0; 1: after a table of its own. */
static int take_entry(struct domain *d, struct pv_work *w,
		      struct pv_position *p)
{
	uint64_t *e = &table_of(p)[p->next], pte = READ_ONCE(*e);
	int rc;

	if (!pv_guest_slot(p->level, p->next) || !(pte & PTE_P))
		return 0;
	if (p->level == 1) {
		uint64_t wanted = pte;

		rc = pv_l1_get(d, d->id, &pte);
		if (!rc && pte != wanted)
			WRITE_ONCE(*e, pte);
		return rc;
	}
	if (pte & UPPER_DISALLOWED)
		return -EINVAL;
	rc = is_linear(p, pte) ? 0
			       : begin_use(d, w, pte_mfn(pte), p->level - 1U);
	if (rc >= 0 && !(pte & PTE_US))
		WRITE_ONCE(*e, pte | PTE_US);
	return rc;
}

/* The last entry that holds something lets go: 0; 1: a table goes first. */
static int drop_entry(struct domain *d, struct pv_work *w,
		      struct pv_position *p)
{
	uint64_t pte = READ_ONCE(table_of(p)[p->next]);

	if (!pv_guest_slot(p->level, p->next) || !(pte & PTE_P) ||
	    is_linear(p, pte))
		return 0;
	if (p->level == 1) {
		pv_l1_put(d, pte);
		return 0;
	}
	return end_use(w, pte_mfn(pte), p->level - 1U);
}

/* All entries hold what they map: the table is one. */
static void become_valid(struct pv_work *w)
{
	struct pv_position *p = &w->at[w->depth - 1];

	if (p->level == 4)
		pv_fill_slots(table_of(p));
	set_flag(p->mfn, FRAME_VALIDATED, FRAME_PARTIAL);
	w->depth--;
	if (w->depth)
		w->at[w->depth - 1].next++;
}

/* No entry holds anything: the frame is as any other. A table that wanted it
 * cannot become one either. */
static void become_plain(struct domain *d, struct pv_work *w)
{
	drop_type(d, w->at[w->depth - 1].mfn);
	w->depth--;
	if (w->depth && !w->at[w->depth - 1].down)
		w->at[w->depth - 1].down = true;
}

/* One entry, or the end of a table. */
static void step(struct domain *d, struct pv_work *w)
{
	struct pv_position *p = &w->at[w->depth - 1];
	int rc;

	if (p->down) {
		if (!p->next) {
			become_plain(d, w);
			return;
		}
		p->next--;
		drop_entry(d, w, p);
		return;
	}
	if (p->next == ENTRIES) {
		become_valid(w);
		return;
	}
	rc = take_entry(d, w, p);
	if (rc < 0) {
		w->rc = rc;
		p->down = true;
		pv_note_stale(d);
	} else if (!rc) {
		p->next++;
	}
}

static int run(struct domain *d, struct pv_work *w)
{
	while (w->depth) {
		for (unsigned int n = 0; n < BATCH && w->depth; n++)
			step(d, w);
		if (w->depth && hypercall_must_yield())
			return -ERESTART;
	}
	return w->rc;
}

int pv_table_get(struct domain *d, struct pv_work *w, mfn_t mfn,
		 unsigned int level)
{
	int rc;

	/* A tree that the same call gave up is not unmade yet. */
	if (unlikely(w->depth))
		return -ERESTART;
	/* Found to be no table in an earlier execution of the same call. */
	if (mfn_eq(w->failed, mfn) && w->failed_level == level)
		return w->failed_rc;
	rc = begin_use(d, w, mfn, level);
	if (rc <= 0)
		return rc;
	w->rc = 0;
	return run(d, w);
}

int pv_table_put(struct domain *d, struct pv_work *w, mfn_t mfn,
		 unsigned int level)
{
	ASSERT(!w->depth);
	if (!end_use(w, mfn, level))
		return 0;
	/* Its translations may be in use still. */
	pv_note_stale(d);
	w->rc = 0;
	return run(d, w);
}

int pv_work_begin(struct domain *d, struct pv_work *w)
{
	struct pv_position root;
	int rc;

	if (likely(!w->depth))
		return 0;
	root = w->at[0];
	rc = run(d, w);
	if (rc == -ERESTART)
		return rc;
	if (rc) {
		w->failed = root.mfn;
		w->failed_level = root.level;
		w->failed_rc = rc;
	} else if (!root.down) {
		mfn_t old = w->held;
		unsigned int old_level = w->held_level;

		/* The same call may need several, one after the other. */
		w->held = root.mfn;
		w->held_level = root.level;
		if (!mfn_eq(old, INVALID_MFN))
			return pv_table_put(d, w, old, old_level);
	}
	return 0;
}

/* A table that is wanted is on another vCPU's stack, and he may be asleep or
 * down: what is under way is as well done here. */
static void finish_others(struct domain *d, const struct pv_work *own)
{
	struct pv_work *foreign = &d_mm(d)->foreign_work;
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (&v_mm(v)->work != own)
			pv_work_begin(d, &v_mm(v)->work);
	if (foreign != own)
		pv_work_begin(d, foreign);
}

void pv_work_end(struct domain *d, struct pv_work *w, int rc)
{
	mfn_t held = w->held;

	if (unlikely(rc == -EBUSY))
		finish_others(d, w);
	if (likely(mfn_eq(held, INVALID_MFN) && mfn_eq(w->failed, INVALID_MFN)))
		return;
	/* A tree that is still being unmade comes first. */
	if (rc == -ERESTART || rc == -EBUSY || w->depth)
		return;
	w->held = w->failed = INVALID_MFN;
	if (!mfn_eq(held, INVALID_MFN))
		pv_table_put(d, w, held, w->held_level);
}

struct pv_work *pv_own_work(struct vcpu *v, struct domain *d)
{
	return v->domain == d ? &v_mm(v)->work : &d_mm(d)->foreign_work;
}

int pv_segdesc_get(struct domain *d, mfn_t mfn)
{
	uint64_t old, *desc = mfn_to_virt(mfn);

	if (!get_page(mfn, d->id))
		return -EINVAL;
	old = READ_ONCE(*word(mfn));
	while (word_tcount(old) && word_type(old) == FRAME_SEGDESC &&
	       word_tcount(old) < FRAME_COUNT_MAX)
		if (atomic_cas(word(mfn), &old, old + FRAME_TONE))
			return 0;
	if (take_type(d, mfn, FRAME_SEGDESC)) {
		put_page(mfn);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < ENTRIES; i++)
		if (!pv_descriptor_ok(&desc[i])) {
			drop_type(d, mfn);
			return -EINVAL;
		}
	set_flag(mfn, FRAME_VALIDATED, 0);
	return 0;
}

void pv_segdesc_put(mfn_t mfn)
{
	put_page_and_type(mfn);
}
