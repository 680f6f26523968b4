/* SPDX-License-Identifier: MIT */
/* xl destroy: at once, without asking the guest. */
#include "cmds.h"
#include "destroy.h"
#include "host.h"
#include "xl.h"

static int run_destroy(const struct xl_cmd *cmd, int argc, char **argv)
{
	bool force = false;
	uint32_t domid;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "f", NULL, 1)) != -1)
		force |= opt == 'f';
	domid = host_need(argv[optind]);
	if (!domid && !force)
		return xl_fail("Not destroying domain 0; use -f to force.\n"
			       "This can only be done when using a "
			       "disaggregated hardware domain and toolstack.");
	return destroy_domain(domid) ? XL_OK : XL_FAIL;
}

const struct xl_cmd cmd_destroy = {
	.name = "destroy",
	.usage = "[options] <Domain>",
	.summary = "Terminate a domain immediately",
	.options = "-f                      Permit destroying domain 0, which "
		   "will only succeed\n"
		   "                        when run from disaggregated "
		   "toolstack domain with a\n"
		   "                        hardware domain distinct from "
		   "domain 0.",
	.run = run_destroy,
	.changes = true,
};
