/* SPDX-License-Identifier: MIT */
/* xl dump-core: a guest's memory and processors, into a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmds.h"
#include "host.h"
#include "xl.h"

#define DUMP_DIR "/var/lib/xen/dump"

static int run_dump(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 1);
	uint32_t domid = host_need(argv[i]);
	char path[256];

	snprintf(path, sizeof(path), DUMP_DIR "/domain-%u.core", domid);
	if (argc - i > 1)
		snprintf(path, sizeof(path), "%s", argv[i + 1]);
	else
		mkdir(DUMP_DIR, 0700);
	if (xc_domain_dumpcore(host_xc(), domid, path))
		return xl_fail("cannot dump domain %u to %s: %s", domid, path,
			       strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_dump_core = {
	.name = "dump-core",
	.usage = "<Domain> [<filename>]",
	.summary = "Core dump a domain",
	.run = run_dump,
	.changes = true,
};
