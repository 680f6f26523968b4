/* SPDX-License-Identifier: MIT */
/*
 * The memory of a PV domain as a whole: what goes when it dies, what it gives
 * back meanwhile, and what it gets.
 */
#include "pv/check.h"

#include "console/printk.h"
#include "domain/continuation.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

int pv_mm_domain_init(struct domain *d)
{
	struct pv_mm_domain *mm = d_mm(d);

	spin_lock_init(&mm->lock, LOCK_PAGING);
	mm->first_mfn = ~0UL;
	pv_work_init(&mm->foreign_work);
	return 0;
}

void pv_mm_vcpu_init(struct vcpu *v)
{
	struct pv_mm_vcpu *m = v_mm(v);

	m->cr3_kernel = m->cr3_user = INVALID_MFN;
	for (unsigned int i = 0; i < GDT_FRAMES; i++)
		m->gdt[i] = INVALID_MFN;
	for (unsigned int i = 0; i < ARRAY_SIZE(m->ldt); i++)
		m->ldt[i] = INVALID_MFN;
	pv_work_init(&m->work);
}

void pv_note_frames(struct domain *d, mfn_t mfn, uint64_t n)
{
	struct pv_mm_domain *mm = d_mm(d);

	spin_lock(&mm->lock);
	mm->first_mfn = min(mm->first_mfn, mfn_x(mfn));
	mm->last_mfn = max(mm->last_mfn, mfn_x(mfn) + n - 1);
	spin_unlock(&mm->lock);
}

/* The owner's own reference goes, when no CPU can reach the frame by an entry
 * that is no more (mm.h, rule 4): FRAME_ALLOCATED first, so that whoever
 * removes an entry from now on flushes for itself. */
bool pv_release_frame(struct domain *d, mfn_t mfn)
{
	uint64_t *word, w;

	if (!get_page(mfn, d->id))
		return false;
	word = &mfn_to_frame(mfn)->word;
	w = READ_ONCE(*word);
	do {
		if (!(w & FRAME_ALLOCATED) || word_type(w) == FRAME_SHARED) {
			put_page(mfn);
			return false;
		}
	} while (!atomic_cas(word, &w, w & ~FRAME_ALLOCATED));
	pv_m2p_set(mfn, INVALID_M2P_ENTRY);
	pv_flush_stale(d);
	put_page(mfn);
	put_page(mfn);
	return true;
}

/* What is left of an interrupted call, and what it held. */
static int end_work(struct domain *d, struct pv_work *w)
{
	int rc = pv_work_begin(d, w);

	if (!rc)
		pv_work_end(d, w, 0);
	return rc || w->depth ? -ERESTART : 0;
}

static int drop_base(struct domain *d, struct pv_work *w, mfn_t *base)
{
	mfn_t mfn = *base;

	if (mfn_eq(mfn, INVALID_MFN))
		return 0;
	*base = INVALID_MFN;
	return pv_table_put(d, w, mfn, 4);
}

static int drop_vcpu(struct domain *d, struct vcpu *v)
{
	struct pv_mm_vcpu *m = v_mm(v);
	int rc = end_work(d, &m->work);

	if (!rc)
		rc = drop_base(d, &m->work, &m->cr3_user);
	if (!rc)
		rc = drop_base(d, &m->work, &m->cr3_kernel);
	return rc;
}

static int drop_vcpus(struct domain *d)
{
	struct vcpu *v;
	int rc = end_work(d, &d_mm(d)->foreign_work);

	for_each_vcpu(d, v) {
		if (rc)
			return rc;
		rc = drop_vcpu(d, v);
		pv_release_descriptors(v);
	}
	return rc;
}

/* Pins, from the first frame on; then the frames. */
static int drop_pin(struct domain *d, mfn_t mfn)
{
	uint64_t *word = &mfn_to_frame(mfn)->word, w = READ_ONCE(*word);

	if (!(w & FRAME_PINNED) || word_owner(w) != d->id || !word_tcount(w))
		return 0;
	while (!atomic_cas(word, &w, w & ~FRAME_PINNED))
		;
	return pv_table_put(d, &d_mm(d)->foreign_work, mfn,
			    word_type(w) - FRAME_L1 + 1);
}

static int for_each_frame(struct domain *d,
			  int (*fn)(struct domain *d, mfn_t mfn))
{
	struct pv_mm_domain *mm = d_mm(d);
	int rc = 0;

	mm->relinquish_mfn = max(mm->relinquish_mfn, mm->first_mfn);
	while (!rc && mm->relinquish_mfn <= mm->last_mfn) {
		mfn_t mfn = _mfn(mm->relinquish_mfn++);

		if (mfn_valid(mfn) && frame_owner(mfn) == d->id)
			rc = fn(d, mfn);
		if (!rc && !(mm->relinquish_mfn & 1023) &&
		    hypercall_must_yield())
			rc = -ERESTART;
	}
	if (!rc)
		mm->relinquish_mfn = 0;
	return rc;
}

static int release_one(struct domain *d, mfn_t mfn)
{
	pv_release_frame(d, mfn);
	return 0;
}

/* It is paused for good: none of its vCPUs is loaded anywhere. */
int pv_mm_domain_relinquish(struct domain *d)
{
	struct pv_mm_domain *mm = d_mm(d);
	int rc = 0;

	spin_lock(&mm->lock);
	rc = end_work(d, &mm->foreign_work);
	if (!rc && mm->relinquish_step == 0) {
		rc = drop_vcpus(d);
		mm->relinquish_step += !rc;
	}
	if (!rc && mm->relinquish_step == 1) {
		rc = for_each_frame(d, drop_pin);
		mm->relinquish_step += !rc;
	}
	if (!rc)
		rc = end_work(d, &mm->foreign_work);
	spin_unlock(&mm->lock);
	if (!rc && mm->relinquish_step == 2) {
		pv_finish_puts();
		pv_check_end(d);
		mm->relinquish_step++;
	}
	if (!rc)
		rc = for_each_frame(d, release_one);
	return rc;
}
