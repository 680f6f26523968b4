/* SPDX-License-Identifier: MIT */
/*
 * The unit tests' harness: a case is a function, a suite is a table of cases,
 * the result is TAP on standard output. CHECK() reports the expression and goes
 * on; REQUIRE() ends the case.
 */
#ifndef OSTLER_TESTS_UNIT_HARNESS_H
#define OSTLER_TESTS_UNIT_HARNESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
};

static int test_failures; /* in the case that runs now */

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);    \
			test_failures++;                                       \
		}                                                              \
	} while (0)

#define CHECK_EQ(got, want)                                                    \
	do {                                                                   \
		long long g_ = (long long)(got), w_ = (long long)(want);       \
		if (g_ != w_) {                                                \
			printf("# %s:%d: %s is %lld (%#llx), not %lld\n",      \
			       __FILE__, __LINE__, #got, g_, g_, w_);          \
			test_failures++;                                       \
		}                                                              \
	} while (0)

#define REQUIRE(cond)                                                          \
	do {                                                                   \
		if (!(cond)) {                                                 \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);    \
			test_failures++;                                       \
			return;                                                \
		}                                                              \
	} while (0)

/* Runs every case of a table; the value for main() to return. */
static inline int run_cases(const struct test_case *cases, unsigned int n)
{
	int failed = 0;

	printf("1..%u\n", n);
	for (unsigned int i = 0; i < n; i++) {
		test_failures = 0;
		cases[i].run();
		printf("%sok %u - %s\n", test_failures ? "not " : "", i + 1,
		       cases[i].name);
		failed += test_failures != 0;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define RUN_CASES(table) run_cases(table, sizeof(table) / sizeof((table)[0]))

#endif
