/* SPDX-License-Identifier: MIT */
/* Operations on the store and on transactions' trees. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "domain.h"
#include "list.h"
#include "log.h"
#include "mem.h"
#include "node.h"
#include "path.h"
#include "store.h"

struct view store = {.is_store = true};
uint64_t store_gen;

static void charge(struct view *v, unsigned int domid, long nodes, long bytes)
{
	unsigned int i = 0;

	if (v->is_store) {
		domain_charge(domid, nodes, bytes);
		return;
	}
	while (i < v->n && v->use[i].domid != domid)
		i++;
	if (i == v->n) {
		v->use = mem_realloc(v->use, (v->n + 1) * sizeof(*v->use));
		v->use[v->n++] = (struct usage){.domid = domid};
	}
	v->use[i].nodes += nodes;
	v->use[i].bytes += bytes;
}

static const struct usage *use_of(const struct view *v, unsigned int domid)
{
	static const struct usage none;

	for (unsigned int i = 0; i < v->n; i++)
		if (v->use[i].domid == domid)
			return &v->use[i];
	return &none;
}

static void init_node(const char *path)
{
	static const struct perm dom0_only;
	struct node *n =
		node_new(perms_intern(&dom0_only, 1), NULL, NULL, 0, store_gen);

	domain_charge(0, 1, node_cost(n, strlen(strrchr(path, '/') + 1)));
	if (path[1])
		tree_insert(&store.root, path, strlen(path), n, store_gen);
	else
		store.root = n;
}

void store_init(void)
{
	store_gen = 1;
	init_node("/");
	init_node("/tool");
	init_node("/tool/xenstored");
}

void store_exit(void)
{
	if (store.root)
		node_put(store.root);
	store.root = NULL;
}

void view_fork(struct view *v)
{
	memset(v, 0, sizeof(*v));
	v->root = node_get(store.root);
}

void view_drop(struct view *v)
{
	if (v->root)
		node_put(v->root);
	free(v->use);
	memset(v, 0, sizeof(*v));
}

void view_commit(struct view *v)
{
	for (unsigned int i = 0; i < v->n; i++)
		domain_charge(v->use[i].domid, v->use[i].nodes,
			      v->use[i].bytes);
	node_put(store.root);
	store.root = v->root;
	v->root = NULL;
	view_drop(v);
}

long view_nodes(const struct view *v, unsigned int domid)
{
	struct domain *d = domain_find(domid);

	return (d ? d->nodes : 0) + use_of(v, domid)->nodes;
}

long view_bytes(const struct view *v)
{
	long bytes = 0;

	for (unsigned int i = 0; i < v->n; i++)
		bytes += v->use[i].bytes > 0 ? v->use[i].bytes : 0;
	return bytes;
}

/*
 * A node that may not be seen must not be told from one that is missing: both
 * are EACCES unless the nearest node above grants some of @need.
 */
static int missing(const struct node *above, const struct who *who,
		   unsigned int need)
{
	return perms_access(above->perms, who) & need ? ENOENT : EACCES;
}

int store_get(const struct view *v, const struct who *who, const char *path,
	      unsigned int need, struct node **out)
{
	struct node *above;

	*out = tree_find(v->root, path, &above);
	if (!*out)
		return missing(above, who, need);
	if ((perms_access((*out)->perms, who) & need) != need)
		return EACCES;
	return 0;
}

/* May @who, if a guest, have @nodes more nodes and @bytes more memory? */
static int room_for(const struct view *v, const struct who *who, long nodes,
		    long bytes)
{
	struct domain *d = who->priv ? NULL : domain_find(who->domid);

	if (bytes > 0 && mem_low())
		return ENOMEM;
	if (!d)
		return 0;
	if (nodes &&
	    domain_over(d, QUOTA_NODES, view_nodes(v, who->domid), nodes))
		return ENOSPC;
	if (bytes > 0 &&
	    domain_over(d, QUOTA_MEMORY,
			d->memory + use_of(v, who->domid)->bytes, bytes))
		return ENOMEM;
	return 0;
}

static int size_fits(const struct who *who, size_t len, unsigned int nperms)
{
	struct domain *d = who->priv ? NULL : domain_find(who->domid);
	size_t size = len + nperms * sizeof(struct perm);

	return d && domain_over(d, QUOTA_NODE_SIZE, size, 0) ? ENOSPC : 0;
}

/* Length of the path of @above, which is on the way to @path. */
static size_t above_len(struct node *root, const char *path,
			const struct node *above)
{
	const char *p = path + 1;
	struct node *n = root;

	while (n != above) {
		size_t len = path_component(p);

		n = dir_find(n->kids, p, len);
		p += len + 1;
	}
	return p - 1 - path;
}

/* Makes @path and what is missing above it, below the node @above. */
static int create(struct view *v, const struct who *who, const char *path,
		  struct node *above, const void *value, size_t len)
{
	size_t total = strlen(path), end = above_len(v->root, path, above);
	struct perms *perms;
	long nodes = 0;
	int rc;

	for (size_t i = end ? end : 0; i < total; i++)
		nodes += path[i] == '/';
	rc = size_fits(who, len, above->perms->n);
	if (!rc)
		rc = room_for(v, who, nodes,
			      nodes * sizeof(struct node) + total + len);
	if (rc)
		return rc;
	perms = who->priv ? perms_get(above->perms)
			  : perms_chown(above->perms, who->domid);
	store_gen++;
	while (end < total) {
		size_t n = path_component(path + end + 1);
		bool last = end + 1 + n == total;
		struct node *child = node_new(perms_get(perms), NULL, value,
					      last ? len : 0, store_gen);

		end += n + 1;
		charge(v, perms->p[0].domid, 1, node_cost(child, n));
		tree_insert(&v->root, path, end, child, store_gen);
	}
	perms_put(perms);
	return 0;
}

int store_write(struct view *v, const struct who *who, const char *path,
		const void *value, size_t len)
{
	struct node *above, *n = tree_find(v->root, path, &above);
	unsigned int owner;
	int rc;

	if (!n) {
		rc = missing(above, who, PERM_WRITE);
		return rc == ENOENT ? create(v, who, path, above, value, len)
				    : rc;
	}
	if (!(perms_access(n->perms, who) & PERM_WRITE))
		return EACCES;
	rc = size_fits(who, len, n->perms->n);
	if (!rc)
		rc = room_for(v, who, 0, (long)len - (long)n->len);
	if (rc)
		return rc;
	owner = n->perms->p[0].domid;
	if (len != n->len)
		charge(v, owner, 0, (long)len - (long)n->len);
	node_set_value(tree_edit(&v->root, path, strlen(path)), value, len,
		       ++store_gen);
	return 0;
}

int store_mkdir(struct view *v, const struct who *who, const char *path,
		bool *made)
{
	struct node *above, *n = tree_find(v->root, path, &above);
	int rc;

	*made = false;
	if (n)
		return perms_access(n->perms, who) & PERM_WRITE ? 0 : EACCES;
	rc = missing(above, who, PERM_WRITE);
	if (rc != ENOENT)
		return rc;
	rc = create(v, who, path, above, NULL, 0);
	*made = !rc;
	return rc;
}

static int uncharge_one(void *arg, const char *path, struct node *n)
{
	struct view *v = arg;
	const char *name = strrchr(path, '/') + 1;

	charge(v, n->perms->p[0].domid, -1, -(long)node_cost(n, strlen(name)));
	return 0;
}

static struct node *take_out(struct view *v, const char *path)
{
	char buf[PATH_BUF];
	struct node *gone = tree_remove(&v->root, path, ++store_gen);

	strcpy(buf, path);
	tree_walk(gone, buf, uncharge_one, v);
	return gone;
}

int store_rm(struct view *v, const struct who *who, const char *path,
	     struct node **gone)
{
	char parent[PATH_BUF];
	struct node *n;
	int rc = store_get(v, who, path, PERM_WRITE, &n);

	*gone = NULL;
	if (rc == ENOENT) {
		/* Fine if it could exist: its parent does. */
		memcpy(parent, path, path_parent(path));
		parent[path_parent(path)] = '\0';
		return tree_find(v->root, parent, NULL) ? 0 : ENOENT;
	}
	if (rc)
		return rc;
	if (!path[1])
		return EINVAL;
	*gone = take_out(v, path);
	return 0;
}

int store_set_perms(struct view *v, const struct who *who, const char *path,
		    const struct perm *p, unsigned int n, struct perms **old)
{
	struct node *node;
	uint16_t owner;
	long cost;
	int rc = store_get(v, who, path, PERM_WRITE | PERM_OWNER, &node);

	if (rc)
		return rc;
	owner = node->perms->p[0].domid;
	if (!who->priv && p[0].domid != owner)
		return EPERM;
	*old = perms_get(node->perms);
	if (owner != p[0].domid) {
		cost = node_cost(node, strlen(strrchr(path, '/') + 1));
		charge(v, owner, -1, -cost);
		charge(v, p[0].domid, 1, cost);
	}
	node_set_perms(tree_edit(&v->root, path, strlen(path)),
		       perms_intern(p, n), ++store_gen);
	return 0;
}

struct orphans {
	unsigned int domid;
	long left;
	char *paths;
	size_t len;
};

static int collect(void *arg, const char *path, struct node *n)
{
	struct orphans *o = arg;
	size_t len = strlen(path) + 1;

	if (n->perms->p[0].domid != o->domid || !path[1])
		return 0;
	o->paths = mem_realloc(o->paths, o->len + len);
	memcpy(o->paths + o->len, path, len);
	o->len += len;
	o->left--;
	return 0;
}

static void disown(const char *path)
{
	struct node *n = tree_find(store.root, path, NULL);
	long cost = node_cost(n, strlen(strrchr(path, '/') + 1));
	unsigned int owner = n->perms->p[0].domid;
	struct perms *perms = perms_chown(n->perms, 0);

	charge(&store, owner, -1, -cost);
	charge(&store, 0, 1, cost);
	node_set_perms(tree_edit(&store.root, path, strlen(path)), perms,
		       ++store_gen);
}

void store_forget_domain(unsigned int domid, bool keep,
			 void (*removed)(const char *path, struct node *n))
{
	struct domain *d = domain_find(domid);
	struct orphans o = {.domid = domid};
	char buf[PATH_BUF] = "/";

	perms_forget(domid);
	if (d && d->nodes)
		tree_walk(store.root, buf, collect, &o);
	for (size_t at = 0; at < o.len; at += strlen(o.paths + at) + 1) {
		const char *path = o.paths + at;
		struct node *n = tree_find(store.root, path, NULL);

		if (!n) /* went with a node above it */
			continue;
		if (keep) {
			disown(path);
			continue;
		}
		n = take_out(&store, path);
		removed(path, n);
		node_put(n);
	}
	free(o.paths);
}

static int count_one(void *arg, const char *path, struct node *n)
{
	struct domain *d = domain_find(n->perms->p[0].domid);
	long *unowned = arg;

	(void)path;
	if (d)
		d->counted++;
	else
		++*unowned;
	return 0;
}

const char *store_check(void)
{
	const char *wrong = tree_check(store.root);
	char buf[PATH_BUF] = "/";
	long unowned = 0;

	list_for_each(l, &domains)
		container_of(l, struct domain, all)->counted = 0;
	tree_walk(store.root, buf, count_one, &unowned);
	if (unowned)
		wrong = "nodes of domains that do not exist";
	list_for_each(l, &domains) {
		struct domain *d = container_of(l, struct domain, all);

		if (d->counted == d->nodes)
			continue;
		log_msg(LOG_ERR, "domain %u owns %ld nodes, accounted are %ld",
			d->domid, d->counted, d->nodes);
		wrong = "a wrong count of a domain's nodes";
	}
	return wrong;
}
