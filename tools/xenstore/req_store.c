/* SPDX-License-Identifier: MIT */
/* Requests on nodes: read, write, list, remove, permissions. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "dir.h"
#include "domain.h"
#include "node.h"
#include "path.h"
#include "request.h"
#include "store.h"
#include "trans.h"
#include "watch.h"

/* The full, valid path that @name is, or NULL. */
static const char *full_path(const struct request *r, const char *name,
			     char *buf)
{
	struct conn *c = r->c;
	size_t max = XENSTORE_REL_PATH_MAX;
	const char *path;

	if (!name)
		return NULL;
	if (!c->who.priv)
		max = quotas[QUOTA_PATH_MAX].value;
	path = path_full(name, c->who.domid, buf);
	if (!path || path[0] == '@' || !path_valid(path, max)) {
		if (path && path[0] == '/' && c->dom && strlen(path) > max &&
		    path_valid(path, XENSTORE_REL_PATH_MAX))
			domain_report(c->dom, QUOTA_PATH_MAX);
		return NULL;
	}
	return path;
}

/* Looks at a node with READ permission, in the transaction's record too. */
static int look(struct request *r, const char *name, uint8_t what,
		struct node **n)
{
	char buf[PATH_BUF];
	const char *path = full_path(r, name, buf);
	int rc;

	if (!path)
		return EINVAL;
	rc = store_get(r->v, &r->c->who, path, PERM_READ, n);
	if (r->t && trans_saw(r->t, path, what))
		return ENOSPC;
	return rc;
}

int req_read(struct request *r)
{
	struct node *n;
	int rc = look(r, request_arg(r), SAW_NODE, &n);

	if (!rc)
		reply(r, n->value, n->len);
	return rc;
}

int req_directory(struct request *r)
{
	struct node *n;
	char *buf;
	int rc = look(r, request_arg(r), SAW_KIDS, &n);

	if (rc)
		return rc;
	buf = reply_buf(r, dir_bytes(n->kids));
	if (buf)
		dir_names(n->kids, 0, buf, XENSTORE_PAYLOAD_MAX);
	return 0;
}

/* <gencnt>|names from the offset on, and an empty one after the last. */
int req_directory_part(struct request *r)
{
	char *vec[2], buf[XENSTORE_PAYLOAD_MAX];
	struct node *n;
	size_t len, off, got;
	int rc;

	if (request_strings(r, vec, 2) != 2)
		return EINVAL;
	rc = look(r, vec[0], SAW_KIDS, &n);
	if (rc)
		return rc;
	if (vec[1][0] < '0' || vec[1][0] > '9')
		return EINVAL;
	off = strtoul(vec[1], NULL, 10);
	len = snprintf(buf, sizeof(buf), "%" PRIu64, dir_gen(n->kids)) + 1;
	got = dir_names(n->kids, off, buf + len, sizeof(buf) - len - 1);
	len += got;
	if (off >= dir_bytes(n->kids) || off + got == dir_bytes(n->kids))
		buf[len++] = '\0';
	reply(r, buf, len);
	return 0;
}

int req_get_perms(struct request *r)
{
	struct node *n;
	char *buf;
	size_t len;
	int rc = look(r, request_arg(r), SAW_NODE, &n);

	if (rc)
		return rc;
	len = perms_format(n->perms, NULL, 0);
	buf = reply_buf(r, len);
	if (buf)
		perms_format(n->perms, buf, len);
	return 0;
}

/* A change was made: record it, or tell the watches. */
static int changed(struct request *r, enum op_kind kind, const char *path,
		   const void *data, uint32_t len)
{
	if (r->t)
		return trans_did(r->t, kind, path, data, len);
	if (kind != OP_RM && kind != OP_SET_PERMS)
		watch_fire(path, NULL, NULL, r->debt);
	return 0;
}

int req_write(struct request *r)
{
	char buf[PATH_BUF], *name, *value;
	const char *path;
	size_t len;
	int rc;

	if (!request_strings(r, &name, 1))
		return EINVAL;
	path = full_path(r, name, buf);
	if (!path)
		return EINVAL;
	value = name + strlen(name) + 1;
	len = r->hdr.len - (value - name);
	rc = store_write(r->v, &r->c->who, path, value, len);
	if (rc) {
		if (r->t)
			trans_saw(r->t, path, SAW_NODE);
		return rc;
	}
	rc = changed(r, OP_WRITE, path, value, len);
	if (!rc)
		reply_ok(r);
	return rc;
}

int req_mkdir(struct request *r)
{
	char buf[PATH_BUF];
	const char *path = full_path(r, request_arg(r), buf);
	bool made;
	int rc;

	if (!path)
		return EINVAL;
	rc = store_mkdir(r->v, &r->c->who, path, &made);
	if (!rc && made)
		rc = changed(r, OP_MKDIR, path, NULL, 0);
	else if (r->t && trans_saw(r->t, path, SAW_EXIST))
		return ENOSPC;
	if (!rc)
		reply_ok(r);
	return rc;
}

int req_rm(struct request *r)
{
	char buf[PATH_BUF];
	const char *path = full_path(r, request_arg(r), buf);
	struct node *gone;
	int rc;

	if (!path)
		return EINVAL;
	rc = store_rm(r->v, &r->c->who, path, &gone);
	if (!rc && gone) {
		rc = changed(r, OP_RM, path, NULL, 0);
		if (!r->t)
			watch_fire(path, gone, NULL, r->debt);
		node_put(gone);
	} else if (r->t && trans_saw(r->t, path, SAW_EXIST)) {
		return ENOSPC;
	}
	if (!rc)
		reply_ok(r);
	return rc;
}

/* Entries for domains that do not exist grant nothing; an owner must exist. */
static int check_domains(struct perm *p, int n)
{
	for (int i = 0; i < n; i++) {
		if (domain_want(p[i].domid))
			continue;
		if (!i)
			return ENOENT;
		p[i].stale = 1;
	}
	return 0;
}

static int set_special_perms(struct request *r, const char *name,
			     const struct perm *p, unsigned int n)
{
	struct perms **ps = watch_special_perms(name);

	if (!ps)
		return EINVAL;
	if (!(perms_access(*ps, &r->c->who) & PERM_OWNER))
		return EACCES;
	perms_put(*ps);
	*ps = perms_intern(p, n);
	reply_ok(r);
	return 0;
}

int req_set_perms(struct request *r)
{
	char buf[PATH_BUF], *name;
	struct perm p[PERMS_MAX];
	struct perms *old;
	const char *path;
	size_t skip;
	int n, rc;

	if (request_strings(r, &name, 1) < 2)
		return EINVAL;
	skip = strlen(name) + 1;
	/* The protocol leaves what follows the last nul undefined. */
	while (r->hdr.len > skip && r->body[r->hdr.len - 1])
		r->hdr.len--;
	n = perms_parse(name + skip, r->hdr.len - skip, p, PERMS_MAX);
	if (n < 0)
		return -n;
	if (!r->c->who.priv && r->c->dom &&
	    domain_over(r->c->dom, QUOTA_PERMS, n, 0))
		return ENOSPC;
	rc = check_domains(p, n);
	if (rc)
		return rc;
	if (name[0] == '@')
		return set_special_perms(r, name, p, n);
	path = full_path(r, name, buf);
	if (!path)
		return EINVAL;
	rc = store_set_perms(r->v, &r->c->who, path, p, n, &old);
	if (rc) {
		if (r->t)
			trans_saw(r->t, path, SAW_NODE);
		return rc;
	}
	rc = changed(r, OP_SET_PERMS, path, p, n);
	if (!r->t)
		watch_fire(path, NULL, old, r->debt);
	perms_put(old);
	if (!rc)
		reply_ok(r);
	return rc;
}

/* A watched path: full and valid, or special; *@relative as it was given. */
static const char *watch_path(const struct request *r, const char *name,
			      char *buf, bool *relative)
{
	*relative = name[0] != '/' && name[0] != '@';
	if (name[0] == '@')
		return strlen(name) <= XENSTORE_REL_PATH_MAX ? name : NULL;
	return full_path(r, name, buf);
}

int req_watch(struct request *r)
{
	char *vec[3], buf[PATH_BUF], *end;
	unsigned int n = request_strings(r, vec, 3);
	int rc, depth = WATCH_ANY_DEPTH;
	const char *path;
	bool relative;

	if (n < 2 || n > 3)
		return EINVAL;
	if (n == 3 && vec[2][0]) {
		depth = strtol(vec[2], &end, 10);
		if (vec[2][0] < '0' || vec[2][0] > '9' || *end || depth < 0)
			return EINVAL;
	}
	path = watch_path(r, vec[0], buf, &relative);
	if (!path)
		return EINVAL;
	rc = watch_add(r->c, path, vec[1], relative, depth);
	if (rc)
		return rc;
	reply_ok(r);
	watch_announce(r->c, path, vec[1]);
	return 0;
}

int req_unwatch(struct request *r)
{
	char *vec[2], buf[PATH_BUF];
	const char *path;
	unsigned int n = request_strings(r, vec, 2);
	int rc;

	if (n < 2 || n > 3)
		return EINVAL;
	path = path_full(vec[0], r->c->who.domid, buf);
	rc = path ? watch_remove(r->c, path, vec[1]) : ENOENT;
	if (!rc)
		reply_ok(r);
	return rc;
}

int req_reset_watches(struct request *r)
{
	watch_drop_all(r->c);
	trans_drop_all(r->c);
	reply_ok(r);
	return 0;
}

int req_transaction_start(struct request *r)
{
	struct trans *t;
	char id[16];
	int rc;

	if (r->t)
		return EBUSY;
	rc = trans_start(r->c, &t);
	if (rc)
		return rc;
	snprintf(id, sizeof(id), "%u", t->id);
	reply_string(r, id);
	return 0;
}

int req_transaction_end(struct request *r)
{
	const char *arg = request_arg(r);
	int rc = 0;

	if (!arg || (strcmp(arg, "T") && strcmp(arg, "F")))
		return EINVAL;
	if (!r->t)
		return ENOENT;
	if (arg[0] == 'T')
		rc = trans_commit(r->t, r->debt);
	else
		trans_abort(r->t);
	if (!rc)
		reply_ok(r);
	return rc;
}
