/* SPDX-License-Identifier: MIT */
/* xl devd: the hotplug daemon of driver domains, of which there are none. */
#include <stddef.h>

#include "cmds.h"
#include "xl.h"

static int run_devd(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"help", 0, NULL, 'h'},
					      {"pidfile", 1, NULL, 'p'},
					      {NULL, 0, NULL, 0}};

	while (xl_getopt(cmd, argc, argv, "Fp:", longs, 0) != -1)
		continue;
	return xl_fail("devd serves driver domains, and those are not "
		       "supported: dom0's devices are attached by xl itself");
}

const struct xl_cmd cmd_devd = {
	.name = "devd",
	.usage = "[options]",
	.summary = "Daemon that listens for devices and launches backends",
	.options = "-F                      Run in the foreground\n"
		   "-p, --pidfile [FILE]    Write PID to pidfile when "
		   "daemonizing.",
	.run = run_devd,
};
