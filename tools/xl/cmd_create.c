/* SPDX-License-Identifier: MIT */
/* xl create: options, configuration, then create.c's steps. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "domjson.h"
#include "loadconf.h"
#include "xl.h"

struct create_opts {
	const char *file;
	bool dryrun, quiet;
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

static int act(struct create_opts *o, struct loaded *l)
{
	if (o->dryrun) {
		if (!o->quiet)
			show(&l->dc);
		return XL_OK;
	}
	return xl_fail("creating domains is not built in yet");
}

static int run_create(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct create_opts o = {.dryrun = xl_globals.dryrun};
	struct loaded l;
	char *extra = NULL;
	int opt, rc = XL_FAIL;

	while ((opt = xl_getopt(cmd, argc, argv, "Fnqf:pcdeVA", longs, 0)) !=
	       -1) {
		o.dryrun |= opt == 'n';
		o.quiet |= opt == 'q';
		if (opt == 'f')
			o.file = optarg;
	}
	if (!load_operands(argc - optind, argv + optind, &o.file, &extra))
		return XL_FAIL;
	if (!o.quiet && o.file)
		fprintf(stderr, "Parsing config from %s\n", o.file);
	if (load_config(&l, o.file, extra))
		rc = act(&o, &l);
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
