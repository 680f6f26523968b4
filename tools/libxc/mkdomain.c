/* SPDX-License-Identifier: MIT */
/*
 * Builds one domain from its arguments and starts it: the domain builder by
 * itself, for tests, without xl, devices or a configuration file. With -i the
 * domain is introduced to xenstored, so that its kernel finds a store.
 *
 *	mkdomain -t pv|pvh|hvm -m MiB [-v VCPUS] [-k KERNEL] [-r INITRD]
 *		[-c CMDLINE] [-p] [-i] [-n TIMES]
 *
 * Prints "domid N" and what each step took. -p leaves it paused; -n builds and
 * destroys that many times, the last one staying.
 */
#include <getopt.h>
#include <time.h>
#include <xenstore.h>

#include "builder.h"
#include "private.h"

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void write_node(struct xs_handle *xs, uint32_t domid, const char *name,
		       const char *value)
{
	struct xs_permissions perm[2] = {{.id = domid}, {.id = domid}};
	char path[128];

	snprintf(path, sizeof(path), "/local/domain/%u%s%s", domid,
		 *name ? "/" : "", name);
	perm[0].id = 0;
	perm[0].perms = XS_PERM_NONE;
	perm[1].perms = XS_PERM_READ;
	if (value)
		xs_write(xs, XBT_NULL, path, value,
			 (unsigned int)strlen(value));
	else
		xs_mkdir(xs, XBT_NULL, path);
	xs_set_permissions(xs, XBT_NULL, path, perm, 2);
}

static int introduce(const struct build_config *cfg, uint32_t domid,
		     const struct build_result *r)
{
	struct xs_handle *xs = xs_open(0);
	char text[64];

	if (!xs) {
		perror("mkdomain: xenstore");
		return -1;
	}
	write_node(xs, domid, "", NULL);
	write_node(xs, domid, "name", cfg->name);
	snprintf(text, sizeof(text), "%u", domid);
	write_node(xs, domid, "domid", text);
	snprintf(text, sizeof(text), "%llu",
		 (unsigned long long)r->console_gfn);
	write_node(xs, domid, "console/ring-ref", text);
	snprintf(text, sizeof(text), "%u", r->console_port);
	write_node(xs, domid, "console/port", text);
	write_node(xs, domid, "console/type", "xenconsoled");
	write_node(xs, domid, "console/output", "pty");
	write_node(xs, domid, "console/limit", "1048576");
	write_node(xs, domid, "cpu/0/availability", "online");
	if (!xs_introduce_domain(xs, domid, r->store_gfn, r->store_port)) {
		perror("mkdomain: introduce");
		xs_close(xs);
		return -1;
	}
	xs_close(xs);
	return 0;
}

static int build_once(xc_interface *xch, const struct build_config *cfg,
		      uint32_t *domid, struct build_result *r)
{
	struct build_error err = {""};
	double start = now_ms(), created, filled;

	if (build_create(xch, cfg, domid, &err)) {
		fprintf(stderr, "mkdomain: create: %s\n", err.text);
		return -1;
	}
	created = now_ms();
	if (build_fill(xch, cfg, NULL, *domid, r, &err)) {
		fprintf(stderr, "mkdomain: fill: %s\n", err.text);
		xc_domain_destroy(xch, *domid);
		return -1;
	}
	filled = now_ms();
	printf("domid %u create %.1f ms fill %.1f ms cache %s\n", *domid,
	       created - start, filled - created,
	       r->cache_hit ? "hit" : "miss");
	fflush(stdout);
	return 0;
}

struct options {
	struct build_config cfg;
	bool paused, store;
	unsigned int times;
};

static enum build_kind kind_of(const char *word)
{
	if (!strcmp(word, "pv"))
		return BUILD_PV;
	return !strcmp(word, "hvm") ? BUILD_HVM : BUILD_PVH;
}

static bool take_option(struct options *o, int opt)
{
	switch (opt) {
	case 't':
		o->cfg.kind = kind_of(optarg);
		return true;
	case 'm':
		o->cfg.memory_kb = strtoull(optarg, NULL, 0) * 1024;
		return true;
	case 'v':
		o->cfg.max_vcpus = (unsigned int)atoi(optarg);
		return true;
	case 'k':
		o->cfg.kernel = optarg;
		return true;
	case 'r':
		o->cfg.modules[0].path = optarg;
		o->cfg.nr_modules = 1;
		return true;
	case 'c':
		o->cfg.cmdline = optarg;
		return true;
	case 'p':
		o->paused = true;
		return true;
	case 'i':
		o->store = true;
		return true;
	case 'n':
		o->times = (unsigned int)atoi(optarg);
		return true;
	}
	return false;
}

/* Builds it as often as was said; the last one stays. */
static bool build_all(xc_interface *xch, const struct options *o,
		      uint32_t *domid, struct build_result *r)
{
	for (unsigned int i = 0; i < o->times; i++) {
		if (i && xc_domain_destroy(xch, *domid))
			perror("mkdomain: destroy");
		if (build_once(xch, &o->cfg, domid, r))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct options o = {
		.cfg =
			{
				.kind = BUILD_PVH,
				.name = "mkdomain",
				.max_vcpus = 1,
				.memory_kb = 256 * 1024,
				.timer_mode = 1,
			},
		.times = 1,
	};
	struct build_result r;
	xc_interface *xch;
	uint32_t domid;
	int opt;

	while ((opt = getopt(argc, argv, "t:m:v:k:r:c:pin:")) != -1) {
		if (take_option(&o, opt))
			continue;
		fprintf(stderr, "usage: mkdomain -t KIND -m MIB ...\n");
		return 2;
	}
	o.cfg.max_kb = o.cfg.memory_kb;
	xch = xc_interface_open(NULL, NULL, 0);
	if (!xch || !build_all(xch, &o, &domid, &r))
		return 1;
	if (o.store && introduce(&o.cfg, domid, &r))
		return 1;
	if (!o.paused && xc_domain_unpause(xch, domid))
		perror("mkdomain: unpause");
	xc_interface_close(xch);
	return 0;
}
