/* SPDX-License-Identifier: MIT */
/*
 * cpuid=: which bits of which registers a guest's CPUID answers with, by
 * feature names ("host,sse3=0,family=15") or, as xend had it, by leaf and
 * register ("7,0:ebx=" and 32 characters). Both end as such characters: 0, 1,
 * x (the default), k and s (the host's). The names of an MSR's bits count, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

enum reg { EAX, EBX, ECX, EDX };

#define NONE CPUID_NO_SUBLEAF
/* No leaf, but that many bits up in ARCH_CAPABILITIES. */
#define IN_MSR UINT32_MAX

/* What features are called: the public header's words, in lower case. */
static const struct {
	const char *name;
	unsigned int bit; /* 32 for each word of a feature set */
} features[] = {
#define XEN_CPUFEATURE(name, value) {#name, value},
#include <xen/arch-x86/cpufeatureset.h>
};

/* Where the words of a feature set come from, by the same header. */
static const struct {
	uint32_t leaf, subleaf;
	enum reg reg;
} words[] = {
	{0x1, NONE, EDX},        {0x1, NONE, ECX},
	{0x80000001, NONE, EDX}, {0x80000001, NONE, ECX},
	{0xd, 1, EAX},           {0x7, 0, EBX},
	{0x7, 0, ECX},           {0x80000007, NONE, EDX},
	{0x80000008, NONE, EBX}, {0x7, 0, EDX},
	{0x7, 1, EAX},           {0x80000021, NONE, EAX},
	{0x7, 1, EBX},           {0x7, 2, EDX},
	{0x7, 1, ECX},           {0x7, 1, EDX},
	{IN_MSR, 0, 0},          {IN_MSR, 32, 0},
	{0x80000021, NONE, ECX},
};

/* Values of several bits, and the names that libxl had before the header's. */
struct field {
	const char *name;
	uint32_t leaf, subleaf;
	enum reg reg;
	unsigned int bit, bits;
};

static const struct field fields[] = {
	{"maxleaf", 0x0, NONE, EAX, 0, 32},
	{"stepping", 0x1, NONE, EAX, 0, 4},
	{"brandid", 0x1, NONE, EBX, 0, 8},
	{"clflush", 0x1, NONE, EBX, 8, 8},
	{"proccount", 0x1, NONE, EBX, 16, 8},
	{"localapicid", 0x1, NONE, EBX, 24, 8},
	{"procpkg", 0x4, 0, EAX, 26, 6},
	{"nc", 0x80000008, NONE, ECX, 0, 8},
	{"apicidsize", 0x80000008, NONE, ECX, 12, 4},
	{"maxhvleaf", 0x40000000, NONE, EAX, 0, 8},
	{"est", 0x1, NONE, ECX, 7, 1},
	{"cntxid", 0x1, NONE, ECX, 10, 1},
	{"cmpxchg16", 0x1, NONE, ECX, 13, 1},
	{"sse4.1", 0x1, NONE, ECX, 19, 1},
	{"sse4.2", 0x1, NONE, ECX, 20, 1},
	{"aes", 0x1, NONE, ECX, 25, 1},
	{"cmpxchg8", 0x1, NONE, EDX, 8, 1},
	{"sysenter", 0x1, NONE, EDX, 11, 1},
	{"psn", 0x1, NONE, EDX, 18, 1},
	{"clfsh", 0x1, NONE, EDX, 19, 1},
	{"tm", 0x1, NONE, EDX, 29, 1},
	{"ia64", 0x1, NONE, EDX, 30, 1},
	{"arat", 0x6, NONE, EAX, 2, 1},
	{"cmt", 0x7, 0, EBX, 12, 1},
	{"lahfsahf", 0x80000001, NONE, ECX, 0, 1},
	{"cmplegacy", 0x80000001, NONE, ECX, 1, 1},
	{"altmovcr8", 0x80000001, NONE, ECX, 4, 1},
	{"nodeid", 0x80000001, NONE, ECX, 19, 1},
	{"perfctr_core", 0x80000001, NONE, ECX, 23, 1},
	{"perfctr_nb", 0x80000001, NONE, ECX, 24, 1},
	{"invtsc", 0x80000007, NONE, EDX, 8, 1},
	{"ppin", 0x80000008, NONE, EBX, 23, 1},
	{"svm_npt", 0x8000000a, NONE, EDX, 0, 1},
	{"svm_lbrv", 0x8000000a, NONE, EDX, 1, 1},
	{"svm_nrips", 0x8000000a, NONE, EDX, 3, 1},
	{"svm_tscrate", 0x8000000a, NONE, EDX, 4, 1},
	{"svm_vmcbclean", 0x8000000a, NONE, EDX, 5, 1},
	{"svm_decode", 0x8000000a, NONE, EDX, 7, 1},
	{"svm_pausefilt", 0x8000000a, NONE, EDX, 10, 1},
	{"lfence+", 0x80000021, NONE, EAX, 2, 1},
};

/* Two names but for case, and for '_' where the other has '-'. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
		char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;

		if ((x == '_' ? '-' : x) != (y == '_' ? '-' : y))
			return false;
	}
	return *a == *b;
}

static bool find_field(const char *name, struct field *f)
{
	for (unsigned int i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!same_name(name, fields[i].name))
			continue;
		*f = fields[i];
		return true;
	}
	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]);
	     i++) {
		unsigned int word = features[i].bit / 32;

		if (!same_name(name, features[i].name))
			continue;
		*f = (struct field){.name = features[i].name,
				    .bit = features[i].bit % 32,
				    .bits = 1};
		if (word < sizeof(words) / sizeof(words[0])) {
			f->leaf = words[word].leaf;
			f->subleaf = words[word].subleaf;
			f->reg = words[word].reg;
		}
		return true;
	}
	return false;
}

/* The characters of a register, made if it has none yet. */
static char *register_of(struct arena *a, struct cpuid_list *l, uint32_t leaf,
			 uint32_t subleaf, enum reg reg)
{
	unsigned int i = 0;
	struct cpuid_leaf *at;

	while (i < l->nr &&
	       (l->leaf[i].leaf != leaf || l->leaf[i].subleaf != subleaf))
		i++;
	if (i == l->nr) {
		l->leaf = arena_grow(a, l->leaf, l->nr * sizeof(*at),
				     (l->nr + 1) * sizeof(*at));
		l->leaf[l->nr++] =
			(struct cpuid_leaf){.leaf = leaf, .subleaf = subleaf};
	}
	at = &l->leaf[i];
	if (!at->reg[reg])
		at->reg[reg] =
			arena_strdup(a, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	return at->reg[reg];
}

struct value {
	bool is_number;
	uint64_t number;
	char letter;
};

static char *arch_caps(struct arena *a, struct cpuid_list *l)
{
	if (!l->arch_caps)
		l->arch_caps = arena_strdup(a,
					    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
					    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	return l->arch_caps;
}

static void put(char *text, unsigned int bit, unsigned int bits,
		const struct value *v, unsigned int shift)
{
	for (unsigned int i = 0; i < bits; i++)
		text[31 - bit - i] = !v->is_number                  ? v->letter
				     : v->number >> (shift + i) & 1 ? '1'
								    : '0';
}

static bool parse_value(const struct spec_word *w, uint64_t max,
			struct value *v, struct spec_error *e)
{
	char *end;

	*v = (struct value){.letter = w->value[0]};
	if (w->value[0] && strchr("xks", w->value[0]) && !w->value[1])
		return true;
	errno = 0;
	v->number = strtoull(w->value, &end, 0);
	v->is_number = true;
	if (w->value[0] < '0' || w->value[0] > '9' || *end || errno ||
	    v->number > max)
		return spec_fail(e, w->value_at,
				 "expected %s to be a number up to %llu, or x, "
				 "k or s; found '%s'",
				 w->key, (unsigned long long)max, w->value);
	return true;
}

/*
 * A family above 15 is 15 in its four bits and the rest in the extended ones;
 * a model's upper half is in the extended bits always. (Intel SDM Vol. 2,
 * CPUID, "Version Information Returned by CPUID in EAX".)
 */
static bool family_or_model(struct arena *a, struct cpuid_list *l,
			    const struct spec_word *w, struct spec_error *e)
{
	bool family = same_name(w->key, "family");
	struct value v, rest;
	char *text;

	if (!parse_value(w, family ? 15 + 255 : 255, &v, e))
		return false;
	text = register_of(a, l, 1, NONE, EAX);
	if (!family) {
		put(text, 4, 4, &v, 0);
		put(text, 16, 4, &v, 4);
		return true;
	}
	rest = v;
	rest.number = v.number > 15 ? v.number - 15 : 0;
	v.number -= rest.number;
	put(text, 8, 4, &v, 0);
	put(text, 20, 8, &rest, 0);
	return true;
}

static bool take_word(struct arena *a, struct cpuid_list *l,
		      const struct spec_word *w, struct spec_error *e)
{
	struct field f;
	struct value v;

	if (!w->key)
		return spec_fail(e, w->at, "expected FEATURE=VALUE; found '%s'",
				 w->value);
	if (same_name(w->key, "family") || same_name(w->key, "model"))
		return family_or_model(a, l, w, e);
	if (!find_field(w->key, &f))
		return spec_fail(e, w->at, "'%s' is not a feature of CPUID",
				 w->key);
	if (!parse_value(w, (1ull << f.bits) - 1, &v, e))
		return false;
	if (f.leaf == IN_MSR) /* in words of 32, the upper one first */
		put(arch_caps(a, l) + 32 - f.subleaf, f.bit, 1, &v, 0);
	else
		put(register_of(a, l, f.leaf, f.subleaf, f.reg), f.bit, f.bits,
		    &v, 0);
	return true;
}

/* spec_next() without its rules for keys: "3dnow", "sse4.1" and "lfence+". */
static bool next_feature(struct arena *a, const char *s, size_t *pos,
			 struct spec_word *w)
{
	size_t at = *pos + strspn(s + *pos, " \t"), n = strcspn(s + at, ",");
	const char *equals = memchr(s + at, '=', n);

	if (!s[at])
		return false;
	*w = (struct spec_word){.at = at, .value_at = at};
	if (equals) {
		w->key = arena_strndup(a, s + at, (size_t)(equals - s) - at);
		w->value_at = (size_t)(equals - s) + 1;
	}
	w->value = arena_strndup(a, s + w->value_at, at + n - w->value_at);
	*pos = at + n + (s[at + n] == ',');
	return true;
}

bool cpuid_parse(struct arena *a, const char *s, struct cpuid_list *l,
		 struct spec_error *e)
{
	struct spec_word w;
	size_t pos = 0;

	if (!next_feature(a, s, &pos, &w) || w.key || strcmp(w.value, "host"))
		return spec_fail(e, 0,
				 "expected features such as \"host,sse3=0\"");
	while (next_feature(a, s, &pos, &w))
		if ((w.key || *w.value) && !take_word(a, l, &w, e))
			return false;
	return true;
}

/* "7,0:" at the start of s: where it ends, or 0. */
static size_t parse_leaf(const char *s, uint32_t *leaf, uint32_t *subleaf,
			 struct spec_error *e)
{
	unsigned long long n[2] = {0, NONE};
	const char *at = s;
	char *end = NULL;

	for (unsigned int i = 0; i < 2; i++) {
		errno = 0;
		n[i] = strtoull(at, &end, 0);
		if (*at < '0' || *at > '9' || errno || n[i] >= NONE)
			break;
		if (i == 0 && *end == ',') {
			at = end + 1;
			continue;
		}
		if (*end != ':')
			break;
		*leaf = (uint32_t)n[0];
		*subleaf = i ? (uint32_t)n[1] : NONE;
		return (size_t)(end + 1 - s);
	}
	spec_fail(e, (size_t)(at - s),
		  "expected LEAF:REGISTER=… or LEAF,SUBLEAF:REGISTER=…");
	return 0;
}

/* "edx=" and 32 characters. */
static bool take_register(struct arena *a, struct cpuid_list *l, uint32_t leaf,
			  uint32_t subleaf, const char *s, size_t at,
			  struct spec_error *e)
{
	const char *p = s + at;
	size_t n;

	if (p[0] != 'e' || p[1] < 'a' || p[1] > 'd' || p[2] != 'x' ||
	    p[3] != '=')
		return spec_fail(e, at, "expected eax=, ebx=, ecx= or edx=");
	p += 4;
	n = strspn(p, "01xks");
	if (n != 32 || (p[n] && p[n] != ','))
		return spec_fail(e, at + 4 + (n > 32 ? 32 : n),
				 "expected 32 of 0, 1, x, k and s");
	memcpy(register_of(a, l, leaf, subleaf, (enum reg)(p[-3] - 'a')), p,
	       32);
	return true;
}

bool cpuid_parse_xend(struct arena *a, const char *s, struct cpuid_list *l,
		      struct spec_error *e)
{
	uint32_t leaf, subleaf;
	size_t at = parse_leaf(s, &leaf, &subleaf, e);

	if (!at)
		return false;
	while (s[at]) {
		if (!take_register(a, l, leaf, subleaf, s, at, e))
			return false;
		at += 4 + 32;
		at += s[at] == ',';
		at += strspn(s + at, " \n");
	}
	return true;
}
