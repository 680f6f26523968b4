/* SPDX-License-Identifier: MIT */
/* xl qemu-monitor-command: a line for the device model's monitor. */
#include <stdio.h>
#include <stdlib.h>

#include "cmds.h"
#include "host.h"
#include "qmp.h"
#include "xl.h"

static int run_monitor(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t domid = host_need(argv[i]);
	char error[256], *output;

	if (argc - i > 2) {
		fprintf(stderr, "Invalid arguments.\n");
		return XL_FAIL;
	}
	output = qmp_human(domid, argv[i + 1], error, sizeof(error));
	if (!output)
		return xl_fail("domain %u: %s", domid, error);
	printf("%s\n", output);
	free(output);
	return XL_OK;
}

const struct xl_cmd cmd_qemu_monitor_command = {
	.name = "qemu-monitor-command",
	.usage = "<Domain> <Command>",
	.summary = "Issue a qemu monitor command to the device model of a "
		   "domain",
	.run = run_monitor,
	.changes = true,
};
