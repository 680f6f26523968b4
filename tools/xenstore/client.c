/* SPDX-License-Identifier: MIT */
/*
 * xenstore-{read,write,list,ls,rm,chmod,exists,watch}: one program that looks
 * at its name, or as "xenstore" at its first argument. Commands that take
 * several paths do them in one transaction.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static int do_read(struct client *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		unsigned int len;
		char *value = xs_read(c->xs, c->t, argv[i], &len), *text;

		if (!value) {
			warnx("couldn't read path %s", argv[i]);
			return 1;
		}
		if (c->prefix)
			out_text("%s: ", argv[i]);
		if (c->raw) {
			out_bytes(value, len);
		} else {
			text = value_escape(value, len);
			out_text("%s\n", text);
			free(text);
		}
		free(value);
	}
	return 0;
}

static int do_write(struct client *c, int argc, char **argv)
{
	for (int i = 0; i + 1 < argc; i += 2) {
		char *value = strdup(argv[i + 1]);
		size_t len;
		bool ok;

		if (!value)
			errx(1, "no memory");
		len = c->raw ? strlen(value) : value_unescape(value);
		ok = xs_write(c->xs, c->t, argv[i], value, len);
		free(value);
		if (!ok) {
			warnx("could not write path %s", argv[i]);
			return 1;
		}
	}
	return 0;
}

static int do_exists(struct client *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char *value = xs_read(c->xs, c->t, argv[i], NULL);

		if (!value)
			return 1;
		free(value);
	}
	return 0;
}

static int do_list(struct client *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		unsigned int n;
		char **names = xs_directory(c->xs, c->t, argv[i], &n);

		if (!names) {
			warnx("could not list path %s", argv[i]);
			return 1;
		}
		for (unsigned int k = 0; k < n; k++) {
			if (c->prefix)
				out_text("%s/", argv[i]);
			out_text("%s\n", names[k]);
		}
		free(names);
	}
	return 0;
}

static bool is_empty(struct client *c, const char *path)
{
	unsigned int len, n = 1;
	char *value = xs_read(c->xs, c->t, path, &len), **names = NULL;

	if (value && !len)
		names = xs_directory(c->xs, c->t, path, &n);
	free(value);
	free(names);
	return names && !n;
}

static int remove_one(struct client *c, const char *path)
{
	if (xs_rm(c->xs, c->t, path))
		return 0;
	warnx("could not remove path %s", path);
	return 1;
}

/* -t: directories above that are empty then go too. */
static int remove_tidy(struct client *c, const char *path)
{
	char *p = strdup(path), *slash;
	int rc = 1;

	if (!p)
		errx(1, "no memory");
	do {
		rc = remove_one(c, p);
		slash = strrchr(p, '/');
		if (rc || !slash)
			break;
		*slash = '\0';
	} while (is_empty(c, p));
	free(p);
	return rc;
}

static int do_rm(struct client *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (c->tidy ? remove_tidy(c, argv[i]) : remove_one(c, argv[i]))
			return 1;
	return 0;
}

static void chmod_one(struct client *c, const char *path,
		      struct xs_permissions *p, int n)
{
	if (path[0] && !xs_set_permissions(c->xs, c->t, path, p, n))
		err(1, "Error occurred setting permissions on '%s'", path);
}

static void chmod_below(struct client *c, const char *path,
			struct xs_permissions *p, int n)
{
	unsigned int kids;
	char **names = xs_directory(c->xs, c->t, path, &kids), *kid;

	for (unsigned int i = 0; names && i < kids; i++) {
		if (asprintf(&kid, "%s/%s", path, names[i]) < 0)
			errx(1, "no memory");
		chmod_one(c, kid, p, n);
		chmod_below(c, kid, p, n);
		free(kid);
	}
	free(names);
}

static void chmod_above(struct client *c, const char *path,
			struct xs_permissions *p, int n)
{
	char *up = strdup(path), *slash;

	if (!up)
		errx(1, "no memory");
	while ((slash = strrchr(up, '/')) && slash != up) {
		*slash = '\0';
		chmod_one(c, up, p, n);
	}
	free(up);
}

static struct xs_permissions parse_perm(const char *text)
{
	static const char letters[] = "nrwb";
	const char *l = text[0] ? strchr(letters, text[0]) : NULL;

	if (!l)
		errx(1, "Invalid permission specification: '%c'", text[0]);
	return (struct xs_permissions){.id = atoi(text + 1),
				       .perms = l - letters};
}

static int do_chmod(struct client *c, int argc, char **argv)
{
	struct xs_permissions *p = calloc(argc, sizeof(*p));
	int n = argc - 1;

	if (!p)
		errx(1, "no memory");
	for (int i = 0; i < n; i++)
		p[i] = parse_perm(argv[i + 1]);
	chmod_one(c, argv[0], p, n);
	if (c->upto)
		chmod_above(c, argv[0], p, n);
	if (c->recurse)
		chmod_below(c, argv[0], p, n);
	free(p);
	return 0;
}

static int do_watch(struct client *c, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!xs_watch(c->xs, argv[i], argv[i]))
			errx(1, "Unable to add watch on %s\n", argv[i]);
	for (int n = 0; c->events < 0 || n < c->events; n++) {
		char **vec = xs_read_watch(c->xs, NULL);

		if (!vec)
			err(1, "waiting for an event");
		printf("%s\n", vec[XS_WATCH_PATH]);
		fflush(stdout);
		free(vec);
	}
	return 0;
}

const struct client_command client_commands[] = {
	{"read", "pR", "[-h] [-p] [-s] [-R] key [...]", 1, 1, do_read},
	{"write", "R", "[-h] [-s] [-R] key value [...]", 2, 2, do_write},
	{"rm", "t", "[-h] [-s] [-t] key [...]", 1, 0, do_rm},
	{"exists", "", "[-h] [-p] [-s] key [...]", 1, 0, do_exists},
	{"list", "p", "[-h] [-p] [-s] key [...]", 1, 0, do_list},
	{"ls", "fp", "[-h] [-f] [-p] [-s] [path]", 0, -1, client_ls},
	{"chmod", "ur", "[-h] [-u] [-r] [-s] key <mode [modes...]>", 1, 0,
	 do_chmod},
	{"watch", "n", "[-h] [-n NR] key", 1, -1, do_watch},
	{NULL, NULL, NULL, 0, 0, NULL},
};

static const struct option long_options[] = {
	{"help", 0, NULL, 'h'},
	{"flat", 0, NULL, 'f'},
	{"prefix", 0, NULL, 'p'},
	{"tidy", 0, NULL, 't'},
	{"upto", 0, NULL, 'u'},
	{"recurse", 0, NULL, 'r'},
	{"number", 1, NULL, 'n'},
	{"raw", 0, NULL, 'R'},
	{0},
};

static const char *program;
static bool by_argument; /* "xenstore read", not "xenstore-read" */

__attribute__((noreturn)) static void usage(const struct client_command *cmd)
{
	if (!cmd)
		errx(1, "Usage: %s <mode> [-h] [...]", program);
	errx(1, "Usage: %s %s%s%s", program, by_argument ? cmd->name : "",
	     by_argument ? " " : "", cmd->usage);
}

static const struct client_command *find(const char *name)
{
	const struct client_command *cmd = client_commands;

	while (cmd->name && strcmp(cmd->name, name))
		cmd++;
	if (!cmd->name)
		errx(1, "unknown mode %s\n", name);
	return cmd;
}

static void one_option(struct client *c, int o)
{
	switch (o) {
	case 'f':
		c->flat = true;
		break;
	case 'p':
		c->prefix = true;
		break;
	case 't':
		c->tidy = true;
		break;
	case 'u':
		c->upto = true;
		break;
	case 'r':
		c->recurse = true;
		break;
	case 'R':
		c->raw = true;
		break;
	default:
		c->events = atoi(optarg);
	}
}

static void parse(struct client *c, const struct client_command *cmd, int argc,
		  char **argv)
{
	int o;

	while ((o = getopt_long(argc, argv, "hfspturn:R", long_options,
				NULL)) != -1) {
		if (o == 's') /* once: over the socket only */
			continue;
		if (o == '?' || !strchr(cmd->options, o))
			usage(cmd);
		one_option(c, o);
	}
	argc -= optind;
	if (argc < cmd->min_args || (cmd->min_args == 2 && argc % 2))
		usage(cmd);
}

static int run(struct client *c, const struct client_command *cmd, int argc,
	       char **argv)
{
	bool whole = cmd->alone_args >= 0 && argc > cmd->alone_args;
	int rc;

	for (;;) {
		if (whole) {
			c->t = xs_transaction_start(c->xs);
			if (!c->t)
				errx(1, "couldn't start transaction");
		}
		rc = cmd->fn(c, argc, argv);
		if (!whole || xs_transaction_end(c->xs, c->t, rc))
			return rc;
		if (rc || errno != EAGAIN)
			errx(1, "couldn't end transaction");
		out_drop();
	}
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	const struct client_command *cmd;
	struct client c = {.events = -1};
	int rc;

	program = argv[0];
	if (!strncmp(name, "xenstore-", 9)) {
		cmd = find(name + 9);
	} else {
		by_argument = true;
		if (argc < 2)
			usage(NULL);
		cmd = find(argv[1]);
		argc--;
		argv++;
	}
	parse(&c, cmd, argc, argv);
	c.xs = xs_open(0);
	if (!c.xs)
		err(1, "xs_open");
	rc = run(&c, cmd, argc - optind, argv + optind);
	out_flush();
	xs_close(c.xs);
	return rc;
}
