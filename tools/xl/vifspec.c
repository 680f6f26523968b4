/* SPDX-License-Identifier: MIT */
/* One network interface of a configuration: xl-network-configuration(5). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

/* The kernel's limit on an interface's name, with its end. */
#define IFNAME_SIZE 16

bool mac_parse(const char *s, uint8_t mac[6])
{
	for (unsigned int i = 0; i < 6; i++, s += 2) {
		char byte[3] = {s[0], s[0] ? s[1] : 0, 0};

		if (!isxdigit((unsigned char)byte[0]) ||
		    !isxdigit((unsigned char)byte[1]))
			return false;
		mac[i] = (uint8_t)strtoul(byte, NULL, 16);
		if (i < 5 && s[2] != ':' && s[2] != '-')
			return false;
		if (i < 5)
			s++;
	}
	return !*s;
}

static bool set_mac(struct vif_spec *v, const struct spec_word *w,
		    struct spec_error *e)
{
	if (!mac_parse(w->value, v->mac))
		return spec_fail(e, w->value_at,
				 "expected a MAC address such as "
				 "00:16:3e:12:34:56; found '%s'",
				 w->value);
	if (v->mac[0] & 1)
		return spec_fail(e, w->value_at,
				 "'%s' is a multicast address: an interface "
				 "needs one whose first byte is even",
				 w->value);
	v->has_mac = true;
	return true;
}

static bool set_type(struct vif_spec *v, const struct spec_word *w,
		     struct spec_error *e)
{
	if (strcmp(w->value, "ioemu") && strcmp(w->value, "vif"))
		return spec_fail(e, w->value_at,
				 "expected type=ioemu or type=vif; found '%s'",
				 w->value);
	v->emulated = w->value[0] == 'i';
	v->emulated_set = true;
	return true;
}

static bool interface_name(const struct spec_word *w, struct spec_error *e)
{
	if (!*w->value || strlen(w->value) >= IFNAME_SIZE ||
	    strpbrk(w->value, "/ \t:") || !strcmp(w->value, ".") ||
	    !strcmp(w->value, ".."))
		return spec_fail(e, w->value_at,
				 "expected an interface's name of 1 to %d "
				 "characters; found '%s'",
				 IFNAME_SIZE - 1, w->value);
	return true;
}

static bool set_bridge(struct vif_spec *v, const struct spec_word *w,
		       struct spec_error *e)
{
	v->bridge = w->value;
	return interface_name(w, e);
}

static bool set_ifname(struct vif_spec *v, const struct spec_word *w,
		       struct spec_error *e)
{
	v->ifname = w->value;
	return interface_name(w, e);
}

static bool set_number(const struct spec_word *w, int max, int *out,
		       struct spec_error *e)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(w->value, &end, 10);
	if (!*w->value || *end || errno || n < 0 || n > max)
		return spec_fail(e, w->value_at,
				 "expected %s to be a number from 0 to %d; "
				 "found '%s'",
				 w->key, max, w->value);
	*out = (int)n;
	return true;
}

static bool set_devid(struct vif_spec *v, const struct spec_word *w,
		      struct spec_error *e)
{
	return set_number(w, 65535, &v->devid, e);
}

static bool set_mtu(struct vif_spec *v, const struct spec_word *w,
		    struct spec_error *e)
{
	if (!set_number(w, 65535, &v->mtu, e))
		return false;
	if (v->mtu < 68)
		return spec_fail(e, w->value_at,
				 "an MTU of %d is below IPv4's least, 68",
				 v->mtu);
	return true;
}

/* "10Mb/s" in bytes a second: b is bits, B bytes. Returns past it. */
static const char *rate_speed(const char *s, uint64_t *bytes)
{
	static const char scale[] = "KMG";
	uint64_t factor = 1;
	char *end;
	const char *p;

	if (!isdigit((unsigned char)*s))
		return NULL;
	errno = 0;
	*bytes = strtoull(s, &end, 10);
	if (errno)
		return NULL;
	p = *end ? strchr(scale, *end) : NULL;
	if (p) {
		for (int i = 0; i <= p - scale; i++)
			factor *= 1000;
		end++;
	}
	if ((*end != 'b' && *end != 'B') || strncmp(end + 1, "/s", 2) ||
	    *bytes > UINT64_MAX / 1000000 / factor)
		return NULL;
	*bytes *= factor;
	if (*end == 'b')
		*bytes /= 8;
	return end + 3;
}

static bool rate_interval(const char *s, uint32_t *usecs)
{
	unsigned long n, factor;
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	n = strtoul(s, &end, 10);
	if (!strcmp(end, "us"))
		factor = 1;
	else if (!strcmp(end, "ms"))
		factor = 1000;
	else if (!strcmp(end, "s"))
		factor = 1000000;
	else
		return false;
	if (!n || n > UINT32_MAX / factor)
		return false;
	*usecs = (uint32_t)(n * factor);
	return true;
}

static bool set_rate(struct vif_spec *v, const struct spec_word *w,
		     struct spec_error *e)
{
	uint64_t speed;
	const char *rest = rate_speed(w->value, &speed);

	v->rate_usecs = 50000;
	if (!rest || (*rest && *rest != '@') ||
	    (*rest && !rate_interval(rest + 1, &v->rate_usecs)))
		return spec_fail(e, w->value_at,
				 "expected a rate such as 10Mb/s or "
				 "1MB/s@20ms; found '%s'",
				 w->value);
	v->rate_bytes = speed <= UINT64_MAX / v->rate_usecs
				? speed * v->rate_usecs / 1000000
				: speed / 1000000 * v->rate_usecs;
	if (!v->rate_bytes || v->rate_bytes > UINT32_MAX)
		return spec_fail(e, w->value_at,
				 "the rate '%s' is not between 1 and %u bytes "
				 "an interval",
				 w->value, UINT32_MAX);
	return true;
}

#define TEXT_SETTER(field)                                                     \
	static bool set_##field(struct vif_spec *v, const struct spec_word *w, \
				struct spec_error *e)                          \
	{                                                                      \
		(void)e;                                                       \
		v->field = *w->value ? w->value : NULL;                        \
		return true;                                                   \
	}
TEXT_SETTER(script)
TEXT_SETTER(ip)
TEXT_SETTER(model)
TEXT_SETTER(gateway)
TEXT_SETTER(backend_domain)

static bool ignore(struct vif_spec *v, const struct spec_word *w,
		   struct spec_error *e)
{
	(void)v, (void)w, (void)e;
	return true;
}

static bool refuse_colo(struct vif_spec *v, const struct spec_word *w,
			struct spec_error *e)
{
	(void)v;
	return spec_fail(e, w->at, "'%s': COLO is not supported", w->key);
}

static const struct {
	const char *name;
	bool (*set)(struct vif_spec *v, const struct spec_word *w,
		    struct spec_error *e);
} params[] = {
	{"mac", set_mac},
	{"bridge", set_bridge},
	{"gatewaydev", set_gateway},
	{"netdev", set_gateway},
	{"type", set_type},
	{"model", set_model},
	{"vifname", set_ifname},
	{"script", set_script},
	{"ip", set_ip},
	{"backend", set_backend_domain},
	{"rate", set_rate},
	{"devid", set_devid},
	{"mtu", set_mtu},
	{"accel", ignore}, /* the stock tool takes and ignores it too */
	{"forwarddev", refuse_colo},
};

static bool named(struct vif_spec *v, const struct spec_word *w,
		  struct spec_error *e)
{
	for (unsigned int i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (!strcmp(w->key, params[i].name))
			return params[i].set(v, w, e);
	return spec_fail(e, w->at,
			 "'%s' is not a parameter of a network interface "
			 "(xl-network-configuration(5) lists them)",
			 w->key);
}

bool vif_parse(struct arena *a, const char *s, struct vif_spec *v,
	       struct spec_error *e)
{
	struct spec_word w;
	size_t pos = 0;

	memset(v, 0, sizeof(*v));
	v->devid = -1;
	while (spec_next(a, s, &pos, NULL, &w)) {
		if (w.key) {
			if (!named(v, &w, e))
				return false;
		} else if (!strcmp(w.value, "untrusted")) {
			v->untrusted = true;
		} else if (!strcmp(w.value, "trusted")) {
			v->untrusted = false;
		} else if (*w.value) {
			return spec_fail(e, w.at,
					 "expected KEY=VALUE, trusted or "
					 "untrusted; found '%s'",
					 w.value);
		}
	}
	return true;
}
