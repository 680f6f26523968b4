/* SPDX-License-Identifier: MIT */
/*
 * From settings to a domain: the keys' values, then defaults, and what keys say
 * about one another.
 */
#include <string.h>

#include "keys.h"

static void set_defaults(struct domain_config *dc)
{
	keys_unset(&domain_keys, dc);
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

/*
 * bios= names the firmware; firmware= does so in other words, counts more, and
 * may be the path of another hvmloader.
 */
static void check_firmware(struct domain_config *dc, const struct cfg *c,
			   struct diag *d)
{
	const char *key = dc->firmware ? "firmware" : "bios";
	const char *word = dc->firmware ? dc->firmware : dc->bios;

	if (!word || !strcmp(word, "seabios") ||
	    (dc->firmware && !strcmp(word, "bios")))
		return;
	if (!strcmp(word, "ovmf") || (dc->firmware && !strcmp(word, "uefi")))
		dc->ovmf = true;
	else if (dc->firmware && strchr(word, '/'))
		dc->firmware_override = word;
	else
		diag_error(d, pos_of(c, key),
			   "%s=\"%s\" cannot be had: only \"seabios\" and "
			   "\"ovmf\" are supported",
			   key, word);
}

static void check_hvm(struct domain_config *dc, const struct cfg *c,
		      struct diag *d)
{
	if (dc->type != TYPE_HVM)
		return;
	check_firmware(dc, c, d);
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
	struct key_ctx k = {
		.into = dc, .dc = dc, .arena = &dc->arena, .diag = d};

	memset(dc, 0, sizeof(*dc));
	set_defaults(dc);
	keys_apply(&k, &domain_keys, c);
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
