/* SPDX-License-Identifier: MIT */
/*
 * From ticks of one clock to ticks of another by a 32-bit multiplier and a
 * shift, as public/xen.h (struct vcpu_time_info) has guests do it. The
 * multiplier is kept at 2^31 or above: so it has 31 significant bits, an error
 * below one part in two thousand million.
 */
#include "cpu/time.h"

void scale_ratio(uint64_t num, uint64_t den, uint32_t *mul, int8_t *shift)
{
	int s = 0;
	uint64_t q;

	/* Bring num / den into [1/2, 1), both below 2^32: halving either loses
	 * bits that the multiplier cannot hold anyway. */
	for (; num > UINT32_MAX; s++)
		num >>= 1;
	for (; den > UINT32_MAX; s--)
		den >>= 1;
	while (num >= den) {
		den <<= 1;
		s++;
	}
	while (2 * num < den) {
		num <<= 1;
		s--;
	}
	/* den may be 2^32 now, num is below it. */
	q = (num << 32) / den;
	*mul = q > UINT32_MAX ? UINT32_MAX : (uint32_t)q;
	*shift = (int8_t)s;
}

void time_scale(uint64_t khz, uint32_t *mul, int8_t *shift)
{
	scale_ratio(1000000, khz, mul, shift);
}

/* The inverse of scale_ticks() by a pair of scale_ratio(): mul >= 2^31, so that
 * the quotient of ticks < 2^63 fits. */
uint64_t unscale_ticks(uint64_t ticks, uint32_t mul, int8_t shift)
{
	uint64_t high = ticks >> 32, low = ticks << 32, q, r;

	__asm__("divq %4"
		: "=a"(q), "=d"(r)
		: "a"(low), "d"(high), "rm"((uint64_t)mul));
	(void)r;
	return shift < 0 ? q << -shift : q >> shift;
}
