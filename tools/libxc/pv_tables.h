/* SPDX-License-Identifier: MIT */
/*
 * The page tables that a 64-bit paravirtual guest starts on: a few virtual
 * ranges, each mapped to frames in a row, and the frames of the tables
 * themselves read-only. Pure arithmetic on the caller's memory.
 */
#ifndef OSTLER_LIBXC_PV_TABLES_H
#define OSTLER_LIBXC_PV_TABLES_H

#include <stdint.h>

/* Virtual [from, to), page-aligned, mapped to frames from pfn on. */
struct pv_range {
	uint64_t from, to, pfn;
};

/*
 * How many tables below the top one a range needs when no other range shares
 * one with it.
 */
uint64_t pv_tables_count(uint64_t from, uint64_t to);

/* Tables are made in the order that they are needed, the top one first. */
struct pv_tables {
	const uint64_t *p2m;       /* machine frame of each frame */
	uint64_t ro_first, ro_end; /* frames to be mapped read-only */
	/* Frames for tables, in two areas: the second is used after the first.
	 */
	struct {
		uint64_t first, count, used;
		uint64_t *data; /* count tables of 512 entries, zeroed */
	} area[2];
	unsigned int current;
};

/* Maps a range; -1 when the areas have too few tables. */
int pv_tables_map(struct pv_tables *t, const struct pv_range *range);

#endif
