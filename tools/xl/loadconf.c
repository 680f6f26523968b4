/* SPDX-License-Identifier: MIT */
/* A domain's configuration from files and words; see loadconf.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loadconf.h"
#include "xl.h"

/* What a restart reads again: the file, then the settings. */
static bool keep_text(struct loaded *l, const char *text, size_t len,
		      const char *extra)
{
	FILE *out = open_memstream(&l->text, &l->len);

	if (!out)
		return false;
	if (text) {
		fwrite(text, 1, len, out);
		fputc('\n', out);
	}
	if (extra)
		fputs(extra, out);
	return !fclose(out);
}

bool load_config(struct loaded *l, const char *file, const char *extra)
{
	struct diag d = {.out = stderr};
	char *text = NULL;
	size_t len = 0;
	bool ok = true;

	memset(l, 0, sizeof(*l));
	cfg_init(&l->cfg);
	if (file) {
		text = cfg_read_file(file, &len);
		if (!text) {
			fprintf(stderr, "Failed to read config file: %s: %s\n",
				file, strerror(errno));
			return false;
		}
		ok = cfg_parse(&l->cfg, strcmp(file, "-") ? file : "<stdin>",
			       text, len, &d);
	}
	if (extra && *extra)
		ok = cfg_parse(&l->cfg, "settings", extra, strlen(extra), &d) &&
		     ok;
	if (ok)
		ok = domconf_from_cfg(&l->dc, &l->cfg, &d) &&
		     keep_text(l, text, len, extra);
	free(text);
	return ok;
}

bool load_text(struct loaded *l, const char *name, const char *text)
{
	struct diag d = {.out = stderr};

	memset(l, 0, sizeof(*l));
	cfg_init(&l->cfg);
	l->text = strdup(text);
	l->len = strlen(text);
	return l->text && cfg_parse(&l->cfg, name, text, l->len, &d) &&
	       domconf_from_cfg(&l->dc, &l->cfg, &d);
}

void load_free(struct loaded *l)
{
	domconf_free(&l->dc);
	cfg_free(&l->cfg);
	free(l->text);
	memset(l, 0, sizeof(*l));
}

void load_fill_in(struct loaded *l)
{
	uint8_t random[16];

	if (!l->dc.has_uuid)
		uuid_generate(l->dc.uuid);
	l->dc.has_uuid = true;
	for (unsigned int i = 0; i < l->dc.nr_vifs; i++) {
		struct vif_spec *v = &l->dc.vifs[i];

		if (v->has_mac)
			continue;
		/* Xen's own range of addresses, the rest at random. */
		uuid_generate(random);
		v->mac[0] = 0x00;
		v->mac[1] = 0x16;
		v->mac[2] = 0x3e;
		v->mac[3] = random[0] & 0x7f;
		v->mac[4] = random[1];
		v->mac[5] = random[2];
		v->has_mac = true;
	}
}

bool load_operands(int argc, char **argv, const char **file, char **extra)
{
	size_t len;
	FILE *out = open_memstream(extra, &len);

	if (!out)
		return false;
	for (int i = 0; i < argc; i++) {
		if (strchr(argv[i], '=')) {
			fprintf(out, "%s\n", argv[i]);
		} else if (!*file) {
			*file = argv[i];
		} else {
			xl_fail("expected KEY=VALUE after the configuration "
				"file; found '%s'",
				argv[i]);
			fclose(out);
			return false;
		}
	}
	return !fclose(out);
}
