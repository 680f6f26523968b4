/* SPDX-License-Identifier: MIT */
/* xl dmesg, xl debug-keys: the hypervisor's own console. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "xl.h"

/* The ring is read a piece at a time; index says where to go on. */
static int run_dmesg(const struct xl_cmd *cmd, int argc, char **argv)
{
	enum { PIECE = 32768 };
	char *buf = malloc(PIECE);
	uint32_t index = 0;
	unsigned int n;
	static const struct option longs[] = {{"clear", 0, NULL, 'c'},
					      {NULL, 0, NULL, 0}};
	bool clear = false;
	int opt, rc = XL_OK;

	while ((opt = xl_getopt(cmd, argc, argv, "c", longs, 0)) != -1)
		clear |= opt == 'c';
	if (!buf)
		return xl_fail("out of memory");
	do {
		n = PIECE;
		if (xc_readconsolering(host_xc(), buf, &n, 0, 1, &index)) {
			rc = xl_fail("cannot read the hypervisor's console: %s",
				     strerror(errno));
			break;
		}
		fwrite(buf, 1, n, stdout);
	} while (n);
	n = 0;
	if (clear && rc == XL_OK &&
	    xc_readconsolering(host_xc(), buf, &n, 1, 0, NULL))
		rc = xl_fail("cannot clear the hypervisor's console: %s",
			     strerror(errno));
	free(buf);
	return rc;
}

const struct xl_cmd cmd_dmesg = {
	.name = "dmesg",
	.usage = "[-c|--clear]",
	.summary = "Read and/or clear dmesg buffer",
	.options = "  -c, --clear               Clear dmesg buffer as well as "
		   "printing it",
	.run = run_dmesg,
};

static int run_debug_keys(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 1);

	if (xc_send_debug_keys(host_xc(), argv[i]))
		return xl_fail("cannot send debug keys: %s", strerror(errno));
	return XL_OK;
}

const struct xl_cmd cmd_debug_keys = {
	.name = "debug-keys",
	.usage = "<Keys>",
	.summary = "Send debug keys to Xen",
	.run = run_debug_keys,
	.changes = true,
};
