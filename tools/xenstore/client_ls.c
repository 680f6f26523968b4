/* SPDX-License-Identifier: MIT */
/* xenstore-ls: the tree, indented or flat, cut to the terminal's width. */
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

#define VALUE_ROOM 8 /* of ` = "..."` */

static int max_width = 80;

static int print_name(struct client *c, const char *path, const char *name,
		      int depth)
{
	if (c->flat) {
		fputs(path, stdout);
		return 0;
	}
	return depth +
	       printf("%*s%.*s", depth, "", max_width - VALUE_ROOM - depth,
		      name) -
	       depth;
}

static void print_value(struct client *c, const char *value, int len, int width)
{
	char *text = value_escape(value, len);

	if (max_width < width + len + VALUE_ROOM) {
		printf(" = \"%.*s\\...\"", max_width - VALUE_ROOM - width,
		       text);
	} else {
		int dots = max_width < 60 ? max_width : 60;

		width += printf(" = \"%s\"", text);
		if (c->prefix) {
			putchar(' ');
			for (width++; width < dots && !c->flat; width++)
				putchar(width & 1 ? '.' : ' ');
		}
	}
	free(text);
}

static void print_perms(struct client *c, const char *path, const char *name)
{
	unsigned int n;
	struct xs_permissions *p =
		xs_get_permissions(c->xs, XBT_NULL, path, &n);
	char text[16];

	if (!p) {
		warn("\ncould not access permissions for %s", name);
		return;
	}
	fputs("  (", stdout);
	for (unsigned int i = 0; i < n; i++) {
		perm_text(&p[i], text);
		printf("%s%s", i ? "," : "", text);
	}
	putchar(')');
	free(p);
}

static void list(struct client *c, const char *path, int depth);

static void list_one(struct client *c, const char *path, const char *name,
		     int depth)
{
	unsigned int len;
	char *full, *value;
	int width;

	if (asprintf(&full, "%s%s%s", path,
		     path[strlen(path) - 1] == '/' ? "" : "/", name) < 0)
		errx(1, "no memory");
	width = print_name(c, full, name, depth);
	value = xs_read(c->xs, XBT_NULL, full, &len);
	if (value)
		print_value(c, value, len, width);
	else
		printf(":\n");
	free(value);
	if (c->prefix)
		print_perms(c, full, name);
	putchar('\n');
	list(c, full, depth + 1);
	free(full);
}

static void list(struct client *c, const char *path, int depth)
{
	unsigned int n;
	char **names = xs_directory(c->xs, XBT_NULL, path, &n);

	if (!names) {
		if (depth && errno == ENOENT)
			return; /* it went while we were listing */
		err(1, "xs_directory (%s)", path);
	}
	for (unsigned int i = 0; i < n; i++)
		list_one(c, path, names[i], depth);
	free(names);
}

int client_ls(struct client *c, int argc, char **argv)
{
	struct winsize ws = {.ws_col = 0};

	if (c->flat)
		max_width = INT_MAX / 2;
	else if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col > 10)
		max_width = ws.ws_col - 2;
	if (!argc)
		list(c, "/", 0);
	for (int i = 0; i < argc; i++)
		list(c, argv[i], 0);
	return 0;
}
