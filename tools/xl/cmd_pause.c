/* SPDX-License-Identifier: MIT */
/* xl pause, xl unpause. */
#include <errno.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "xl.h"

static int run_pause(const struct xl_cmd *cmd, int argc, char **argv)
{
	uint32_t domid = host_need(argv[xl_operands(cmd, argc, argv, 1)]);

	if (xc_domain_pause(host_xc(), domid))
		return xl_fail("cannot pause domain %u: %s", domid,
			       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_pause = {
	.name = "pause",
	.usage = "<Domain>",
	.summary = "Pause execution of a domain",
	.run = run_pause,
	.changes = true,
};

static int run_unpause(const struct xl_cmd *cmd, int argc, char **argv)
{
	uint32_t domid = host_need(argv[xl_operands(cmd, argc, argv, 1)]);

	if (xc_domain_unpause(host_xc(), domid))
		return xl_fail("cannot unpause domain %u: %s", domid,
			       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_unpause = {
	.name = "unpause",
	.usage = "<Domain>",
	.summary = "Unpause a paused domain",
	.run = run_unpause,
	.changes = true,
};
