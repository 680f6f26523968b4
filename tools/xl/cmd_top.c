/* SPDX-License-Identifier: MIT */
/* xl top: xentop(1), wherever it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "xl.h"

static int run_top(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const char *const places[] = {
		"/usr/sbin/xentop",
		"/usr/lib/xen-4.17/bin/xentop",
	};

	xl_operands(cmd, argc, argv, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
		execl(places[i], "xentop", (char *)NULL);
	execlp("xentop", "xentop", (char *)NULL);
	return xl_fail("cannot run xentop: %s (Debian's package xen-utils "
		       "has it)",
		       strerror(errno));
}

const struct xl_cmd cmd_top = {
	.name = "top",
	.usage = "",
	.summary = "Monitor a host and the domains in real time",
	.run = run_top,
};
