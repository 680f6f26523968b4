/* SPDX-License-Identifier: MIT */
/*
 * The children of a node: a B+ tree of reference-counted blocks, sorted by
 * name. Blocks that more than one tree refers to are copied before they are
 * changed, so a reference to the root is a snapshot. A leaf keeps its names
 * as one run of nul-terminated strings: a listing is a few block copies, and
 * any byte offset in it is found without reading what comes before.
 * An empty directory is NULL.
 */
#ifndef OSTLER_XENSTORE_DIR_H
#define OSTLER_XENSTORE_DIR_H

#include <stddef.h>
#include <stdint.h>

struct node;
struct dir;

struct dir *dir_get(struct dir *d);
void dir_put(struct dir *d);

/* When the list of names last changed; 0 for an empty one. */
uint64_t dir_gen(const struct dir *d);

/* Bytes of all names with their nuls. */
size_t dir_bytes(const struct dir *d);

/* The child @name[0..len), without a reference; NULL if there is none. */
struct node *dir_find(const struct dir *d, const char *name, size_t len);

/* Where *@d keeps that child, which exists, after making the way private. */
struct node **dir_edit(struct dir **d, const char *name, size_t len);

/* Adds a child, which does not exist; takes over the caller's reference. */
void dir_insert(struct dir **d, const char *name, size_t len,
		struct node *child, uint64_t gen);

/* Removes a child, which exists; hands its reference to the caller. */
struct node *dir_remove(struct dir **d, const char *name, size_t len,
			uint64_t gen);

/* Copies whole names from byte @off of the listing on; the bytes copied. */
size_t dir_names(const struct dir *d, size_t off, char *buf, size_t max);

/* Calls @fn for each child in order until it returns non-zero. */
int dir_each(const struct dir *d,
	     int (*fn)(void *arg, const char *name, struct node *child),
	     void *arg);

/* Checks order, counts and bytes; NULL or what is wrong. */
const char *dir_check(const struct dir *d);

/*
 * Blocks as they are, for a state dump that keeps what is shared shared.
 * dir_block_new() takes over the references in @ent.
 */
struct dir_entry {
	const char *name;
	void *ptr; /* struct node (level 0) or struct dir */
};
uint32_t dir_refs(const struct dir *d);
unsigned int dir_level(const struct dir *d);
unsigned int dir_entries(const struct dir *d);
struct dir_entry dir_entry(const struct dir *d, unsigned int i);
struct dir *dir_block_new(unsigned int level, uint64_t gen,
			  const struct dir_entry *ent, unsigned int n);

#define DIR_FAN 32 /* most entries of a block */

#endif
