/* SPDX-License-Identifier: MIT */
/*
 * Verdicts of a guest test, as TAP: each check is one line, the plan comes last
 * and says that the guest got to its end. guest_main() only has to check.
 */
#ifndef OSTLER_GUEST_TEST_H
#define OSTLER_GUEST_TEST_H

#include "guest.h"
#include "hypercall.h"
#include <xen/errno.h>

/* "ok - NAME" or "not ok - NAME"; returns good. */
bool check(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same for a hypercall's result, which must be exactly want. */
bool check_rc(long got, long want, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Something this machine cannot show: counted as passed, and said. */
void skip(const char *why, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A line that is not a verdict. */
#define note(fmt, ...) print("# " fmt "\n", ##__VA_ARGS__)

/* The plan and the end of the run; start.c calls it after guest_main(). */
void test_end(void);

#endif
