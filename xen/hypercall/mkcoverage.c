/* SPDX-License-Identifier: MIT */
/*
 * Writes docs/abi-coverage.md from the table of hypercalls. Runs on the host,
 * at build time.
 */
#include <stdio.h>
#include <string.h>

struct row {
	const char *call, *command, *who, *argument;
};

static const struct row rows[] = {
#define CALL(nr, name, fn, who)               {#name, NULL, #who, NULL},
#define GROUP(nr, name)                       {#name, NULL, "ANY", NULL},
#define SUBOP(group, cmd, fn, type, dir, who) {#group, #cmd, #who, #type},
#define SUBOP0(group, cmd, fn, who)           {#group, #cmd, #who, NULL},
#define CMD(call, cmd, name, who)             {#call, #cmd, #who, NULL},
#define WHOLE(nr, name, fn, type, dir, who)   {#name, NULL, #who, #type},
#include "hypercall/table.def"
#include "hypercall/undef.h"
};

static const char *who_text(const char *who)
{
	if (!strcmp(who, "PRIV"))
		return "dom0";
	return !strcmp(who, "CHECKED") ? "by the domain it names" : "anyone";
}

int main(void)
{
	puts("# What of Xen's ABI is there\n\n"
	     "Made from `xen/hypercall/table.def` by "
	     "`xen/hypercall/mkcoverage`; "
	     "do not edit.\nWhat is not listed is answered with `-ENOSYS` and "
	     "logged once.\n\n"
	     "| hypercall | command | who may call |\n|---|---|---|");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("| `%s` | %s%s%s | %s |\n", rows[i].call,
		       rows[i].command ? "`" : "",
		       rows[i].command ? rows[i].command : "",
		       rows[i].command ? "`" : "", who_text(rows[i].who));
	return 0;
}
