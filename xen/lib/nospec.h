/* SPDX-License-Identifier: MIT */
/* Bounds that also hold while a CPU speculates past the check before them. */
#ifndef OSTLER_LIB_NOSPEC_H
#define OSTLER_LIB_NOSPEC_H

#include "lib/types.h"

/* i if i < size, else 0, computed without a branch. */
static inline uint64_t index_nospec(uint64_t i, uint64_t size)
{
	uint64_t mask;

	__asm__("cmpq %2, %1\n\tsbbq %0, %0"
		: "=r"(mask)
		: "r"(i), "r"(size)
		: "cc");
	return i & mask;
}

#endif
