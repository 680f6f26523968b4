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
 * Words first, then bytes: emulators execute a string instruction one element
 * at a time, and real processors do either at full width.
 */
__used void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;
	size_t words = n / 8;

	n &= 7;
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
	void *d = dst;
	uint64_t fill = (uint8_t)c * 0x0101010101010101UL;
	size_t words = n / 8;

	n &= 7;
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
	size_t words = n / 8;

	__asm__ volatile("rep stosq"
			 : "+D"(dst), "+c"(words)
			 : "a"(0UL)
			 : "memory");
}
