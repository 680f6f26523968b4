/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings for a program without a C library. The compiler calls
 * memcpy(), memmove(), memset() and memcmp() on its own, too, so these four
 * must not be written as loops that it would turn into calls to themselves.
 */
#include "lib/string.h"
#include "lib/types.h"

#ifndef OSTLER_UNIT
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

/*
 * Blocks of eight words, then words, then bytes. The block loops are written
 * out because a string instruction is slow to start, and emulators execute it
 * one element at a time; a page and the like is worth one all the same.
 */
#define LONG 1024

static void *copy_blocks(void *dst, const void **src, size_t n)
{
	uint64_t *d = dst;
	const uint64_t *s = *src;

	for (; n >= 64; n -= 64, d += 8, s += 8) {
		uint64_t a = s[0], b = s[1], c = s[2], e = s[3];

		d[0] = a;
		d[1] = b;
		d[2] = c;
		d[3] = e;
		a = s[4];
		b = s[5];
		c = s[6];
		e = s[7];
		d[4] = a;
		d[5] = b;
		d[6] = c;
		d[7] = e;
		barrier(); /* stays a loop */
	}
	*src = s;
	return d;
}

static void *fill_blocks(void *dst, uint64_t fill, size_t n)
{
	uint64_t *d = dst;

	for (; n >= 64; n -= 64, d += 8) {
		d[0] = d[1] = d[2] = d[3] = fill;
		d[4] = d[5] = d[6] = d[7] = fill;
		barrier(); /* stays a loop */
	}
	return d;
}

__used void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = n < LONG ? copy_blocks(dst, &src, n) : dst;
	size_t words = n < LONG ? n % 64 / 8 : n / 8;

	n %= 8;
	__asm__ volatile("rep movsq"
			 : "+D"(d), "+S"(src), "+c"(words)
			 :
			 : "memory");
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(n)::"memory");
	return dst;
}

__used void *memmove(void *dst, const void *src, size_t n)
{
	char *d = (char *)dst + n - 1;
	const char *s = (const char *)src + n - 1;

	if ((uintptr_t)dst - (uintptr_t)src >= n)
		return memcpy(dst, src, n);
	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(d), "+S"(s), "+c"(n)
			 :
			 : "memory");
	return dst;
}

__used void *memset(void *dst, int c, size_t n)
{
	uint64_t fill = (uint8_t)c * 0x0101010101010101UL;
	void *d = fill_blocks(dst, fill, n);
	size_t words = n % 64 / 8;

	n %= 8;
	__asm__ volatile("rep stosq"
			 : "+D"(d), "+c"(words)
			 : "a"(fill)
			 : "memory");
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(fill) : "memory");
	return dst;
}

__used int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const uint8_t *p = s; n; n--, p++)
		if (*p == (uint8_t)c)
			return (void *)p;
	return NULL;
}

__used size_t strlen(const char *s)
{
	const char *e = s;

	while (*e) {
		barrier(); /* not recognised as a call to strlen() */
		e++;
	}
	return e - s;
}

size_t strnlen(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i])
		i++;
	return i;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; a++, b++, n--)
		;
	return n ? (uint8_t)*a - (uint8_t)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strstr(const char *hay, const char *needle)
{
	size_t n = strlen(needle);

	for (; *hay || !n; hay++)
		if (strncmp(hay, needle, n) == 0)
			return (char *)hay;
	return NULL;
}
#endif

size_t string_copy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);

	if (size) {
		size_t copied = min(n, size - 1);

		memcpy(dst, src, copied);
		dst[copied] = '\0';
	}
	return n;
}

void clear_words(void *dst, size_t n)
{
	uint64_t *d = dst, *end = d + n / 8;

	for (; end - d >= 8; d += 8) {
		d[0] = d[1] = d[2] = d[3] = 0;
		d[4] = d[5] = d[6] = d[7] = 0;
		barrier(); /* stays a loop, not a call of memset() */
	}
	while (d < end) {
		*d++ = 0;
		barrier();
	}
}
