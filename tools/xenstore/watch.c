/* SPDX-License-Identifier: MIT */
/* Watches and their events. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "hash.h"
#include "mem.h"
#include "node.h"
#include "path.h"
#include "perms.h"
#include "store.h"
#include "watch.h"

/* A watched path, or one on the way to it. */
struct point {
	struct hlink link; /* by path */
	struct point *parent;
	struct list kids, sibling;
	struct list watches;
	uint32_t len;
	char path[];
};

struct watch {
	struct hlink link; /* by connection, path and token */
	struct list here;  /* the point's */
	struct list mine;  /* the connection's */
	struct conn *conn;
	struct point *at;
	struct msg *last; /* an event that waits in the connection's queue */
	int depth;
	bool relative;
	char token[];
};

struct perms *watch_introduce_perms, *watch_release_perms;

static struct htab points, watches;

void watch_init(void)
{
	static const struct perm dom0_only;

	if (watch_introduce_perms)
		return;
	watch_introduce_perms = perms_intern(&dom0_only, 1);
	watch_release_perms = perms_intern(&dom0_only, 1);
}

struct perms **watch_special_perms(const char *path)
{
	static const char intro[] = "@introduceDomain";
	static const char rel[] = "@releaseDomain";

	if (!strncmp(path, intro, sizeof(intro) - 1))
		return &watch_introduce_perms;
	if (!strncmp(path, rel, sizeof(rel) - 1))
		return &watch_release_perms;
	return NULL;
}

uint32_t watch_count(void)
{
	return watches.used;
}

static struct point *point_find(const char *path, size_t len, uint32_t hash)
{
	for (struct hlink *l = htab_chain(&points, hash); l; l = l->next) {
		struct point *p = (struct point *)l;

		if (l->hash == hash && p->len == len &&
		    !memcmp(p->path, path, len))
			return p;
	}
	return NULL;
}

static uint32_t point_hash(const char *path, size_t len)
{
	return hash_end(hash_bytes(hash_seed(), path, len));
}

static struct point *point_want(const char *path, size_t len)
{
	uint32_t hash = point_hash(path, len);
	struct point *p = point_find(path, len, hash);
	size_t up = len;

	if (p)
		return p;
	p = mem_zalloc(sizeof(*p) + len + 1);
	memcpy(p->path, path, len);
	p->len = len;
	list_init(&p->kids);
	list_init(&p->sibling);
	list_init(&p->watches);
	htab_insert(&points, &p->link, hash);
	if (path[0] != '/' || len == 1)
		return p;
	while (path[--up] != '/')
		;
	p->parent = point_want(path, up ? up : 1);
	list_add_tail(&p->parent->kids, &p->sibling);
	return p;
}

/* Frees @p and what is above it as far as nobody needs it. */
static void point_put(struct point *p)
{
	struct point *up;

	for (; p && list_empty(&p->watches) && list_empty(&p->kids); p = up) {
		up = p->parent;
		list_del(&p->sibling);
		htab_remove(&points, &p->link);
		free(p);
	}
}

static uint32_t watch_hash(struct conn *c, const char *path, const char *token)
{
	uint64_t h = hash_bytes(hash_seed(), &c, sizeof(c));

	h = hash_byte(hash_bytes(h, path, strlen(path)), 0);
	return hash_end(hash_bytes(h, token, strlen(token)));
}

static struct watch *watch_find(struct conn *c, const char *path,
				const char *token)
{
	uint32_t hash = watch_hash(c, path, token);

	for (struct hlink *l = htab_chain(&watches, hash); l; l = l->next) {
		struct watch *w = (struct watch *)l;

		if (l->hash == hash && w->conn == c &&
		    !strcmp(w->token, token) && !strcmp(w->at->path, path))
			return w;
	}
	return NULL;
}

static long watch_cost(const char *path, const char *token)
{
	return sizeof(struct watch) + strlen(path) + strlen(token) + 2;
}

int watch_add(struct conn *c, const char *path, const char *token,
	      bool relative, int depth)
{
	struct domain *d = c->who.priv ? NULL : c->dom;
	long cost = watch_cost(path, token);
	struct watch *w;

	if (watch_find(c, path, token))
		return EEXIST;
	if (d && domain_over(d, QUOTA_WATCHES, d->watches, 1))
		return E2BIG;
	if (mem_low() || (d && domain_over(d, QUOTA_MEMORY, d->memory, cost)))
		return ENOMEM;
	w = mem_zalloc(sizeof(*w) + strlen(token) + 1);
	strcpy(w->token, token);
	w->conn = c;
	w->relative = relative;
	w->depth = depth;
	w->at = point_want(path, strlen(path));
	list_add_tail(&w->at->watches, &w->here);
	list_add_tail(&c->watches, &w->mine);
	htab_insert(&watches, &w->link, watch_hash(c, path, token));
	if (c->dom) {
		c->dom->watches++;
		c->dom->memory += cost;
	}
	return 0;
}

static void watch_free(struct watch *w)
{
	struct conn *c = w->conn;

	if (w->last)
		w->last->watch = NULL;
	if (c->dom) {
		c->dom->watches--;
		c->dom->memory -= watch_cost(w->at->path, w->token);
	}
	htab_remove(&watches, &w->link);
	list_del(&w->here);
	list_del(&w->mine);
	point_put(w->at);
	free(w);
}

int watch_remove(struct conn *c, const char *path, const char *token)
{
	struct watch *w = watch_find(c, path, token);

	if (!w)
		return ENOENT;
	watch_free(w);
	return 0;
}

void watch_drop_all(struct conn *c)
{
	list_for_each_safe(l, &c->watches)
		watch_free(container_of(l, struct watch, mine));
}

void watch_sent(struct watch *w)
{
	w->last = NULL;
}

/* Is the same event still waiting, with nothing of it sent? */
static bool is_repeat(const struct watch *w, const char *path, size_t len)
{
	return w->last && !w->last->sent && w->last->hdr.len == len &&
	       !strcmp(w->last->body, path);
}

static void send_event(struct watch *w, const char *path, struct debt *debt)
{
	struct conn *c = w->conn;
	size_t plen, tlen = strlen(w->token) + 1;
	struct msg *m;

	if (c->dead || c->ignored)
		return;
	if (w->relative)
		path = path_relative(path, c->who.domid);
	plen = strlen(path) + 1;
	if (plen + tlen > XENSTORE_PAYLOAD_MAX)
		return;
	if (path[0] != '@' && is_repeat(w, path, plen + tlen))
		return;
	if (!c->who.priv &&
	    domain_over(c->dom, QUOTA_MEMORY, c->dom->memory, plen + tlen))
		return;
	m = conn_message(c, NULL, XS_WATCH_EVENT, plen + tlen, debt);
	memcpy(m->body, path, plen);
	memcpy(m->body + plen, w->token, tlen);
	if (w->last)
		w->last->watch = NULL;
	m->watch = w;
	w->last = m;
	conn_queue(c, m);
}

void watch_announce(struct conn *c, const char *path, const char *token)
{
	struct watch *w = watch_find(c, path, token);

	if (w)
		send_event(w, path, NULL);
}

struct firing {
	const char *path;
	struct node *gone;
	const struct perms *old_perms;
	struct debt *debt;
	/* Found when the first guest's watch needs them. */
	bool looked;
	struct node *node, *parent;
};

static bool may_read(const struct perms *ps, const struct who *who)
{
	return ps && (perms_access(ps, who) & PERM_READ);
}

/* The node, before or after, or the one above it, must be readable. */
static bool permitted(struct firing *f, const struct who *who)
{
	char up[PATH_BUF];

	if (who->priv || may_read(f->old_perms, who) ||
	    (f->gone && may_read(f->gone->perms, who)))
		return true;
	if (!f->looked) {
		size_t len = path_parent(f->path);

		memcpy(up, f->path, len);
		up[len] = '\0';
		f->node = tree_find(store.root, f->path, NULL);
		f->parent = tree_find(store.root, up, NULL);
		f->looked = true;
	}
	return (f->node && may_read(f->node->perms, who)) ||
	       (f->parent && may_read(f->parent->perms, who));
}

static void fire_point(struct point *p, struct firing *f)
{
	list_for_each(l, &p->watches) {
		struct watch *w = container_of(l, struct watch, here);

		if (w->depth >= 0 &&
		    path_distance(p->path, f->path) > (unsigned int)w->depth)
			continue;
		if (permitted(f, &w->conn->who))
			send_event(w, f->path, f->debt);
	}
}

/* Watches below a removed node see their own path go, if it was there. */
static void fire_below(struct point *p, struct node *gone, size_t skip,
		       struct debt *debt)
{
	list_for_each(l, &p->kids) {
		struct point *kid = container_of(l, struct point, sibling);
		struct node *n = tree_find(gone, kid->path + skip, NULL);
		struct firing f = {.path = kid->path, .gone = n, .debt = debt};

		if (!n)
			continue;
		list_for_each(k, &kid->watches) {
			struct watch *w = container_of(k, struct watch, here);

			if (permitted(&f, &w->conn->who))
				send_event(w, kid->path, debt);
		}
		fire_below(kid, gone, skip, debt);
	}
}

void watch_fire(const char *path, struct node *gone,
		const struct perms *old_perms, struct debt *debt)
{
	struct firing f = {path, gone, old_perms, debt, false, NULL, NULL};
	uint64_t h = hash_seed();
	struct point *p;
	size_t i;

	if (!watches.used)
		return;
	p = point_find("/", 1, point_hash("/", 1));
	if (p)
		fire_point(p, &f);
	for (i = 0; path[1] && p; i++) {
		if (i && (path[i] == '/' || !path[i])) {
			/* Points have all points above them: a gap is the end.
			 */
			p = point_find(path, i, hash_end(h));
			if (p)
				fire_point(p, &f);
		}
		if (!path[i])
			break;
		h = hash_byte(h, path[i]);
	}
	if (p && gone)
		fire_below(p, gone, path[1] ? strlen(path) : 0, debt);
}

void watch_fire_special(const char *name, unsigned int domid)
{
	struct perms *perms = *watch_special_perms(name);
	size_t len = strlen(name);
	char with_id[64];

	snprintf(with_id, sizeof(with_id), "%s/%u", name, domid);
	for (int exact = 0; exact < 2; exact++) {
		const char *path = exact ? with_id : name;
		size_t plen = exact ? strlen(with_id) : len;
		struct point *p =
			point_find(path, plen, point_hash(path, plen));

		if (!p)
			continue;
		list_for_each(l, &p->watches) {
			struct watch *w = container_of(l, struct watch, here);

			if (perms_access(perms, &w->conn->who) & PERM_READ)
				send_event(w, w->depth > 0 ? with_id : path,
					   NULL);
		}
	}
}

void watch_each(struct conn *c,
		void (*fn)(void *arg, const char *path, const char *token,
			   bool relative, int depth),
		void *arg)
{
	list_for_each(l, &c->watches) {
		struct watch *w = container_of(l, struct watch, mine);

		fn(arg, w->at->path, w->token, w->relative, w->depth);
	}
}
