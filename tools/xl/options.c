/* SPDX-License-Identifier: MIT */
/* Options, help and complaints, the same for every command. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "xl.h"

struct xl_globals xl_globals;

static const struct option no_longs[] = {{"help", 0, NULL, 'h'},
					 {NULL, 0, NULL, 0}};

void xl_help(const struct xl_cmd *cmd)
{
	printf("Usage: xl [-vtT%s%s] %s %s\n\n%s.\n\n", cmd->changes ? "f" : "",
	       cmd->dryrun ? "N" : "", cmd->name, cmd->usage, cmd->summary);
	if (cmd->options)
		printf("Options:\n\n%s\n", cmd->options);
}

int xl_too_few(const struct xl_cmd *cmd, int min)
{
	fprintf(stderr, "'xl %s' requires at least %d argument%s.\n\n",
		cmd->name, min, min == 1 ? "" : "s");
	xl_help(cmd);
	return XL_USAGE;
}

int xl_getopt(const struct xl_cmd *cmd, int argc, char **argv,
	      const char *shorts, const struct option *longs, int min)
{
	char list[64] = "h";
	int opt;

	strncat(list, shorts, sizeof(list) - 2);
	opterr = 0;
	opt = getopt_long(argc, argv, list, longs ? longs : no_longs, NULL);
	if (opt == 'h') {
		xl_help(cmd);
		exit(XL_OK);
	}
	if (opt == '?') {
		if (optopt)
			fprintf(stderr, "option `%c' not supported.\n", optopt);
		else
			fprintf(stderr, "option `%s' not supported.\n",
				argv[optind > 0 ? optind - 1 : 0]);
		exit(XL_USAGE);
	}
	if (opt == -1 && argc - optind < min)
		exit(xl_too_few(cmd, min));
	return opt;
}

int xl_operands(const struct xl_cmd *cmd, int argc, char **argv, int min)
{
	while (xl_getopt(cmd, argc, argv, "", NULL, min) != -1)
		continue;
	return optind;
}

static void say(const char *fmt, va_list ap)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	if (xl_globals.timestamps && localtime_r(&now, &tm) &&
	    strftime(stamp, sizeof(stamp), "%F %T ", &tm))
		fprintf(stderr, "%s[%d] ", stamp, (int)getpid());
	fputs("xl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int xl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return XL_FAIL;
}

void xl_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void xl_note(const char *fmt, ...)
{
	va_list ap;

	if (!xl_globals.verbose)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

bool xl_number(const char *what, const char *s, long min, long max, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(s, &end, 0);
	if (!*s || *end || errno || *n < min || *n > max) {
		xl_fail("expected %s to be a number from %ld to %ld; found "
			"'%s'",
			what, min, max, s);
		return false;
	}
	return true;
}
