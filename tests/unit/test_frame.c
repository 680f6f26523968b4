/* SPDX-License-Identifier: MIT */
/*
 * Frames' words: the rules one by one, then many threads on the same few
 * frames, after which the counts must be what was taken and not given back.
 */
#include "harness.h"
#include "host_ram.h"
#include "lib/atomic.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"
#include <pthread.h>

#define M1 _mfn(1000)

/* The allocator's part. */
static unsigned int freed_domain, freed_own, accounted;
static domid_t accounted_owner;
static bool handed_out_early;

void free_domain_pages(mfn_t mfn, unsigned int order)
{
	(void)order;
	/* freed_once() gives the frame out again as soon as its word is zero,
	 * which the real allocator cannot before it has got it here. */
	if (!handed_out_early && mfn_to_frame(mfn)->word)
		abort();
	atomic_add(&freed_domain, 1);
}

void free_pages(mfn_t mfn, unsigned int order)
{
	(void)mfn;
	(void)order;
	atomic_add(&freed_own, 1);
}

static void account(domid_t owner, unsigned int order)
{
	(void)order;
	accounted_owner = owner;
	atomic_add(&accounted, 1);
}

static void fresh(void)
{
	host_ram_reset();
	freed_domain = freed_own = accounted = 0;
	frame_freed = account;
}

static void life(void)
{
	fresh();
	CHECK(!get_page(M1, 7));
	frame_assign(M1, 1, 7);
	CHECK_EQ(frame_owner(M1), 7);
	CHECK_EQ(frame_count(M1), 1);
	CHECK(frame_is_allocated(M1));
	CHECK_EQ(frame_count(mfn_add(M1, 1)), 1);
	CHECK(!get_page(M1, 8));
	CHECK(get_page(M1, 7));
	CHECK_EQ(frame_count(M1), 2);
	CHECK(!frame_release(M1, 8));
	CHECK(frame_release(M1, 7));
	CHECK(!frame_release(M1, 7));
	CHECK(!frame_is_allocated(M1));
	CHECK_EQ(freed_domain, 0);
	put_page(M1);
	CHECK_EQ(freed_domain, 1);
	CHECK_EQ(accounted, 1);
	CHECK_EQ(accounted_owner, 7);
	CHECK(!get_page(M1, 7));
	CHECK(!get_page(M1, 0)); /* a zero word is not domain 0's */
}

static void whoever_owns_it(void)
{
	domid_t owner;

	fresh();
	CHECK(!get_page_any(M1, &owner));
	frame_assign(M1, 0, 5);
	REQUIRE(get_page_any(M1, &owner));
	CHECK_EQ(owner, 5);
	put_page(M1);
	frame_release(M1, 5);
	mfn_to_frame(M1)->word = word_make(DOMID_XEN, 0, 0, 1);
	CHECK(!get_page_any(M1, &owner));
}

static void no_such_frame(void)
{
	domid_t owner;

	fresh();
	CHECK(!mfn_valid(INVALID_MFN));
	CHECK(!get_page(INVALID_MFN, 0));
	CHECK(!get_page_any(INVALID_MFN, &owner));
	CHECK(!frame_release(INVALID_MFN, 0));
	CHECK(!mfn_valid(_mfn(LOW_RAM >> 12))); /* the hole between */
	CHECK(!get_page(_mfn(LOW_RAM >> 12), 0));
	CHECK(mfn_valid(M1));
	mfn_to_frame(M1)->word = FRAME_HOLE;
	CHECK(!mfn_valid(M1));
	CHECK(!get_page_any(M1, &owner));
}

static void types(void)
{
	fresh();
	frame_assign(M1, 0, 3);
	CHECK(get_page_and_type(M1, 3, FRAME_WRITABLE));
	CHECK(get_page_and_type(M1, 3, FRAME_WRITABLE));
	CHECK_EQ(frame_type_count(M1), 2);
	CHECK_EQ(frame_type(M1), FRAME_WRITABLE);
	CHECK(!get_page_and_type(M1, 3, FRAME_L1));
	CHECK_EQ(frame_count(M1), 3); /* the failed one gave its back */
	put_page_and_type(M1);
	put_page_and_type(M1);
	CHECK(get_page_type(M1, FRAME_L1)); /* changes at count zero */
	CHECK(!get_page_type(M1, FRAME_WRITABLE));
	CHECK(get_page_type(M1, FRAME_NONE));
	CHECK_EQ(frame_type_count(M1), 1);
	put_page_type(M1);
	CHECK(frame_release(M1, 3));
	CHECK_EQ(freed_domain, 1);
}

static void shared(void)
{
	domid_t owner;

	fresh();
	mfn_to_frame(M1)->word = word_make(DOMID_XEN, 0, 0, 1) |
				 FRAME_ALLOCATED;
	frame_share(M1, 9);
	CHECK_EQ(frame_type(M1), FRAME_SHARED);
	CHECK(get_page(M1, 9));
	CHECK(get_page_any(M1, &owner) && owner == 9);
	put_page(M1);
	CHECK(!get_page_and_type(M1, 9, FRAME_WRITABLE));
	CHECK(!frame_release(M1, 9)); /* not the guest's to free */
	frame_unshare(M1);
	CHECK_EQ(freed_own, 0);
	/* A new domain of that number has nothing of it. */
	CHECK(!get_page(M1, 9));
	CHECK(!get_page_any(M1, &owner));
	CHECK_EQ(frame_type(M1), FRAME_SHARED);
	put_page(M1);
	CHECK_EQ(freed_own, 1);
	CHECK_EQ(accounted, 0);
}

static void too_many(void)
{
	fresh();
	mfn_to_frame(M1)->word = word_make(2, FRAME_WRITABLE, FRAME_COUNT_MAX,
					   FRAME_COUNT_MAX - 1) |
				 FRAME_ALLOCATED;
	CHECK(!get_page_type(M1, FRAME_WRITABLE));
	CHECK(get_page(M1, 2));
	CHECK(!get_page(M1, 2));
	CHECK_EQ(frame_owner(M1), 2);
	CHECK_EQ(frame_count(M1), FRAME_COUNT_MAX);
}

/* Threads take and give references and types of four frames. */
#define THREADS 4
#define ROUNDS  20000
#define FRAMES  4

static void *hammer(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg * 7919 + 1;

	for (int i = 0; i < ROUNDS; i++) {
		mfn_t m = mfn_add(M1, (seed >> 8) % FRAMES);
		enum frame_type t = seed >> 16 & 1 ? FRAME_WRITABLE : FRAME_L1;
		domid_t owner;

		seed = seed * 1664525 + 1013904223;
		if (seed >> 20 & 1) {
			if (get_page_and_type(m, 4, t)) {
				if (frame_type(m) != t)
					return "type changed while held";
				put_page_and_type(m);
			}
		} else if (get_page_any(m, &owner)) {
			if (owner != 4 || !frame_count(m))
				return "freed while held";
			put_page(m);
		}
	}
	return NULL;
}

static void run_threads(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		REQUIRE(!pthread_create(&t[i], NULL, fn, (void *)i));
	for (int i = 0; i < THREADS; i++) {
		void *why = NULL;

		pthread_join(t[i], &why);
		if (why)
			printf("# %s\n", (char *)why);
		CHECK(!why);
	}
}

static void counts_under_threads(void)
{
	fresh();
	frame_assign(M1, 2, 4);
	run_threads(hammer);
	for (int i = 0; i < FRAMES; i++) {
		CHECK_EQ(frame_count(mfn_add(M1, i)), 1);
		CHECK_EQ(frame_type_count(mfn_add(M1, i)), 0);
		CHECK(frame_release(mfn_add(M1, i), 4));
	}
	CHECK_EQ(freed_domain, FRAMES);
}

/* One owner's release and many users' puts: freed exactly once each time. */
static void *release_race(void *arg)
{
	static uint32_t turn;

	(void)arg;
	for (int i = 0; i < 5000; i++) {
		if (get_page(M1, 4)) {
			if (atomic_add(&turn, 1) % 8 == 0)
				frame_release(M1, 4);
			put_page(M1);
		} else if (__sync_bool_compare_and_swap(
				   &mfn_to_frame(M1)->word, 0,
				   word_make(4, 0, 0, 1) | FRAME_ALLOCATED)) {
			atomic_add(&freed_own, 1); /* assigned again */
		}
	}
	return NULL;
}

static void freed_once(void)
{
	fresh();
	handed_out_early = true;
	run_threads(release_race);
	handed_out_early = false;
	if (frame_is_allocated(M1))
		CHECK(frame_release(M1, 4));
	CHECK(freed_own > 10);
	CHECK_EQ(freed_domain, freed_own);
	CHECK_EQ(accounted, freed_own);
}

static const struct test_case cases[] = {
	{"assign, hold, release, free", life},
	{"a reference whoever owns it", whoever_owns_it},
	{"frames that are not there", no_such_frame},
	{"types change at count zero only", types},
	{"shared pages of ours", shared},
	{"counts do not overflow", too_many},
	{"threads leave the counts exact", counts_under_threads},
	{"a racing release frees once", freed_once},
};

int main(void)
{
	return RUN_CASES(cases);
}
