/* SPDX-License-Identifier: MIT */
/*
 * The store: the tree that everybody sees, and the operations on it or on a
 * transaction's own tree, with permissions and quotas applied. Operations
 * return 0 or an errno that the protocol gives for the case; they change
 * nothing when they fail.
 */
#ifndef OSTLER_XENSTORE_STORE_H
#define OSTLER_XENSTORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perms.h"

struct node;

struct usage {
	uint16_t domid;
	long nodes, bytes;
};

/* A tree and what it would add to the domains' use, if it is not the store. */
struct view {
	struct node *root;
	bool is_store;
	unsigned int n;
	struct usage *use;
};

extern struct view store;
extern uint64_t store_gen; /* counts changes */

/* Makes the store with its first nodes; store_exit() frees it all. */
void store_init(void);
void store_exit(void);

/* Another view of the present state. */
void view_fork(struct view *v);
/* Makes @v the store and adds up its use; @v is empty afterwards. */
void view_commit(struct view *v);
void view_drop(struct view *v);
/* Nodes that @domid owns in @v. */
long view_nodes(const struct view *v, unsigned int domid);
/* Bytes that @v adds in all. */
long view_bytes(const struct view *v);

/* The node at @path if @who has @need (PERM_*) of it. */
int store_get(const struct view *v, const struct who *who, const char *path,
	      unsigned int need, struct node **out);

int store_write(struct view *v, const struct who *who, const char *path,
		const void *value, size_t len);

/* *@made: it did not exist. */
int store_mkdir(struct view *v, const struct who *who, const char *path,
		bool *made);

/* *@gone: what was there, the caller's to put, or NULL: nothing. */
int store_rm(struct view *v, const struct who *who, const char *path,
	     struct node **gone);

/* *@old: the permissions before, the caller's to put. */
int store_set_perms(struct view *v, const struct who *who, const char *path,
		    const struct perm *p, unsigned int n, struct perms **old);

/* The nodes of @domid are removed, or dom0's from now on. */
void store_forget_domain(unsigned int domid, bool keep,
			 void (*removed)(const char *path, struct node *n));

/* Counts every node again; NULL or what is wrong. */
const char *store_check(void);

#endif
