/* SPDX-License-Identifier: MIT */
/* The configuration language's tokens; cfgfile.c is the only caller. */
#ifndef OSTLER_XL_CFGLEX_H
#define OSTLER_XL_CFGLEX_H

#include "cfgfile.h"

enum token {
	TOK_END,
	TOK_NEWLINE, /* or ';' */
	TOK_WORD,
	TOK_STRING,
	TOK_NUMBER,
	TOK_EQUALS,
	TOK_PLUS_EQUALS,
	TOK_OPEN,
	TOK_CLOSE,
	TOK_COMMA,
	TOK_BAD, /* already reported */
};

struct lexer {
	struct arena *arena;
	const struct cfg_source *src;
	struct diag *diag;
	size_t at, line_start;
	unsigned int line;
	unsigned int open; /* lists that the parser is within */
	/* the token that is next to be taken */
	enum token tok;
	struct cfg_pos pos;
	size_t start;
	const char *string; /* word, string (unquoted) and number */
	long long number;
};

void lex_start(struct lexer *lx, struct arena *a, const struct cfg_source *src,
	       struct diag *d);
void lex_next(struct lexer *lx);
/* Within [ ], line ends mean nothing. */
void lex_next_in_list(struct lexer *lx);
void lex_skip_newlines(struct lexer *lx);
/* After an error: to the end of the statement, past any open list. */
void lex_skip_statement(struct lexer *lx);
void lex_error(struct lexer *lx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "expected WHAT, found TOKEN", unless the token itself was an error. */
void lex_expected(struct lexer *lx, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
