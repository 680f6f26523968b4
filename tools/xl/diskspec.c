/* SPDX-License-Identifier: MIT */
/* One disk of a configuration: xl-disk-configuration(5). */
#include <stdio.h>
#include <string.h>

#include "spec.h"

const char *const disk_format_names[] = {
	[DISK_RAW] = "raw", [DISK_QCOW] = "qcow", [DISK_QCOW2] = "qcow2",
	[DISK_VHD] = "vhd", [DISK_QED] = "qed",   [DISK_EMPTY] = "empty",
};

/* What has been said so far: each parameter may be said once. */
struct parse {
	struct arena *a;
	struct disk_spec *d;
	struct spec_error *e;
	unsigned int seen; /* bit n: params[n] */
	bool discard_seen;
	size_t vdev_at;
};

static bool set_target(struct parse *p, const struct spec_word *w)
{
	p->d->target = w->value;
	return true;
}

static bool set_format(struct parse *p, const struct spec_word *w)
{
	if (!*w->value)
		return true;
	for (unsigned int i = 0; i <= DISK_EMPTY; i++) {
		if (!strcmp(w->value, disk_format_names[i])) {
			p->d->format = (enum disk_format)i;
			return true;
		}
	}
	return spec_fail(p->e, w->value_at,
			 "expected a disk format (raw, qcow, qcow2, vhd or "
			 "qed); found '%s'",
			 w->value);
}

static bool set_vdev(struct parse *p, const struct spec_word *w)
{
	const char *colon = strchr(w->value, ':');

	p->vdev_at = w->value_at;
	p->d->vdev = w->value;
	if (!colon)
		return true;
	/* deprecated: hdc:cdrom */
	if (strcmp(colon, ":cdrom") && strcmp(colon, ":disk"))
		return spec_fail(p->e, w->value_at,
				 "expected a virtual device, or one with "
				 "':cdrom'; found '%s'",
				 w->value);
	p->d->cdrom = colon[1] == 'c';
	p->d->vdev = arena_strndup(p->a, w->value, (size_t)(colon - w->value));
	return true;
}

static bool set_access(struct parse *p, const struct spec_word *w)
{
	static const struct {
		const char *word;
		bool writable;
	} modes[] = {
		{"rw", true},  {"w", true},  {"r", false},
		{"ro", false}, {"w!", true},
	};

	if (!*w->value)
		return true;
	for (unsigned int i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(w->value, modes[i].word)) {
			p->d->writable = modes[i].writable;
			return true;
		}
	}
	return spec_fail(p->e, w->value_at,
			 "expected an access mode (r, ro, w or rw); found '%s'",
			 w->value);
}

static bool set_devtype(struct parse *p, const struct spec_word *w)
{
	if (!strcmp(w->value, "cdrom"))
		p->d->cdrom = true;
	else if (*w->value && strcmp(w->value, "disk"))
		return spec_fail(p->e, w->value_at,
				 "expected devtype=cdrom or devtype=disk; "
				 "found '%s'",
				 w->value);
	return true;
}

static bool set_backend(struct parse *p, const struct spec_word *w)
{
	p->d->backend_domain = *w->value ? w->value : NULL;
	return true;
}

static bool set_backendtype(struct parse *p, const struct spec_word *w)
{
	static const char *const names[] = {
		[DISK_AUTO] = "",
		[DISK_PHY] = "phy",
		[DISK_QDISK] = "qdisk",
		[DISK_STANDALONE] = "standalone",
	};

	for (unsigned int i = 0; i <= DISK_STANDALONE; i++) {
		if (!strcmp(w->value, names[i])) {
			p->d->backend = (enum disk_backend)i;
			return true;
		}
	}
	return spec_fail(p->e, w->value_at,
			 "expected a backend type (phy, qdisk or standalone); "
			 "found '%s'",
			 w->value);
}

static bool set_script(struct parse *p, const struct spec_word *w)
{
	p->d->script = *w->value ? w->value : NULL;
	return true;
}

static bool set_specification(struct parse *p, const struct spec_word *w)
{
	if (!*w->value || !strcmp(w->value, "xen"))
		return true;
	return spec_fail(p->e, w->value_at,
			 "expected specification=xen; '%s' is not supported",
			 w->value);
}

static bool refuse_colo(struct parse *p, const struct spec_word *w)
{
	return spec_fail(p->e, w->at, "'%s': COLO replication is not supported",
			 w->key);
}

/* The first four are positional, in this order. */
static const struct {
	const char *name;
	bool (*set)(struct parse *p, const struct spec_word *w);
} params[] = {
	{"target", set_target},
	{"format", set_format},
	{"vdev", set_vdev},
	{"access", set_access},
	{"devtype", set_devtype},
	{"backend", set_backend},
	{"backendtype", set_backendtype},
	{"script", set_script},
	{"specification", set_specification},
	{"colo-host", refuse_colo},
	{"colo-port", refuse_colo},
	{"colo-export", refuse_colo},
	{"active-disk", refuse_colo},
	{"hidden-disk", refuse_colo},
};

#define NR_PARAMS     (sizeof(params) / sizeof(params[0]))
#define NR_POSITIONAL 4

static bool set_flag(struct parse *p, const char *word)
{
	struct disk_spec *d = p->d;

	p->discard_seen |= !strcmp(word, "discard") ||
			   !strcmp(word, "no-discard");
	if (!strcmp(word, "cdrom"))
		d->cdrom = true;
	else if (!strcmp(word, "direct-io-safe"))
		d->direct_io_safe = true;
	else if (!strcmp(word, "discard"))
		d->discard = true;
	else if (!strcmp(word, "no-discard"))
		d->discard = false;
	else if (!strcmp(word, "trusted"))
		d->untrusted = false;
	else if (!strcmp(word, "untrusted"))
		d->untrusted = true;
	else
		return false;
	return true;
}

/* An empty target given by position may be said again as target=. */
static bool may_set(const struct parse *p, unsigned int i)
{
	if (!(p->seen & 1u << i))
		return true;
	return i == 0 && !*p->d->target;
}

static bool named(struct parse *p, const struct spec_word *w)
{
	for (unsigned int i = 0; i < NR_PARAMS; i++) {
		if (strcmp(w->key, params[i].name))
			continue;
		if (!may_set(p, i))
			return spec_fail(p->e, w->at,
					 "'%s' is given twice in this disk",
					 w->key);
		p->seen |= 1u << i;
		return params[i].set(p, w);
	}
	return spec_fail(p->e, w->at,
			 "'%s' is not a parameter of a disk "
			 "(xl-disk-configuration(5) lists them)",
			 w->key);
}

static bool positional(struct parse *p, const struct spec_word *w)
{
	unsigned int i = 0;

	if (set_flag(p, w->value))
		return true;
	while (i < NR_POSITIONAL && p->seen & 1u << i)
		i++;
	if (i == NR_POSITIONAL) {
		if (!*w->value)
			return true;
		return spec_fail(p->e, w->at,
				 "'%s' is one too many: target, format, vdev "
				 "and access are all given",
				 w->value);
	}
	p->seen |= 1u << i;
	return params[i].set(p, w);
}

/*
 * The deprecated form FORMAT:TARGET. Returns the length of the prefixes that
 * were taken, which may follow one another (tap:aio:/file).
 */
static size_t take_prefix(struct parse *p, const char *s)
{
	static const struct {
		const char *prefix;
		int format; /* -1: says nothing of it */
	} forms[] = {
		{"raw:", DISK_RAW},   {"qcow2:", DISK_QCOW2},
		{"qcow:", DISK_QCOW}, {"vhd:", DISK_VHD},
		{"qed:", DISK_QED},   {"phy:", DISK_RAW},
		{"file:", DISK_RAW},  {"tap:", -1},
		{"tap2:", -1},        {"aio:", DISK_RAW},
		{"ioemu:", -1},
	};
	size_t at = 0, n;
	unsigned int i = 0;

	while (i < sizeof(forms) / sizeof(forms[0])) {
		n = strlen(forms[i].prefix);
		if (strncmp(s + at, forms[i].prefix, n)) {
			i++;
			continue;
		}
		if (forms[i].format >= 0) {
			p->d->format = (enum disk_format)forms[i].format;
			p->seen |= 1u << 1;
		}
		at += n;
		i = 0;
	}
	return at;
}

static bool finish(struct parse *p, const char *s)
{
	struct disk_spec *d = p->d;
	unsigned int disk;

	if (!d->vdev || !*d->vdev)
		return spec_fail(p->e, strlen(s),
				 "expected a virtual device (vdev=, such as "
				 "xvda) in this disk; found none");
	if (!vdev_parse(d->vdev, &d->devid, &disk))
		return spec_fail(p->e, p->vdev_at,
				 "expected a virtual device such as xvda, hdc "
				 "or sdb1; found '%s'",
				 d->vdev);
	if (!*d->target && !d->cdrom && !d->script)
		return spec_fail(p->e, 0,
				 "expected a target (a file or block device): "
				 "only a CD-ROM drive may be empty");
	if (d->cdrom)
		d->writable = false;
	/* Of a disk that is not written to nothing is thrown away. */
	if (!p->discard_seen)
		d->discard = d->writable;
	if (!*d->target)
		d->format = DISK_EMPTY;
	else if (d->target[0] != '/' && !d->script)
		d->target = arena_printf(p->a, "/dev/%s", d->target);
	return true;
}

bool disk_parse(struct arena *a, const char *s, struct disk_spec *d,
		struct spec_error *e)
{
	struct parse p = {.a = a, .d = d, .e = e};
	struct spec_word w;
	size_t pos;

	memset(d, 0, sizeof(*d));
	d->target = "";
	d->writable = d->discard = true;
	pos = take_prefix(&p, s);
	while (spec_next(a, s, &pos, "target", &w))
		if (!(w.key ? named(&p, &w) : positional(&p, &w)))
			return false;
	return finish(&p, s);
}
