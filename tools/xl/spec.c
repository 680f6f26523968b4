/* SPDX-License-Identifier: MIT */
/* What the small languages share: parameters, sizes, UUIDs; see spec.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "spec.h"

bool spec_fail(struct spec_error *e, size_t at, const char *fmt, ...)
{
	va_list ap;

	e->at = at;
	va_start(ap, fmt);
	vsnprintf(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	return false;
}

static bool is_key(const char *s, size_t n)
{
	if (!n || !isalpha((unsigned char)s[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

bool spec_next(struct arena *a, const char *s, size_t *pos,
	       const char *rest_key, struct spec_word *w)
{
	size_t at = *pos, end, key;

	if (!s[at])
		return false;
	at += strspn(s + at, " \t");
	end = at + strcspn(s + at, ",");
	key = strcspn(s + at, "=,");
	memset(w, 0, sizeof(*w));
	w->at = w->value_at = at;
	if (at + key < end && is_key(s + at, key)) {
		w->key = arena_strndup(a, s + at, key);
		w->value_at = at + key + 1;
		if (rest_key && !strcmp(w->key, rest_key))
			end = strlen(s);
	}
	w->value = arena_strndup(a, s + w->value_at, end - w->value_at);
	*pos = s[end] ? end + 1 : end;
	return true;
}

static int size_shift(int letter)
{
	switch (tolower(letter)) {
	case 'b':
		return 0;
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	case 't':
		return 40;
	default:
		return -1;
	}
}

bool memsize_parse(const char *s, uint64_t unit, uint64_t *bytes)
{
	char *end;
	unsigned long long n;
	uint64_t scale = unit;
	int shift;

	if (!isdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	n = strtoull(s, &end, 0);
	if (errno)
		return false;
	if (*end) {
		shift = size_shift(*end);
		if (shift < 0 || end[1])
			return false;
		scale = 1ull << shift;
	}
	if (n && scale > UINT64_MAX / n)
		return false;
	*bytes = n * scale;
	return true;
}

static int hex_digit(int ch)
{
	if (isdigit(ch))
		return ch - '0';
	ch = tolower(ch);
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

bool uuid_parse(const char *s, uint8_t uuid[16])
{
	unsigned int n = 0;

	for (; *s; s++) {
		int d = hex_digit((unsigned char)*s);

		if (*s == '-' && n && !(n & 1))
			continue;
		if (d < 0 || n >= 32)
			return false;
		uuid[n / 2] = (uint8_t)(n & 1 ? uuid[n / 2] | d : d << 4);
		n++;
	}
	return n == 32;
}

void uuid_generate(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16) {
		perror("xl: no random numbers for a UUID");
		exit(1);
	}
	/* RFC 4122: version 4, variant 1 */
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
