/* SPDX-License-Identifier: MIT */
/*
 * The page allocator: a buddy system in two zones, below and above 4 GiB. A
 * free block's list links stand in its own first page, its order in that
 * frame's word; all its other frames' words are zero. See alloc.h.
 */
#include "mem/alloc.h"
#include "console/printk.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mem/frame_word.h"
#include "mem/internal.h"
#include "mem/memory.h"

enum { ZONE_LOW, ZONE_HIGH, NR_ZONES };
#define ZONE_LIMIT (1UL << (32 - PAGE_SHIFT))

/*
 * Domains cannot take the last of it: a hypercall that needs a page for itself
 * would fail for everybody.
 */
#define OWN_RESERVE 256

bool alloc_ready;

static struct {
	spinlock_t lock;
	uint64_t free, total, own;
	struct list block[NR_ZONES][MAX_ORDER + 1];
} pages = {.lock = SPINLOCK_INIT(LOCK_HEAP)};

static struct list *links(mfn_t mfn)
{
	return mfn_to_virt(mfn);
}

static mfn_t block_of(struct list *l)
{
	return virt_to_mfn(l);
}

static unsigned int zone_of(mfn_t mfn)
{
	return mfn_x(mfn) < ZONE_LIMIT ? ZONE_LOW : ZONE_HIGH;
}

static void insert_block(mfn_t mfn, unsigned int order)
{
	mfn_to_frame(mfn)->word = word_make(0, FRAME_FREE_HEAD, order, 0);
	list_add(links(mfn), &pages.block[zone_of(mfn)][order]);
}

static void remove_block(mfn_t mfn)
{
	list_del(links(mfn));
	mfn_to_frame(mfn)->word = 0;
}

static bool is_free_block(mfn_t mfn, unsigned int order)
{
	return frame_exists(mfn_x(mfn)) &&
	       READ_ONCE(mfn_to_frame(mfn)->word) ==
		       word_make(0, FRAME_FREE_HEAD, order, 0);
}

/* Lock held; the block's words are zero. */
static void free_block(mfn_t mfn, unsigned int order)
{
	pages.free += 1UL << order;
	for (; order < MAX_ORDER; order++) {
		mfn_t buddy = _mfn(mfn_x(mfn) ^ (1UL << order));

		if (!is_free_block(buddy, order))
			break;
		remove_block(buddy);
		mfn = _mfn(mfn_x(mfn) & mfn_x(buddy));
	}
	insert_block(mfn, order);
}

/* Lock held. Splits from the low end, so that the lowest memory goes last. */
static mfn_t take_from(unsigned int zone, unsigned int order)
{
	unsigned int o = order;
	mfn_t mfn;

	while (o <= MAX_ORDER && list_empty(&pages.block[zone][o]))
		o++;
	if (o > MAX_ORDER)
		return INVALID_MFN;
	mfn = block_of(pages.block[zone][o].next);
	remove_block(mfn);
	while (o > order) {
		insert_block(mfn, --o);
		mfn = mfn_add(mfn, 1UL << o);
	}
	pages.free -= 1UL << order;
	return mfn;
}

static mfn_t take(unsigned int order, unsigned int flags, uint64_t reserve)
{
	mfn_t mfn = INVALID_MFN;

	if (order > MAX_ORDER)
		return mfn;
	spin_lock(&pages.lock);
	if (pages.free >= (1UL << order) + reserve) {
		if (!(flags & ALLOC_BELOW_4G))
			mfn = take_from(ZONE_HIGH, order);
		if (mfn_eq(mfn, INVALID_MFN))
			mfn = take_from(ZONE_LOW, order);
	}
	if (!reserve && !mfn_eq(mfn, INVALID_MFN))
		pages.own += 1UL << order;
	spin_unlock(&pages.lock);
	return mfn;
}

mfn_t alloc_pages(unsigned int order, unsigned int flags)
{
	mfn_t mfn = take(order, flags, 0);

	if (mfn_eq(mfn, INVALID_MFN))
		return mfn;
	for (uint64_t i = 0; i < 1UL << order; i++)
		mfn_to_frame(mfn)[i].word =
			word_make(DOMID_XEN, FRAME_NONE, 0, 1) |
			FRAME_ALLOCATED;
	if (flags & ALLOC_ZERO)
		clear_words(mfn_to_virt(mfn), PAGE_SIZE << order);
	return mfn;
}

void free_pages(mfn_t mfn, unsigned int order)
{
	spin_lock(&pages.lock);
	for (uint64_t i = 0; i < 1UL << order; i++)
		mfn_to_frame(mfn)[i].word = 0;
	pages.own -= 1UL << order;
	free_block(mfn, order);
	spin_unlock(&pages.lock);
}

void *alloc_page_virt(unsigned int flags)
{
	mfn_t mfn = alloc_pages(0, flags);

	return mfn_eq(mfn, INVALID_MFN) ? NULL : mfn_to_virt(mfn);
}

void free_page_virt(void *p)
{
	if (p)
		free_pages(virt_to_mfn(p), 0);
}

mfn_t alloc_domain_pages(unsigned int order, unsigned int flags)
{
	mfn_t mfn = take(order, flags, OWN_RESERVE);

	if (!mfn_eq(mfn, INVALID_MFN) && !(flags & ALLOC_UNCLEARED))
		clear_words(mfn_to_virt(mfn), PAGE_SIZE << order);
	return mfn;
}

void free_domain_pages(mfn_t mfn, unsigned int order)
{
	spin_lock(&pages.lock);
	free_block(mfn, order);
	spin_unlock(&pages.lock);
}

/* Lock held. The free block that frame n lies in; false: it is not free. */
static bool find_block(uint64_t n, mfn_t *head, unsigned int *order)
{
	for (unsigned int o = 0; o <= MAX_ORDER; o++) {
		*head = _mfn(ROUND_DOWN(n, 1UL << o));
		*order = o;
		if (is_free_block(*head, o))
			return true;
	}
	return false;
}

/* Lock held. Takes from the free block that holds at what lies in [at, end),
 * halving it until it fits; returns where that ends. */
static uint64_t carve(uint64_t at, uint64_t end)
{
	unsigned int order;
	mfn_t head;

	find_block(at, &head, &order);
	remove_block(head);
	while (mfn_x(head) < at || mfn_x(head) + (1UL << order) > end) {
		mfn_t upper = mfn_add(head, 1UL << --order);

		if (at < mfn_x(upper)) {
			insert_block(upper, order);
		} else {
			insert_block(head, order);
			head = upper;
		}
	}
	pages.free -= 1UL << order;
	return mfn_x(head) + (1UL << order);
}

bool alloc_domain_pages_at(mfn_t mfn, unsigned int order, unsigned int flags)
{
	uint64_t end = mfn_x(mfn) + (1UL << order);
	unsigned int o;
	bool ok;
	mfn_t head;

	spin_lock(&pages.lock);
	ok = pages.free >= (1UL << order) + OWN_RESERVE;
	for (uint64_t at = mfn_x(mfn); ok && at < end;
	     at = mfn_x(head) + (1UL << o))
		ok = find_block(at, &head, &o);
	for (uint64_t at = mfn_x(mfn); ok && at < end;)
		at = carve(at, end);
	spin_unlock(&pages.lock);
	if (ok && !(flags & ALLOC_UNCLEARED))
		clear_words(mfn_to_virt(mfn), PAGE_SIZE << order);
	return ok;
}

uint64_t free_page_count(void)
{
	return READ_ONCE(pages.free);
}

uint64_t total_page_count(void)
{
	return READ_ONCE(pages.total);
}

uint64_t own_page_count(void)
{
	return READ_ONCE(pages.own);
}

static void init_lists(void)
{
	for (unsigned int z = 0; z < NR_ZONES; z++)
		for (unsigned int o = 0; o <= MAX_ORDER; o++)
			list_init(&pages.block[z][o]);
}

void alloc_add(mfn_t first, mfn_t end)
{
	uint64_t at = mfn_x(first);

	spin_lock(&pages.lock);
	if (!pages.block[0][0].next)
		init_lists();
	while (at < mfn_x(end)) {
		uint64_t left = mfn_x(end) - at;
		unsigned int order = at ? __builtin_ctzl(at) : MAX_ORDER;

		order = min(order, (unsigned int)MAX_ORDER);
		order = min(order, (unsigned int)(63 - __builtin_clzl(left)));
		for (uint64_t i = 0; i < 1UL << order && alloc_ready; i++)
			frame_table[at + i].word = 0;
		free_block(_mfn(at), order);
		at += 1UL << order;
	}
	spin_unlock(&pages.lock);
}

void alloc_count_total(uint64_t n)
{
	pages.total = n;
}
