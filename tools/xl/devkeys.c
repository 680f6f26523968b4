/* SPDX-License-Identifier: MIT */
/*
 * The keys whose values are small languages: disk, vif, vfb, cpus, cpuid,
 * viridian.
 */
#include <stdio.h>
#include <string.h>

#include "keys.h"

/* Calls each() for every string of a list, or for a lone string. */
static void each_string(struct key_ctx *k, const struct cfg_value *v,
			void (*each)(struct key_ctx *k,
				     const struct cfg_value *v, const char *s))
{
	const char *s;

	if (v->kind != CFG_LIST) {
		diag_error(k->diag, &v->pos,
			   "expected %s to be a list: [ \"…\", \"…\" ]",
			   k->s->key);
		return;
	}
	for (unsigned int i = 0; i < v->nr; i++)
		if (key_string(k, v->item[i], &s))
			each(k, v->item[i], s);
}

/* Room for one more in an array that grows at powers of two. */
static void *one_more(struct key_ctx *k, void *array, unsigned int nr,
		      size_t size)
{
	if (nr & (nr - 1))
		return array;
	return arena_grow(&k->dc->arena, array, nr * size,
			  (nr ? 2 * nr : 1) * size);
}

static void add_disk(struct key_ctx *k, const struct cfg_value *v,
		     const char *s)
{
	struct domain_config *dc = k->dc;
	struct spec_error e;
	struct disk_spec disk;
	char name[32];

	if (!disk_parse(&dc->arena, s, &disk, &e)) {
		key_complain(k, v, &e);
		return;
	}
	for (unsigned int i = 0; i < dc->nr_disks; i++) {
		if (dc->disks[i].devid != disk.devid)
			continue;
		diag_error(k->diag, &v->pos,
			   "two disks are %s: each needs a virtual device of "
			   "its own",
			   vdev_name(disk.devid, name, sizeof(name)));
		return;
	}
	dc->disks = one_more(k, dc->disks, dc->nr_disks, sizeof(disk));
	dc->disks[dc->nr_disks++] = disk;
}

void key_disks(struct key_ctx *k, const struct cfg_value *v)
{
	each_string(k, v, add_disk);
}

static void add_vif(struct key_ctx *k, const struct cfg_value *v, const char *s)
{
	struct domain_config *dc = k->dc;
	struct spec_error e;
	struct vif_spec vif;

	if (!vif_parse(&dc->arena, s, &vif, &e)) {
		key_complain(k, v, &e);
		return;
	}
	if (vif.devid < 0)
		vif.devid = (int)dc->nr_vifs;
	for (unsigned int i = 0; i < dc->nr_vifs; i++) {
		if (dc->vifs[i].devid == vif.devid) {
			diag_error(k->diag, &v->pos,
				   "two interfaces have the devid %d",
				   vif.devid);
			return;
		}
	}
	dc->vifs = one_more(k, dc->vifs, dc->nr_vifs, sizeof(vif));
	dc->vifs[dc->nr_vifs++] = vif;
}

void key_vifs(struct key_ctx *k, const struct cfg_value *v)
{
	each_string(k, v, add_vif);
}

static void vfb_word(struct key_ctx *k, const struct cfg_value *v,
		     const struct spec_word *w)
{
	struct vnc_config *vnc = &k->dc->vnc;
	struct cfg_pos pos = cfg_pos_in(v, w->at);
	uint64_t n = 0;
	bool is_number = memsize_parse(w->value, 1, &n) && n < 65536;

	if (w->key && !strcmp(w->key, "vnc") && is_number)
		vnc->on = n != 0;
	else if (w->key && !strcmp(w->key, "vncunused") && is_number)
		vnc->unused = n != 0;
	else if (w->key && !strcmp(w->key, "vncdisplay") && is_number)
		vnc->display = (long long)n;
	else if (w->key && !strcmp(w->key, "vnclisten"))
		vnc->listen = w->value;
	else if (w->key && (!strcmp(w->key, "vncpasswd") ||
			    !strcmp(w->key, "vncpassword")))
		vnc->password = w->value;
	else if (w->key && !strcmp(w->key, "keymap"))
		vnc->keymap = w->value;
	else if (w->key &&
		 (!strcmp(w->key, "sdl") || !strcmp(w->key, "opengl")) &&
		 is_number && !n)
		return;
	else
		diag_error(k->diag, &pos,
			   "expected vnc=, vnclisten=, vncdisplay=, "
			   "vncunused=, vncpasswd= or keymap= in a frame "
			   "buffer; found '%s%s%s'",
			   w->key ? w->key : "", w->key ? "=" : "", w->value);
}

static void add_vfb(struct key_ctx *k, const struct cfg_value *v, const char *s)
{
	struct spec_word w;
	size_t pos = 0;

	if (k->dc->wants_vfb) {
		diag_error(k->diag, &v->pos,
			   "only one frame buffer is supported");
		return;
	}
	k->dc->wants_vfb = true;
	while (spec_next(&k->dc->arena, s, &pos, NULL, &w))
		if (w.key || *w.value)
			vfb_word(k, v, &w);
}

void key_vfb(struct key_ctx *k, const struct cfg_value *v)
{
	each_string(k, v, add_vfb);
}

static bool parse_cpus(struct key_ctx *k, const struct cfg_value *v,
		       struct cpu_list *l)
{
	struct spec_error e;

	if (v->kind == CFG_LIST) {
		diag_error(k->diag, &v->pos,
			   "expected processors such as \"0-3,^2\"; found a "
			   "list within the list");
		return false;
	}
	if (cpulist_parse(&k->dc->arena, v->text, l, &e))
		return true;
	key_complain(k, v, &e);
	return false;
}

void key_cpus(struct key_ctx *k, const struct cfg_value *v)
{
	bool soft = !strcmp(k->s->key, "cpus_soft");
	struct cpu_lists *out = soft ? &k->dc->cpus_soft : &k->dc->cpus;
	unsigned int n = v->kind == CFG_LIST ? v->nr : 1;

	out->each = v->kind == CFG_LIST;
	out->list = arena_alloc(&k->dc->arena, n * sizeof(*out->list) + 1);
	for (unsigned int i = 0; i < n; i++)
		if (!parse_cpus(k, out->each ? v->item[i] : v, &out->list[i]))
			return;
	out->nr = n;
}

/* A string of features, or xend's list of leaves. */
static void one_cpuid(struct key_ctx *k, const struct cfg_value *v,
		      bool (*parse)(struct arena *a, const char *s,
				    struct cpuid_list *l, struct spec_error *e))
{
	struct spec_error e;
	const char *s;

	if (key_string(k, v, &s) && !parse(&k->dc->arena, s, &k->dc->cpuid, &e))
		key_complain(k, v, &e);
}

void key_cpuid(struct key_ctx *k, const struct cfg_value *v)
{
	if (v->kind != CFG_LIST) {
		one_cpuid(k, v, cpuid_parse);
		return;
	}
	for (unsigned int i = 0; i < v->nr; i++)
		one_cpuid(k, v->item[i], cpuid_parse_xend);
}

/* Bits of HVM_PARAM_VIRIDIAN in xen/hvm/params.h's order. */
static const struct {
	const char *group;
	unsigned int bits;
} viridian_groups[] = {
	{"base", 1u << 0},
	{"freq", 1u << 1}, /* inverted: see below */
	{"time_ref_count", 1u << 2},
	{"reference_tsc", 1u << 3},
	{"hcall_remote_tlb_flush", 1u << 4},
	{"apic_assist", 1u << 5},
	{"crash_ctl", 1u << 6},
	{"synic", 1u << 7},
	{"stimer", 1u << 8 | 1u << 7 | 1u << 2},
	{"hcall_ipi", 1u << 9},
	{"ex_processor_masks", 1u << 10},
	{"no_vp_limit", 1u << 11},
	{"cpu_hotplug", 1u << 12},
};
#define VIRIDIAN_FREQ 2u
#define VIRIDIAN_ALL  0x1fffu
/* base, freq, time_ref_count, apic_assist and crash_ctl */
#define VIRIDIAN_DEFAULTS 0x67u

static void viridian_group(struct key_ctx *k, const struct cfg_value *v,
			   const char *s)
{
	bool off = *s == '!';
	unsigned int bits = 0;

	s += off;
	if (!strcmp(s, "all"))
		bits = VIRIDIAN_ALL;
	else if (!strcmp(s, "defaults"))
		bits = VIRIDIAN_DEFAULTS;
	for (unsigned int i = 0;
	     i < sizeof(viridian_groups) / sizeof(viridian_groups[0]); i++)
		if (!strcmp(s, viridian_groups[i].group))
			bits = viridian_groups[i].bits;
	if (!bits)
		diag_error(k->diag, &v->pos,
			   "'%s' is not a group of viridian enlightenments", s);
	else if (off)
		k->dc->viridian &= ~(uint64_t)bits;
	else
		k->dc->viridian |= bits;
}

void key_viridian(struct key_ctx *k, const struct cfg_value *v)
{
	long long on;

	if (v->kind == CFG_LIST) {
		each_string(k, v, viridian_group);
	} else if (key_number(k, v, &on)) {
		k->dc->viridian = on ? VIRIDIAN_DEFAULTS : 0;
	}
	if (!k->dc->viridian)
		return;
	/*
	 * HVM_PARAM_VIRIDIAN: any group needs the base, and the frequency
	 * bit is stored as "no frequency MSRs".
	 */
	k->dc->viridian |= 1;
	k->dc->viridian ^= VIRIDIAN_FREQ;
}
