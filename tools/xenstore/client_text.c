/* SPDX-License-Identifier: MIT */
/* Text of the client commands: escapes, and output that can be taken back. */
#include <ctype.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static char *out;
static size_t out_len, out_cap;

void out_bytes(const void *p, size_t len)
{
	if (out_len + len > out_cap) {
		out_cap = (out_len + len) * 2;
		out = realloc(out, out_cap);
		if (!out)
			errx(1, "no memory");
	}
	if (len)
		memcpy(out + out_len, p, len);
	out_len += len;
}

void out_text(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		errx(1, "no memory");
	out_bytes(text, len);
	free(text);
}

void out_drop(void)
{
	out_len = 0;
}

void out_flush(void)
{
	if (out_len)
		fwrite(out, 1, out_len, stdout);
	out_len = 0;
}

static int escape_one(char *to, unsigned char c)
{
	switch (c) {
	case '\t':
		return sprintf(to, "\\t");
	case '\n':
		return sprintf(to, "\\n");
	case '\r':
		return sprintf(to, "\\r");
	case '\\':
		return sprintf(to, "\\\\");
	}
	if (c >= ' ' && c <= '~')
		return sprintf(to, "%c", c);
	return sprintf(to, c < 010 ? "\\%03o" : "\\x%02x", c);
}

char *value_escape(const char *value, size_t len)
{
	char *text = malloc(len * 4 + 1), *to = text;

	if (!text)
		errx(1, "no memory");
	*to = '\0';
	while (len--)
		to += escape_one(to, *value++);
	return text;
}

/* Up to @max digits of @base. */
static unsigned char digits(const char **p, int base, int max)
{
	char buf[4] = "";
	int n = 0;

	while (n < max && isxdigit((unsigned char)**p) &&
	       (base == 16 || (**p >= '0' && **p <= '7')))
		buf[n++] = *(*p)++;
	return strtoul(buf, NULL, base);
}

static char unescape_one(const char **p)
{
	char c = *(*p)++;

	switch (c) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'x':
		return digits(p, 16, 2);
	case '\0':
		--*p;
		return '\\';
	}
	if (c < '0' || c > '7')
		return c;
	--*p;
	return digits(p, 8, 3);
}

size_t value_unescape(char *text)
{
	const char *p = text;
	char *to = text;

	while (*p) {
		char c = *p++;

		*to++ = c == '\\' ? unescape_one(&p) : c;
	}
	*to = '\0';
	return to - text;
}

void perm_text(const struct xs_permissions *p, char buf[16])
{
	snprintf(buf, 16, "%c%u", "nrwb"[p->perms & 3], p -> id);
}
