/* SPDX-License-Identifier: MIT */
/* Names in the store: what is valid, what a relative one means, components. */
#ifndef OSTLER_XENSTORE_PATH_H
#define OSTLER_XENSTORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define PATH_BUF                                                               \
	4097 /* holds any path that a message can carry, and its nul           \
	      */

/*
 * Absolute, of allowed characters, no doubled or trailing slash, within
 * XENSTORE_ABS_PATH_MAX and, below /local/domain/N/, within @rel_max bytes.
 */
bool path_valid(const char *path, size_t rel_max);

/*
 * The full path for @name as domain @domid (or the tools: domain 0) says it:
 * written to @buf (PATH_BUF bytes) if relative, else @name itself. NULL if
 * it is too long.
 */
const char *path_full(const char *name, unsigned int domid, char *buf);

/* The part of @path below /local/domain/@domid, "" for that path itself. */
const char *path_relative(const char *path, unsigned int domid);

/* Steps through components: *@p is after the leading slash; 0 at the end. */
static inline size_t path_component(const char *p)
{
	size_t n = 0;

	while (p[n] && p[n] != '/')
		n++;
	return n;
}

/* Length of the parent's path: "/a/b" has 2, "/a" has 1 (the root). */
size_t path_parent(const char *path);

/* True if @child is @parent or below it. */
bool path_is_below(const char *parent, const char *child);

/* How many components @child has more than @parent, which it is below. */
unsigned int path_distance(const char *parent, const char *child);

#endif
