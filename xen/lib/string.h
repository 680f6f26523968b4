/* SPDX-License-Identifier: MIT */
/*
 * Memory and strings; the host's own library in unit tests. The four that move
 * memory go through the compiler, which knows small constant sizes.
 */
#ifndef OSTLER_LIB_STRING_H
#define OSTLER_LIB_STRING_H

#include <stddef.h>

#ifdef OSTLER_UNIT
#include <string.h>
#else
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strstr(const char *hay, const char *needle);
/* Not for other sizes: in code that is compiled for size the compiler's own
 * way is a byte at a time, which takes emulators seconds for a kernel. */
#define SMALL_CONST(n) (__builtin_constant_p(n) && (n) <= 128)
#define memcpy(d, s, n)                                                        \
	(SMALL_CONST(n) ? __builtin_memcpy(d, s, n) : (memcpy)(d, s, n))
#define memmove(d, s, n)                                                       \
	(SMALL_CONST(n) ? __builtin_memmove(d, s, n) : (memmove)(d, s, n))
#define memset(d, c, n)                                                        \
	(SMALL_CONST(n) ? __builtin_memset(d, c, n) : (memset)(d, c, n))
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#endif

/* Copies as much as fits, always ends dst; the length of src. */
size_t string_copy(char *dst, const char *src, size_t size);
/* Clears n bytes (a multiple of eight), eight-byte aligned: pages. */
void clear_words(void *dst, size_t n);

#endif
