/* SPDX-License-Identifier: MIT */
/* xl domid, xl domname, xl rename: numbers and names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "json.h"
#include "xl.h"

static void json_domain(uint32_t domid, const char *name)
{
	struct json j;

	json_start(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "name", name);
	json_uint(&j, "domid", domid);
	json_object_end(&j);
	json_end(&j);
}

static int run_domid(const struct xl_cmd *cmd, int argc, char **argv)
{
	bool json = xl_wants_json(cmd, argc, argv, 1);
	const char *name = argv[optind];
	uint32_t domid;

	if (!host_by_name(name, &domid)) {
		fprintf(stderr,
			"Can't get domid of domain name '%s', maybe this "
			"domain does not exist.\n",
			name);
		return XL_FAIL;
	}
	if (json)
		json_domain(domid, name);
	else
		printf("%u\n", domid);
	return XL_OK;
}

const struct xl_cmd cmd_domid = {
	.name = "domid",
	.usage = "<DomainName>",
	.summary = "Convert a domain name to domain id",
	.options = "--json             Facts as JSON",
	.run = run_domid,
};

static int run_domname(const struct xl_cmd *cmd, int argc, char **argv)
{
	bool json = xl_wants_json(cmd, argc, argv, 1);
	char *name;
	long domid;

	if (!xl_number("the domain id", argv[optind], 0,
		       DOMID_FIRST_RESERVED - 1, &domid))
		return XL_FAIL;
	name = host_name((uint32_t)domid);
	if (!name) {
		fprintf(stderr,
			"Can't get domain name of domain id '%ld', maybe this "
			"domain does not exist.\n",
			domid);
		return XL_FAIL;
	}
	if (json)
		json_domain((uint32_t)domid, name);
	else
		puts(name);
	free(name);
	return XL_OK;
}

const struct xl_cmd cmd_domname = {
	.name = "domname",
	.usage = "<DomainId>",
	.summary = "Convert a domain id to domain name",
	.options = "--json             Facts as JSON",
	.run = run_domname,
};

static int run_rename(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t domid = host_need(argv[i]), other;
	const char *name = argv[i + 1];
	char *vm;
	bool ok;

	if (!*name || strpbrk(name, "/\n"))
		return xl_fail("'%s' cannot be a domain's name: it is empty or "
			       "holds '/' or a line end",
			       name);
	if (strspn(name, "0123456789") < strlen(name) &&
	    host_lookup(name, &other) && other != domid)
		return xl_fail("domain %u has the name '%s' already", other,
			       name);
	ok = host_write(name, "/local/domain/%u/name", domid);
	vm = host_read("/local/domain/%u/vm", domid);
	if (ok && vm)
		ok = host_write(name, "%s/name", vm);
	free(vm);
	return ok ? XL_OK
		  : xl_fail("cannot rename domain %u: %s", domid,
			    strerror(errno));
}

const struct xl_cmd cmd_rename = {
	.name = "rename",
	.usage = "<Domain> <NewDomainName>",
	.summary = "Rename a domain",
	.run = run_rename,
	.changes = true,
};
