/* SPDX-License-Identifier: MIT */
/*
 * Tables of keys and what walks them (keyvalue.c): xl.cfg(5)'s is keys.c,
 * xl.conf(5)'s hostconf.c.
 */
#ifndef OSTLER_XL_KEYS_H
#define OSTLER_XL_KEYS_H

#include "domconf.h"

struct key_ctx {
	void *into;               /* what the keys' offsets are in */
	struct domain_config *dc; /* the same; NULL for xl.conf */
	struct arena *arena;
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
	size_t offset;
	long long low, high;
	const char *const *words; /* NULL-terminated */
	const char *why;
	void (*call)(struct key_ctx *k, const struct cfg_value *v);
};

struct key_table {
	const struct key *key;
	unsigned int nr;
	const char *manual;
};

/* How a table's lines are written, with F(field) as its file defines it. */
#define STRING(n, f)                                                           \
	{                                                                      \
		.name = n, .kind = KEY_STRING, .offset = F(f)                  \
	}
#define STRINGS(n, f)                                                          \
	{                                                                      \
		.name = n, .kind = KEY_STRINGS, .offset = F(f)                 \
	}
#define BOOL(n, f)                                                             \
	{                                                                      \
		.name = n, .kind = KEY_BOOL, .offset = F(f)                    \
	}
#define MIB(n, f)                                                              \
	{                                                                      \
		.name = n, .kind = KEY_MIB, .offset = F(f)                     \
	}
#define CUSTOM(n, fn)                                                          \
	{                                                                      \
		.name = n, .kind = KEY_CUSTOM, .call = fn                      \
	}
#define QUIET(n)                                                               \
	{                                                                      \
		.name = n, .kind = KEY_QUIET                                   \
	}
#define NUMBER(n, f, lo, hi)                                                   \
	{                                                                      \
		.name = n, .kind = KEY_NUMBER, .offset = F(f), .low = lo,      \
		.high = hi                                                     \
	}
#define CHOICE(n, f, list)                                                     \
	{                                                                      \
		.name = n, .kind = KEY_CHOICE, .offset = F(f), .words = list   \
	}
#define IGNORED(n, reason)                                                     \
	{                                                                      \
		.name = n, .kind = KEY_IGNORED, .why = reason                  \
	}
#define REFUSED(n, reason)                                                     \
	{                                                                      \
		.name = n, .kind = KEY_REFUSED, .why = reason                  \
	}

extern const struct key_table domain_keys;

/* All booleans of a table to TRI_UNSET. */
void keys_unset(const struct key_table *t, void *into);
/* Every setting to its key's place; complains of those that have none. */
void keys_apply(struct key_ctx *k, const struct key_table *t,
		const struct cfg *c);

/* What is wrong with a value in a language of its own, and where in it. */
void key_complain(struct key_ctx *k, const struct cfg_value *v,
		  const struct spec_error *e);
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
