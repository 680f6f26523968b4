/* SPDX-License-Identifier: MIT */
/* Memory that is given back all at once; see arena.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

struct arena_piece {
	struct arena_piece *next;
	_Alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_piece *p = calloc(1, sizeof(*p) + size);

	if (!p) {
		fputs("xl: out of memory\n", stderr);
		exit(1);
	}
	p->next = a->pieces;
	a->pieces = p;
	return p->data;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	s = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
	if (n > 0)
		vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void *arena_grow(struct arena *a, const void *old, size_t old_size,
		 size_t new_size)
{
	void *p = arena_alloc(a, new_size);

	if (old)
		memcpy(p, old, old_size);
	return p;
}

void arena_free(struct arena *a)
{
	struct arena_piece *p, *next;

	for (p = a->pieces; p; p = next) {
		next = p->next;
		free(p);
	}
	a->pieces = NULL;
}
