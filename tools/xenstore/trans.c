/* SPDX-License-Identifier: MIT */
/* Transactions: record, compare, do again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "dir.h"
#include "domain.h"
#include "log.h"
#include "mem.h"
#include "node.h"
#include "trans.h"
#include "watch.h"

#define HOLD_FAILS 3   /* EAGAINs in a row before a turn alone */
#define HOLD_MS    200 /* the longest such turn */
#define HOLD_PAUSE 20  /* a guest waits that many turns for its next one */

static struct conn *holder;

static void hold_over(struct timer *t)
{
	(void)t;
	if (holder)
		log_trace("connection %u had the store alone for %d ms",
			  holder->id, HOLD_MS);
	holder = NULL;
	conn_unhold_all();
}

static struct timer hold_timer = {.fn = hold_over};

/* Guests' turns alone never make dom0 wait. */
bool trans_must_wait(const struct conn *c)
{
	return holder && holder != c && (holder->who.priv || !c->who.priv);
}

void trans_release_hold(struct conn *c)
{
	if (holder != c)
		return;
	timer_stop(&hold_timer);
	holder = NULL;
	conn_unhold_all();
}

static void maybe_hold(struct conn *c)
{
	if (holder || c->fails < HOLD_FAILS)
		return;
	if (!c->who.priv && c->last_hold &&
	    loop_now() - c->last_hold < HOLD_MS * HOLD_PAUSE)
		return;
	holder = c;
	c->last_hold = loop_now();
	timer_set(&hold_timer, HOLD_MS);
}

struct trans *trans_find(struct conn *c, uint32_t id)
{
	list_for_each(l, &c->trans) {
		struct trans *t = container_of(l, struct trans, mine);

		if (t->id == id)
			return t;
	}
	return NULL;
}

struct trans *trans_restore(struct conn *c, uint32_t id)
{
	struct trans *t = mem_zalloc(sizeof(*t));

	t->c = c;
	t->id = id;
	t->deaths = domain_deaths;
	t->last = &t->first;
	t->ops_last = &t->ops;
	list_add_tail(&c->trans, &t->mine);
	c->ntrans++;
	if (c->dom)
		c->dom->transactions++;
	return t;
}

int trans_start(struct conn *c, struct trans **out)
{
	struct trans *t;

	if (mem_low())
		return ENOMEM;
	if (!c->who.priv && c->dom &&
	    domain_over(c->dom, QUOTA_TRANSACTIONS, c->ntrans, 1))
		return ENOSPC;
	while (!c->next_trans || trans_find(c, c->next_trans))
		c->next_trans++;
	t = trans_restore(c, c->next_trans++);
	t->base = node_get(store.root);
	view_fork(&t->view);
	maybe_hold(c);
	*out = t;
	return 0;
}

static void grow(struct trans *t, long bytes)
{
	t->bytes += bytes;
	if (t->c->dom)
		t->c->dom->memory += bytes;
}

static void trans_free(struct trans *t)
{
	struct access *a;
	struct op *o;

	grow(t, -(long)t->bytes);
	if (t->c->dom)
		t->c->dom->transactions--;
	t->c->ntrans--;
	list_del(&t->mine);
	while ((a = t->first)) {
		t->first = a->next;
		free(a);
	}
	while ((o = t->ops)) {
		t->ops = o->next;
		free(o);
	}
	htab_free(&t->seen);
	if (t->view.root)
		view_drop(&t->view);
	if (t->base)
		node_put(t->base);
	free(t);
}

void trans_abort(struct trans *t)
{
	struct conn *c = t->c;

	trans_free(t);
	if (list_empty(&c->trans))
		trans_release_hold(c);
}

void trans_drop_all(struct conn *c)
{
	list_for_each_safe(l, &c->trans)
		trans_free(container_of(l, struct trans, mine));
	trans_release_hold(c);
}

static bool over(struct trans *t, enum quota q, long used, long more)
{
	struct conn *c = t->c;

	return !c->who.priv && c->dom && domain_over(c->dom, q, used, more);
}

int trans_saw(struct trans *t, const char *path, uint8_t what)
{
	uint32_t hash = hash_string(path);
	size_t len = strlen(path) + 1;
	struct access *a;

	for (struct hlink *l = htab_chain(&t->seen, hash); l; l = l->next) {
		a = (struct access *)l;
		if (l->hash == hash && !strcmp(a->path, path)) {
			a->what |= what;
			return 0;
		}
	}
	if (over(t, QUOTA_TRANS_NODES, t->nodes, 1) ||
	    over(t, QUOTA_MEMORY, t->c->dom ? t->c->dom->memory : 0,
		 sizeof(*a) + len)) {
		t->failed = true;
		return ENOSPC;
	}
	a = mem_zalloc(sizeof(*a) + len);
	a->what = what;
	memcpy(a->path, path, len);
	htab_insert(&t->seen, &a->link, hash);
	*t->last = a;
	t->last = &a->next;
	t->nodes++;
	grow(t, sizeof(*a) + len);
	return 0;
}

int trans_did(struct trans *t, enum op_kind kind, const char *path,
	      const void *data, uint32_t len)
{
	size_t size = kind == OP_SET_PERMS ? len * sizeof(struct perm) : len;
	size_t pathlen = strlen(path) + 1;
	struct op *o;
	int rc = trans_saw(t, path, kind == OP_RM ? DID_REMOVE : DID_CHANGE);

	if (rc)
		return rc;
	if (over(t, QUOTA_MEMORY, t->c->dom ? t->c->dom->memory : 0,
		 sizeof(*o) + pathlen + size)) {
		t->failed = true;
		return ENOSPC;
	}
	o = mem_alloc(sizeof(*o) + pathlen + size);
	t->gave |= kind == OP_SET_PERMS;
	o->next = NULL;
	o->kind = kind;
	o->pathlen = pathlen;
	o->len = len;
	memcpy(o->data, path, pathlen);
	if (size)
		memcpy(o->data + pathlen, data, size);
	*t->ops_last = o;
	t->ops_last = &o->next;
	grow(t, sizeof(*o) + pathlen + size);
	return 0;
}

/* Is what the transaction saw or did at this path as it was? */
static bool unchanged(const struct trans *t, const struct access *a)
{
	struct node *was = tree_find(t->base, a->path, NULL);
	struct node *is = tree_find(store.root, a->path, NULL);

	if (was == is)
		return true;
	if (!was || !is || (a->what & DID_REMOVE))
		return false;
	if ((a->what & (SAW_NODE | DID_CHANGE)) && was->gen != is->gen)
		return false;
	return !(a->what & SAW_KIDS) || dir_gen(was->kids) == dir_gen(is->kids);
}

static int do_again(struct view *v, const struct who *who, const struct op *o)
{
	const void *data = o->data + o->pathlen;
	struct perm perms[PERMS_MAX];
	struct perms *old;
	struct node *gone;
	bool made;
	int rc;

	switch (o->kind) {
	case OP_WRITE:
		return store_write(v, who, o->data, data, o->len);
	case OP_MKDIR:
		return store_mkdir(v, who, o->data, &made);
	case OP_RM:
		rc = store_rm(v, who, o->data, &gone);
		if (!rc && gone)
			node_put(gone);
		return rc;
	default:
		memcpy(perms, data, o->len * sizeof(*perms));
		rc = store_set_perms(v, who, o->data, perms, o->len, &old);
		if (!rc)
			perms_put(old);
		return rc;
	}
}

/* Makes t->view what the transaction means for the store as it is now. */
static int rebase(struct trans *t)
{
	for (struct access *a = t->first; a; a = a->next)
		if (!unchanged(t, a))
			return EAGAIN;
	view_drop(&t->view);
	view_fork(&t->view);
	for (struct op *o = t->ops; o; o = o->next)
		if (do_again(&t->view, &t->c->who, o))
			return EAGAIN;
	return 0;
}

static bool nodes_fit(struct trans *t)
{
	long now, then;

	if (t->c->who.priv || !t->c->dom)
		return true;
	now = t->c->dom->nodes;
	then = view_nodes(&t->view, t->c->who.domid);
	return then <= now || !domain_over(t->c->dom, QUOTA_NODES, then, 0);
}

static void fire_all(struct trans *t, struct node *before, struct debt *debt)
{
	for (struct access *a = t->first; a; a = a->next) {
		struct node *was, *is;

		if (!(a->what & (DID_CHANGE | DID_REMOVE)))
			continue;
		was = tree_find(before, a->path, NULL);
		is = tree_find(store.root, a->path, NULL);
		if (was || is)
			watch_fire(a->path, a->what & DID_REMOVE ? was : NULL,
				   was ? was->perms : NULL, debt);
	}
}

static int commit(struct trans *t, struct debt *debt)
{
	struct node *before;
	int rc = 0;

	if (t->failed)
		return ENOSPC;
	if (!t->ops) /* what it read was one consistent state */
		return 0;
	/* It may have given nodes to a domain that is gone. */
	if (t->gave && t->deaths != domain_deaths)
		return EAGAIN;
	if (store.root != t->base)
		rc = rebase(t);
	if (!rc && !nodes_fit(t))
		rc = ENOSPC;
	if (rc)
		return rc;
	before = node_get(store.root);
	view_commit(&t->view);
	fire_all(t, before, debt);
	node_put(before);
	return 0;
}

int trans_commit(struct trans *t, struct debt *debt)
{
	struct conn *c = t->c;
	int rc = commit(t, debt);

	c->fails = rc == EAGAIN ? c->fails + 1 : 0;
	trans_abort(t);
	return rc;
}
