/* SPDX-License-Identifier: MIT */
/* The keys of xl.cfg(5): one table, keys.c, that domconf.c walks. */
#ifndef OSTLER_XL_KEYS_H
#define OSTLER_XL_KEYS_H

#include "domconf.h"

struct key_ctx {
	struct domain_config *dc;
	struct diag *diag;
	const struct cfg_setting *s;
};

enum key_kind {
	KEY_STRING,  /* const char * */
	KEY_NUMBER,  /* long long, within low … high */
	KEY_MIB,     /* uint64_t of KiB, from MiB */
	KEY_BOOL,    /* enum tristate */
	KEY_CHOICE,  /* int: one of words, or its number */
	KEY_STRINGS, /* struct string_list: a list, or one string */
	KEY_CUSTOM,  /* call() does it */
	KEY_IGNORED, /* with a warning: why */
	KEY_QUIET,   /* nothing to do, nothing to say */
	KEY_REFUSED, /* with a sentence: why; a false boolean passes */
};

struct key {
	const char *name;
	enum key_kind kind;
	size_t offset; /* in struct domain_config */
	long long low, high;
	const char *const *words; /* NULL-terminated */
	const char *why;
	void (*call)(struct key_ctx *k, const struct cfg_value *v);
};

extern const struct key domain_keys[];
extern const unsigned int nr_domain_keys;

/* Values as they are wanted; a complaint and a false when they are not so. */
bool key_string(struct key_ctx *k, const struct cfg_value *v, const char **out);
bool key_number(struct key_ctx *k, const struct cfg_value *v, long long *out);

/* Devices: lists of specifications (devkeys.c). */
void key_disks(struct key_ctx *k, const struct cfg_value *v);
void key_vifs(struct key_ctx *k, const struct cfg_value *v);
void key_vfb(struct key_ctx *k, const struct cfg_value *v);
void key_cpus(struct key_ctx *k, const struct cfg_value *v);
void key_cpuid(struct key_ctx *k, const struct cfg_value *v);
void key_viridian(struct key_ctx *k, const struct cfg_value *v);

#endif
