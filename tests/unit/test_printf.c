/* SPDX-License-Identifier: MIT */
/* Our formatting against the C library's, and our string functions. */
#include "harness.h"

/* Ours under names of their own beside the host's. */
#undef OSTLER_UNIT
#define vsnprintf our_vsnprintf
#define snprintf  our_snprintf
#include "lib/printf.c"
#undef vsnprintf
#undef snprintf

#define SAME(...)                                                              \
	do {                                                                   \
		char a[128], b[128];                                           \
		int n = our_snprintf(a, sizeof(a), __VA_ARGS__);               \
		int m = snprintf(b, sizeof(b), __VA_ARGS__);                   \
		if (n != m || strcmp(a, b)) {                                  \
			printf("# got \"%s\" (%d), want \"%s\" (%d)\n", a, n,  \
			       b, m);                                          \
			test_failures++;                                       \
		}                                                              \
	} while (0)

static void integers(void)
{
	static const long v[] = {0,         1,         -1,       9,
				 10,        12345,     -98765,   INT32_MAX,
				 INT32_MIN, INT64_MAX, INT64_MIN};

	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++) {
		SAME("%d|%i|%u|%x|%X|%o", (int)v[i], (int)v[i],
		     (unsigned int)v[i], (unsigned int)v[i], (unsigned int)v[i],
		     (unsigned int)v[i]);
		SAME("%ld|%lu|%lx|%#lx|%#lo", v[i], (unsigned long)v[i],
		     (unsigned long)v[i], (unsigned long)v[i],
		     (unsigned long)v[i]);
		SAME("%lld|%llx|%zu|%zd", (long long)v[i],
		     (unsigned long long)v[i], (size_t)v[i], (ssize_t)v[i]);
		SAME("%hd|%hu|%hhd|%hhx", (short)v[i], (unsigned short)v[i],
		     (signed char)v[i], (unsigned char)v[i]);
	}
}

static void widths(void)
{
	SAME("[%5d][%-5d][%05d][%+d][% d][%+05d]", 42, 42, 42, 42, 42, 42);
	SAME("[%5d][%-5d][%05d][%+d][% d][%+05d]", -42, -42, -42, -42, -42,
	     -42);
	SAME("[%*d][%-*d][%*d]", 7, 3, 7, 3, -7, 3);
	SAME("[%.3d][%8.3d][%-8.3d][%.0d][%.*x]", 5, 5, 5, 0, 4, 0xab);
	SAME("[%#x][%#010x][%-#10x][%16lx][%016lx]", 0xabc, 0xabc, 0xabc,
	     0xdeadUL, 0xdeadUL);
	SAME("[%3d][%2x]", 123456, 0xabcdef);
}

static void texts(void)
{
	SAME("[%s][%10s][%-10s][%.2s][%10.2s][%.*s]", "abc", "abc", "abc",
	     "abc", "abc", 1, "abc");
	SAME("[%c][%5c][%-5c][%%]", 'x', 'y', 'z');
	SAME("plain");
	SAME("%s", "");
}

static void bounds(void)
{
	char b[8] = "zzzzzzz";

	CHECK_EQ(our_snprintf(b, 4, "%s", "abcdef"), 6);
	CHECK(!strcmp(b, "abc"));
	CHECK_EQ(b[4], 'z');
	CHECK_EQ(our_snprintf(b, 1, "%d", 12345), 5);
	CHECK_EQ(b[0], 0);
	b[0] = 'q';
	CHECK_EQ(our_snprintf(b, 0, "%d", 1), 1);
	CHECK_EQ(b[0], 'q');
	CHECK_EQ(our_snprintf(NULL, 0, "%s", "12345"), 5);
}

static void odd(void)
{
	const char *volatile nothing = NULL;
	char b[64];
	const char *volatile fmt = "%q %";

	our_snprintf(b, sizeof(b), "%s", nothing);
	CHECK(!strcmp(b, "(null)"));
	our_snprintf(b, sizeof(b), "%p", (void *)0xabcd);
	CHECK(!strcmp(b, "000000000000abcd"));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	our_snprintf(b, sizeof(b), fmt);
#pragma GCC diagnostic pop
	CHECK(!strcmp(b, "%q "));
}

static const struct test_case cases[] = {
	{"integers of every length", integers},
	{"width, precision, flags", widths},
	{"texts and characters", texts},
	{"never beyond the buffer", bounds},
	{"null pointers, unknown conversions", odd},
};

int main(void)
{
	return RUN_CASES(cases);
}
