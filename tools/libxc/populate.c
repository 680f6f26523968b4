/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory, by the largest pages that Xen gives and in few hypercalls:
 * one call asks for all extents of a size, and what it did not get is asked
 * for again in the next smaller size.
 */
#include <inttypes.h>

#include "build.h"

static const unsigned int orders[] = {18, 9, 0}; /* 1 GiB, 2 MiB, 4 KiB */

#define BATCH 65536

int populate_fail(struct build *b)
{
	int saved = errno;
	xc_physinfo_t info = {0};
	uint64_t want = b->cfg->memory_kb, free_kb = 0;

	if (xc_physinfo(b->xch, &info) == 0 &&
	    info.free_pages > info.outstanding_pages)
		free_kb = (info.free_pages - info.outstanding_pages) *
			  (PAGE_SIZE / 1024);
	errno = saved;
	if (want > free_kb)
		return build_fail(b->err,
				  "not enough memory: the guest wants %" PRIu64
				  " MiB, the host has %" PRIu64
				  " MiB free (memory=, or xl mem-set a "
				  "domain that has more than it needs)",
				  want / 1024, free_kb / 1024);
	return build_fail_errno(b->err,
				"could not give the guest its %" PRIu64
				" MiB of memory",
				want / 1024);
}

int populate_claim(struct build *b, uint64_t pages)
{
	if (!b->cfg->no_claim && xc_domain_claim_pages(b->xch, b->domid, pages))
		return populate_fail(b);
	return 0;
}

/* What was claimed and not used goes back. */
void populate_unclaim(struct build *b)
{
	if (!b->cfg->no_claim)
		xc_domain_claim_pages(b->xch, b->domid, 0);
}

static int populate_order(struct build *b, uint64_t start, uint64_t end,
			  unsigned int level, unsigned int flags);

/* The part below or above the aligned middle, in the next smaller size. */
static int populate_rest(struct build *b, uint64_t start, uint64_t end,
			 unsigned int level, unsigned int flags)
{
	if (start >= end)
		return 0;
	return populate_order(b, start, end, level + 1, flags);
}

static int populate_order(struct build *b, uint64_t start, uint64_t end,
			  unsigned int level, unsigned int flags)
{
	unsigned int order = orders[level];
	uint64_t step = 1ull << order;
	uint64_t first = round_up(start, step), last = end & ~(step - 1);
	uint64_t at = first;
	xen_pfn_t *list;
	int rc = 0;

	if (first >= last)
		return populate_rest(b, start, end, level, flags);
	if (populate_rest(b, start, first, level, flags))
		return -1;
	list = calloc(BATCH, sizeof(*list));
	if (!list)
		return build_fail_errno(b->err, "populating memory");
	while (rc == 0 && at < last) {
		uint64_t n = (last - at) / step;
		int done;

		if (n > BATCH)
			n = BATCH;
		for (uint64_t i = 0; i < n; i++)
			list[i] = at + i * step;
		done = xc_domain_populate_physmap(b->xch, b->domid, n, order,
						  flags, list);
		if (done > 0)
			at += (uint64_t)done * step;
		if (done == (int)n)
			continue;
		/* No more pages of this size: all the rest in smaller ones. */
		if (order == 0)
			rc = populate_fail(b);
		else
			rc = populate_rest(b, at, last, level, flags);
		at = last;
	}
	free(list);
	return rc ? rc : populate_rest(b, last, end, level, flags);
}

int populate_range(struct build *b, uint64_t start, uint64_t end,
		   unsigned int flags)
{
	return start < end ? populate_order(b, start, end, 0, flags) : 0;
}

/* Xen answers with the machine frames that a paravirtual guest got. */
static int64_t populate_pv_order(struct build *b, uint64_t start,
				 unsigned int order)
{
	uint64_t step = 1ull << order, n = (b->nr_frames - start) / step;
	xen_pfn_t *list;
	int done;

	if (n > BATCH)
		n = BATCH;
	if (n == 0)
		return 0;
	list = calloc(n, sizeof(*list));
	if (!list)
		return 0;
	for (uint64_t i = 0; i < n; i++)
		list[i] = start + i * step;
	done = xc_domain_populate_physmap(b->xch, b->domid, n, order, 0, list);
	for (int e = 0; e < done; e++)
		for (uint64_t i = 0; i < step; i++)
			b->p2m[start + (uint64_t)e * step + i] = list[e] + i;
	free(list);
	return done > 0 ? done * (int64_t)step : 0;
}

int populate_pv(struct build *b)
{
	uint64_t at = 0;

	b->p2m = calloc(b->nr_frames, sizeof(*b->p2m));
	if (!b->p2m)
		return build_fail_errno(b->err, "the guest's p2m");
	/* 1 GiB extents would only make the machine's memory scarce of them. */
	for (unsigned int level = 1; level < 3; level++) {
		int64_t done;

		do {
			done = populate_pv_order(b, at, orders[level]);
			at += (uint64_t)done;
		} while (done > 0 && at < b->nr_frames);
	}
	return at == b->nr_frames ? 0 : populate_fail(b);
}
