/* SPDX-License-Identifier: MIT */
/*
 * A chained hash table of intrusive links, and the hash it uses. The hash is
 * seeded, since guests choose the keys; it is taken a byte at a time, so that
 * the hashes of all prefixes of a path come from one pass.
 */
#ifndef OSTLER_XENSTORE_HASH_H
#define OSTLER_XENSTORE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hlink {
	struct hlink *next;
	uint32_t hash;
};

struct htab {
	struct hlink **slot;
	uint32_t size; /* a power of two, or 0 */
	uint32_t used;
};

uint64_t hash_seed(void);

static inline uint64_t hash_byte(uint64_t h, unsigned char c)
{
	h = (h ^ c) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 29);
}

static inline uint32_t hash_end(uint64_t h)
{
	return (uint32_t)(h ^ (h >> 32));
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t len);
uint32_t hash_string(const char *s);

void htab_insert(struct htab *t, struct hlink *l, uint32_t hash);
void htab_remove(struct htab *t, struct hlink *l);
void htab_free(struct htab *t);

/* The first link that may have @hash; compare hash and key, follow next. */
static inline struct hlink *htab_chain(const struct htab *t, uint32_t hash)
{
	return t->size ? t->slot[hash & (t->size - 1)] : NULL;
}

#endif
