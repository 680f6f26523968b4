/* SPDX-License-Identifier: MIT */
/* xl console: the client of tools/console, in this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../console/client.h"
#include "cmds.h"
#include "host.h"
#include "xl.h"

/* HVM guests with an emulated serial port show that unless told otherwise. */
static const char *default_type(uint32_t domid)
{
	char *type = host_read("/libxl/%u/type", domid);
	char *tty = host_read("/local/domain/%u/serial/0/tty", domid);
	bool serial = type && tty && !strcmp(type, "hvm");

	free(type);
	free(tty);
	return serial ? "serial" : "pv";
}

static int run_console(const struct xl_cmd *cmd, int argc, char **argv)
{
	const char *type = NULL;
	uint32_t domid;
	long num = 0;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "n:t:", NULL, 1)) != -1) {
		if (opt == 't')
			type = optarg;
		else if (opt == 'n' &&
			 !xl_number("the console", optarg, 0, 255, &num))
			return XL_FAIL;
	}
	if (type && strcmp(type, "pv") && strcmp(type, "serial"))
		return xl_fail("expected the console's type to be pv or "
			       "serial; found '%s'",
			       type);
	domid = host_need(argv[optind]);
	return console_client(host_xs(), domid,
			      type ? type : default_type(domid),
			      (unsigned int)num);
}

const struct xl_cmd cmd_console = {
	.name = "console",
	.usage = "[options] <Domain>",
	.summary = "Attach to domain's console",
	.options = "-t <type>       console type, pv or serial\n"
		   "-n <number>     console number",
	.run = run_console,
};
