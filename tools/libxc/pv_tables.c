/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "pv_tables.h"

enum {
	PRESENT = 1 << 0,
	WRITABLE = 1 << 1,
	USER = 1 << 2,
	ACCESSED = 1 << 5,
	DIRTY = 1 << 6,
	/* Xen itself adds the user bit that a 64-bit guest's leaves need. */
	LEAF = PRESENT | WRITABLE | ACCESSED,
	TABLE = LEAF | DIRTY | USER,
};

static unsigned int shift_of(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

static unsigned int index_at(uint64_t va, unsigned int level)
{
	return va >> shift_of(level) & 511;
}

uint64_t pv_tables_count(uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	/* A table of a level covers as much as an entry of the level above. */
	for (unsigned int level = 2; level <= 4; level++)
		n += ((to - 1) >> shift_of(level)) - (from >> shift_of(level)) +
		     1;
	return n;
}

/* The table in a frame, if it is one of ours. */
static uint64_t *table_of(struct pv_tables *t, uint64_t pfn)
{
	for (unsigned int a = 0; a < 2; a++)
		if (pfn >= t->area[a].first &&
		    pfn < t->area[a].first + t->area[a].used)
			return t->area[a].data + (pfn - t->area[a].first) * 512;
	return NULL;
}

/* The frame of a new table, or 0. */
static uint64_t new_table(struct pv_tables *t)
{
	unsigned int a = t->current;

	if (t->area[a].used == t->area[a].count)
		return 0;
	return t->area[a].first + t->area[a].used++;
}

/*
 * The frame of the table below table's entry i. Entries hold machine frames,
 * so the frame is looked for among the tables, the latest first: a walk goes
 * on where the last one was.
 */
static uint64_t below(struct pv_tables *t, uint64_t *table, unsigned int i)
{
	uint64_t mfn = table[i] >> 12, pfn;

	if (table[i]) {
		for (unsigned int a = 2; a-- > 0;)
			for (uint64_t n = t->area[a].used; n-- > 0;)
				if (t->p2m[t->area[a].first + n] == mfn)
					return t->area[a].first + n;
		return 0;
	}
	pfn = new_table(t);
	if (pfn)
		table[i] = t->p2m[pfn] << 12 | TABLE;
	return pfn;
}

/* The level 1 table for a virtual address, made if need be. */
static uint64_t *leaf_table(struct pv_tables *t, uint64_t va)
{
	uint64_t *table;

	if (t->area[0].used == 0 && !new_table(t))
		return NULL;
	table = t->area[0].data;
	for (unsigned int level = 4; level > 1; level--) {
		uint64_t pfn = below(t, table, index_at(va, level));

		if (!pfn)
			return NULL;
		table = table_of(t, pfn);
	}
	return table;
}

int pv_tables_map(struct pv_tables *t, const struct pv_range *range)
{
	uint64_t *leaf = NULL, pfn = range->pfn;

	for (uint64_t va = range->from; va != range->to; va += 4096, pfn++) {
		uint64_t flags = LEAF;

		if (!leaf || index_at(va, 1) == 0)
			leaf = leaf_table(t, va);
		if (!leaf)
			return -1;
		if (pfn >= t->ro_first && pfn < t->ro_end)
			flags &= ~(uint64_t)WRITABLE;
		leaf[index_at(va, 1)] = t->p2m[pfn] << 12 | flags;
	}
	return 0;
}
