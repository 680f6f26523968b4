/* SPDX-License-Identifier: MIT */
/* The configuration language's tokens; see cfglex.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfglex.h"

static int peek(const struct lexer *lx, size_t ahead)
{
	return lx->src->len - lx->at > ahead
		       ? (unsigned char)lx->src->text[lx->at + ahead]
		       : -1;
}

void lex_error(struct lexer *lx, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	diag_error(lx->diag, &lx->pos, "%s", what);
	lx->tok = TOK_BAD;
}

static void describe(const struct lexer *lx, char *buf, size_t size)
{
	size_t n = lx->at - lx->start;

	if (lx->tok == TOK_END)
		snprintf(buf, size, "the end of the file");
	else if (lx->tok == TOK_NEWLINE && n && lx->src->text[lx->start] != ';')
		snprintf(buf, size, "the end of the line");
	else
		snprintf(buf, size, "%.*s%s", (int)(n > 40 ? 40 : n),
			 lx->src->text + lx->start, n > 40 ? "…" : "");
}

void lex_expected(struct lexer *lx, const char *fmt, ...)
{
	char what[256], found[80];
	va_list ap;

	if (lx->tok == TOK_BAD)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	describe(lx, found, sizeof(found));
	diag_error(lx->diag, &lx->pos, "expected %s; found %s", what, found);
}

static void skip_blanks(struct lexer *lx)
{
	int ch;

	for (;;) {
		ch = peek(lx, 0);
		if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\f')
			lx->at++;
		else if (ch == '\\' && peek(lx, 1) == '\n')
			lx->at += 2, lx->line++, lx->line_start = lx->at;
		else if (ch == '#')
			while (peek(lx, 0) != -1 && peek(lx, 0) != '\n')
				lx->at++;
		else
			return;
	}
}

/* Two hexadecimal digits, or up to three octal ones, as one character. */
static char numbered_escape(struct lexer *lx, int base)
{
	unsigned int value = 0, digits = base == 16 ? 2 : 3;

	while (digits--) {
		int ch = peek(lx, 0);

		if (base == 16 ? !isxdigit(ch) : (ch < '0' || ch > '7'))
			break;
		value = value * (unsigned int)base +
			(unsigned int)(isdigit(ch) ? ch - '0'
						   : (tolower(ch) - 'a' + 10));
		lx->at++;
	}
	if (!(value & 0xff))
		lex_error(lx, "a string cannot hold a zero byte");
	return (char)value;
}

static char escape(struct lexer *lx)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	int ch = peek(lx, 0);
	const char *p = ch > 0 ? strchr(from, ch) : NULL;

	if (p) {
		lx->at++;
		return to[p - from];
	}
	if (ch == 'x') {
		lx->at++;
		return numbered_escape(lx, 16);
	}
	if (ch >= '0' && ch <= '7')
		return numbered_escape(lx, 8);
	lx->pos.col += (unsigned int)(lx->at - lx->start);
	lex_error(lx, "expected an escape after '\\': one of abfnrtvx, an "
		      "octal digit, a quote or a backslash");
	return '?';
}

static void lex_string(struct lexer *lx)
{
	int quote = peek(lx, 0), ch;
	char *out;
	size_t n = 0, end = lx->at + 1;

	while (end < lx->src->len && lx->src->text[end] != '\n')
		end++;
	out = arena_alloc(lx->arena, end - lx->at + 1);
	lx->tok = TOK_STRING;
	lx->at++;
	while ((ch = peek(lx, 0)) != quote) {
		if (ch == -1 || ch == '\n') {
			lex_error(lx,
				  "this string has no closing %c on its "
				  "line",
				  quote);
			return;
		}
		if (ch == 0) {
			lex_error(lx, "a string cannot hold a zero byte");
			return;
		}
		lx->at++;
		if (ch == '\\')
			ch = escape(lx);
		if (lx->tok == TOK_BAD)
			return;
		out[n++] = (char)ch;
	}
	lx->at++;
	lx->string = out;
}

static void lex_number(struct lexer *lx)
{
	char *end;

	while (isalnum(peek(lx, 0)))
		lx->at++;
	lx->tok = TOK_NUMBER;
	lx->string = arena_strndup(lx->arena, lx->src->text + lx->start,
				   lx->at - lx->start);
	errno = 0;
	lx->number = strtoll(lx->string, &end, 0);
	if (*end)
		lex_error(lx,
			  "expected a number (decimal, 0x hexadecimal or 0 "
			  "octal); found %s: a string needs quotes",
			  lx->string);
	else if (errno)
		lex_error(lx, "the number %s is too large", lx->string);
}

static void lex_word(struct lexer *lx)
{
	int ch;

	do {
		lx->at++;
		ch = peek(lx, 0);
	} while (isalnum(ch) || ch == '_' || ch == '.'); /* xl.conf's keys */
	lx->tok = TOK_WORD;
	lx->string = arena_strndup(lx->arena, lx->src->text + lx->start,
				   lx->at - lx->start);
}

static void lex_sign(struct lexer *lx, int ch)
{
	static const struct {
		char ch;
		enum token tok;
	} signs[] = {
		{'=', TOK_EQUALS}, {'[', TOK_OPEN},    {']', TOK_CLOSE},
		{',', TOK_COMMA},  {';', TOK_NEWLINE},
	};

	lx->at++;
	if (ch == '+' && peek(lx, 0) == '=') {
		lx->at++;
		lx->tok = TOK_PLUS_EQUALS;
		return;
	}
	for (unsigned int i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (signs[i].ch == ch) {
			lx->tok = signs[i].tok;
			return;
		}
	}
	if (isprint(ch))
		lex_error(lx,
			  "expected a key, a value or one of = += [ ] , ; "
			  "#; found '%c'",
			  ch);
	else
		lex_error(lx, "expected text; found the byte 0x%02x", ch);
}

void lex_next(struct lexer *lx)
{
	int ch;

	skip_blanks(lx);
	lx->start = lx->at;
	lx->pos.src = lx->src;
	lx->pos.line = lx->line;
	lx->pos.col = (unsigned int)(lx->at - lx->line_start) + 1;
	ch = peek(lx, 0);
	if (ch == -1) {
		lx->tok = TOK_END;
	} else if (ch == '\n') {
		lx->at++;
		lx->line++;
		lx->line_start = lx->at;
		lx->tok = TOK_NEWLINE;
	} else if (ch == '"' || ch == '\'') {
		lex_string(lx);
	} else if (isdigit(ch)) {
		lex_number(lx);
	} else if (isalpha(ch) || ch == '_') {
		lex_word(lx);
	} else if (ch == '-' && isdigit(peek(lx, 1))) {
		lx->at++;
		lex_number(lx);
	} else {
		lex_sign(lx, ch);
	}
}

void lex_skip_newlines(struct lexer *lx)
{
	while (lx->tok == TOK_NEWLINE)
		lex_next(lx);
}

void lex_next_in_list(struct lexer *lx)
{
	lex_next(lx);
	lex_skip_newlines(lx);
}

/* Does the token look like the start of a statement? */
static bool at_statement(const struct lexer *lx)
{
	size_t i = lx->at;

	if (lx->tok != TOK_WORD)
		return false;
	while (i < lx->src->len && strchr(" \t+", lx->src->text[i]) &&
	       lx->src->text[i])
		i++;
	return i < lx->src->len && lx->src->text[i] == '=';
}

void lex_skip_statement(struct lexer *lx)
{
	struct diag quiet = {.out = NULL}, *loud = lx->diag;

	/*
	 * To the end of the line; out of a list, to the next line that looks
	 * like a setting, so that the list's rest is not complained about.
	 */
	lx->diag = &quiet;
	do {
		while (lx->tok != TOK_NEWLINE && lx->tok != TOK_END)
			lex_next(lx);
		while (lx->open && lx->tok == TOK_NEWLINE)
			lex_next(lx);
	} while (lx->open && lx->tok != TOK_END && !at_statement(lx));
	lx->open = 0;
	lx->diag = loud;
}

void lex_start(struct lexer *lx, struct arena *a, const struct cfg_source *src,
	       struct diag *d)
{
	memset(lx, 0, sizeof(*lx));
	lx->arena = a;
	lx->src = src;
	lx->diag = d;
	lx->line = 1;
	lex_next(lx);
}
