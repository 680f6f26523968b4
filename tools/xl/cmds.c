/* SPDX-License-Identifier: MIT */
/* The table of commands; each entry lives in its command's file. */
#include <stddef.h>

#include "cmds.h"

#define X(name) &cmd_##name,
const struct xl_cmd *const xl_cmds[] = {XL_COMMANDS(X)};
#undef X

const unsigned int nr_xl_cmds = ARRAY_SIZE(xl_cmds);

const struct option xl_json_longs[] = {
	{"json", 0, NULL, 'j'}, {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};

bool xl_wants_json(const struct xl_cmd *cmd, int argc, char **argv, int min)
{
	bool json = false;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "", xl_json_longs, min)) != -1)
		json |= opt == 'j';
	return json;
}
