/* SPDX-License-Identifier: MIT */
/* The client commands: one table, one program under several names. */
#ifndef OSTLER_XENSTORE_CLIENT_H
#define OSTLER_XENSTORE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

struct client {
	struct xs_handle *xs;
	xs_transaction_t t;
	bool prefix, raw, tidy, upto, recurse, flat;
	int events; /* -n of watch; -1: no end */
};

struct client_command {
	const char *name;
	const char *options; /* getopt letters besides h and s */
	const char *usage;
	int min_args;   /* 0: none are needed */
	int alone_args; /* up to that many need no transaction; -1: never */
	/* Exit status; what it prints goes through out_*(). */
	int (*fn)(struct client *c, int argc, char **argv);
};

extern const struct client_command client_commands[];

/* Output is kept until the transaction is over. */
void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_bytes(const void *p, size_t len);
void out_drop(void);
void out_flush(void);

/* Text for a value, with escapes; malloc'd. */
char *value_escape(const char *value, size_t len);
/* Bytes for text with escapes, written over it; their number. */
size_t value_unescape(char *text);

/* "n0" for a permission. */
void perm_text(const struct xs_permissions *p, char buf[16]);

/* xenstore-ls prints as it goes. */
int client_ls(struct client *c, int argc, char **argv);

#endif
