/* SPDX-License-Identifier: MIT */
/*
 * References and types of frames, see frame.h. Every change is one
 * compare-and-swap of the frame's word, retried while others change it.
 */
#include "mem/frame.h"
#include "console/printk.h"
#include "lib/atomic.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"
#include "mem/internal.h"

void (*frame_freed)(domid_t owner, unsigned int order);

struct frame *mfn_to_frame(mfn_t mfn)
{
	return &frame_table[mfn_x(mfn)];
}

mfn_t frame_to_mfn(const struct frame *f)
{
	return _mfn(f - frame_table);
}

/* The word, or 0 (nobody's, no references) where there is no RAM. */
static uint64_t word_of(mfn_t mfn)
{
	if (!frame_exists(mfn_x(mfn)))
		return 0;
	return READ_ONCE(mfn_to_frame(mfn)->word);
}

bool mfn_valid(mfn_t mfn)
{
	return frame_exists(mfn_x(mfn)) &&
	       READ_ONCE(mfn_to_frame(mfn)->word) != FRAME_HOLE;
}

domid_t frame_owner(mfn_t mfn)
{
	return word_owner(word_of(mfn));
}

enum frame_type frame_type(mfn_t mfn)
{
	return (enum frame_type)word_type(word_of(mfn));
}

unsigned int frame_count(mfn_t mfn)
{
	return word_count(word_of(mfn));
}

unsigned int frame_type_count(mfn_t mfn)
{
	return word_tcount(word_of(mfn));
}

bool frame_is_allocated(mfn_t mfn)
{
	return word_of(mfn) & FRAME_ALLOCATED;
}

bool get_page(mfn_t mfn, domid_t owner)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w;

	if (!frame_exists(mfn_x(mfn)))
		return false;
	w = READ_ONCE(f->word);
	do {
		if (!word_count(w) || word_count(w) == FRAME_COUNT_MAX ||
		    word_owner(w) != owner)
			return false;
	} while (!atomic_cas(&f->word, &w, w + FRAME_ONE));
	return true;
}

bool get_page_any(mfn_t mfn, domid_t *owner)
{
	uint64_t w;

	/* A frame that changes hands meanwhile is looked at again. */
	for (;;) {
		w = word_of(mfn);
		*owner = word_owner(w);
		if (!word_count(w) || word_count(w) == FRAME_COUNT_MAX ||
		    *owner == DOMID_XEN)
			return false;
		if (get_page(mfn, *owner))
			return true;
	}
}

/* The last reference is gone; w is the word before that. */
static void free_frame(mfn_t mfn, uint64_t w)
{
	if (word_type(w) == FRAME_SHARED) {
		free_pages(mfn, 0);
		return;
	}
	ASSERT(!word_tcount(w));
	free_domain_pages(mfn, 0);
	if (frame_freed)
		frame_freed(word_owner(w), 0);
}

void put_page(mfn_t mfn)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w = READ_ONCE(f->word), new;

	do {
		ASSERT(word_count(w));
		new = word_count(w) == 1 ? 0 : w - FRAME_ONE;
	} while (!atomic_cas(&f->word, &w, new));
	if (!new)
		free_frame(mfn, w);
}

/* w with one more use as t, in *new; false if it cannot be one. */
static inline bool add_type(uint64_t w, enum frame_type t, uint64_t *new)
{
	if (word_tcount(w) == FRAME_COUNT_MAX || word_type(w) == FRAME_SHARED)
		return false;
	if (word_type(w) != t) {
		if (word_tcount(w))
			return false;
		w = word_set_type(w & ~FRAME_VALIDATED, t);
	}
	*new = w + FRAME_TONE;
	return true;
}

bool get_page_type(mfn_t mfn, enum frame_type t)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w = READ_ONCE(f->word), new;

	if (t == FRAME_NONE)
		return true;
	do {
		ASSERT(word_count(w));
		if (!add_type(w, t, &new))
			return false;
	} while (!atomic_cas(&f->word, &w, new));
	return true;
}

void put_page_type(mfn_t mfn)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w = READ_ONCE(f->word);

	do {
		ASSERT(word_tcount(w));
	} while (!atomic_cas(&f->word, &w, w - FRAME_TONE));
}

/* Both counts at once: one locked operation. */
bool get_page_and_type(mfn_t mfn, domid_t owner, enum frame_type t)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w, new;

	if (t == FRAME_NONE)
		return get_page(mfn, owner);
	if (!frame_exists(mfn_x(mfn)))
		return false;
	w = READ_ONCE(f->word);
	do {
		if (!word_count(w) || word_count(w) == FRAME_COUNT_MAX ||
		    word_owner(w) != owner || !add_type(w, t, &new))
			return false;
	} while (!atomic_cas(&f->word, &w, new + FRAME_ONE));
	return true;
}

void put_page_and_type(mfn_t mfn)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w = READ_ONCE(f->word), new;

	do {
		ASSERT(word_count(w) && word_tcount(w));
		new = word_count(w) == 1 ? 0 : w - FRAME_TONE - FRAME_ONE;
	} while (!atomic_cas(&f->word, &w, new));
	if (!new)
		free_frame(mfn, w - FRAME_TONE);
}

void frame_assign(mfn_t mfn, unsigned int order, domid_t owner)
{
	uint64_t w = word_make(owner, FRAME_NONE, 0, 1) | FRAME_ALLOCATED;
	struct frame *f = mfn_to_frame(mfn);

	for (uint64_t i = 0; i < 1UL << order; i++) {
		ASSERT(!word_count(f[i].word));
		atomic_set(&f[i].word, w);
	}
}

bool frame_release(mfn_t mfn, domid_t owner)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w, new;

	if (!frame_exists(mfn_x(mfn)))
		return false;
	w = READ_ONCE(f->word);
	do {
		if (!(w & FRAME_ALLOCATED) || word_owner(w) != owner ||
		    word_type(w) == FRAME_SHARED)
			return false;
		new = word_count(w) == 1 ? 0
					 : (w & ~FRAME_ALLOCATED) - FRAME_ONE;
	} while (!atomic_cas(&f->word, &w, new));
	if (!new)
		free_frame(mfn, w);
	return true;
}

void frame_share(mfn_t mfn, domid_t owner)
{
	struct frame *f = mfn_to_frame(mfn);

	ASSERT(word_owner(f->word) == DOMID_XEN);
	atomic_set(&f->word,
		   word_make(owner, FRAME_SHARED, 1, 1) | FRAME_ALLOCATED);
}

/* Whoever maps it may go on; the number of its domain, which is about to be
 * free, opens it to nobody any more. */
void frame_unshare(mfn_t mfn)
{
	struct frame *f = mfn_to_frame(mfn);
	uint64_t w = READ_ONCE(f->word);

	ASSERT(word_type(w) == FRAME_SHARED);
	while (!atomic_cas(&f->word, &w, word_set_owner(w, DOMID_XEN)))
		;
	put_page(mfn);
}
