/* SPDX-License-Identifier: MIT */
/* xenconsoled's parts that need no guest: ring, history, log. */
#include "harness.h"

#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "../../tools/console/history.h"
#include "../../tools/console/logfile.h"
#include "../../tools/console/ring.h"

static struct xencons_interface ring;

static void guest_writes(const char *s)
{
	for (; *s; s++)
		ring.out[MASK_XENCONS_IDX(ring.out_prod++, ring.out)] = *s;
}

static void test_output(void)
{
	char buf[64];
	bool bad;

	memset(&ring, 0, sizeof(ring));
	/* indexes run on and wrap */
	ring.out_prod = ring.out_cons = 0xfffffffe;
	guest_writes("hello");
	CHECK_EQ(ring_take(&ring, buf, 3, &bad), 3);
	CHECK(!bad && !memcmp(buf, "hel", 3));
	CHECK_EQ(ring_take(&ring, buf, sizeof(buf), &bad), 2);
	CHECK(!memcmp(buf, "lo", 2));
	CHECK_EQ(ring_take(&ring, buf, sizeof(buf), &bad), 0);
	CHECK_EQ(ring.out_cons, 3);
}

static void test_bad_indexes(void)
{
	char buf[8192];
	bool bad;

	memset(&ring, 0, sizeof(ring));
	ring.out_prod = sizeof(ring.out) + 1;
	CHECK_EQ(ring_take(&ring, buf, sizeof(buf), &bad), 0);
	CHECK(bad);
	CHECK_EQ(ring.out_cons, ring.out_prod);
	guest_writes("x");
	CHECK_EQ(ring_take(&ring, buf, sizeof(buf), &bad), 1);
	ring.in_prod = 5000;
	ring.in_cons = 1;
	CHECK_EQ(ring_room(&ring), 0);
	CHECK_EQ(ring_give(&ring, "abc", 3), 0);
}

static void test_input(void)
{
	char big[sizeof(ring.in) + 10];

	memset(&ring, 0, sizeof(ring));
	memset(big, 'x', sizeof(big));
	CHECK_EQ(ring_give(&ring, "ab", 2), 2);
	CHECK(ring.in[0] == 'a' && ring.in_prod == 2);
	CHECK_EQ(ring_give(&ring, big, sizeof(big)), sizeof(ring.in) - 2);
	CHECK_EQ(ring_room(&ring), 0);
	ring.in_cons += 5;
	CHECK_EQ(ring_room(&ring), 5);
}

static struct history hist;

/* Everything from *at on, in pieces, into buf. */
static size_t read_all(uint64_t *at, char *buf)
{
	const char *p;
	size_t n, total = 0;

	while ((n = history_peek(&hist, at, &p))) {
		memcpy(buf + total, p, n);
		total += n;
		*at += n;
	}
	return total;
}

static void test_history(void)
{
	static char buf[HISTORY_SIZE], in[1000];
	uint64_t fast = 0, slow = 0;

	memset(&hist, 0, sizeof(hist));
	history_add(&hist, "one", 3);
	CHECK_EQ(read_all(&fast, buf), 3);
	for (int i = 0; i < 200; i++) {
		memset(in, 'a' + i % 26, sizeof(in));
		history_add(&hist, in, sizeof(in));
		CHECK_EQ(read_all(&fast, buf), sizeof(in));
		CHECK(!memcmp(buf, in, sizeof(in)));
	}
	/* the slow one has lost what is no longer kept, and no more */
	CHECK_EQ(read_all(&slow, buf), HISTORY_SIZE);
	CHECK_EQ(slow, fast);
	CHECK(!memcmp(buf + HISTORY_SIZE - sizeof(in), in, sizeof(in)));
	CHECK_EQ(history_back(&hist, 100), hist.end - 100);
	CHECK_EQ(history_back(&hist, 1 << 20), hist.end - HISTORY_SIZE);
}

static char dir[] = "/tmp/test_console.XXXXXX";

static size_t slurp(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;

	buf[n] = 0;
	if (f)
		fclose(f);
	return n;
}

static struct logfile new_log(const char *name)
{
	struct logfile l = {.fd = -1};

	snprintf(l.path, sizeof(l.path), "%s/%s", dir, name);
	return l;
}

static void test_stamps(void)
{
	struct logfile l = new_log("stamps");
	char buf[512];
	unsigned int stamps = 0;

	l.stamps = l.replace_escape = true;
	REQUIRE(log_open(&l));
	log_write(&l, "one\ntw", 6);
	log_write(&l, "o\n\33[1mthree", 12);
	log_close(&l);
	slurp(l.path, buf, sizeof(buf));
	for (char *p = buf; (p = strstr(p, "] ")); p++)
		stamps++;
	CHECK_EQ(stamps, 3);
	CHECK(strstr(buf, "] two\n["));
	CHECK(strstr(buf, "] .[1mthree"));
	unlink(l.path);
}

static void test_rotation(void)
{
	struct logfile l = new_log("rotated");
	char buf[512], path[500];

	l.limit = 10;
	l.keep = 2;
	REQUIRE(log_open(&l));
	for (int i = 0; i < 4; i++) {
		snprintf(buf, sizeof(buf), "line %d\n", i);
		log_write(&l, buf, strlen(buf));
	}
	log_close(&l);
	slurp(l.path, buf, sizeof(buf));
	CHECK(!strcmp(buf, "line 3\n"));
	unlink(l.path);
	for (int i = 1; i <= 3; i++) {
		snprintf(path, sizeof(path), "%s.%d", l.path, i);
		/* the third oldest is gone */
		CHECK_EQ(slurp(path, buf, sizeof(buf)), i < 3 ? 7 : 0);
		unlink(path);
	}
}

int main(void)
{
	static const struct test_case cases[] = {
		{"console: a guest's output, across the wrap", test_output},
		{"console: indexes that make no sense", test_bad_indexes},
		{"console: input, as much as fits", test_input},
		{"console: history for fast and slow readers", test_history},
		{"console: time stamps and escapes in a log", test_stamps},
		{"console: a log is rotated", test_rotation},
	};
	int rc;

	if (!mkdtemp(dir))
		return 1;
	rc = RUN_CASES(cases);
	rmdir(dir);
	return rc;
}
