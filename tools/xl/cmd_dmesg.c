/* SPDX-License-Identifier: MIT */
/* xl dmesg, xl debug-keys: the hypervisor's own console. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "json.h"
#include "xl.h"

/* The ring is read a piece at a time; index says where to go on. */
static int copy_ring(FILE *out)
{
	char buf[8192];
	uint32_t index = 0;
	unsigned int n;

	do {
		n = sizeof(buf);
		if (xc_readconsolering(host_xc(), buf, &n, 0, 1, &index))
			return xl_fail("cannot read the hypervisor's console: "
				       "%s",
				       strerror(errno));
		fwrite(buf, 1, n, out);
	} while (n);
	return XL_OK;
}

/* An array of lines. */
static int json_ring(void)
{
	char *text = NULL, *line, *next;
	size_t len;
	FILE *all = open_memstream(&text, &len);
	struct json j;
	int rc;

	if (!all)
		return xl_fail("out of memory");
	rc = copy_ring(all);
	fclose(all);
	json_start(&j, stdout);
	json_array(&j, NULL);
	for (next = text; (line = strsep(&next, "\n"));)
		if (next || *line)
			json_string(&j, NULL, line);
	json_array_end(&j);
	json_end(&j);
	free(text);
	return rc;
}

static int run_dmesg(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"clear", 0, NULL, 'c'},
					      {"json", 0, NULL, 'j'},
					      {"help", 0, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	bool clear = false, json = false;
	unsigned int none = 0;
	int opt, rc;

	while ((opt = xl_getopt(cmd, argc, argv, "c", longs, 0)) != -1) {
		clear |= opt == 'c';
		json |= opt == 'j';
	}
	rc = json ? json_ring() : copy_ring(stdout);
	if (clear && rc == XL_OK &&
	    xc_readconsolering(host_xc(), (char *)&none, &none, 1, 0, NULL))
		rc = xl_fail("cannot clear the hypervisor's console: %s",
			     strerror(errno));
	return rc;
}

const struct xl_cmd cmd_dmesg = {
	.name = "dmesg",
	.usage = "[-c|--clear]",
	.summary = "Read and/or clear dmesg buffer",
	.options = "  -c, --clear               Clear dmesg buffer as well as "
		   "printing it\n"
		   "  --json                    Its lines as JSON",
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
