/* SPDX-License-Identifier: MIT */
/*
 * The proof of page typing (mm.h): what a domain's tables, bases, pins,
 * descriptors and unfinished work hold is counted anew, and compared with what
 * its frames say. Debug key 'k' asks for it, and in debug builds the end of a
 * domain, when nothing may be a table any more; so do the unit tests, after
 * every step.
 *
 * Tables and descriptors are held by their own domain alone, under its lock, so
 * their counts must be equal. Writable mappings and references are taken by
 * others too (grants, foreign maps, vCPU areas): at least so many must be there
 * as its own tables have.
 */
#include "pv/check.h"

#include "console/printk.h"
#include "lib/atomic.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

#define ENTRIES   512
#define MAX_LINES 8

static void use(const struct pv_census *c, mfn_t mfn, enum frame_type t)
{
	struct pv_uses *u;

	if (mfn_x(mfn) < c->first || mfn_x(mfn) - c->first >= c->nr)
		return;
	u = &c->uses[mfn_x(mfn) - c->first];
	u->refs++;
	if (t == FRAME_NONE)
		return;
	if (!u->types)
		u->type = (uint8_t)t;
	else if (u->type != t)
		u->mixed = true;
	u->types++;
}

static void use_if(const struct pv_census *c, mfn_t mfn, enum frame_type t)
{
	if (!mfn_eq(mfn, INVALID_MFN))
		use(c, mfn, t);
}

static void count_leaf(const void *ctx, uint64_t pte)
{
	const struct pv_census *c = ctx;
	mfn_t mfn = pte_mfn(pte);

	if (mfn_valid(mfn))
		use(c, mfn,
		    (pte & PTE_RW) && frame_type(mfn) != FRAME_SHARED
			    ? FRAME_WRITABLE
			    : FRAME_NONE);
}

/* The first n entries of a table. */
static void count_entries(const struct pv_census *c, mfn_t table,
			  unsigned int level, unsigned int n)
{
	const uint64_t *e = mfn_to_virt(table);

	for (unsigned int i = 0; i < n; i++) {
		uint64_t pte = READ_ONCE(e[i]);

		if (!(pte & PTE_P) || !pv_guest_slot(level, i))
			continue;
		if (level == 1)
			count_leaf(c, pte);
		else if (!mfn_eq(pte_mfn(pte), table)) /* else linear */
			use(c, pte_mfn(pte), level_type(level - 1));
	}
}

/* Tables on their way: the stack is their use, and the entries so far hold. */
static void count_work(const struct pv_census *c, const struct pv_work *w)
{
	for (unsigned int i = 0; i < w->depth; i++) {
		const struct pv_position *p = &w->at[i];

		use(c, p->mfn, level_type(p->level));
		count_entries(c, p->mfn, p->level, p->next);
	}
	if (!mfn_eq(w->held, INVALID_MFN))
		use(c, w->held, level_type(w->held_level));
}

static void count_vcpu(const struct pv_census *c, const struct pv_mm_vcpu *m)
{
	use_if(c, m->cr3_kernel, FRAME_L4);
	use_if(c, m->cr3_user, FRAME_L4);
	for (unsigned int i = 0; i < GDT_FRAMES; i++)
		use_if(c, m->gdt[i], FRAME_SEGDESC);
	for (unsigned int i = 0; i < ARRAY_SIZE(m->ldt); i++)
		use_if(c, m->ldt[i], FRAME_SEGDESC);
	count_work(c, &m->work);
}

static bool is_table(uint64_t w)
{
	return word_tcount(w) && word_type(w) >= FRAME_L1 &&
	       word_type(w) <= FRAME_L4;
}

static void count_frame(const struct pv_census *c, struct domain *d, mfn_t mfn)
{
	uint64_t w = READ_ONCE(mfn_to_frame(mfn)->word);

	if (word_owner(w) != d->id || !word_count(w))
		return;
	if (w & FRAME_ALLOCATED)
		use(c, mfn, FRAME_NONE);
	if (!is_table(w))
		return;
	if (w & FRAME_PINNED)
		use(c, mfn, (enum frame_type)word_type(w));
	if (w & FRAME_VALIDATED)
		count_entries(c, mfn, word_type(w) - FRAME_L1 + 1U, ENTRIES);
}

void pv_count_uses(const struct pv_census *c, struct domain *d)
{
	struct pv_mm_domain *mm = d_mm(d);
	struct vcpu *v;

	for (uint64_t n = mm->first_mfn; n <= mm->last_mfn; n++)
		if (mfn_valid(_mfn(n)))
			count_frame(c, d, _mfn(n));
	for_each_vcpu(d, v)
		count_vcpu(c, v_mm(v));
	count_work(c, &mm->foreign_work);
	pv_for_each_late(d, count_leaf, c);
}

/* Types whose uses are all the domain's own. */
static bool is_own_type(unsigned int t)
{
	return t >= FRAME_L1 && t <= FRAME_SEGDESC;
}

static bool is_right(uint64_t w, const struct pv_uses *u)
{
	bool typed = word_tcount(w) && word_type(w) != FRAME_SHARED;

	if (u->mixed || word_count(w) < u->refs || word_tcount(w) < u->types ||
	    (u->types && word_type(w) != u->type))
		return false;
	return !typed || !is_own_type(word_type(w)) ||
	       word_tcount(w) == u->types;
}

static bool check_frame(const struct domain *d, mfn_t mfn,
			const struct pv_uses *u, bool tell)
{
	uint64_t w = READ_ONCE(mfn_to_frame(mfn)->word);

	if (word_owner(w) != d->id || is_right(w, u))
		return true;
	if (tell)
		printk(XENLOG_ERR "d%u: frame %lx has type %u with %u uses, %u "
				  "references; "
				  "its tables: type %u%s with %u, %u\n",
		       d->id, mfn_x(mfn), word_type(w), word_tcount(w),
		       word_count(w), u->type, u->mixed ? " and others" : "",
		       u->types, u->refs);
	return false;
}

unsigned int pv_check_domain(struct domain *d)
{
	struct pv_mm_domain *mm = d_mm(d);
	struct pv_census c = {.first = mm->first_mfn};
	unsigned int wrong = 0;

	if (mm->first_mfn > mm->last_mfn)
		return 0;
	c.nr = mm->last_mfn - mm->first_mfn + 1;
	c.uses = xnew_array(struct pv_uses, c.nr);
	if (!c.uses) {
		printk(XENLOG_WARNING "d%u: no memory to count uses\n", d->id);
		return 0;
	}
	spin_lock(&mm->lock);
	pv_count_uses(&c, d);
	for (uint64_t i = 0; i < c.nr; i++)
		if (mfn_valid(_mfn(c.first + i)))
			wrong += !check_frame(d, _mfn(c.first + i), &c.uses[i],
					      wrong < MAX_LINES);
	spin_unlock(&mm->lock);
	xfree(c.uses);
	return wrong;
}
