/* SPDX-License-Identifier: MIT */
/*
 * Directories against a model: a sorted array of names. Snapshots taken on the
 * way must list what they listed when they were taken.
 */
#include "dir.h"
#include "harness.h"
#include "node.h"
#include "perms.h"

#define NAMES 2000
#define SNAPS 20

static bool present[NAMES];
static char listing[NAMES * 20], expect[NAMES * 20];

static unsigned int next_random(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x >> 33;
}

/* Names of different lengths whose order as strings is their number's. */
static size_t name_of(unsigned int i, char *buf)
{
	return sprintf(buf, "n%04u%.*s", i, (int)(i % 7), "xxxxxxx");
}

static size_t model(char *buf)
{
	size_t used = 0;

	for (unsigned int i = 0; i < NAMES; i++)
		if (present[i])
			used += name_of(i, buf + used) + 1;
	return used;
}

static struct node *leaf(void)
{
	static const struct perm p;

	return node_new(perms_intern(&p, 1), NULL, NULL, 0, 1);
}

static void flip(struct dir **d, unsigned int i)
{
	char name[32];
	size_t len = name_of(i, name);

	if (present[i])
		node_put(dir_remove(d, name, len, 2));
	else
		dir_insert(d, name, len, leaf(), 2);
	present[i] = !present[i];
}

static void lists_right(struct dir *d)
{
	size_t want = model(expect);

	CHECK(!dir_check(d));
	CHECK_EQ(dir_bytes(d), want);
	CHECK_EQ(dir_names(d, 0, listing, sizeof(listing)), want);
	CHECK(!memcmp(listing, expect, want));
}

static void random_changes(void)
{
	struct dir *d = NULL, *snap[SNAPS];
	char *was[SNAPS];
	size_t len[SNAPS];
	char name[32];

	for (int s = 0; s < SNAPS; s++) {
		unsigned int range = s % 2 ? NAMES : 100;

		for (int i = 0; i < 1500; i++)
			flip(&d, next_random() % range);
		lists_right(d);
		snap[s] = dir_get(d);
		len[s] = model(expect);
		was[s] = malloc(len[s] + 1);
		memcpy(was[s], expect, len[s]);
	}
	for (unsigned int i = 0; i < NAMES; i++)
		CHECK_EQ(dir_find(d, name, name_of(i, name)) != NULL,
			 present[i]);
	while (dir_bytes(d)) /* empty it while the snapshots hold on */
		for (unsigned int i = 0; i < NAMES; i++)
			if (present[i])
				flip(&d, i);
	CHECK(!d);
	for (int s = 0; s < SNAPS; s++) {
		CHECK_EQ(dir_names(snap[s], 0, listing, sizeof(listing)),
			 len[s]);
		CHECK(!memcmp(listing, was[s], len[s]));
		CHECK(!dir_check(snap[s]));
		dir_put(snap[s]);
		free(was[s]);
	}
	CHECK_EQ(perms_count(), 0);
}

static void long_names(void)
{
	static char name[3072];
	struct dir *d = NULL;

	memset(name, 'x', sizeof(name));
	for (int i = 0; i < 100; i++) {
		name[0] = 'a' + i % 26;
		name[1] = 'a' + i / 26;
		dir_insert(&d, name, 3000 + i % 72, leaf(), 1);
		CHECK(!dir_check(d));
	}
	for (int i = 99; i >= 0; i--) {
		name[0] = 'a' + i % 26;
		name[1] = 'a' + i / 26;
		node_put(dir_remove(&d, name, 3000 + i % 72, 1));
		CHECK(!dir_check(d));
	}
	CHECK(!d);
}

static void parts(void)
{
	struct dir *d = NULL;
	size_t off = 0, n, all;

	memset(present, 0, sizeof(present));
	for (unsigned int i = 0; i < NAMES; i++)
		flip(&d, i);
	all = model(expect);
	while (off < all) {
		n = dir_names(d, off, listing + off, 100);
		REQUIRE(n > 0);
		CHECK(!listing[off + n - 1]); /* whole names only */
		off += n;
	}
	CHECK_EQ(off, all);
	CHECK(!memcmp(listing, expect, all));
	CHECK_EQ(dir_names(d, all, listing, 100), 0);
	dir_put(d);
}

static void keeps_dense(void)
{
	struct dir *d = NULL;
	unsigned int blocks;

	memset(present, 0, sizeof(present));
	for (unsigned int i = 0; i < NAMES; i++)
		flip(&d, i);
	REQUIRE(dir_level(d) == 2);
	blocks = 0;
	for (unsigned int i = 0; i < dir_entries(d); i++)
		blocks += dir_entries(dir_entry(d, i).ptr);
	/* 2,000 names in order in blocks of 32: hardly more than 63. */
	CHECK(blocks <= 66);
	dir_put(d);
}

static const struct test_case cases[] = {
	{"xenstore: directories and snapshots under random changes",
	 random_changes},
	{"xenstore: directories of very long names", long_names},
	{"xenstore: listings in parts", parts},
	{"xenstore: directories filled in order are dense", keeps_dense},
};

int main(void)
{
	return RUN_CASES(cases);
}
