/* SPDX-License-Identifier: MIT */
/* Memory and strings; the host's own library in unit tests. */
#ifndef OSTLER_LIB_STRING_H
#define OSTLER_LIB_STRING_H

#ifdef OSTLER_UNIT
#include <string.h>
#else
#include <stddef.h>
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
#endif

#endif
