/* SPDX-License-Identifier: MIT */
/*
 * The state dump: everything, written in one order and read in the same. What
 * trees share (a transaction's and the store's) is written once, so that it is
 * shared, and costs nothing, afterwards too: an object with more than one
 * reference gets a number when it is written first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "conn.h"
#include "dir.h"
#include "domain.h"
#include "log.h"
#include "mem.h"
#include "node.h"
#include "path.h"
#include "sock.h"
#include "state.h"
#include "state_file.h"
#include "store.h"
#include "trans.h"
#include "watch.h"

/* Writing. */

static void put_perms(struct state_out *o, const struct perms *ps)
{
	put_u32(o, ps->n);
	put_bytes(o, ps->p, ps->n * sizeof(*ps->p));
}

static void put_node(struct state_out *o, struct node *n);

static void put_dir(struct state_out *o, struct dir *d)
{
	unsigned int level;

	if (!d) {
		put_u32(o, OBJ_NONE);
		return;
	}
	if (!put_object(o, d, dir_refs(d)))
		return;
	level = dir_level(d);
	put_u32(o, level);
	put_u64(o, dir_gen(d));
	put_u32(o, dir_entries(d));
	for (unsigned int i = 0; i < dir_entries(d); i++) {
		struct dir_entry e = dir_entry(d, i);

		put_string(o, e.name);
		if (level)
			put_dir(o, e.ptr);
		else
			put_node(o, e.ptr);
	}
}

static void put_node(struct state_out *o, struct node *n)
{
	if (!put_object(o, n, n->refs))
		return;
	put_u64(o, n->gen);
	put_perms(o, n->perms);
	put_u32(o, n->len);
	put_bytes(o, n->value, n->len);
	put_dir(o, n->kids);
}

static void put_domains(struct state_out *o)
{
	uint32_t n = 0;

	list_for_each(l, &domains)
		n++;
	put_u32(o, n);
	list_for_each(l, &domains) {
		struct domain *d = container_of(l, struct domain, all);

		put_u32(o, d->domid);
		put_u32(o, d->introduced);
		put_u32(o, d->shutdown);
		put_u32(o, d->port);
		put_u64(o, d->gfn);
	}
}

static void put_watch(void *arg, const char *path, const char *token,
		      bool relative, int depth)
{
	struct state_out *o = arg;

	put_u32(o, 1);
	put_string(o, path);
	put_string(o, token);
	put_u32(o, relative);
	put_u32(o, depth);
}

static void put_trans(struct state_out *o, const struct trans *t)
{
	put_u32(o, 1);
	put_u32(o, t->id);
	put_u32(o, t->failed);
	put_node(o, t->base);
	put_node(o, t->view.root);
	put_u32(o, t->view.n);
	put_bytes(o, t->view.use, t->view.n * sizeof(*t->view.use));
	put_u32(o, t->nodes);
	for (struct access *a = t->first; a; a = a->next) {
		put_u32(o, a->what);
		put_string(o, a->path);
	}
	for (struct op *op = t->ops; op; op = op->next) {
		size_t size = op->kind == OP_SET_PERMS
				      ? op->len * sizeof(struct perm)
				      : op->len;

		put_u32(o, 1);
		put_u32(o, op->kind);
		put_string(o, op->data);
		put_u32(o, op->len);
		put_bytes(o, op->data + op->pathlen, size);
	}
	put_u32(o, 0);
}

static void put_conn(struct state_out *o, struct conn *c)
{
	put_u32(o, c->dom ? CONN_RING : CONN_SOCKET);
	put_u32(o, c->dom ? c->dom->domid : (uint32_t)c->src.fd);
	put_u32(o, c->who.target);
	put_u32(o, c->ignored);
	put_u32(o, c->next_trans);
	put_u32(o, c->fails);
	put_u32(o, c->in_used);
	put_bytes(o, c->in, c->in_used);
	for (struct msg *m = c->out; m; m = m->next) {
		put_u32(o, 1);
		put_u32(o, m->sent);
		put_bytes(o, &m->hdr, sizeof(m->hdr));
		put_bytes(o, m->body, m->hdr.len);
	}
	put_u32(o, 0);
	watch_each(c, put_watch, o);
	put_u32(o, 0);
	list_for_each(l, &c->trans)
		put_trans(o, container_of(l, struct trans, mine));
	put_u32(o, 0);
}

static void put_all(struct state_out *o)
{
	const struct backend *b = domain_backend();

	put_u64(o, store_gen);
	put_u32(o, sock_listener());
	put_u32(o, b->fd());
	put_u32(o, b->virq_port());
	put_perms(o, watch_introduce_perms);
	put_perms(o, watch_release_perms);
	put_domains(o);
	put_node(o, store.root);
	list_for_each(l, &conns)
		put_conn(o, container_of(l, struct conn, all));
	put_u32(o, CONN_END);
}

int state_save(void)
{
	int fd = memfd_create("xenstored", 0), err;
	struct state_out o;

	if (fd < 0)
		return -errno;
	err = state_out_start(&o, fd);
	if (!err) {
		put_all(&o);
		err = state_out_end(&o);
	}
	if (!err)
		return fd;
	close(fd);
	return -err;
}

/* Reading. A wrong byte ends it: the file is checked as a whole before. */

static struct perms *get_perms(struct state_in *i)
{
	struct perm p[PERMS_MAX];
	uint32_t n = get_u32(i);

	if (!n || n > PERMS_MAX) {
		state_bad(i, "a permission set of impossible size");
		n = 1;
		memset(p, 0, sizeof(*p));
	} else {
		get_bytes(i, p, n * sizeof(*p));
	}
	return perms_intern(p, n);
}

enum { OBJECT_DIR = 1, OBJECT_NODE };

#define LEVELS 16 /* more than a directory can have */

static struct node *get_node(struct state_in *i);
static struct dir *get_dir(struct state_in *i, uint32_t levels);

/* A component of a path; of an inner block's first entry it may be empty. Paths
 * may be deep: nothing large is on the stack. */
static char *get_name(struct state_in *i, uint32_t level)
{
	uint32_t len = get_u32(i);
	const char *p = get_span(i, len);
	char *name;

	if (!p || len >= PATH_BUF || (!len && !level) || memchr(p, '/', len) ||
	    memchr(p, 0, len)) {
		state_bad(i, "a name that is none");
		return NULL;
	}
	name = mem_alloc(len + 1);
	memcpy(name, p, len);
	name[len] = '\0';
	return name;
}

static void get_below(struct state_in *i, uint32_t level, struct dir_entry *e)
{
	size_t len = level ? 0 : strlen(e->name) + 1;

	if (i->path + len >= PATH_BUF) {
		state_bad(i, "a path that is too long");
		return;
	}
	i->path += len;
	e->ptr = level ? (void *)get_dir(i, level) : (void *)get_node(i);
	i->path -= len;
	if (!e->ptr)
		state_bad(i, "an empty entry");
}

/* A block of a level below @levels. */
static struct dir *get_dir(struct state_in *i, uint32_t levels)
{
	struct dir_entry e[DIR_FAN];
	uint32_t id, level, n, have = 0;
	size_t room = 0;
	struct dir *d;
	uint64_t gen;

	if (get_object(i, OBJECT_DIR, &id, (void **)&d))
		return dir_get(d);
	level = get_u32(i);
	gen = get_u64(i);
	n = get_u32(i);
	if (i->wrong || !n || n > DIR_FAN || level >= levels) {
		state_bad(i, "a directory block of impossible size");
		return NULL;
	}
	for (; have < n && !i->wrong; have++) {
		e[have].name = get_name(i, level);
		room += i->wrong ? 0 : strlen(e[have].name) + 1;
		if (room > UINT16_MAX / 2 + PATH_BUF)
			state_bad(i, "a directory block with too long names");
		if (!i->wrong)
			get_below(i, level, &e[have]);
	}
	if (i->wrong) /* the daemon will not run: what was read is left */
		return NULL;
	d = dir_block_new(level, gen, e, n);
	while (have--)
		free((char *)e[have].name);
	state_object(i, OBJECT_DIR, id, d);
	return d;
}

static struct node *get_node(struct state_in *i)
{
	struct perms *perms;
	const void *value;
	struct node *n;
	struct dir *kids;
	uint64_t gen;
	uint32_t id, len;

	if (get_object(i, OBJECT_NODE, &id, (void **)&n))
		return n ? node_get(n) : NULL;
	gen = get_u64(i);
	perms = get_perms(i);
	len = get_u32(i);
	value = get_span(i, len);
	if (i->wrong)
		return NULL;
	kids = get_dir(i, LEVELS);
	if (i->wrong)
		return NULL;
	n = node_new(perms, kids, value, len, gen);
	state_object(i, OBJECT_NODE, id, n);
	return n;
}

static int count(void *arg, const char *path, struct node *n)
{
	(void)arg;
	domain_charge(n->perms->p[0].domid, 1,
		      node_cost(n, strlen(strrchr(path, '/') + 1)));
	return 0;
}

static void get_store(struct state_in *i)
{
	char buf[PATH_BUF] = "/";

	store.root = get_node(i);
	if (!store.root)
		state_bad(i, "no root");
	if (!i->wrong)
		tree_walk(store.root, buf, count, NULL);
}

static void get_domains(struct state_in *i)
{
	uint32_t n = get_u32(i);

	while (n-- && !i->wrong) {
		uint32_t domid = get_u32(i), introduced = get_u32(i);
		uint32_t shutdown = get_u32(i), port = get_u32(i);
		uint64_t gfn = get_u64(i);
		struct domain *d = domain_force(domid);

		if (!d) {
			state_bad(i, "an impossible domain id");
			return;
		}
		if (introduced)
			domain_restore(domid, gfn, port);
		d->shutdown = shutdown;
	}
}

static void get_trans(struct state_in *i, struct conn *c)
{
	struct trans *t = trans_restore(c, get_u32(i));
	char path[PATH_BUF];
	uint32_t n;

	t->failed = get_u32(i);
	t->base = get_node(i);
	t->view.root = get_node(i);
	n = get_u32(i);
	if (n > UINT16_MAX)
		state_bad(i, "a transaction of impossible size");
	if (i->wrong)
		return;
	t->view.use = mem_alloc(n * sizeof(*t->view.use) + 1);
	t->view.n = n;
	get_bytes(i, t->view.use, n * sizeof(*t->view.use));
	for (n = get_u32(i); n && !i->wrong; n--) {
		uint32_t what = get_u32(i);

		get_string(i, path, sizeof(path));
		trans_saw(t, path, what);
	}
	while (get_u32(i) && !i->wrong) {
		uint32_t kind = get_u32(i), len;
		const void *data;

		get_string(i, path, sizeof(path));
		len = get_u32(i);
		if (kind > OP_SET_PERMS ||
		    (kind == OP_SET_PERMS && (!len || len > PERMS_MAX))) {
			state_bad(i, "an operation that is none");
			return;
		}
		data = get_span(i, kind == OP_SET_PERMS
					   ? len * sizeof(struct perm)
					   : len);
		if (!i->wrong)
			trans_did(t, kind, path, data, len);
	}
}

static void get_output(struct state_in *i, struct conn *c)
{
	while (get_u32(i) && !i->wrong) {
		uint32_t sent = get_u32(i);
		struct xsd_sockmsg hdr;
		struct msg *m;

		get_bytes(i, &hdr, sizeof(hdr));
		if (hdr.len > XENSTORE_PAYLOAD_MAX) {
			state_bad(i, "an over-long message");
			return;
		}
		m = conn_message(c, &hdr, hdr.type, hdr.len, NULL);
		if (sent > sizeof(hdr) + hdr.len)
			state_bad(i,
				  "a message of which more than all is sent");
		else
			m->sent = sent;
		get_bytes(i, m->body, hdr.len);
		conn_queue(c, m);
	}
}

static void get_watches(struct state_in *i, struct conn *c)
{
	char path[PATH_BUF], token[PATH_BUF];

	while (get_u32(i) && !i->wrong) {
		uint32_t relative, depth;

		get_string(i, path, sizeof(path));
		get_string(i, token, sizeof(token));
		relative = get_u32(i);
		depth = get_u32(i);
		watch_add(c, path, token, relative, (int)depth);
	}
}

static struct conn *find_conn(struct state_in *i, uint32_t kind, uint32_t id)
{
	struct domain *d;
	struct conn *c = NULL;

	if (kind == CONN_RING) {
		d = domain_find(id);
		c = d ? d->conn : NULL;
	} else if (kind == CONN_SOCKET) {
		fcntl(id, F_SETFD, FD_CLOEXEC);
		c = sock_conn(id);
	}
	if (!c)
		state_bad(i, "a connection without its other end");
	return c;
}

static bool get_conn(struct state_in *i)
{
	uint32_t kind = get_u32(i), id;
	struct conn *c;

	if (kind == CONN_END || i->wrong)
		return false;
	id = get_u32(i);
	c = find_conn(i, kind, id);
	if (!c)
		return false;
	c->who.target = (int)get_u32(i);
	c->ignored |= get_u32(i) != 0;
	c->next_trans = get_u32(i);
	c->fails = get_u32(i);
	c->in_used = get_u32(i);
	if (c->in_used > CONN_IN_KEPT) {
		state_bad(i, "impossibly much input");
		c->in_used = 0;
	}
	c->in = c->in_used ? mem_alloc(c->in_used) : NULL;
	get_bytes(i, c->in, c->in_used);
	get_output(i, c);
	get_watches(i, c);
	while (get_u32(i) && !i->wrong)
		get_trans(i, c);
	conn_ready(c);
	return true;
}

/* What was set by quotas when it was new must not be refused now. */
static void quotas_off(unsigned int *saved)
{
	for (int q = 0; q < QUOTA_ALL; q++) {
		saved[q] = quotas[q].value;
		quotas[q].value = 0;
	}
}

static void quotas_on(const unsigned int *saved)
{
	for (int q = 0; q < QUOTA_ALL; q++)
		quotas[q].value = saved[q];
}

static void get_all(struct state_in *i)
{
	const struct backend *b = domain_backend();
	int listener, evtchn, virq, err;

	store_gen = get_u64(i);
	listener = get_u32(i);
	evtchn = get_u32(i);
	virq = get_u32(i);
	if (listener >= 0) {
		fcntl(listener, F_SETFD, FD_CLOEXEC);
		if (sock_adopt_listener(listener))
			state_bad(i, "a listening socket that is none");
	}
	err = b->open(evtchn);
	if (err)
		state_bad(i, "the hypervisor's devices cannot be opened");
	if (i->wrong)
		return;
	b->adopt_virq(virq);
	perms_put(watch_introduce_perms);
	watch_introduce_perms = get_perms(i);
	perms_put(watch_release_perms);
	watch_release_perms = get_perms(i);
	get_domains(i);
	get_store(i);
	while (!i->wrong && get_conn(i))
		;
}

const char *state_restore(int fd)
{
	unsigned int saved[QUOTA_ALL];
	struct state_in i;
	const char *wrong = state_in_start(&i, fd);

	if (wrong)
		return wrong;
	quotas_off(saved);
	get_all(&i);
	quotas_on(saved);
	wrong = i.wrong;
	state_in_end(&i);
	close(fd);
	return wrong ? wrong : store_check();
}
