/* SPDX-License-Identifier: MIT */
/*
 * The configuration language's parser: recursive descent over one text. A
 * statement with an error is reported once and skipped to its end, so that one
 * run shows every mistake of a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgfile.h"
#include "cfglex.h"

/* Lists nest as deep as vsnd's need, with room; not as deep as the stack. */
#define MAX_DEPTH 16

void cfg_init(struct cfg *c)
{
	memset(c, 0, sizeof(*c));
	c->last = &c->first;
}

void cfg_free(struct cfg *c)
{
	arena_free(&c->arena);
	cfg_init(c);
}

const struct cfg_setting *cfg_find(const struct cfg *c, const char *key)
{
	for (const struct cfg_setting *s = c->first; s; s = s->next)
		if (!strcmp(s->key, key))
			return s;
	return NULL;
}

static struct cfg_setting *find_or_add(struct cfg *c, const char *key)
{
	struct cfg_setting *s = (struct cfg_setting *)cfg_find(c, key);

	if (s)
		return s;
	s = arena_alloc(&c->arena, sizeof(*s));
	s->key = key;
	*c->last = s;
	c->last = &s->next;
	return s;
}

static void list_append(struct cfg *c, struct cfg_value *list,
			struct cfg_value *v)
{
	/* Grow at powers of two. */
	if (!(list->nr & (list->nr - 1)))
		list->item = arena_grow(
			&c->arena, list->item, list->nr * sizeof(*list->item),
			(list->nr ? 2 * list->nr : 1) * sizeof(*list->item));
	list->item[list->nr++] = v;
}

static struct cfg_value *parse_value(struct cfg *c, struct lexer *lx,
				     unsigned int depth);

static struct cfg_value *parse_list(struct cfg *c, struct lexer *lx,
				    struct cfg_value *list, unsigned int depth)
{
	struct cfg_value *v;

	list->kind = CFG_LIST;
	lx->open++;
	if (depth >= MAX_DEPTH) {
		lex_error(lx, "lists may not nest deeper than %d", MAX_DEPTH);
		return NULL;
	}
	lex_next_in_list(lx);
	while (lx->tok != TOK_CLOSE) {
		v = parse_value(c, lx, depth + 1);
		if (!v)
			return NULL;
		list_append(c, list, v);
		lex_skip_newlines(lx);
		if (lx->tok == TOK_COMMA) {
			lex_next_in_list(lx);
		} else if (lx->tok != TOK_CLOSE) {
			lex_expected(lx,
				     "',' or ']' in the list that "
				     "line %u opens",
				     list->pos.line);
			return NULL;
		}
	}
	lx->open--;
	lex_next(lx);
	return list;
}

static struct cfg_value *parse_value(struct cfg *c, struct lexer *lx,
				     unsigned int depth)
{
	struct cfg_value *v = arena_alloc(&c->arena, sizeof(*v));

	v->pos = lx->pos;
	switch (lx->tok) {
	case TOK_OPEN:
		return parse_list(c, lx, v, depth);
	case TOK_STRING:
		v->kind = CFG_STRING;
		break;
	case TOK_NUMBER:
		v->kind = CFG_NUMBER;
		v->number = lx->number;
		break;
	default:
		lex_expected(lx, "a value: a quoted string, a number or '['");
		return NULL;
	}
	v->text = lx->string;
	lex_next(lx);
	return v;
}

static void extend(struct cfg *c, struct cfg_setting *s, struct cfg_value *v,
		   struct lexer *lx)
{
	if (!s->value) {
		s->value = v;
	} else if (s->value->kind == CFG_LIST && v->kind == CFG_LIST) {
		for (unsigned int i = 0; i < v->nr; i++)
			list_append(c, s->value, v->item[i]);
	} else if (s->value->kind != CFG_LIST && v->kind != CFG_LIST) {
		s->value->kind = CFG_STRING;
		s->value->text = arena_printf(&c->arena, "%s%s", s->value->text,
					      v->text);
	} else {
		diag_error(lx->diag, &v->pos,
			   "'+=' cannot join a list and a plain value");
	}
}

static bool parse_setting(struct cfg *c, struct lexer *lx)
{
	const char *key = lx->string;
	struct cfg_pos pos = lx->pos;
	struct cfg_setting *s;
	struct cfg_value *v;
	bool plus;

	lex_next(lx);
	if (lx->tok != TOK_EQUALS && lx->tok != TOK_PLUS_EQUALS) {
		lex_expected(lx, "'=' after '%s'", key);
		return false;
	}
	plus = lx->tok == TOK_PLUS_EQUALS;
	lex_next(lx);
	v = parse_value(c, lx, 0);
	if (!v)
		return false;
	s = find_or_add(c, key);
	s->pos = pos;
	if (plus)
		extend(c, s, v, lx);
	else
		s->value = v;
	if (lx->tok == TOK_END || lx->tok == TOK_NEWLINE)
		return true;
	lex_expected(lx, "the end of the line, or ';', after the value");
	return false;
}

bool cfg_parse(struct cfg *c, const char *name, const char *text, size_t len,
	       struct diag *d)
{
	unsigned int before = d->errors;
	struct cfg_source *src = arena_alloc(&c->arena, sizeof(*src));
	struct lexer lx;

	/* The arena keeps the text: complaints quote it much later. */
	src->name = arena_strdup(&c->arena, name);
	src->text = arena_strndup(&c->arena, text, len);
	src->len = len;
	lex_start(&lx, &c->arena, src, d);
	while (lx.tok != TOK_END) {
		if (lx.tok == TOK_NEWLINE) {
			lex_next(&lx);
		} else if (lx.tok != TOK_WORD) {
			lex_expected(&lx, "a setting, KEY = VALUE");
			lex_skip_statement(&lx);
		} else if (!parse_setting(c, &lx)) {
			lex_skip_statement(&lx);
		}
	}
	return d->errors == before;
}

static char *read_all(int fd, size_t *len)
{
	size_t have = 0, room = 0;
	char *buf = NULL, *more;
	ssize_t n;

	do {
		if (room - have < 4096) {
			room = room ? 2 * room : 16384;
			more = realloc(buf, room);
			if (!more) {
				free(buf);
				return NULL;
			}
			buf = more;
		}
		n = read(fd, buf + have, room - have);
		if (n > 0)
			have += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0) {
		free(buf);
		return NULL;
	}
	*len = have;
	return buf;
}

char *cfg_read_file(const char *path, size_t *len)
{
	int fd;
	char *text;

	if (!strcmp(path, "-"))
		return read_all(STDIN_FILENO, len);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = read_all(fd, len);
	close(fd);
	return text;
}
