/* SPDX-License-Identifier: MIT */
/*
 * A node of the store: its value, permissions and children. Nodes are
 * reference-counted and never changed while anybody else refers to them; a
 * tree is a reference to its root, so keeping one keeps that state of the
 * store. Changing functions take a slot (where the reference is kept) and put
 * a private copy there when it is shared.
 */
#ifndef OSTLER_XENSTORE_NODE_H
#define OSTLER_XENSTORE_NODE_H

#include <stddef.h>
#include <stdint.h>

struct dir;
struct perms;

struct node {
	uint32_t refs;
	uint32_t len;
	uint64_t gen; /* when value or permissions last changed */
	struct perms *perms;
	struct dir *kids;
	char value[];
};

/* Takes over the references to @perms and @kids. */
struct node *node_new(struct perms *perms, struct dir *kids, const void *value,
		      size_t len, uint64_t gen);

static inline struct node *node_get(struct node *n)
{
	n->refs++;
	return n;
}

void node_put(struct node *n);

/* Makes *@slot a node that only it refers to, and returns it. */
struct node *node_own(struct node **slot);

void node_set_value(struct node **slot, const void *value, size_t len,
		    uint64_t gen);

/* Takes over the reference to @perms. */
void node_set_perms(struct node **slot, struct perms *perms, uint64_t gen);

/*
 * The node at @path (absolute, valid) or NULL; *@above, if given, is the
 * nearest node on the way that exists (the node itself when found).
 */
struct node *tree_find(struct node *root, const char *path,
		       struct node **above);

/* The slot of @path, which exists, after making the way to it private. */
struct node **tree_edit(struct node **root, const char *path, size_t len);

/* Adds @child at @path, whose parent exists; takes over the reference. */
void tree_insert(struct node **root, const char *path, size_t len,
		 struct node *child, uint64_t gen);

/* Takes @path out, which exists and is not the root; the caller's to put. */
struct node *tree_remove(struct node **root, const char *path, uint64_t gen);

/* What a node called by @namelen bytes costs its owner. */
size_t node_cost(const struct node *n, size_t namelen);

/*
 * Calls @fn for @n and all below it, parents first; @path (PATH_BUF bytes)
 * starts with @n's path. If @fn returns WALK_SKIP the children are left out,
 * any other non-zero value ends the walk and is returned.
 */
#define WALK_SKIP (-1)
int tree_walk(struct node *n, char *path,
	      int (*fn)(void *arg, const char *path, struct node *n),
	      void *arg);

/* Checks a whole tree; NULL or what is wrong. */
const char *tree_check(struct node *root);

#endif
