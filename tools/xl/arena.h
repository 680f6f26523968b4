/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back all at once: a configuration and everything that
 * hangs from it. Each piece is its own allocation, so that the sanitizers see
 * an overrun. An allocation that fails ends the program with a message: no
 * command has anything better to do without memory.
 */
#ifndef OSTLER_XL_ARENA_H
#define OSTLER_XL_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_piece;

struct arena {
	struct arena_piece *pieces;
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
/* A grown copy of an array; the old one stays until the arena goes. */
void *arena_grow(struct arena *a, const void *old, size_t old_size,
		 size_t new_size);
void arena_free(struct arena *a);

#endif
