/* SPDX-License-Identifier: MIT */
/*
 * The p2m against a model: a plain array of what each frame should be. Random
 * ranges are set and cleared; after each change every lookup must agree, and
 * the counts by type must be those of the array.
 */
#include "harness.h"
/* So that a pointer is not a machine address. */
#define STUB_MACHINE (1UL << 47)
#include "table_stubs.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"
#include "mem/p2m.h"

#include <stdlib.h>

#define FRAMES (3UL << 18) /* three GiB: leaves of all three sizes */

static struct {
	uint8_t type;
	uint64_t mfn;
} * model;
static struct p2m p2m;
static int flushes;

#define LEAVES                                                                 \
	{                                                                      \
		[0 ... P2M_RAM_RW] = 3 | ACCESSED,                             \
		       [P2M_RAM_RO] = 1 | ACCESSED,                            \
		       [P2M_RAM_RO + 1 ... P2M_GRANT_RW - 1] = 3 | ACCESSED,   \
		       [P2M_GRANT_RW] = 3, [P2M_GRANT_RO] = 1,                 \
	}
#define ACCESSED BIT(5)

static const struct p2m_format format = {
	.name = "test",
	.leaf_bits = {LEAVES, LEAVES},
	.table_bits = 7 | ACCESSED,
	.accessed = ACCESSED,
	.max_leaf_level = 3,
};

static bool another_cpu;
static void flush(void *cookie)
{
	(void)cookie;
	flushes++;
	/* Another CPU, while this one waits for all to forget. */
	if (another_cpu) {
		another_cpu = false;
		p2m_flush(&p2m);
	}
}

static void model_set(uint64_t gfn, uint64_t mfn, uint64_t n, int type)
{
	for (uint64_t i = 0; i < n; i++) {
		model[gfn + i].type = (uint8_t)type;
		model[gfn + i].mfn = mfn + i;
	}
}

static bool has_frame(int t)
{
	return t != P2M_NONE && t != P2M_MMIO_DM;
}

/* Every frame of [from, to), a step apart. */
static int check_range(uint64_t from, uint64_t to, uint64_t step)
{
	for (uint64_t g = from; g < to; g += step) {
		enum p2m_type t;
		mfn_t m = p2m_lookup(&p2m, _gfn(g), &t, NULL);

		if (t != model[g].type ||
		    (has_frame(t) ? mfn_x(m) != model[g].mfn
				  : !mfn_eq(m, INVALID_MFN)))
			return 0;
	}
	return 1;
}

static void check_counts(void)
{
	uint64_t n[P2M_TYPES] = {};

	for (uint64_t g = 0; g < FRAMES; g++)
		n[model[g].type]++;
	for (int t = P2M_NONE + 1; t < P2M_TYPES; t++)
		CHECK_EQ(p2m.entries[t], n[t]);
}

static void begin(void)
{
	model = calloc(FRAMES, sizeof(*model));
	REQUIRE(model);
	fail_after = -1;
	CHECK_EQ(p2m_init(&p2m, &format, 1, flush, NULL), 0);
}

static void end(void)
{
	p2m_destroy(&p2m);
	CHECK_EQ(live_pages, 0);
	free(model);
}

static void test_leaf_sizes(void)
{
	unsigned int order;

	begin();
	CHECK_EQ(p2m_set(&p2m, _gfn(0), _mfn(1UL << 18), FRAMES, P2M_RAM_RW),
		 0);
	CHECK_EQ(p2m.tables, 2); /* the root and one of 1 GiB leaves */
	p2m_lookup(&p2m, _gfn(12345), NULL, &order);
	CHECK_EQ(order, 18);
	CHECK_EQ(mfn_x(p2m_lookup(&p2m, _gfn(12345), NULL, NULL)),
		 (1UL << 18) + 12345);
	/* one page out: its neighbours stay */
	CHECK_EQ(p2m_clear(&p2m, _gfn(12345), 1), 0);
	p2m_lookup(&p2m, _gfn(12344), NULL, &order);
	CHECK_EQ(order, 0);
	p2m_lookup(&p2m, _gfn(12345 + 1024), NULL, &order);
	CHECK_EQ(order, 9);
	CHECK_EQ(p2m.entries[P2M_RAM_RW], FRAMES - 1);
	/* and back: one leaf again when the whole is set */
	CHECK_EQ(p2m_set(&p2m, _gfn(0), _mfn(1UL << 18), 1UL << 18, P2M_RAM_RW),
		 0);
	p2m_lookup(&p2m, _gfn(12345), NULL, &order);
	CHECK_EQ(order, 18);
	/* misaligned against each other: only small ones fit */
	CHECK_EQ(p2m_set(&p2m, _gfn(512), _mfn(513), 512, P2M_RAM_RW), 0);
	p2m_lookup(&p2m, _gfn(512), NULL, &order);
	CHECK_EQ(order, 0);
	end();
}

/* One page, by the walk that looks and changes. */
static void replace_one(uint64_t gfn, uint64_t mfn, enum p2m_type t)
{
	struct p2m_place at;

	p2m_find(&p2m, _gfn(gfn), &at);
	CHECK_EQ(at.type, model[gfn].type);
	CHECK_EQ(mfn_x(at.mfn), has_frame(model[gfn].type)
					? model[gfn].mfn
					: mfn_x(INVALID_MFN));
	CHECK_EQ(p2m_replace(&p2m, &at, _mfn(mfn), t), 0);
	model_set(gfn, mfn, 1, t);
}

static void test_random(void)
{
	static const enum p2m_type types[] = {P2M_NONE,    P2M_RAM_RW,
					      P2M_RAM_RO,  P2M_MMIO_DM,
					      P2M_FOREIGN, P2M_GRANT_RW};

	begin();
	srandom(4711);
	for (int i = 0; i < 400; i++) {
		unsigned int order = (unsigned int)random() % 20;
		uint64_t n = 1 + (uint64_t)random() % (1UL << order);
		uint64_t gfn = (uint64_t)random() % FRAMES;
		uint64_t mfn = (uint64_t)random() % (1UL << 28);
		enum p2m_type t = types[(size_t)random() % ARRAY_SIZE(types)];

		if (random() & 1) {
			gfn &= ~511UL;
			mfn &= ~511UL;
		}
		n = min(n, FRAMES - gfn);
		CHECK_EQ(p2m_set(&p2m, _gfn(gfn), _mfn(mfn), n, t), 0);
		model_set(gfn, mfn, n, t);
		replace_one(gfn + n / 2, mfn + 3, types[i % 6]);
		replace_one((uint64_t)random() % FRAMES, mfn, types[i / 6 % 6]);
		CHECK(check_range(gfn, gfn + n, 1 + n / 64));
		CHECK(check_range(gfn ? gfn - 1 : 0, FRAMES, 4099));
	}
	CHECK(check_range(0, FRAMES, 1));
	check_counts();
	end();
}

static void test_flush_is_owed_once(void)
{
	begin();
	flushes = 0;
	p2m_set(&p2m, _gfn(5), _mfn(6), 1, P2M_RAM_RW);
	p2m_flush(&p2m);
	CHECK_EQ(flushes, 0); /* nothing was there before */
	p2m_clear(&p2m, _gfn(5), 1);
	p2m_flush(&p2m);
	p2m_flush(&p2m);
	CHECK_EQ(flushes, 1);
	p2m_set(&p2m, _gfn(5), _mfn(6), 1, P2M_RAM_RW);
	p2m_clear(&p2m, _gfn(5), 1);
	another_cpu = true;
	p2m_flush(&p2m);
	CHECK_EQ(flushes, 3); /* what is under way is not done */
	p2m_flush(&p2m);
	CHECK_EQ(flushes, 3);
	end();
}

static int flushes_of_a_grant(void (*use)(uint64_t *slot))
{
	struct p2m_place at;

	flushes = 0;
	CHECK_EQ(p2m_set(&p2m, _gfn(5), _mfn(6), 1, P2M_GRANT_RW), 0);
	p2m_find(&p2m, _gfn(5), &at);
	use(at.slot);
	CHECK_EQ(p2m_replace(&p2m, &at, INVALID_MFN, P2M_NONE), 0);
	p2m_flush(&p2m);
	return flushes;
}

static void nobody(uint64_t *slot)
{
	enum p2m_type t;

	CHECK(!(*slot & ACCESSED));
	CHECK(mfn_eq(p2m_lookup(&p2m, _gfn(5), &t, NULL), _mfn(6)));
}

static void processor(uint64_t *slot)
{
	*slot |= ACCESSED;
}

static void hypervisor(uint64_t *slot)
{
	enum p2m_type t;

	(void)slot;
	for (int i = 0; i < 2; i++) {
		CHECK(mfn_eq(p2m_access(&p2m, _gfn(5), &t), _mfn(6)));
		CHECK_EQ(t, P2M_GRANT_RW);
	}
}

/* A granted page that was only there is in no TLB. */
static void test_unused_grant(void)
{
	enum p2m_type t;

	begin();
	CHECK_EQ(flushes_of_a_grant(nobody), 0);
	CHECK_EQ(flushes_of_a_grant(processor), 1);
	CHECK_EQ(flushes_of_a_grant(hypervisor), 1);
	CHECK(mfn_eq(p2m_access(&p2m, _gfn(5), &t), INVALID_MFN));
	CHECK_EQ(t, P2M_NONE);
	end();
}

/* Whoever remembers where RAM was learns that it left; of nothing else. */
static void test_ram_that_leaves(void)
{
	uint64_t before;

	begin();
	before = p2m.ram_left;
	p2m_set(&p2m, _gfn(5), _mfn(6), 1, P2M_GRANT_RW);
	p2m_clear(&p2m, _gfn(5), 1);
	p2m_set(&p2m, _gfn(5), _mfn(6), 1, P2M_RAM_RW);
	CHECK_EQ(p2m.ram_left, before);
	p2m_set(&p2m, _gfn(5), _mfn(6), 1, P2M_RAM_LOGDIRTY);
	CHECK(p2m.ram_left > before);
	p2m_set(&p2m, _gfn(5), _mfn(7), 1, P2M_RAM_RW);
	before = p2m.ram_left;
	/* in a table that goes */
	p2m_set(&p2m, _gfn(0), _mfn(512), 512, P2M_MMIO_DIRECT);
	CHECK(p2m.ram_left > before);
	end();
}

static void test_bounds(void)
{
	begin();
	CHECK_EQ(p2m_set(&p2m, _gfn(1UL << 36), _mfn(1), 1, P2M_RAM_RW),
		 -EINVAL);
	CHECK_EQ(p2m_set(&p2m, _gfn((1UL << 36) - 1), _mfn(1), 2, P2M_RAM_RW),
		 -EINVAL);
	CHECK_EQ(p2m_set(&p2m, _gfn(2), _mfn(1), ~0UL, P2M_RAM_RW), -EINVAL);
	CHECK(mfn_eq(p2m_lookup(&p2m, _gfn(~0UL), NULL, NULL), INVALID_MFN));
	CHECK(mfn_eq(p2m_lookup(&p2m, _gfn(1UL << 36), NULL, NULL),
		     INVALID_MFN));
	end();
}

static void test_no_memory(void)
{
	begin();
	/* Three tables are wanted; what a failed try made stays. */
	for (int n = 0; n < 3; n++) {
		fail_after = n ? 1 : 0;
		CHECK_EQ(p2m_set(&p2m, _gfn(7), _mfn(8), 1, P2M_RAM_RW),
			 -ENOMEM);
		CHECK(mfn_eq(p2m_lookup(&p2m, _gfn(7), NULL, NULL),
			     INVALID_MFN));
	}
	fail_after = -1;
	CHECK_EQ(p2m_set(&p2m, _gfn(7), _mfn(8), 1, P2M_RAM_RW), 0);
	end();
}

static int stop_at(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		   unsigned int order, void *cookie)
{
	uint64_t *sum = cookie;

	(void)p;
	(void)mfn;
	(void)type;
	*sum += 1UL << order;
	return gfn_x(gfn) == 600 ? -ERESTART : 0;
}

static void test_closed(void)
{
	begin();
	CHECK_EQ(p2m_set(&p2m, _gfn(0), _mfn(0x200), 512, P2M_RAM_RW), 0);
	p2m.closed = true;
	CHECK_EQ(p2m_set(&p2m, _gfn(512), _mfn(0x400), 1, P2M_RAM_RW), -ESRCH);
	CHECK(mfn_eq(p2m_lookup(&p2m, _gfn(512), NULL, NULL), INVALID_MFN));
	CHECK_EQ(p2m_clear(&p2m, _gfn(0), 512), 0);
	CHECK(mfn_eq(p2m_lookup(&p2m, _gfn(0), NULL, NULL), INVALID_MFN));
	end();
}

static void test_walk_goes_on(void)
{
	gfn_t at = _gfn(0);
	uint64_t sum = 0;

	begin();
	p2m_set(&p2m, _gfn(3), _mfn(3), 1, P2M_RAM_RW);
	p2m_set(&p2m, _gfn(600), _mfn(600), 10, P2M_RAM_RW);
	p2m_set(&p2m, _gfn(1UL << 18), _mfn(1UL << 18), 512, P2M_RAM_RW);
	CHECK_EQ(p2m_walk(&p2m, &at, stop_at, &sum), -ERESTART);
	CHECK_EQ(gfn_x(at), 600);
	CHECK_EQ(sum, 2);
	at = gfn_add(at, 1);
	CHECK_EQ(p2m_walk(&p2m, &at, stop_at, &sum), 0);
	CHECK_EQ(sum, 2 + 9 + 512);
	end();
}

/* One page at many places takes no memory but tables: there is an end to it. */
static void test_limit(void)
{
	uint64_t n = 0;

	begin();
	p2m.max_tables = 20;
	while (n < 100 && !p2m_set(&p2m, _gfn(n * 512), _mfn(7), 1, P2M_SHARED))
		n++;
	CHECK_EQ(n, 17); /* and levels 4 to 2 */
	CHECK_EQ(p2m.tables, 20);
	CHECK_EQ(p2m_set(&p2m, _gfn(n * 512), _mfn(7), 1, P2M_SHARED), -ENOMEM);
	/* Those that there are can be used on. */
	CHECK_EQ(p2m_set(&p2m, _gfn(3), _mfn(7), 1, P2M_SHARED), 0);
	CHECK_EQ(p2m_clear(&p2m, _gfn(0), 512), 0);
	CHECK_EQ(p2m_set(&p2m, _gfn(n * 512), _mfn(7), 1, P2M_SHARED), 0);
	p2m.max_tables = 0;
	end();
}

/*
 * What stands in a table that is out of use may be read as an entry by whoever
 * was on his way there: no pointer of ours, whose upper bits are any type.
 */
static void test_retired_tables(void)
{
	const uint64_t *table;

	begin();
	/* A table of level 2 and its two of level 1, replaced by one leaf. */
	CHECK_EQ(p2m_set(&p2m, _gfn(1), _mfn(5), 1, P2M_RAM_RW), 0);
	CHECK_EQ(p2m_set(&p2m, _gfn(513), _mfn(6), 1, P2M_RAM_RW), 0);
	CHECK_EQ(p2m_clear(&p2m, _gfn(0), 1UL << 18), 0);
	for (table = p2m.retired; table && *table;
	     table = maddr_to_virt(*table)) {
		CHECK_EQ(*table & ~P2M_ADDR_MASK, 0);
		CHECK(*table & STUB_MACHINE);
		if (!(*table & STUB_MACHINE))
			break;
	}
	CHECK_EQ(p2m.tables, 5);
	end();
}

static const struct test_case cases[] = {
	{"p2m: the largest leaves that fit", test_leaf_sizes},
	{"p2m: random changes agree with the model", test_random},
	{"p2m: an invalidation is owed once", test_flush_is_owed_once},
	{"p2m: what nobody has used is in no TLB", test_unused_grant},
	{"p2m: what remembers RAM learns of its end", test_ram_that_leaves},
	{"p2m: addresses beyond the tables", test_bounds},
	{"p2m: out of memory changes nothing", test_no_memory},
	{"p2m: nothing comes into one that is closed", test_closed},
	{"p2m: a walk goes on where it stopped", test_walk_goes_on},
	{"p2m: a limit of tables", test_limit},
	{"p2m: tables out of use hold no pointers", test_retired_tables},
};

int main(void)
{
	return RUN_CASES(cases);
}
