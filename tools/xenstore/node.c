/* SPDX-License-Identifier: MIT */
/* Nodes, and finding and changing them by path. */
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "mem.h"
#include "node.h"
#include "path.h"
#include "perms.h"

struct node *node_new(struct perms *perms, struct dir *kids, const void *value,
		      size_t len, uint64_t gen)
{
	struct node *n = mem_alloc(sizeof(*n) + len);

	n->refs = 1;
	n->len = len;
	n->gen = gen;
	n->perms = perms;
	n->kids = kids;
	if (len)
		memcpy(n->value, value, len);
	return n;
}

void node_put(struct node *n)
{
	if (--n->refs)
		return;
	dir_put(n->kids);
	perms_put(n->perms);
	free(n);
}

struct node *node_own(struct node **slot)
{
	struct node *n = *slot;

	if (n->refs == 1)
		return n;
	*slot = node_new(perms_get(n->perms), dir_get(n->kids), n->value,
			 n->len, n->gen);
	n->refs--;
	return *slot;
}

void node_set_value(struct node **slot, const void *value, size_t len,
		    uint64_t gen)
{
	struct node *n = *slot;

	if (n->refs > 1) {
		*slot = node_new(perms_get(n->perms), dir_get(n->kids), value,
				 len, gen);
		n->refs--;
		return;
	}
	if (n->len != len)
		n = *slot = mem_realloc(n, sizeof(*n) + len);
	n->len = len;
	n->gen = gen;
	if (len)
		memcpy(n->value, value, len);
}

void node_set_perms(struct node **slot, struct perms *perms, uint64_t gen)
{
	struct node *n = node_own(slot);

	perms_put(n->perms);
	n->perms = perms;
	n->gen = gen;
}

struct node *tree_find(struct node *root, const char *path, struct node **above)
{
	struct node *n = root, *next;
	const char *p = path + 1;

	while (*p) {
		size_t len = path_component(p);

		next = dir_find(n->kids, p, len);
		if (!next)
			break;
		n = next;
		p += len;
		if (*p)
			p++;
	}
	if (above)
		*above = n;
	return *p ? NULL : n;
}

struct node **tree_edit(struct node **root, const char *path, size_t len)
{
	const char *p = path + 1, *end = path + len;
	struct node **slot = root;

	while (p < end) {
		size_t n = path_component(p);

		if (p + n > end)
			n = end - p;
		slot = dir_edit(&node_own(slot)->kids, p, n);
		p += n + 1;
	}
	return slot;
}

void tree_insert(struct node **root, const char *path, size_t len,
		 struct node *child, uint64_t gen)
{
	size_t parent = len;
	struct node **slot;

	while (path[--parent] != '/')
		;
	slot = tree_edit(root, path, parent ? parent : 1);
	dir_insert(&node_own(slot)->kids, path + parent + 1, len - parent - 1,
		   child, gen);
}

struct node *tree_remove(struct node **root, const char *path, uint64_t gen)
{
	const char *name = strrchr(path, '/') + 1;
	struct node **slot = tree_edit(root, path, path_parent(path));

	return dir_remove(&node_own(slot)->kids, name, strlen(name), gen);
}

size_t node_cost(const struct node *n, size_t namelen)
{
	return sizeof(*n) + n->len + namelen + 1 + sizeof(void *);
}

struct walk {
	char *path;
	size_t len;
	int (*fn)(void *arg, const char *path, struct node *n);
	void *arg;
};

static int walk_node(struct walk *w, struct node *n);

static int walk_child(void *arg, const char *name, struct node *n)
{
	struct walk *w = arg;
	size_t len = w->len, nlen = strlen(name);
	int rc;

	if (len > 1)
		w->path[w->len++] = '/';
	memcpy(w->path + w->len, name, nlen + 1);
	w->len += nlen;
	rc = walk_node(w, n);
	w->len = len;
	w->path[len] = '\0';
	return rc;
}

static int walk_node(struct walk *w, struct node *n)
{
	int rc = w->fn(w->arg, w->path, n);

	if (rc)
		return rc == WALK_SKIP ? 0 : rc;
	return dir_each(n->kids, walk_child, w);
}

int tree_walk(struct node *n, char *path,
	      int (*fn)(void *arg, const char *path, struct node *n), void *arg)
{
	struct walk w = {path, strlen(path), fn, arg};

	return walk_node(&w, n);
}

static int check_one(void *arg, const char *path, struct node *n)
{
	const char **wrong = arg;

	(void)path;
	*wrong = !n->refs || !n->perms || !n->perms->n
			 ? "a node without references or permissions"
			 : dir_check(n->kids);
	return *wrong != NULL;
}

const char *tree_check(struct node *root)
{
	char path[PATH_BUF] = "/";
	const char *wrong = NULL;

	tree_walk(root, path, check_one, &wrong);
	return wrong;
}
