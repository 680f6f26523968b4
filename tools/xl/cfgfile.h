/* SPDX-License-Identifier: MIT */
/*
 * The configuration language of xl.cfg(5): settings, strings, numbers, lists.
 * What the settings mean is domconf.c's matter; here a text becomes a list of
 * values that know where they stood, so that every later complaint can show
 * file, line, column and text.
 */
#ifndef OSTLER_XL_CFGFILE_H
#define OSTLER_XL_CFGFILE_H

#include <stdbool.h>
#include <stdio.h>

#include "arena.h"

/* Where a text came from: a file, or the command line. */
struct cfg_source {
	const char *name;
	const char *text;
	size_t len;
};

struct cfg_pos {
	const struct cfg_source *src;
	unsigned int line, col; /* from 1 */
};

enum cfg_kind { CFG_NUMBER, CFG_STRING, CFG_LIST };

struct cfg_value {
	enum cfg_kind kind;
	struct cfg_pos pos;
	const char *text; /* number and string: as a C string */
	long long number; /* number only */
	unsigned int nr;  /* list only */
	struct cfg_value **item;
};

struct cfg_setting {
	struct cfg_setting *next;
	const char *key;
	struct cfg_pos pos;
	struct cfg_value *value;
};

struct cfg {
	struct arena arena;
	struct cfg_setting *first, **last;
};

/* Complaints go to one place, counted; out may be NULL (a fuzzer, a test). */
struct diag {
	FILE *out;
	unsigned int errors, warnings;
};

void diag_error(struct diag *d, const struct cfg_pos *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_warn(struct diag *d, const struct cfg_pos *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The place of the nth character within a string value. */
struct cfg_pos cfg_pos_in(const struct cfg_value *v, size_t nth);

void cfg_init(struct cfg *c);
void cfg_free(struct cfg *c);
/*
 * Adds a text's settings to c. A setting named before is replaced in place
 * ("+=" extends its list). Returns false if the text has errors, all of which
 * (one a statement) have then been reported.
 */
bool cfg_parse(struct cfg *c, const char *name, const char *text, size_t len,
	       struct diag *d);
/* A whole file ("-" is standard input), malloced; NULL with errno set. */
char *cfg_read_file(const char *path, size_t *len);
const struct cfg_setting *cfg_find(const struct cfg *c, const char *key);

#endif
