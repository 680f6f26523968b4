/* SPDX-License-Identifier: MIT */
/* The request table and what all requests have in common. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "log.h"
#include "request.h"
#include "store.h"
#include "trans.h"

enum {
	PRIV = 1,   /* dom0 and its tools only */
	NO_TX = 2,  /* the transaction id is ignored */
	CHANGE = 4, /* changes the store, unless in a transaction */
	COMMIT = 8, /* changes the store because it ends a transaction */
};

static const struct {
	const char *name;
	request_fn *fn;
	unsigned int flags;
} table[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {"CONTROL", req_control, PRIV},
	[XS_DIRECTORY] = {"DIRECTORY", req_directory, 0},
	[XS_READ] = {"READ", req_read, 0},
	[XS_GET_PERMS] = {"GET_PERMS", req_get_perms, 0},
	[XS_WATCH] = {"WATCH", req_watch, NO_TX},
	[XS_UNWATCH] = {"UNWATCH", req_unwatch, NO_TX},
	[XS_TRANSACTION_START] = {"TRANSACTION_START", req_transaction_start,
				  0},
	[XS_TRANSACTION_END] = {"TRANSACTION_END", req_transaction_end, COMMIT},
	[XS_INTRODUCE] = {"INTRODUCE", req_introduce, PRIV},
	[XS_RELEASE] = {"RELEASE", req_release, PRIV},
	[XS_GET_DOMAIN_PATH] = {"GET_DOMAIN_PATH", req_get_domain_path, 0},
	[XS_WRITE] = {"WRITE", req_write, CHANGE},
	[XS_MKDIR] = {"MKDIR", req_mkdir, CHANGE},
	[XS_RM] = {"RM", req_rm, CHANGE},
	[XS_SET_PERMS] = {"SET_PERMS", req_set_perms, CHANGE},
	[XS_IS_DOMAIN_INTRODUCED] = {"IS_DOMAIN_INTRODUCED",
				     req_is_domain_introduced, PRIV},
	[XS_RESUME] = {"RESUME", req_resume, PRIV},
	[XS_SET_TARGET] = {"SET_TARGET", req_set_target, PRIV},
	[XS_RESET_WATCHES] = {"RESET_WATCHES", req_reset_watches, 0},
	[XS_DIRECTORY_PART] = {"DIRECTORY_PART", req_directory_part, 0},
};

const char *request_name(uint32_t type)
{
	return type < XS_TYPE_COUNT ? table[type].name : NULL;
}

static void reply_error(struct request *r, int err)
{
	const char *name = "EINVAL";
	struct msg *m;

	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(*xsd_errors); i++)
		if (xsd_errors[i].errnum == err)
			name = xsd_errors[i].errstring;
	log_trace("OUT %u ERROR %s", r->c->id, name);
	if (r->c->dead || r->c->ignored)
		return;
	m = conn_message(r->c, &r->hdr, XS_ERROR, strlen(name) + 1, r->debt);
	strcpy(m->body, name);
	conn_queue(r->c, m);
}

char *reply_buf(struct request *r, size_t len)
{
	struct msg *m;

	r->answered = true;
	if (len > XENSTORE_PAYLOAD_MAX) {
		reply_error(r, E2BIG);
		return NULL;
	}
	if (r->c->dead || r->c->ignored)
		return NULL;
	if (log_tracing)
		log_trace("OUT %u %s %zu bytes", r->c->id,
			  request_name(r->hdr.type), len);
	m = conn_message(r->c, &r->hdr, r->hdr.type, len, r->debt);
	conn_queue(r->c, m);
	return m->body;
}

void reply(struct request *r, const void *data, size_t len)
{
	char *buf = reply_buf(r, len);

	if (buf && len)
		memcpy(buf, data, len);
}

void reply_string(struct request *r, const char *s)
{
	reply(r, s, strlen(s) + 1);
}

void reply_ok(struct request *r)
{
	reply(r, "OK", 3);
}

const char *request_arg(const struct request *r)
{
	if (!r->hdr.len || strlen(r->body) + 1 != r->hdr.len)
		return NULL;
	return r->body;
}

unsigned int request_strings(const struct request *r, char **vec,
			     unsigned int max)
{
	char *p = r->body, *end = p + r->hdr.len, *nul;
	unsigned int n = 0;

	while (p < end && (nul = memchr(p, 0, end - p))) {
		if (n < max)
			vec[n] = p;
		n++;
		p = nul + 1;
	}
	return n;
}

int request_domid(const char *s)
{
	unsigned long v;
	char *end;

	if (*s < '0' || *s > '9')
		return -1;
	v = strtoul(s, &end, 10);
	return *end || v > UINT16_MAX ? -1 : (int)v;
}

static bool must_wait(const struct conn *c, const struct xsd_sockmsg *hdr,
		      const char *body)
{
	unsigned int flags = table[hdr->type].flags;

	if (!trans_must_wait(c))
		return false;
	if (flags & CHANGE)
		return !hdr->tx_id;
	return (flags & COMMIT) && !strcmp(body, "T");
}

static int run(struct request *r)
{
	uint32_t type = r->hdr.type;

	if ((table[type].flags & PRIV) && !r->c->who.priv)
		return EACCES;
	r->v = &store;
	if (r->hdr.tx_id && !(table[type].flags & NO_TX)) {
		r->t = trans_find(r->c, r->hdr.tx_id);
		if (!r->t)
			return ENOENT;
		r->v = &r->t->view;
	}
	return table[type].fn(r);
}

bool request_handle(struct conn *c, const struct xsd_sockmsg *hdr, char *body)
{
	struct request r = {.c = c, .hdr = *hdr, .body = body};
	bool known = hdr->type < XS_TYPE_COUNT && table[hdr->type].fn;
	int rc;

	if (known && must_wait(c, hdr, body)) {
		conn_hold(c);
		return false;
	}
	if (log_tracing)
		log_trace("IN %u %s tx %u req %u %s", c->id,
			  known ? table[hdr->type].name : "?", hdr->tx_id,
			  hdr->req_id, body);
	r.debt = debt_new(c);
	rc = known ? run(&r) : ENOSYS;
	if (rc)
		reply_error(&r, rc);
	debt_put(r.debt);
	return true;
}
