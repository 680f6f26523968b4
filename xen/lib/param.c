/* SPDX-License-Identifier: MIT */
/* Command-line options, see param.h. */
#include "lib/param.h"
#include "lib/errno.h"
#include "lib/string.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

bool parse_number(const char *s, uint64_t *v, const char **end)
{
	int base = 10;
	uint64_t n = 0;
	const char *first;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	for (first = s; digit(*s) < base; s++)
		if (__builtin_mul_overflow(n, (uint64_t)base, &n) ||
		    __builtin_add_overflow(n, (uint64_t)digit(*s), &n))
			return false;
	*v = n;
	*end = s;
	return s != first;
}

bool parse_size(const char *s, uint64_t *bytes, const char **end)
{
	unsigned int shift = 10;
	uint64_t n;

	if (!parse_number(s, &n, end))
		return false;
	switch (**end | 0x20) {
	case 'b':
		shift = 0;
		break;
	case 'k':
		break;
	case 'm':
		shift = 20;
		break;
	case 'g':
		shift = 30;
		break;
	case 't':
		shift = 40;
		break;
	default:
		(*end)--;
	}
	(*end)++;
	*bytes = n << shift;
	return *bytes >> shift == n;
}

bool word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(s, word, n);
}

bool parse_bool(const char *s, size_t n, bool *v)
{
	static const char *const yes[] = {"yes", "on", "true", "enable", "1"};
	static const char *const no[] = {"no", "off", "false", "disable", "0"};

	for (unsigned int i = 0; i < ARRAY_SIZE(yes); i++) {
		bool is = word_is(s, n, yes[i]);

		if (is || word_is(s, n, no[i])) {
			*v = is;
			return true;
		}
	}
	return false;
}

int param_parse_bool(const struct param *p, const char *value)
{
	bool *var = p->var;

	if (!value) {
		*var = true;
		return 0;
	}
	return parse_bool(value, strlen(value), var) ? 0 : -EINVAL;
}

int param_parse_uint(const struct param *p, const char *value)
{
	const char *end;
	uint64_t v;

	if (!value || !parse_number(value, &v, &end) || *end || v < p->min ||
	    v > p->max)
		return -EINVAL;
	*(uint32_t *)p->var = (uint32_t)v;
	return 0;
}

int param_parse_string(const struct param *p, const char *value)
{
	if (!value || strlen(value) >= p->max)
		return -EINVAL;
	string_copy(p->var, value, p->max);
	return 0;
}

static const struct param *find(const struct param *t, const struct param *end,
				const char *name)
{
	for (; t < end; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

/* "no-name", for options that are yes or no. */
static const struct param *
find_negated(const struct param *t, const struct param *end, const char *name)
{
	const struct param *p;

	if (strncmp(name, "no-", 3) != 0)
		return NULL;
	p = find(t, end, name + 3);
	return p && p->parse == param_parse_bool ? p : NULL;
}

static void parse_word(char *word, const struct param *t,
		       const struct param *end,
		       void (*report)(const char *, const char *))
{
	char *eq = strchr(word, '=');
	const struct param *p;
	int err;

	if (eq)
		*eq = '\0';
	p = find(t, end, word);
	if (p) {
		err = p->parse(p, eq ? eq + 1 : NULL);
	} else {
		p = eq ? NULL : find_negated(t, end, word);
		err = p ? p->parse(p, "no") : 0;
	}
	if (eq)
		*eq = '=';
	if (!p)
		report("unknown", word);
	else if (err)
		report("malformed", word);
}

/* The next word, quotes removed, into buf; where it ended, NULL at the end. */
static const char *next_word(const char *s, char *buf, size_t size)
{
	char quote = 0;
	size_t n = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	if (!*s)
		return NULL;
	for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
		if (quote ? *s == quote : *s == '"' || *s == '\'')
			quote = quote ? 0 : *s;
		else if (n + 1 < size)
			buf[n++] = *s;
	}
	buf[n] = '\0';
	return s;
}

void param_parse_line(const char *line, const struct param *table,
		      const struct param *table_end,
		      void (*report)(const char *what, const char *word))
{
	char word[256];

	while ((line = next_word(line, word, sizeof(word)))) {
		if (strcmp(word, "--") == 0)
			break;
		parse_word(word, table, table_end, report);
	}
}
