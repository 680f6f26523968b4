/* SPDX-License-Identifier: MIT */
/* The fields of a frame's word, see frame.h, and where the words are. */
#ifndef OSTLER_MEM_FRAME_WORD_H
#define OSTLER_MEM_FRAME_WORD_H

#include "lib/atomic.h"
#include "lib/bitmap.h"
#include "mem/frame.h"
#include "mem/layout.h"

#define FRAME_ONE      BIT(FRAME_COUNT_SHIFT)
#define FRAME_TONE     BIT(FRAME_TCOUNT_SHIFT)
#define FRAME_TYPE_MAX 15UL

static inline unsigned int word_count(uint64_t w)
{
	return (w >> FRAME_COUNT_SHIFT) & FRAME_COUNT_MAX;
}
static inline unsigned int word_tcount(uint64_t w)
{
	return (w >> FRAME_TCOUNT_SHIFT) & FRAME_COUNT_MAX;
}
static inline unsigned int word_type(uint64_t w)
{
	return (w >> FRAME_TYPE_SHIFT) & FRAME_TYPE_MAX;
}
static inline domid_t word_owner(uint64_t w)
{
	return (domid_t)(w >> FRAME_OWNER_SHIFT);
}
static inline uint64_t word_make(domid_t owner, unsigned int type,
				 unsigned int tcount, unsigned int count)
{
	return (uint64_t)owner << FRAME_OWNER_SHIFT |
	       (uint64_t)type << FRAME_TYPE_SHIFT |
	       (uint64_t)tcount << FRAME_TCOUNT_SHIFT |
	       (uint64_t)count << FRAME_COUNT_SHIFT;
}
static inline uint64_t word_set_type(uint64_t w, unsigned int type)
{
	return (w & ~(FRAME_TYPE_MAX << FRAME_TYPE_SHIFT)) |
	       (uint64_t)type << FRAME_TYPE_SHIFT;
}
static inline uint64_t word_set_owner(uint64_t w, domid_t owner)
{
	return (w & (BIT(FRAME_OWNER_SHIFT) - 1)) |
	       (uint64_t)owner << FRAME_OWNER_SHIFT;
}

/*
 * The frame table. One bit says whether the table has a page for 512 frames;
 * what of these is not RAM has the word FRAME_HOLE.
 */
#ifdef OSTLER_UNIT
extern struct frame unit_frames[];
#define frame_table unit_frames
#else
#define frame_table ((struct frame *)FRAMES_VIRT_START)
#endif
#define FRAMES_PER_PAGE (PAGE_SIZE / sizeof(struct frame))
extern uint64_t *frame_pages; /* the bits */
extern uint64_t frame_limit;  /* the first frame number behind */

/* Types that only the allocator gives, beyond enum frame_type. */
#define FRAME_FREE_HEAD 14UL /* first of a free block; tcount: order, clean */
#define FRAME_HOLE      (FRAME_BROKEN | 15UL << FRAME_TYPE_SHIFT)

static inline bool frame_exists(uint64_t n)
{
	return n < frame_limit && bitmap_test(frame_pages, n / FRAMES_PER_PAGE);
}

/* The frame's word; FRAME_HOLE where there is no RAM. */
static inline uint64_t frame_word(mfn_t mfn)
{
	return frame_exists(mfn_x(mfn))
		       ? READ_ONCE(frame_table[mfn_x(mfn)].word)
		       : FRAME_HOLE;
}

/*
 * What is mostly so, without a call: get_page_and_type(mfn, owner,
 * FRAME_WRITABLE) of a frame that exists and was writable before, and
 * put_page_and_type(). A frame that has a type has a reference; a type count
 * that overflows changes the type.
 */
static inline bool get_writable_page(mfn_t mfn, domid_t owner)
{
	const uint64_t same = FRAME_TYPE_MAX << FRAME_TYPE_SHIFT |
			      ~0UL << FRAME_OWNER_SHIFT;
	uint64_t is = word_make(owner, FRAME_WRITABLE, 0, 0), new;
	struct frame *f = &frame_table[mfn_x(mfn)];
	uint64_t w = READ_ONCE(f->word);

	do {
		new = w + FRAME_ONE + FRAME_TONE;
		if (unlikely(((new ^ is) & same) || !word_count(new)))
			return get_page_and_type(mfn, owner, FRAME_WRITABLE);
	} while (unlikely(!atomic_cas(&f->word, &w, new)));
	return true;
}

static inline void put_writable_page(mfn_t mfn)
{
	struct frame *f = &frame_table[mfn_x(mfn)];
	uint64_t w = READ_ONCE(f->word);

	do {
		if (unlikely(word_count(w) <= 1)) {
			put_page_and_type(mfn);
			return;
		}
	} while (unlikely(
		!atomic_cas(&f->word, &w, w - FRAME_ONE - FRAME_TONE)));
}

#endif
