/* SPDX-License-Identifier: MIT */
/*
 * The last of a console's output, for any number of readers, each at its own
 * place. A reader that falls behind by more than is kept loses the oldest.
 */
#ifndef OSTLER_CONSOLE_HISTORY_H
#define OSTLER_CONSOLE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_SIZE 65536u

struct history {
	uint64_t end; /* bytes ever written */
	char data[HISTORY_SIZE];
};

void history_add(struct history *h, const char *buf, size_t n);
/*
 * What follows *at, as one piece; *at moves up if what was there is gone.
 * Returns its size and where it is.
 */
size_t history_peek(const struct history *h, uint64_t *at, const char **p);
/* Where a reader starts that wants the last n bytes. */
uint64_t history_back(const struct history *h, size_t n);

#endif
