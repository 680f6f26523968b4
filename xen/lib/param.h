/* SPDX-License-Identifier: MIT */
/*
 * Command-line options. Each subsystem declares its own beside the variable:
 *
 *     static uint32_t limit = 8;
 *     PARAM_UINT("event_limit", limit, 1, 4096, "events a domain may have");
 *
 * The linker gathers them into one table, which boot/ walks. An option is
 * "name=value" or, for booleans, "name" and "no-name".
 */
#ifndef OSTLER_LIB_PARAM_H
#define OSTLER_LIB_PARAM_H

#include "lib/types.h"

struct param {
	const char *name;
	/* value is NULL for a bare word. 0, or -EINVAL: malformed. */
	int (*parse)(const struct param *p, const char *value);
	void *var;
	uint64_t min, max; /* numbers: bounds; strings: max is the size */
	const char *help;
};

int param_parse_bool(const struct param *p, const char *value);
int param_parse_uint(const struct param *p, const char *value);
int param_parse_string(const struct param *p, const char *value);

#ifdef OSTLER_UNIT
#define PARAM_ATTR __used
#else
#define PARAM_ATTR __used __attribute__((section(".init.param"), aligned(8)))
#endif
#define PARAM_NAME2(line) param_at_##line
#define PARAM_NAME(line)  PARAM_NAME2(line)
#define PARAM(name, parse, var, min, max, help)                                \
	static const struct param PARAM_NAME(__LINE__)                         \
		PARAM_ATTR = {name, parse, var, min, max, help}
/* bool */
#define PARAM_BOOL(name, var, help)                                            \
	PARAM(name, param_parse_bool, &(var), 0, 1, help)
/* uint32_t; accepts decimal and 0x… */
#define PARAM_UINT(name, var, min, max, help)                                  \
	PARAM(name, param_parse_uint, &(var), min, max, help)
/* char[]; always ends with zero */
#define PARAM_STRING(name, var, help)                                          \
	PARAM(name, param_parse_string, var, 0, sizeof(var), help)
/* parse(p, value) does it all */
#define PARAM_CUSTOM(name, parse, help) PARAM(name, parse, NULL, 0, 0, help)

/* Numbers for parse functions; *end is behind the last character used. */
bool parse_number(const char *s, uint64_t *v, const char **end);
/* The same with a suffix of B, K, M, G or T; KiB when there is none, as in
 * dom0_mem=. */
bool parse_size(const char *s, uint64_t *bytes, const char **end);

/* The n characters at s are that word; they are one that says yes or no (false:
 * they are none). */
bool word_is(const char *s, size_t n, const char *word);
bool parse_bool(const char *s, size_t n, bool *v);

/*
 * Parses a whole line with the table. Words are separated by blanks; quotes
 * hold blanks together; "--" ends it. report() is told of each word that is
 * not known (what = "unknown"), and of each that is malformed ("malformed").
 */
void param_parse_line(const char *line, const struct param *table,
		      const struct param *table_end,
		      void (*report)(const char *what, const char *word));

#endif
