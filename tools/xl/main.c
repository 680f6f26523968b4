/* SPDX-License-Identifier: MIT */
/* xl: global options, then the command's own function. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xl.h"

static const struct xl_cmd *exact(const char *name)
{
	for (unsigned int i = 0; i < nr_xl_cmds; i++)
		if (!strcmp(xl_cmds[i]->name, name))
			return xl_cmds[i];
	return NULL;
}

/* The command of that name, or the only one that starts so. */
static const struct xl_cmd *find(const char *name)
{
	const struct xl_cmd *found = exact(name);

	if (found)
		return found;
	for (unsigned int i = 0; i < nr_xl_cmds; i++) {
		if (strncmp(xl_cmds[i]->name, name, strlen(name)))
			continue;
		if (found)
			return NULL;
		found = xl_cmds[i];
	}
	return found;
}

static void print_commands(void)
{
	printf("Usage xl [-vfNtT] <subcommand> [args]\n\n"
	       "xl full list of subcommands:\n\n");
	for (unsigned int i = 0; i < nr_xl_cmds; i++) {
		printf(" %-19s ", xl_cmds[i]->name);
		if (strlen(xl_cmds[i]->name) > 19)
			printf("\n %-19s ", "");
		printf("%s\n", xl_cmds[i]->summary);
	}
}

static int help(const char *topic)
{
	const struct xl_cmd *cmd;

	if (!topic || !strcmp(topic, "help") || !strcmp(topic, "--long")) {
		print_commands();
		return XL_OK;
	}
	cmd = find(topic);
	if (cmd)
		xl_help(cmd);
	else
		printf("command \"%s\" not implemented\n", topic);
	return XL_OK;
}

static int usage(void)
{
	print_commands();
	return XL_FAIL;
}

int main(int argc, char **argv)
{
	const struct xl_cmd *cmd;
	int opt;

	/* A viewer or a daemon that goes away is noticed where it matters. */
	signal(SIGPIPE, SIG_DFL);
	while ((opt = getopt(argc, argv, "+vftTNh")) != -1) {
		switch (opt) {
		case 'v':
			xl_globals.verbose++;
			break;
		case 'f':
			xl_globals.force = true;
			break;
		case 'N':
			xl_globals.dryrun = true;
			break;
		case 't': /* progress with carriage returns: there is none */
			break;
		case 'T':
			xl_globals.timestamps = true;
			break;
		case 'h':
			return help(NULL);
		default:
			return XL_FAIL;
		}
	}
	if (optind >= argc)
		return usage();
	argc -= optind;
	argv += optind;
	optind = 0; /* a fresh start for the command's own options */
	if (!strcmp(argv[0], "help"))
		return help(argv[1]);
	cmd = find(argv[0]);
	if (!cmd) {
		fprintf(stderr, "command not implemented\n");
		return XL_FAIL;
	}
	if (xl_globals.dryrun && !cmd->dryrun)
		return xl_fail("%s does not know how to be tried only (-N)",
			       cmd->name);
	return cmd->run(cmd, argc, argv);
}
