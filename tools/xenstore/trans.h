/* SPDX-License-Identifier: MIT */
/*
 * Transactions. One is a reference to the tree as it was at the start, a tree
 * of its own, and a list of what it looked at and did. If the store is still
 * the same tree at the end, the own tree becomes the store. If not, each path
 * that was read or written must be as it was, and what was done is done again
 * on the store as it is; else the end is EAGAIN.
 *
 * A client that gets EAGAIN several times in a row has the store to itself
 * during its next transaction: others' changes wait, for a bounded time.
 */
#ifndef OSTLER_XENSTORE_TRANS_H
#define OSTLER_XENSTORE_TRANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"
#include "list.h"
#include "perms.h"
#include "store.h"

struct conn;
struct debt;

enum {
	SAW_EXIST = 1, /* whether it is there */
	SAW_NODE = 2,  /* its value or permissions */
	SAW_KIDS = 4,  /* the list of its children */
	DID_CHANGE = 8,
	DID_REMOVE = 16,
};

struct access {
	struct hlink link;
	struct access *next;
	uint8_t what;
	char path[];
};

enum op_kind { OP_WRITE, OP_MKDIR, OP_RM, OP_SET_PERMS };

struct op {
	struct op *next;
	enum op_kind kind;
	uint32_t pathlen; /* with its nul */
	uint32_t len;     /* bytes of value, or number of perms */
	char data[];      /* path, then the value or struct perm[] */
};

struct trans {
	struct list mine; /* the connection's */
	struct conn *c;
	uint32_t id;
	uint32_t nodes;    /* paths in seen */
	bool failed, gave; /* gave: it set permissions */
	uint32_t deaths;   /* domain_deaths at the start */
	size_t bytes;
	struct node *base;
	struct view view;
	struct htab seen;
	struct access *first, **last;
	struct op *ops, **ops_last;
};

/* The transaction @id of @c or NULL. */
struct trans *trans_find(struct conn *c, uint32_t id);

/* 0 or an errno; *@t is the new one. */
int trans_start(struct conn *c, struct trans **t);

/* One as a previous daemon had it; its trees are the caller's to set. */
struct trans *trans_restore(struct conn *c, uint32_t id);

/* Records an access: 0, or an errno when there are too many. */
int trans_saw(struct trans *t, const char *path, uint8_t what);

/* Records a change that was made; the same errors. */
int trans_did(struct trans *t, enum op_kind kind, const char *path,
	      const void *data, uint32_t len);

/* Ends it: 0, EAGAIN, or another errno. It is gone in any case. */
int trans_commit(struct trans *t, struct debt *debt);
void trans_abort(struct trans *t);

void trans_drop_all(struct conn *c);

/* Must a change by @c wait for another's turn alone? */
bool trans_must_wait(const struct conn *c);
void trans_release_hold(struct conn *c);

#endif
