/* SPDX-License-Identifier: MIT */
/* The hash table and its hash. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "hash.h"
#include "mem.h"

uint64_t hash_seed(void)
{
	static uint64_t seed;

	while (!seed) {
		if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) ==
		    sizeof(seed))
			continue;
		/* Early in boot: the clock is better than a constant. */
		seed = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15ull + clock();
	}
	return seed;
}

uint64_t hash_bytes(uint64_t h, const void *p, size_t len)
{
	const unsigned char *c = p;

	while (len--)
		h = hash_byte(h, *c++);
	return h;
}

uint32_t hash_string(const char *s)
{
	return hash_end(hash_bytes(hash_seed(), s, strlen(s)));
}

static void resize(struct htab *t, uint32_t size)
{
	struct hlink **slot = mem_zalloc(size * sizeof(*slot));

	for (uint32_t i = 0; i < t->size; i++) {
		struct hlink *l = t->slot[i], *next;

		for (; l; l = next) {
			next = l->next;
			l->next = slot[l->hash & (size - 1)];
			slot[l->hash & (size - 1)] = l;
		}
	}
	free(t->slot);
	t->slot = slot;
	t->size = size;
}

void htab_insert(struct htab *t, struct hlink *l, uint32_t hash)
{
	if (t->used >= t->size)
		resize(t, t->size ? t->size * 2 : 8);
	l->hash = hash;
	l->next = t->slot[hash & (t->size - 1)];
	t->slot[hash & (t->size - 1)] = l;
	t->used++;
}

void htab_remove(struct htab *t, struct hlink *l)
{
	struct hlink **p = &t->slot[l->hash & (t->size - 1)];

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	t->used--;
	if (t->size > 64 && t->used < t->size / 8)
		resize(t, t->size / 4);
}

void htab_free(struct htab *t)
{
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
