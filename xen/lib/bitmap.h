/* SPDX-License-Identifier: MIT */
/* Bit sets of a fixed size; CPU sets among them. Not atomic. */
#ifndef OSTLER_LIB_BITMAP_H
#define OSTLER_LIB_BITMAP_H

#include "lib/types.h"

#define NR_CPUS 256 /* what the tables are built for */

#define BITMAP_LONGS(n) DIV_ROUND_UP(n, 64)

typedef struct {
	uint64_t bits[BITMAP_LONGS(NR_CPUS)];
} cpumask_t;

static inline void bitmap_set(uint64_t *map, unsigned int n)
{
	map[n / 64] |= BIT(n % 64);
}
static inline void bitmap_clear(uint64_t *map, unsigned int n)
{
	map[n / 64] &= ~BIT(n % 64);
}
static inline bool bitmap_test(const uint64_t *map, unsigned int n)
{
	return (map[n / 64] >> (n % 64)) & 1;
}
/* The first set bit at or after n, or size. */
unsigned int bitmap_next(const uint64_t *map, unsigned int size,
			 unsigned int n);
/* The first clear bit at or after n, or size. */
unsigned int bitmap_next_zero(const uint64_t *map, unsigned int size,
			      unsigned int n);
unsigned int bitmap_weight(const uint64_t *map, unsigned int size);

#define for_each_set_bit(i, map, size)                                         \
	for ((i) = bitmap_next(map, size, 0); (i) < (size);                    \
	     (i) = bitmap_next(map, size, (i) + 1))

#define cpumask_set(m, c)   bitmap_set((m)->bits, c)
#define cpumask_clear(m, c) bitmap_clear((m)->bits, c)
#define cpumask_test(m, c)  bitmap_test((m)->bits, c)
#define cpumask_next(m, c)  bitmap_next((m)->bits, NR_CPUS, c)
#define cpumask_weight(m)   bitmap_weight((m)->bits, NR_CPUS)
#define for_each_cpu(c, m)  for_each_set_bit(c, (m)->bits, NR_CPUS)

#endif
