/* SPDX-License-Identifier: MIT */
/*
 * From settings to a domain: each setting finds its key in the table, its
 * value the key's type; then defaults, and what keys say about one another.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"

bool key_string(struct key_ctx *k, const struct cfg_value *v, const char **out)
{
	if (v->kind == CFG_LIST) {
		diag_error(k->diag, &v->pos,
			   "expected %s to be a string; found a list",
			   k->s->key);
		return false;
	}
	*out = arena_strdup(&k->dc->arena, v->text);
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

	out->item = arena_alloc(&k->dc->arena, n * sizeof(*out->item) + 1);
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
	void *field = (char *)k->dc + key->offset;
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

static const struct key *find_key(const char *name)
{
	for (unsigned int i = 0; i < nr_domain_keys; i++)
		if (!strcmp(domain_keys[i].name, name))
			return &domain_keys[i];
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

static void unknown_key(struct key_ctx *k)
{
	for (unsigned int i = 0; i < nr_domain_keys; i++) {
		if (!nearly(k->s->key, domain_keys[i].name))
			continue;
		diag_warn(k->diag, &k->s->pos,
			  "'%s' is not a key of xl.cfg(5) and has no effect: "
			  "is %s meant?",
			  k->s->key, domain_keys[i].name);
		return;
	}
	diag_warn(k->diag, &k->s->pos,
		  "'%s' is not a key of xl.cfg(5) and has no effect",
		  k->s->key);
}

static void set_defaults(struct domain_config *dc)
{
	/* Every tristate at once would need a list: the table is one. */
	for (unsigned int i = 0; i < nr_domain_keys; i++)
		if (domain_keys[i].kind == KEY_BOOL)
			*(enum tristate *)((char *)dc + domain_keys[i].offset) =
				TRI_UNSET;
	dc->cpu_weight = dc->cap = -1;
	dc->max_grant_frames = dc->max_maptrack_frames = -1;
	dc->max_grant_version = dc->max_event_channels = -1;
	dc->on_reboot = ACT_RESTART;
	dc->on_soft_reset = ACT_SOFT_RESET;
	dc->timer_mode = 1; /* no_delay_for_missed_ticks */
}

static void settle_sizes(struct domain_config *dc)
{
	if (!dc->memory_kb)
		dc->memory_kb = dc->maxmem_kb ? dc->maxmem_kb : 32 << 10;
	if (!dc->maxmem_kb)
		dc->maxmem_kb = dc->memory_kb;
	if (!dc->vcpus)
		dc->vcpus = dc->maxvcpus ? dc->maxvcpus : 1;
	if (!dc->maxvcpus)
		dc->maxvcpus = dc->vcpus;
	if (dc->type == TYPE_HVM && !dc->videoram_kb && dc->vga != VGA_NONE)
		dc->videoram_kb = dc->vga == VGA_CIRRUS ? 8 << 10 : 16 << 10;
	if (dc->type != TYPE_HVM || dc->vga == VGA_NONE)
		dc->videoram_kb = 0;
}

static const struct cfg_pos *pos_of(const struct cfg *c, const char *key)
{
	const struct cfg_setting *s = cfg_find(c, key);

	return s ? &s->pos : NULL;
}

static void check_together(struct domain_config *dc, const struct cfg *c,
			   struct diag *d)
{
	if (!dc->name || !*dc->name)
		diag_error(d, pos_of(c, "name"),
			   "the domain has no name: name=\"…\" is mandatory");
	else if (strpbrk(dc->name, "/\n"))
		diag_error(d, pos_of(c, "name"),
			   "a domain's name cannot hold '/' or a line end");
	if (dc->maxmem_kb < dc->memory_kb)
		diag_error(d, pos_of(c, "maxmem"),
			   "maxmem (%llu MiB) is less than memory (%llu MiB)",
			   (unsigned long long)dc->maxmem_kb >> 10,
			   (unsigned long long)dc->memory_kb >> 10);
	if (dc->maxvcpus < dc->vcpus)
		diag_error(d, pos_of(c, "maxvcpus"),
			   "maxvcpus (%lld) is less than vcpus (%lld)",
			   dc->maxvcpus, dc->vcpus);
	if (dc->type != TYPE_HVM && !dc->kernel && !dc->bootloader)
		diag_error(d, pos_of(c, "type"),
			   "a %s domain needs kernel=\"FILE\"",
			   dom_type_names[dc->type]);
	if (dc->bootloader)
		diag_error(d, pos_of(c, "bootloader"),
			   "bootloader cannot be had yet: give kernel= and "
			   "ramdisk=");
	if (dc->passthrough > 1)
		diag_error(d, pos_of(c, "passthrough"),
			   "passthrough cannot be had: PCI pass-through is not "
			   "supported");
	if (dc->driver_domain == TRI_YES)
		diag_error(d, pos_of(c, "driver_domain"),
			   "driver_domain cannot be had: devices are dom0's");
	if (dc->dm_restrict == TRI_YES)
		diag_error(d, pos_of(c, "dm_restrict"),
			   "dm_restrict cannot be had: the device model runs "
			   "as root");
}

static void check_hvm_only(struct domain_config *dc, const struct cfg *c,
			   struct diag *d)
{
	static const char *const hvm_only[] = {
		"hdtype", "boot",     "bios",     "serial",
		"vga",    "usb",      "soundhw",  "xen_platform_pci",
		"hpet",   "viridian", "videoram", "stdvga",
	};

	if (dc->type == TYPE_HVM)
		return;
	for (unsigned int i = 0; i < sizeof(hvm_only) / sizeof(hvm_only[0]);
	     i++) {
		const struct cfg_setting *s = cfg_find(c, hvm_only[i]);

		if (s)
			diag_warn(d, &s->pos,
				  "%s has no effect: the domain is %s, not hvm",
				  hvm_only[i], dom_type_names[dc->type]);
	}
}

static void check_hvm(struct domain_config *dc, const struct cfg *c,
		      struct diag *d)
{
	bool bios = !dc->bios || !strcmp(dc->bios, "seabios");

	if (dc->type != TYPE_HVM)
		return;
	if (!bios)
		diag_error(d, pos_of(c, "bios"),
			   "bios=\"%s\" cannot be had: only \"seabios\" is "
			   "supported",
			   dc->bios);
	if (dc->firmware && strcmp(dc->firmware, "bios") &&
	    strcmp(dc->firmware, "seabios"))
		diag_error(d, pos_of(c, "firmware"),
			   "firmware=\"%s\" cannot be had: only \"bios\" and "
			   "\"seabios\" are supported",
			   dc->firmware);
	if (dc->sdl == TRI_YES || dc->opengl == TRI_YES)
		diag_error(d, pos_of(c, dc->sdl == TRI_YES ? "sdl" : "opengl"),
			   "an SDL window cannot be had: use vnc=1");
	if (dc->vga == VGA_QXL)
		diag_error(d, pos_of(c, "vga"),
			   "vga=\"qxl\" cannot be had: it needs SPICE");
	if (dc->wants_vfb)
		diag_warn(d, pos_of(c, "vfb"),
			  "vfb's VNC words are used for the emulated screen");
}

bool domconf_from_cfg(struct domain_config *dc, const struct cfg *c,
		      struct diag *d)
{
	unsigned int before = d->errors;
	struct key_ctx k = {.dc = dc, .diag = d};
	const struct key *key;

	memset(dc, 0, sizeof(*dc));
	set_defaults(dc);
	for (k.s = c->first; k.s; k.s = k.s->next) {
		key = find_key(k.s->key);
		if (!k.s->value)
			continue;
		if (key)
			apply(&k, key);
		else
			unknown_key(&k);
	}
	if (dc->stdvga == TRI_YES)
		dc->vga = VGA_STD;
	settle_sizes(dc);
	check_together(dc, c, d);
	check_hvm_only(dc, c, d);
	check_hvm(dc, c, d);
	return d->errors == before;
}

void domconf_free(struct domain_config *dc)
{
	arena_free(&dc->arena);
}

const char *domconf_cmdline(struct domain_config *dc)
{
	const char *root = dc->root ? dc->root : "";
	const char *extra = dc->extra ? dc->extra : "";

	if (dc->cmdline)
		return dc->cmdline;
	return arena_printf(&dc->arena, "%s%s%s%s", *root ? "root=" : "", root,
			    *root && *extra ? " " : "", extra);
}
