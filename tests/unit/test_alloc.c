/* SPDX-License-Identifier: MIT */
/* The buddy allocator and the heap, against a model of what is handed out. */
#include "harness.h"
#include "host_ram.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"

#define LOW_PAGES  (LOW_RAM / 4096)
#define HIGH_PAGES (HIGH_RAM / 4096)
#define ALL        (LOW_PAGES + HIGH_PAGES)

static void fill(void)
{
	host_ram_reset();
	if (!free_page_count()) {
		alloc_add(_mfn(0), _mfn(LOW_PAGES));
		alloc_add(maddr_to_mfn(HIGH_AT),
			  maddr_to_mfn(HIGH_AT + HIGH_RAM));
		alloc_ready = true;
	}
}

static uint32_t seed = 12345;
static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void whole_and_back(void)
{
	mfn_t m;

	CHECK_EQ(free_page_count(), ALL);
	m = alloc_pages(13, 0); /* 32 MiB: only the whole of a zone's block */
	CHECK(mfn_x(m) >= HIGH_AT >> 12);
	CHECK_EQ(free_page_count(), ALL - 8192);
	CHECK_EQ(own_page_count(), 8192);
	CHECK_EQ(frame_owner(m), DOMID_XEN);
	free_pages(m, 13);
	CHECK_EQ(free_page_count(), ALL);
	CHECK_EQ(own_page_count(), 0);
	CHECK(mfn_eq(alloc_pages(15, 0), INVALID_MFN));
	CHECK(mfn_eq(alloc_pages(MAX_ORDER + 1, 0), INVALID_MFN));
	m = alloc_pages(0, ALLOC_BELOW_4G);
	CHECK(mfn_x(m) < LOW_PAGES);
	free_pages(m, 0);
}

static void to_the_last_page(void)
{
	static mfn_t got[ALL];
	unsigned int n = 0;
	mfn_t m;

	while (!mfn_eq(m = alloc_pages(0, 0), INVALID_MFN)) {
		REQUIRE(n < ALL);
		got[n++] = m;
	}
	CHECK_EQ(n, ALL);
	CHECK_EQ(free_page_count(), 0);
	CHECK(alloc_page_virt(0) == NULL);
	CHECK(xmalloc(64) == NULL);
	CHECK(xmalloc(100000) == NULL);
	/* The high zone goes first, and the lowest address last. */
	CHECK(mfn_x(got[0]) >= HIGH_AT >> 12);
	CHECK_EQ(mfn_x(got[n - 1]), 0);
	for (unsigned int i = 0; i < n; i += 2)
		free_pages(got[i], 0);
	for (unsigned int i = 1; i < n; i += 2)
		free_pages(got[i], 0);
	m = alloc_pages(13, 0); /* all of it merged again */
	CHECK(!mfn_eq(m, INVALID_MFN));
	free_pages(m, 13);
}

/* Random sizes held and freed: no page twice, alignment, the count. */
static void random_blocks(void)
{
	static struct {
		mfn_t m;
		unsigned int order;
	} held[400];
	static uint8_t owner[(HIGH_AT + HIGH_RAM) >> 12];
	unsigned int n = 0;
	uint64_t pages = 0;

	for (int step = 0; step < 20000; step++) {
		if (n < ARRAY_SIZE(held) && rnd(2)) {
			unsigned int order = rnd(rnd(4) ? 3 : 9);
			mfn_t m = alloc_pages(order, 0);

			if (mfn_eq(m, INVALID_MFN))
				continue;
			REQUIRE(!(mfn_x(m) & ((1UL << order) - 1)));
			for (unsigned int i = 0; i < 1U << order; i++) {
				REQUIRE(!owner[mfn_x(m) + i]);
				owner[mfn_x(m) + i] = 1;
			}
			held[n].m = m;
			held[n++].order = order;
			pages += 1UL << order;
		} else if (n) {
			unsigned int k = rnd(n);

			for (unsigned int i = 0; i < 1U << held[k].order; i++)
				owner[mfn_x(held[k].m) + i] = 0;
			free_pages(held[k].m, held[k].order);
			pages -= 1UL << held[k].order;
			held[k] = held[--n];
		}
		REQUIRE(free_page_count() == ALL - pages);
	}
	while (n--)
		free_pages(held[n].m, held[n].order);
	CHECK_EQ(free_page_count(), ALL);
}

static void domain_memory_is_clear(void)
{
	mfn_t m = alloc_domain_pages(2, 0);
	const unsigned char *p;

	REQUIRE(!mfn_eq(m, INVALID_MFN));
	p = mfn_to_virt(m);
	for (unsigned int i = 0; i < 4 * 4096; i++)
		REQUIRE(!p[i]);
	CHECK_EQ(frame_count(m), 0);
	CHECK_EQ(own_page_count(), 0);
	free_domain_pages(m, 2);
}

static void domains_leave_a_reserve(void)
{
	static mfn_t got[ALL];
	unsigned int n = 0;
	mfn_t m;

	while (!mfn_eq(m = alloc_domain_pages(0, ALLOC_UNCLEARED), INVALID_MFN))
		got[n++] = m;
	CHECK(free_page_count() > 0);
	m = alloc_pages(0, 0);
	CHECK(!mfn_eq(m, INVALID_MFN));
	free_pages(m, 0);
	while (n--)
		free_domain_pages(got[n], 0);
	CHECK_EQ(free_page_count(), ALL);
}

/* Odd bounds are cut into aligned blocks. */
static void adding_memory(void)
{
	mfn_t m = alloc_pages(10, 0);

	for (unsigned int i = 0; i < 1024; i++)
		mfn_to_frame(m)[i].word = 0;
	alloc_add(mfn_add(m, 3), mfn_add(m, 1001));
	CHECK_EQ(free_page_count(), ALL - 1024 + 998);
	alloc_add(m, mfn_add(m, 3));
	alloc_add(mfn_add(m, 1001), mfn_add(m, 1024));
	CHECK_EQ(free_page_count(), ALL);
}

static void heap_sizes(void)
{
	for (size_t size = 0; size < 20000; size += size < 64 ? 1 : 37) {
		unsigned char *p = xmalloc(size), *q = xzalloc(size);

		REQUIRE(p && q && p != q);
		REQUIRE(!((uintptr_t)p & 15) && !((uintptr_t)q & 15));
		memset(p, 0x55, size);
		for (size_t i = 0; i < size; i++)
			REQUIRE(q[i] == 0);
		xfree(p);
		xfree(q);
	}
	xfree(NULL);
	CHECK(xzalloc_array(SIZE_MAX / 2, 3) == NULL);
	CHECK(xzalloc_array(8, 0) != NULL);
	CHECK(xmalloc(SIZE_MAX) == NULL);
}

static void heap_random(void)
{
	static struct {
		unsigned char *p;
		size_t size;
		unsigned char fill;
	} held[500];
	uint64_t before = free_page_count();
	unsigned int n = 0;

	for (int step = 0; step < 40000; step++) {
		if (n < ARRAY_SIZE(held) && rnd(2)) {
			size_t size = rnd(rnd(8) ? 300 : 30000);

			held[n].p = xmalloc(size);
			held[n].size = size;
			held[n].fill = (unsigned char)step;
			memset(held[n].p, held[n].fill, size);
			n++;
		} else if (n) {
			unsigned int k = rnd(n);

			for (size_t i = 0; i < held[k].size; i++)
				REQUIRE(held[k].p[i] == held[k].fill);
			xfree(held[k].p);
			held[k] = held[--n];
		}
	}
	while (n--)
		xfree(held[n].p);
	/* At most one empty page of each size stays. */
	CHECK(before - free_page_count() <= 14);
}

static const struct test_case cases[] = {
	{"a whole zone and back", whole_and_back},
	{"down to the last page, and merged again", to_the_last_page},
	{"random blocks never overlap", random_blocks},
	{"domain memory comes cleared", domain_memory_is_clear},
	{"domains leave a reserve", domains_leave_a_reserve},
	{"memory added in odd pieces", adding_memory},
	{"objects of every size", heap_sizes},
	{"random objects keep their contents", heap_random},
};

int main(void)
{
	fill();
	return RUN_CASES(cases);
}
