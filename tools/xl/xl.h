/* SPDX-License-Identifier: MIT */
/*
 * What every command of xl sees: its own table entry, option parsing, and how
 * to complain. A command is one file, cmd_NAME.c, holding one struct xl_cmd;
 * cmds.c lists them all.
 */
#ifndef OSTLER_XL_XL_H
#define OSTLER_XL_XL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

/* Exit statuses: a wrong call is told from a failed one, as in the stock xl. */
#define XL_OK    0
#define XL_FAIL  1
#define XL_USAGE 2

struct xl_cmd {
	const char *name;
	const char *usage;   /* what follows "xl NAME" */
	const char *summary; /* one line, without a full stop */
	const char *options; /* lines, or NULL */
	int (*run)(const struct xl_cmd *cmd, int argc, char **argv);
	bool changes; /* something: "xl -f" is meant for those */
	bool dryrun;  /* knows "xl -N" */

	/* For those that are refused (cmd_none.c). */
	int least;       /* operands */
	const char *why; /* a sentence without a full stop */
};

extern const struct xl_cmd *const xl_cmds[];
extern const unsigned int nr_xl_cmds;

struct xl_globals {
	int verbose;
	bool dryrun, force, timestamps;
};
extern struct xl_globals xl_globals;

/*
 * getopt_long() with the words that every command knows: -h prints its help
 * and ends the program; an option that is not known ends it with XL_USAGE. When
 * the options are through, fewer than min operands do so too.
 */
int xl_getopt(const struct xl_cmd *cmd, int argc, char **argv,
	      const char *shorts, const struct option *longs, int min);
void xl_help(const struct xl_cmd *cmd);
/* Complains that min operands are wanted. Returns XL_USAGE. */
int xl_too_few(const struct xl_cmd *cmd, int min);

/* For commands with operands only: the index of the first. */
int xl_operands(const struct xl_cmd *cmd, int argc, char **argv, int min);

/* "xl: …" and a line end, on standard error. Returns XL_FAIL. */
int xl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void xl_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* With -v only. */
void xl_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A whole number, or a complaint that names what it was for. */
bool xl_number(const char *what, const char *s, long min, long max, long *n);

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
