/* SPDX-License-Identifier: MIT */
/* xl sharing: how much of each domain's memory is shared pages. */
#include <stdio.h>
#include <stdlib.h>

#include "cmds.h"
#include "host.h"
#include "json.h"
#include "xl.h"

static void print(const struct dom_info *d, struct json *j)
{
	char *name = host_name(d->domid);

	if (j) {
		json_object(j, NULL);
		json_string(j, "name", name);
		json_uint(j, "domid", d->domid);
		json_uint(j, "memory_kb", d->memory_kb);
		json_uint(j, "shared_kb", d->shared_kb);
		json_object_end(j);
	} else {
		printf("%-40s %5u %5llu  %5llu\n", name ? name : "", d->domid,
		       (unsigned long long)(d->memory_kb - d->shared_kb +
					    d->outstanding_kb) >>
			       10,
		       (unsigned long long)d->shared_kb >> 10);
	}
	free(name);
}

static int run_sharing(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct json j, *out = xl_wants_json(cmd, argc, argv, 0) ? &j : NULL;
	unsigned int nr = 1;
	struct dom_info one, *list = NULL;

	if (argc - optind > 1) {
		xl_help(cmd);
		return XL_FAIL;
	}
	if (optind == argc)
		list = host_domains(&nr);
	else if (!host_domain(host_need(argv[optind]), &one))
		return XL_FAIL;
	if (out) {
		json_start(out, stdout);
		json_array(out, NULL);
	} else {
		printf("Name                                        ID   Mem "
		       "Shared\n");
	}
	for (unsigned int i = 0; i < nr; i++)
		print(list ? &list[i] : &one, out);
	if (out) {
		json_array_end(out);
		json_end(out);
	}
	free(list);
	return XL_OK;
}

const struct xl_cmd cmd_sharing = {
	.name = "sharing",
	.usage = "[Domain]",
	.summary = "Get information about page sharing",
	.options = "--json             Facts as JSON",
	.run = run_sharing,
};
