/* SPDX-License-Identifier: MIT */
/* Searching and counting in bit sets. */
#include "lib/bitmap.h"

static unsigned int next_bit(const uint64_t *map, unsigned int size,
			     unsigned int n, uint64_t flip)
{
	while (n < size) {
		uint64_t w = (map[n / 64] ^ flip) >> (n % 64);

		if (w) {
			n += (unsigned int)__builtin_ctzl(w);
			return n < size ? n : size;
		}
		n = (n | 63) + 1;
	}
	return size;
}

unsigned int bitmap_next(const uint64_t *map, unsigned int size, unsigned int n)
{
	return next_bit(map, size, n, 0);
}

unsigned int bitmap_next_zero(const uint64_t *map, unsigned int size,
			      unsigned int n)
{
	return next_bit(map, size, n, ~0UL);
}

unsigned int bitmap_weight(const uint64_t *map, unsigned int size)
{
	unsigned int i, n = 0;

	for_each_set_bit(i, map, size)
		n++;
	return n;
}
