/* SPDX-License-Identifier: MIT */
/* xl create: options, configuration, then create.c's steps. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../console/client.h"
#include "cmds.h"
#include "create.h"
#include "destroy.h"
#include "domjson.h"
#include "host.h"
#include "loadconf.h"
#include "supervise.h"
#include "vnc.h"
#include "xl.h"

/* The stock xl's status for a file that cannot be read and for a domain that
 * could not be made; a file that is wrong is an ordinary failure. */
#define XL_NO_FILE     3
#define XL_NOT_CREATED 3
/* And for no configuration at all. */
#define XL_NO_CONFIG 6

struct create_opts {
	const char *file;
	bool dryrun, quiet, paused, console, foreground, no_wait, debug;
	bool vnc, vnc_password, ignore_masks;
};

enum { OPT_IGNORE_MASKS = 1000 };

static const struct option longs[] = {
	{"dryrun", 0, NULL, 'n'},
	{"quiet", 0, NULL, 'q'},
	{"defconfig", 1, NULL, 'f'},
	{"vncviewer", 0, NULL, 'V'},
	{"vncviewer-autopass", 0, NULL, 'A'},
	{"ignore-global-affinity-masks", 0, NULL, OPT_IGNORE_MASKS},
	{"help", 0, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void show(struct domain_config *dc)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL);
	domjson_config(&j, dc);
	json_object_end(&j);
	json_end(&j);
}

/* Once it runs: who watches over it, and who looks at it. */
static int go_on(const struct create_opts *o, struct loaded *l, uint32_t domid)
{
	if (!o->paused && xc_domain_unpause(host_xc(), domid)) {
		xl_fail("domain %u cannot be unpaused: %s", domid,
			strerror(errno));
		destroy_domain(domid);
		return XL_FAIL;
	}
	if (o->foreground)
		return supervise_run(l, domid);
	if (!o->no_wait && !supervise_start(l, domid))
		return XL_FAIL;
	if (o->vnc && vnc_viewer(domid, o->vnc_password, false) != XL_OK)
		xl_warn("no VNC viewer was started");
	if (o->console)
		return console_client(host_xs(), domid, NULL, 0);
	return XL_OK;
}

static int act(const struct create_opts *o, struct loaded *l)
{
	uint32_t domid;

	if (o->dryrun) {
		if (!o->quiet)
			show(&l->dc);
		return XL_OK;
	}
	l->dc.ignore_masks = o->ignore_masks;
	if (!create_domain(l, &domid))
		return XL_NOT_CREATED;
	return go_on(o, l, domid);
}

static void take_option(struct create_opts *o, int opt)
{
	o->dryrun |= opt == 'n';
	o->quiet |= opt == 'q';
	o->paused |= opt == 'p';
	o->console |= opt == 'c';
	o->foreground |= opt == 'F';
	o->no_wait |= opt == 'e';
	o->vnc |= opt == 'V' || opt == 'A';
	o->vnc_password |= opt == 'A';
	o->ignore_masks |= opt == OPT_IGNORE_MASKS;
	if (opt == 'd' && !xl_globals.verbose)
		xl_globals.verbose = 1;
	if (opt == 'f')
		o->file = optarg;
}

static int run_create(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct create_opts o = {.dryrun = xl_globals.dryrun};
	struct loaded l = {.text = NULL};
	char *extra = NULL;
	int opt, rc = XL_FAIL;

	while ((opt = xl_getopt(cmd, argc, argv, "Fnqf:pcdeVA", longs, 0)) !=
	       -1)
		take_option(&o, opt);
	if (!load_operands(argc - optind, argv + optind, &o.file, &extra))
		return XL_FAIL;
	if (!o.file && !*extra) {
		free(extra);
		xl_fail("no configuration: name a file or settings");
		return XL_NO_CONFIG;
	}
	if (!o.quiet && o.file)
		fprintf(stderr, "Parsing config from %s\n", o.file);
	if (load_config(&l, o.file, extra))
		rc = act(&o, &l);
	else if (!l.cfg.first)
		rc = l.cfg.arena.pieces ? XL_FAIL : XL_NO_FILE;
	load_free(&l);
	free(extra);
	return rc;
}

const struct xl_cmd cmd_create = {
	.name = "create",
	.usage = "<ConfigFile> [options] [vars]",
	.summary = "Create a domain from config file <filename>",
	.options =
		"-c                      Connect to the console after the "
		"domain is created.\n"
		"-d                      Enable debug messages.\n"
		"-e                      Do not wait in the background for the "
		"death of the domain.\n"
		"-F                      Run in foreground until death of the "
		"domain.\n"
		"-f FILE, --defconfig=FILE\n"
		"                        Use the given configuration file.\n"
		"-h                      Print this help.\n"
		"-n, --dryrun            Check the file and print the "
		"resulting "
		"configuration;\n"
		"                        needs no hypervisor.\n"
		"-p                      Leave the domain paused after it is "
		"created.\n"
		"-q, --quiet             Quiet.\n"
		"-V, --vncviewer         Connect to the VNC display after the "
		"domain is created.\n"
		"-A, --vncviewer-autopass\n"
		"                        Pass VNC password to viewer via "
		"stdin.\n"
		"--ignore-global-affinity-masks Ignore global masks in "
		"xl.conf.",
	.run = run_create,
	.changes = true,
	.dryrun = true,
};

#define UPDATE_WARNING                                                         \
	"WARNING: xl now has better capability to manage domain "              \
	"configuration, avoid using this command when possible"

static int update(struct loaded *l, uint32_t domid, const struct dom_info *d)
{
	if (xl_globals.dryrun)
		show(&l->dc);
	else if (!create_keep(l, domid, d->handle))
		return XL_FAIL;
	return XL_OK;
}

static int run_update(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option update_longs[] = {
		{"defconfig", 1, NULL, 'f'},
		{"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct loaded l = {.text = NULL};
	const char *file = NULL;
	char *extra = NULL;
	struct dom_info d;
	int opt, rc = XL_FAIL;
	uint32_t domid;

	while ((opt = xl_getopt(cmd, argc, argv, "df:q", update_longs, 1)) !=
	       -1)
		if (opt == 'f')
			file = optarg;
	fprintf(stderr, UPDATE_WARNING "\n");
	domid = host_need(argv[optind++]);
	if (!load_operands(argc - optind, argv + optind, &file, &extra))
		return XL_FAIL;
	if (!file && !*extra)
		xl_fail("no configuration: name a file or settings");
	else if (load_config(&l, file, extra) && host_domain(domid, &d))
		rc = update(&l, domid, &d);
	load_free(&l);
	free(extra);
	return rc;
}

const struct xl_cmd cmd_config_update = {
	.name = "config-update",
	.usage = "<Domain> <ConfigFile> [options] [vars]",
	.summary = "Update a running domain's saved configuration, used when "
		   "rebuilding the domain after reboot.\n" UPDATE_WARNING,
	.options = "-h                      Print this help.\n"
		   "-f FILE, --defconfig=FILE\n"
		   "                        Use the given configuration file.\n"
		   "-d                      Enable debug messages.",
	.run = run_update,
	.changes = true,
	.dryrun = true,
};
