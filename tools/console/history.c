/* SPDX-License-Identifier: MIT */
/* The last of a console's output; see history.h. */
#include <string.h>

#include "history.h"

void history_add(struct history *h, const char *buf, size_t n)
{
	size_t at, piece;

	while (n) {
		at = h->end % HISTORY_SIZE;
		piece = HISTORY_SIZE - at < n ? HISTORY_SIZE - at : n;
		memcpy(h->data + at, buf, piece);
		h->end += piece;
		buf += piece;
		n -= piece;
	}
}

uint64_t history_back(const struct history *h, size_t n)
{
	if (n > HISTORY_SIZE)
		n = HISTORY_SIZE;
	return h->end > n ? h->end - n : 0;
}

size_t history_peek(const struct history *h, uint64_t *at, const char **p)
{
	uint64_t oldest = history_back(h, HISTORY_SIZE);
	size_t offset, left;

	if (*at < oldest)
		*at = oldest;
	if (*at >= h->end)
		return 0;
	offset = *at % HISTORY_SIZE;
	left = (size_t)(h->end - *at);
	*p = h->data + offset;
	return left < HISTORY_SIZE - offset ? left : HISTORY_SIZE - offset;
}
