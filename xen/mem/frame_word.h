/* SPDX-License-Identifier: MIT */
/* The fields of a frame's word, see frame.h. */
#ifndef OSTLER_MEM_FRAME_WORD_H
#define OSTLER_MEM_FRAME_WORD_H

#include "mem/frame.h"

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

#endif
