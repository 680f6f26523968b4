/* SPDX-License-Identifier: MIT */
/* xl getenforce, setenforce, loadpolicy: the security module Flask. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cfgfile.h"
#include "cmds.h"
#include "host.h"
#include "xl.h"

/* The stock xl ends with the hypercall's -1, so as a status with 255. */
#define NO_FLASK (-1)

static int run_get(const struct xl_cmd *cmd, int argc, char **argv)
{
	int mode;

	xl_operands(cmd, argc, argv, 0);
	mode = xc_flask_getenforce(host_xc());
	if (mode < 0 && errno == ENOSYS)
		printf("Flask XSM Disabled\n");
	else if (mode < 0)
		fprintf(stderr, "Failed to get enforcing mode\n");
	else
		printf("%s\n", mode ? "Enforcing" : "Permissive");
	return mode < 0 ? NO_FLASK : mode;
}

const struct xl_cmd cmd_getenforce = {
	.name = "getenforce",
	.usage = "",
	.summary = "Returns the current enforcing mode of the Flask Xen "
		   "security module",
	.run = run_get,
};

static int no_flask(const char *what)
{
	if (errno == ENOSYS)
		fprintf(stderr, "Flask XSM disabled\n");
	else
		xl_fail("%s: %s", what, strerror(errno));
	return NO_FLASK;
}

static int run_set(const struct xl_cmd *cmd, int argc, char **argv)
{
	const char *s = argv[xl_operands(cmd, argc, argv, 1)];
	bool on = !strcmp(s, "1") || !strcasecmp(s, "enforcing");

	if (!on && strcmp(s, "0") && strcasecmp(s, "permissive")) {
		xl_help(cmd);
		return XL_USAGE;
	}
	return xc_flask_setenforce(host_xc(), on)
		       ? no_flask("cannot set the enforcing mode")
		       : XL_OK;
}

const struct xl_cmd cmd_setenforce = {
	.name = "setenforce",
	.usage = "<1|0|Enforcing|Permissive>",
	.summary = "Sets the current enforcing mode of the Flask Xen security "
		   "module",
	.run = run_set,
	.changes = true,
};

static int run_load(const struct xl_cmd *cmd, int argc, char **argv)
{
	const char *file = argv[xl_operands(cmd, argc, argv, 1)];
	int rc = XL_OK;
	size_t len;
	char *policy = cfg_read_file(file, &len);

	if (!policy) {
		fprintf(stderr, "Error occurred opening policy file '%s': %s\n",
			file, strerror(errno));
		return NO_FLASK;
	}
	if (xc_flask_load(host_xc(), policy, (uint32_t)len))
		rc = no_flask("cannot load the policy");
	else
		printf("Successfully loaded policy.\n");
	free(policy);
	return rc;
}

const struct xl_cmd cmd_loadpolicy = {
	.name = "loadpolicy",
	.usage = "<policy file>",
	.summary = "Loads a new policy into the Flask Xen security module",
	.run = run_load,
	.changes = true,
};
