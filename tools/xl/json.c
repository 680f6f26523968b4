/* SPDX-License-Identifier: MIT */
/* Writes JSON as it goes; see json.h. */
#include <inttypes.h>

#include "json.h"

void json_start(struct json *j, FILE *out)
{
	j->out = out;
	j->depth = 0;
	j->first = true;
}

void json_end(struct json *j)
{
	fputc('\n', j->out);
}

static void quoted(struct json *j, const char *s)
{
	fputc('"', j->out);
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\')
			fprintf(j->out, "\\%c", ch);
		else if (ch == '\n')
			fputs("\\n", j->out);
		else if (ch < ' ' || ch == 127)
			fprintf(j->out, "\\u%04x", ch);
		else
			fputc(ch, j->out);
	}
	fputc('"', j->out);
}

static void indent(struct json *j)
{
	fputc('\n', j->out);
	for (unsigned int i = 0; i < j->depth; i++)
		fputs("    ", j->out);
}

/* The comma, the place and the key before a value. */
static void lead(struct json *j, const char *key)
{
	if (!j->first)
		fputc(',', j->out);
	if (j->depth)
		indent(j);
	j->first = false;
	if (key) {
		quoted(j, key);
		fputs(": ", j->out);
	}
}

static void open_with(struct json *j, const char *key, char ch)
{
	lead(j, key);
	fputc(ch, j->out);
	j->depth++;
	j->first = true;
}

static void close_with(struct json *j, char ch)
{
	bool empty = j->first;

	j->depth--;
	j->first = false;
	if (!empty)
		indent(j);
	fputc(ch, j->out);
}

void json_object(struct json *j, const char *key)
{
	open_with(j, key, '{');
}

void json_object_end(struct json *j)
{
	close_with(j, '}');
}

void json_array(struct json *j, const char *key)
{
	open_with(j, key, '[');
}

void json_array_end(struct json *j)
{
	close_with(j, ']');
}

void json_string(struct json *j, const char *key, const char *s)
{
	if (!s) {
		json_null(j, key);
		return;
	}
	lead(j, key);
	quoted(j, s);
}

void json_int(struct json *j, const char *key, int64_t n)
{
	lead(j, key);
	fprintf(j->out, "%" PRId64, n);
}

void json_uint(struct json *j, const char *key, uint64_t n)
{
	lead(j, key);
	fprintf(j->out, "%" PRIu64, n);
}

void json_double(struct json *j, const char *key, double n)
{
	lead(j, key);
	fprintf(j->out, "%.3f", n);
}

void json_bool(struct json *j, const char *key, bool b)
{
	lead(j, key);
	fputs(b ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	lead(j, key);
	fputs("null", j->out);
}
