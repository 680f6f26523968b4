/* SPDX-License-Identifier: MIT */
/* Little-endian fields at any alignment; the caller has checked the bounds. */
#ifndef OSTLER_IMAGE_BYTES_H
#define OSTLER_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* Do size bytes at offset lie inside len? By subtraction, so without a wrap. */
static inline bool inside(uint64_t len, uint64_t offset, uint64_t size)
{
	return offset <= len && size <= len - offset;
}

/* Says why and passes the error on: return fail(-XEN_EINVAL, why, "..."). */
static inline int fail(int err, const char **why, const char *reason)
{
	if (why)
		*why = reason;
	return err;
}

#endif
