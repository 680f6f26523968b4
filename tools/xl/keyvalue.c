/* SPDX-License-Identifier: MIT */
/*
 * From settings to values: each setting finds its key in a table, its value the
 * key's type. Serves xl.cfg (domconf.c) and xl.conf (hostconf.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

void key_complain(struct key_ctx *k, const struct cfg_value *v,
		  const struct spec_error *e)
{
	struct cfg_pos pos = cfg_pos_in(v, e->at);

	diag_error(k->diag, &pos, "%s", e->what);
}

bool key_string(struct key_ctx *k, const struct cfg_value *v, const char **out)
{
	if (v->kind == CFG_LIST) {
		diag_error(k->diag, &v->pos,
			   "expected %s to be a string; found a list",
			   k->s->key);
		return false;
	}
	*out = arena_strdup(k->arena, v->text);
	return true;
}

/* A number, or, as the stock tool has it, a string that holds one. */
bool key_number(struct key_ctx *k, const struct cfg_value *v, long long *out)
{
	char *end;

	if (v->kind == CFG_NUMBER) {
		*out = v->number;
		return true;
	}
	if (v->kind == CFG_STRING && *v->text) {
		errno = 0;
		*out = strtoll(v->text, &end, 0);
		if (!*end && !errno)
			return true;
	}
	if (v->kind == CFG_LIST)
		diag_error(k->diag, &v->pos,
			   "expected %s to be a number; found a list",
			   k->s->key);
	else
		diag_error(k->diag, &v->pos,
			   "expected %s to be a number; found '%s'", k->s->key,
			   v->text);
	return false;
}

static bool number_within(struct key_ctx *k, const struct cfg_value *v,
			  long long low, long long high, long long *out)
{
	long long n;

	if (!key_number(k, v, &n))
		return false;
	if (n < low || n > high) {
		diag_error(k->diag, &v->pos,
			   "expected %s to be from %lld to %lld; found %lld",
			   k->s->key, low, high, n);
		return false;
	}
	*out = n;
	return true;
}

static bool strings(struct key_ctx *k, const struct cfg_value *v,
		    struct string_list *out)
{
	unsigned int n = v->kind == CFG_LIST ? v->nr : 1;

	out->item = arena_alloc(k->arena, n * sizeof(*out->item) + 1);
	out->nr = 0;
	for (unsigned int i = 0; i < n; i++)
		if (!key_string(k, v->kind == CFG_LIST ? v->item[i] : v,
				&out->item[out->nr++]))
			return false;
	return true;
}

static void complain_choice(struct key_ctx *k, const struct cfg_value *v,
			    const struct key *key)
{
	char list[256] = "";

	for (unsigned int i = 0; key->words[i]; i++) {
		strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
		strncat(list, key->words[i], sizeof(list) - strlen(list) - 1);
	}
	diag_error(k->diag, &v->pos, "expected %s to be one of %s; found '%s'",
		   key->name, list, v->kind == CFG_LIST ? "a list" : v->text);
}

static void choice(struct key_ctx *k, const struct cfg_value *v,
		   const struct key *key, int *out)
{
	int n = 0;

	while (key->words[n])
		n++;
	if (v->kind == CFG_NUMBER && v->number >= 0 && v->number < n) {
		*out = (int)v->number;
		return;
	}
	for (int i = 0; v->kind == CFG_STRING && i < n; i++) {
		if (!strcmp(v->text, key->words[i])) {
			*out = i;
			return;
		}
	}
	complain_choice(k, v, key);
}

/* "pci = []" and "spice = 0" ask for nothing. */
static bool asks_for_nothing(const struct cfg_value *v)
{
	switch (v->kind) {
	case CFG_LIST:
		return !v->nr;
	case CFG_NUMBER:
		return !v->number;
	default:
		return !*v->text || !strcmp(v->text, "0");
	}
}

static void apply(struct key_ctx *k, const struct key *key)
{
	const struct cfg_value *v = k->s->value;
	void *field = (char *)k->into + key->offset;
	long long n;

	switch (key->kind) {
	case KEY_STRING:
		key_string(k, v, field);
		break;
	case KEY_NUMBER:
		number_within(k, v, key->low, key->high, field);
		break;
	case KEY_MIB:
		if (number_within(k, v, 0, 1ll << 34, &n))
			*(uint64_t *)field = (uint64_t)n << 10;
		break;
	case KEY_BOOL:
		if (key_number(k, v, &n))
			*(enum tristate *)field = n ? TRI_YES : TRI_NO;
		break;
	case KEY_CHOICE:
		choice(k, v, key, field);
		break;
	case KEY_STRINGS:
		strings(k, v, field);
		break;
	case KEY_CUSTOM:
		key->call(k, v);
		break;
	case KEY_IGNORED:
		diag_warn(k->diag, &k->s->pos, "%s has no effect: %s",
			  key->name, key->why);
		break;
	case KEY_QUIET:
		break;
	case KEY_REFUSED:
		if (!asks_for_nothing(v))
			diag_error(k->diag, &k->s->pos, "%s cannot be had: %s",
				   key->name, key->why);
		break;
	}
}

static const struct key *find_key(const struct key_table *t, const char *name)
{
	for (unsigned int i = 0; i < t->nr; i++)
		if (!strcmp(t->key[i].name, name))
			return &t->key[i];
	return NULL;
}

/* Is the one word the other with a letter wrong, missing or too many? */
static bool nearly(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	if (!*a || !*b)
		return strlen(a) + strlen(b) <= 1;
	return !strcmp(a + 1, b + 1) || !strcmp(a + 1, b) ||
	       !strcmp(a, b + 1) ||
	       (a[0] == b[1] && a[1] == b[0] && !strcmp(a + 2, b + 2));
}

static void unknown_key(struct key_ctx *k, const struct key_table *t)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		if (!nearly(k->s->key, t->key[i].name))
			continue;
		diag_warn(k->diag, &k->s->pos,
			  "'%s' is not a key of %s and has no effect: is %s "
			  "meant?",
			  k->s->key, t->manual, t->key[i].name);
		return;
	}
	diag_warn(k->diag, &k->s->pos,
		  "'%s' is not a key of %s and has no effect", k->s->key,
		  t->manual);
}

void keys_unset(const struct key_table *t, void *into)
{
	for (unsigned int i = 0; i < t->nr; i++)
		if (t->key[i].kind == KEY_BOOL)
			*(enum tristate *)((char *)into + t->key[i].offset) =
				TRI_UNSET;
}

void keys_apply(struct key_ctx *k, const struct key_table *t,
		const struct cfg *c)
{
	for (k->s = c->first; k->s; k->s = k->s->next) {
		const struct key *key = find_key(t, k->s->key);

		if (!k->s->value)
			continue;
		if (key)
			apply(k, key);
		else
			unknown_key(k, t);
	}
}
