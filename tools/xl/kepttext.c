/* SPDX-License-Identifier: MIT */
/* See kepttext.h. A list that changes is written anew at the text's end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgfile.h"
#include "kepttext.h"
#include "spec.h"

static void put_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		if (*s == '\n')
			fputs("\\n", out);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

char *kept_with(const char *text, const char *key, const char *spec)
{
	char *longer = NULL;
	size_t len;
	FILE *out = open_memstream(&longer, &len);

	if (!out)
		return NULL;
	fprintf(out, "%s\n%s+=[", text, key);
	put_quoted(out, spec);
	fputs("]\n", out);
	if (!fclose(out))
		return longer;
	free(longer);
	return NULL;
}

/*
 * The device that a specification stands for, -1 if it is none. An interface
 * that does not say its number has that of its place in the list.
 */
static long long device_of(struct arena *a, const char *key, const char *spec,
			   unsigned int place, bool *says)
{
	struct spec_error e;
	struct disk_spec d;
	struct vif_spec v;

	*says = true;
	if (!strcmp(key, "disk"))
		return disk_parse(a, spec, &d, &e) ? (long long)d.devid : -1;
	if (!vif_parse(a, spec, &v, &e))
		return -1;
	*says = v.devid >= 0;
	return *says ? v.devid : (long long)place;
}

/* True if one was left out. */
static bool put_list(FILE *out, struct arena *a, const char *key,
		     const struct cfg_value *list, uint32_t devid)
{
	bool found = false, says;

	fprintf(out, "%s=[", key);
	for (unsigned int i = 0; i < list->nr; i++) {
		const char *spec = list->item[i]->text;
		long long id;

		if (list->item[i]->kind == CFG_LIST)
			continue;
		id = device_of(a, key, spec, i, &says);
		if (id == (long long)devid) {
			found = true;
			continue;
		}
		/* Its place changes, its number must not. */
		if (!says)
			spec = arena_printf(a, "%s%sdevid=%lld", spec,
					    *spec ? "," : "", id);
		put_quoted(out, spec);
		fputc(',', out);
	}
	fputs("]\n", out);
	return found;
}

char *kept_without(const char *text, const char *key, uint32_t devid)
{
	struct diag quiet = {.out = NULL};
	const struct cfg_setting *s;
	struct cfg c;
	char *longer = NULL;
	size_t len;
	FILE *out = open_memstream(&longer, &len);
	bool found = false;

	if (!out)
		return NULL;
	cfg_init(&c);
	cfg_parse(&c, "kept", text, strlen(text), &quiet);
	s = cfg_find(&c, key);
	fprintf(out, "%s\n", text);
	if (s && s->value && s->value->kind == CFG_LIST)
		found = put_list(out, &c.arena, key, s->value, devid);
	cfg_free(&c);
	if (fclose(out) || !found) {
		free(longer);
		return NULL;
	}
	return longer;
}
