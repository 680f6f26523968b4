/* SPDX-License-Identifier: MIT */
/* Complaints about a configuration: file, line, column, the text, a caret. */
#include <stdarg.h>
#include <string.h>

#include "cfgfile.h"

static const char *line_of(const struct cfg_pos *at, size_t *len)
{
	const char *p = at->src->text, *end = p + at->src->len, *nl;

	for (unsigned int n = 1; n < at->line; n++) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			break;
		p = nl + 1;
	}
	nl = memchr(p, '\n', (size_t)(end - p));
	*len = (size_t)((nl ? nl : end) - p);
	return p;
}

/* The line, and a caret under the column; tabs stay tabs. */
static void show_line(FILE *out, const struct cfg_pos *at)
{
	size_t len, i;
	const char *line = line_of(at, &len);

	fputs("    ", out);
	for (i = 0; i < len && i < 500; i++)
		fputc(line[i] == '\t' || (unsigned char)line[i] >= ' ' ? line[i]
								       : '?',
		      out);
	fputs("\n    ", out);
	for (i = 0; i + 1 < at->col && i < 500; i++)
		if (i >= len || ((unsigned char)line[i] & 0xc0) != 0x80)
			fputc(i < len && line[i] == '\t' ? '\t' : ' ', out);
	fputs("^\n", out);
}

static void report(struct diag *d, const struct cfg_pos *at, const char *kind,
		   const char *fmt, va_list ap)
{
	if (!d->out)
		return;
	if (at && at->src)
		fprintf(d->out, "%s:%u:%u: ", at->src->name, at->line, at->col);
	else
		fputs("xl: ", d->out);
	fputs(kind, d->out);
	vfprintf(d->out, fmt, ap);
	fputc('\n', d->out);
	if (at && at->src)
		show_line(d->out, at);
}

void diag_error(struct diag *d, const struct cfg_pos *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(d, at, "", fmt, ap);
	va_end(ap);
	d->errors++;
}

void diag_warn(struct diag *d, const struct cfg_pos *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(d, at, "warning: ", fmt, ap);
	va_end(ap);
	d->warnings++;
}

struct cfg_pos cfg_pos_in(const struct cfg_value *v, size_t nth)
{
	struct cfg_pos pos = v->pos;

	/* Past the opening quote. */
	pos.col += (unsigned int)nth + (v->kind == CFG_STRING);
	return pos;
}
