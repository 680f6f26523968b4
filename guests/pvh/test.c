/* SPDX-License-Identifier: MIT */
/* Counting and printing verdicts; see test.h. */
#include "test.h"

static unsigned int passed, failed;

static void verdict(bool good, const char *fmt, va_list ap, const char *more)
{
	char name[256];

	vsnprint(name, sizeof(name), fmt, ap);
	if (good)
		passed++;
	else
		failed++;
	print("%sok %u - %s%s\n", good ? "" : "not ", passed + failed, name,
	      more);
}

bool check(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	verdict(good, fmt, ap, "");
	va_end(ap);
	return good;
}

static const struct {
	const char *name;
	long value;
} errors[] = {
#define XEN_ERRNO(name, value) {#name, value},
#undef __XEN_PUBLIC_ERRNO_H__
#include <xen/errno.h>
};

static const char *error_name(long rc)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(errors); i++)
		if (rc == -errors[i].value)
			return errors[i].name;
	return rc ? "a value" : "success";
}

static void print_to(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprint(buf, size, fmt, ap);
	va_end(ap);
}

bool check_rc(long got, long want, const char *fmt, ...)
{
	char more[96] = "";
	va_list ap;

	if (got != want)
		print_to(more, sizeof(more), ": got %ld (%s), want %ld (%s)",
			 got, error_name(got), want, error_name(want));
	va_start(ap, fmt);
	verdict(got == want, fmt, ap, more);
	va_end(ap);
	return got == want;
}

void skip(const char *why, const char *fmt, ...)
{
	char more[128];
	va_list ap;

	print_to(more, sizeof(more), " # SKIP %s", why);
	va_start(ap, fmt);
	verdict(true, fmt, ap, more);
	va_end(ap);
}

void test_end(void)
{
	print("1..%u\n# guest %s ends: %u passed, %u failed\n", passed + failed,
	      guest_name, passed, failed);
}
