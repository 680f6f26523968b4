/* SPDX-License-Identifier: MIT */
/*
 * A domain's configuration from what a command was given: a file, settings on
 * the command line, or the text kept from before.
 */
#ifndef OSTLER_XL_LOADCONF_H
#define OSTLER_XL_LOADCONF_H

#include "domconf.h"

struct loaded {
	struct domain_config dc;
	struct cfg cfg;
	char *text; /* all of it, for keeping; malloced */
	size_t len;
};

/*
 * file may be NULL; extra is settings, a line each, or NULL. Complaints go to
 * standard error.
 */
bool load_config(struct loaded *l, const char *file, const char *extra);
/* From text that was kept. */
bool load_text(struct loaded *l, const char *name, const char *text);
void load_free(struct loaded *l);
/* A fresh UUID and MAC addresses where none were given. */
void load_fill_in(struct loaded *l);

/*
 * Sorts operands into a file (the first without '=') and settings, which are
 * joined, malloced, into *extra. False (said why) if two files are named.
 */
bool load_operands(int argc, char **argv, const char **file, char **extra);

#endif
