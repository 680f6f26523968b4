/* SPDX-License-Identifier: MIT */
/* xl.conf(5)'s keys, and the file as its defaults have it; see hostconf.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostconf.h"
#include "keys.h"

#define F(field) offsetof(struct host_conf, field)

static const char *const balloon_names[] = {"off", "on", "auto", NULL};
static const char *const domid_names[] = {"xen", "random", NULL};
static const char *const format_names[] = {"json", "sxp", NULL};

static void take_mask(struct key_ctx *k, const struct cfg_value *v,
		      enum host_mask which)
{
	struct host_conf *hc = k->into;
	struct spec_error e;
	const char *s;

	if (key_string(k, v, &s) &&
	    !cpulist_parse(k->arena, s, &hc->mask[which], &e))
		key_complain(k, v, &e);
}

static void key_mask(struct key_ctx *k, const struct cfg_value *v)
{
	take_mask(k, v, MASK_ALL);
}

static void key_mask_hvm(struct key_ctx *k, const struct cfg_value *v)
{
	take_mask(k, v, MASK_HVM);
}

static void key_mask_pv(struct key_ctx *k, const struct cfg_value *v)
{
	take_mask(k, v, MASK_PV);
}

/* Old names still count, and say so. */
static void old_name(struct key_ctx *k, const struct cfg_value *v,
		     const char **field, const char *now)
{
	key_string(k, v, field);
	diag_warn(k->diag, &k->s->pos, "%s is an old name of %s", k->s->key,
		  now);
}

static void key_vifscript(struct key_ctx *k, const struct cfg_value *v)
{
	old_name(k, v, &((struct host_conf *)k->into)->vif_script,
		 "vif.default.script");
}

static void key_defaultbridge(struct key_ctx *k, const struct cfg_value *v)
{
	old_name(k, v, &((struct host_conf *)k->into)->vif_bridge,
		 "vif.default.bridge");
}

static const struct key keys[] = {
	CHOICE("autoballoon", autoballoon, balloon_names),
	CHOICE("domid_policy", domid_policy, domid_names),
	STRING("lockfile", lockfile),
	NUMBER("max_grant_frames", max_grant_frames, 0, INT32_MAX),
	NUMBER("max_maptrack_frames", max_maptrack_frames, 0, INT32_MAX),
	NUMBER("max_grant_version", max_grant_version, 0, 2),
	STRING("vif.default.script", vif_script),
	STRING("vif.default.bridge", vif_bridge),
	STRING("vif.default.backend", vif_backend),
	STRING("vif.default.gatewaydev", vif_gateway),
	CUSTOM("vifscript", key_vifscript),
	CUSTOM("defaultbridge", key_defaultbridge),
	BOOL("claim_mode", claim_mode),
	CUSTOM("vm.cpumask", key_mask),
	CUSTOM("vm.hvm.cpumask", key_mask_hvm),
	CUSTOM("vm.pv.cpumask", key_mask_pv),
	CHOICE("output_format", output_format, format_names),
	BOOL("run_hotplug_scripts", run_hotplug_scripts),
	IGNORED("blkdev_start", "no disk is attached to dom0 for a boot "
				"loader"),
	IGNORED("remus.default.netbufscript", "Remus is not supported"),
	IGNORED("colo.default.proxyscript", "COLO is not supported"),
};

static const struct key_table host_keys = {keys, sizeof(keys) / sizeof(keys[0]),
					   "xl.conf(5)"};

static void set_defaults(struct host_conf *hc)
{
	memset(hc, 0, sizeof(*hc));
	keys_unset(&host_keys, hc);
	hc->autoballoon = BALLOON_AUTO;
	hc->lockfile = "/var/lock/xl";
	hc->max_grant_frames = hc->max_maptrack_frames = -1;
	hc->max_grant_version = -1;
}

static void warn(const struct cfg *c, struct diag *d, const char *key,
		 const char *why)
{
	const struct cfg_setting *s = cfg_find(c, key);

	diag_warn(d, s ? &s->pos : NULL, "%s has no effect: %s", key, why);
}

bool hostconf_parse(struct host_conf *hc, const char *name, const char *text,
		    size_t len, struct diag *d)
{
	struct key_ctx k = {.into = hc, .arena = &hc->arena, .diag = d};
	unsigned int before = d->errors;
	struct cfg c;

	set_defaults(hc);
	cfg_init(&c);
	if (cfg_parse(&c, name, text, len, d))
		keys_apply(&k, &host_keys, &c);
	if (hc->output_format)
		warn(&c, d, "output_format", "facts are printed as JSON");
	if (hc->run_hotplug_scripts == TRI_NO)
		warn(&c, d, "run_hotplug_scripts",
		     "there is nothing in udev that runs them");
	cfg_free(&c);
	return d->errors == before;
}

void hostconf_free(struct host_conf *hc)
{
	arena_free(&hc->arena);
}

#define HOST_CONF "/etc/xen/xl.conf"

const struct host_conf *host_conf(void)
{
	static struct host_conf hc;
	static bool have;
	struct diag d = {.out = stderr};
	size_t len = 0;
	char *text;

	if (have)
		return &hc;
	text = cfg_read_file(HOST_CONF, &len);
	if (!text && errno != ENOENT)
		fprintf(stderr, "xl: cannot read %s: %s\n", HOST_CONF,
			strerror(errno));
	if (!hostconf_parse(&hc, HOST_CONF, text ? text : "", len, &d))
		exit(1);
	free(text);
	have = true;
	return &hc;
}
