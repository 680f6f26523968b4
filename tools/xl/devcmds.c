/* SPDX-License-Identifier: MIT */
/* What the commands about devices share; see devcmds.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "create.h"
#include "devcmds.h"
#include "host.h"
#include "kepttext.h"
#include "savedconf.h"

enum dom_type domain_type(uint32_t domid)
{
	char *type = host_read("/libxl/%u/type", domid);
	enum dom_type t = TYPE_PV;

	for (int i = 0; type && dom_type_names[i]; i++)
		if (!strcmp(type, dom_type_names[i]))
			t = (enum dom_type)i;
	free(type);
	return t;
}

/* The words of a specification, put together with commas. */
static char *spec_join(int argc, char **argv)
{
	size_t n = 1;
	char *out;

	for (int i = 0; i < argc; i++)
		n += strlen(argv[i]) + 1;
	out = calloc(1, n);
	for (int i = 0; out && i < argc; i++) {
		if (i)
			strcat(out, ",");
		strcat(out, argv[i]);
	}
	return out;
}

int run_device_attach(const struct xl_cmd *cmd, int argc, char **argv,
		      int least,
		      int (*attach)(uint32_t domid, const char *spec))
{
	int i = xl_operands(cmd, argc, argv, least), rc;
	uint32_t domid = host_need(argv[i]);
	char *spec = spec_join(argc - i - 1, argv + i + 1);

	if (!spec)
		return xl_fail("out of memory");
	rc = attach(domid, spec);
	free(spec);
	return rc;
}

void spec_complain(const char *spec, const struct spec_error *e)
{
	fprintf(stderr, "xl: %s\n    %s\n    %*s^\n", e->what, spec, (int)e->at,
		"");
}

/* Keeps the text that change() makes of what is kept, if it can be read. */
static void keep_changed(uint32_t domid,
			 char *(*change)(const char *text, const void *arg),
			 const void *arg)
{
	char *text, *changed = NULL;
	struct dom_info d;
	struct loaded l;

	if (!host_domain(domid, &d))
		return;
	text = saved_load(domid, d.handle, SAVED_TEXT);
	if (text)
		changed = change(text, arg);
	if (changed) {
		if (load_text(&l, "the kept configuration", changed))
			create_keep(&l, domid, d.handle);
		load_free(&l);
	}
	free(changed);
	free(text);
}

struct change {
	const char *key, *spec;
	uint32_t devid;
};

static char *with(const char *text, const void *arg)
{
	const struct change *c = arg;

	return kept_with(text, c->key, c->spec);
}

static char *without(const char *text, const void *arg)
{
	const struct change *c = arg;

	return kept_without(text, c->key, c->devid);
}

void keep_addition(uint32_t domid, const char *key, const char *spec)
{
	const struct change c = {.key = key, .spec = spec};

	keep_changed(domid, with, &c);
}

void keep_removal(uint32_t domid, const char *key, uint32_t devid)
{
	const struct change c = {.key = key, .devid = devid};

	keep_changed(domid, without, &c);
}

/* A device of a domain by kind and number, from its list. */
bool find_device(uint32_t domid, const char *kind, uint32_t devid,
		 struct device *out)
{
	unsigned int nr;
	struct device *list = dev_list(domid, &nr);
	bool found = false;

	for (unsigned int i = 0; i < nr; i++) {
		if (strcmp(list[i].kind, kind) || list[i].devid != devid)
			continue;
		*out = list[i];
		out->kind = kind;
		found = true;
	}
	dev_free_list(list, nr);
	return found;
}

long device_number(const struct device *d, const char *name)
{
	char *s = dev_frontend_read(d, name), *end;
	long n = -1;

	if (s && *s) {
		n = strtol(s, &end, 10);
		if (*end)
			n = -1;
	}
	free(s);
	return n;
}

int run_device_list(const struct xl_cmd *cmd, int argc, char **argv,
		    const char *kind, const char *header,
		    void (*each)(struct json *j, const struct device *d))
{
	struct device *list;
	struct json j, *out = xl_wants_json(cmd, argc, argv, 1) ? &j : NULL;
	/* The stock tool's block-list makes nothing of a name that is none. */
	bool strict = strcmp(kind, "vbd") != 0;
	int rc = XL_OK;
	unsigned int nr;

	host_xc();
	if (out) {
		json_start(out, stdout);
		json_array(out, NULL);
	} else if (header) {
		puts(header);
	}
	for (; optind < argc; optind++) {
		uint32_t domid;

		/* As the stock tool: the others are listed all the same. */
		if (!host_lookup(argv[optind], &domid)) {
			fprintf(stderr,
				"%s is an invalid domain identifier%s\n",
				argv[optind], strict ? " (rc=-6)" : "");
			rc = strict ? XL_FAIL : XL_OK;
			continue;
		}
		list = dev_list(domid, &nr);
		for (unsigned int i = 0; i < nr; i++)
			if (!strcmp(list[i].kind, kind))
				each(out, &list[i]);
		dev_free_list(list, nr);
	}
	if (out) {
		json_array_end(out);
		json_end(out);
	}
	return rc;
}
