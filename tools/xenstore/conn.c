/* SPDX-License-Identifier: MIT */
/* Connections: input, output, turns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "log.h"
#include "mem.h"
#include "request.h"
#include "trans.h"
#include "watch.h"

#define TURN      16                 /* messages served in one turn */
#define OUT_STALL (64 * 1024)        /* unsent output: no more requests */
#define OUT_LIMIT (32 * 1024 * 1024) /* unsent output: the end */

struct list conns = LIST_INIT(conns);
static struct list ready = LIST_INIT(ready);
static struct list held = LIST_INIT(held);
static struct list dirty = LIST_INIT(dirty);
static struct list dead = LIST_INIT(dead);

/* Input is handled here; the last byte is for a terminating nul. */
static char scratch[CONN_IN_KEPT + 1];

/* Runs while a guest owes us the reading of something. */
static struct timer event_timer;
static unsigned int event_timeout = 20;

struct conn *conn_new(const struct transport *ops, struct domain *dom)
{
	static uint32_t last_id;
	struct conn *c = mem_zalloc(sizeof(*c));

	c->ops = ops;
	c->dom = dom;
	c->src.fd = -1;
	c->who.domid = dom ? dom->domid : 0;
	c->who.priv = !c->who.domid;
	c->who.target = -1;
	c->id = ++last_id;
	c->next_trans = 1;
	c->out_tail = &c->out;
	list_init(&c->turn);
	list_init(&c->dirty);
	list_init(&c->watches);
	list_init(&c->trans);
	list_add_tail(&conns, &c->all);
	log_trace("NEW %s connection %u of domain %u", ops->name, c->id,
		  c->who.domid);
	return c;
}

struct debt *debt_new(struct conn *c)
{
	struct debt *d;

	if (c->who.priv || !c->dom)
		return NULL;
	d = mem_alloc(sizeof(*d));
	d->refs = 1;
	d->domid = c->who.domid;
	d->serial = c->dom->serial;
	c->dom->outstanding++;
	return d;
}

void debt_put(struct debt *debt)
{
	struct domain *d;

	if (!debt || --debt->refs)
		return;
	d = domain_find(debt->domid);
	if (d && d->serial == debt->serial) {
		d->outstanding--;
		if (d->conn && d->conn->stalled)
			conn_ready(d->conn);
	}
	free(debt);
}

static size_t msg_size(const struct msg *m)
{
	return sizeof(m->hdr) + m->hdr.len;
}

static void msg_free(struct conn *c, struct msg *m)
{
	c->out_bytes -= msg_size(m);
	if (c->dom && !c->who.priv)
		c->dom->memory -= msg_size(m);
	if (m->watch)
		watch_sent(m->watch);
	debt_put(m->debt);
	free(m);
}

struct msg *conn_message(struct conn *c, const struct xsd_sockmsg *req,
			 uint32_t type, uint32_t len, struct debt *debt)
{
	struct msg *m = mem_alloc(sizeof(*m) + len);

	(void)c;
	m->next = NULL;
	m->debt = debt;
	m->watch = NULL;
	m->queued = loop_now();
	m->sent = 0;
	m->hdr = (struct xsd_sockmsg){
		.type = type,
		.req_id = req ? req->req_id : 0,
		.tx_id = req ? req->tx_id : 0,
		.len = len,
	};
	if (debt)
		debt->refs++;
	return m;
}

void conn_queue(struct conn *c, struct msg *m)
{
	*c->out_tail = m;
	c->out_tail = &m->next;
	c->out_bytes += msg_size(m);
	if (c->dom && !c->who.priv)
		c->dom->memory += msg_size(m);
	if (m->debt && event_timer.fn && !event_timer.when)
		timer_set(&event_timer, 1000);
	conn_output(c);
}

bool conn_unqueue_last(struct conn *c)
{
	struct msg **p = &c->out, *m;

	if (!*p)
		return false;
	while ((*p)->next)
		p = &(*p)->next;
	m = *p;
	if (m->sent)
		return false;
	*p = NULL;
	c->out_tail = p;
	msg_free(c, m);
	return true;
}

static void drop_output(struct conn *c)
{
	struct msg *m;

	while ((m = c->out)) {
		c->out = m->next;
		msg_free(c, m);
	}
	c->out_tail = &c->out;
}

void conn_reset(struct conn *c)
{
	watch_drop_all(c);
	trans_drop_all(c);
	drop_output(c);
	free(c->in);
	c->in = NULL;
	c->in_used = 0;
}

void conn_close(struct conn *c)
{
	if (c->dead)
		return;
	log_trace("END connection %u", c->id);
	c->dead = true;
	c->ops->close(c);
	conn_reset(c);
	trans_release_hold(c);
	list_del(&c->turn);
	list_del(&c->dirty);
	list_del(&c->all);
	list_add_tail(&dead, &c->all);
}

void conn_fail(struct conn *c, unsigned int error)
{
	if (c->dead || c->ignored)
		return;
	c->ignored = true;
	conn_reset(c);
	trans_release_hold(c);
	c->ops->fail(c, error);
}

void conn_ready(struct conn *c)
{
	if (!c->dead && !c->held && list_empty(&c->turn))
		list_add_tail(&ready, &c->turn);
}

void conn_output(struct conn *c)
{
	if (!c->dead && list_empty(&c->dirty))
		list_add_tail(&dirty, &c->dirty);
}

void conn_hold(struct conn *c)
{
	c->held = true;
	list_del(&c->turn);
	list_add_tail(&held, &c->turn);
}

void conn_unhold_all(void)
{
	list_for_each(l, &held)
		container_of(l, struct conn, turn)->held = false;
	list_splice(&ready, &held);
}

/* May @c send more requests now? */
static bool may_go_on(struct conn *c)
{
	if (c->dead || c->ignored || c->held || c->out_bytes > OUT_STALL)
		return false;
	return !c->dom || c->who.priv ||
	       !domain_over(c->dom, QUOTA_OUTSTANDING, c->dom->outstanding, 1);
}

static bool whole_message(const char *p, size_t len)
{
	struct xsd_sockmsg hdr;

	if (len < sizeof(hdr))
		return false;
	memcpy(&hdr, p, sizeof(hdr));
	return hdr.len > XENSTORE_PAYLOAD_MAX || len - sizeof(hdr) >= hdr.len;
}

/*
 * Handles up to @budget messages of the @len bytes at @p; the bytes used.
 * The handler gets its body with a nul after it, for which the next message's
 * first byte makes room.
 */
static size_t serve(struct conn *c, char *p, size_t len, unsigned int budget)
{
	size_t used = 0;

	while (budget-- && may_go_on(c) &&
	       whole_message(p + used, len - used)) {
		struct xsd_sockmsg hdr;
		char *body = p + used + sizeof(hdr), saved;
		bool done;

		memcpy(&hdr, p + used, sizeof(hdr));
		if (hdr.len > XENSTORE_PAYLOAD_MAX) {
			log_msg(LOG_ERR,
				"domain %u, connection %u: a request of %u "
				"bytes, more than %d",
				c->who.domid, c->id, hdr.len,
				XENSTORE_PAYLOAD_MAX);
			conn_fail(c, XENSTORE_ERROR_PROTO);
			break;
		}
		saved = body[hdr.len];
		body[hdr.len] = '\0';
		done = request_handle(c, &hdr, body);
		body[hdr.len] = saved;
		if (!done)
			break;
		used += sizeof(hdr) + hdr.len;
	}
	return used;
}

/* Keeps what a turn left; true if there is a whole message in it. */
static bool keep(struct conn *c, const char *p, size_t len)
{
	if (c->dead || c->ignored)
		return false;
	free(c->in);
	c->in = NULL;
	c->in_used = len;
	if (!len)
		return false;
	c->in = mem_alloc(len);
	memcpy(c->in, p, len);
	return whole_message(p, len);
}

static void take_turn(struct conn *c)
{
	size_t len = c->in_used, used;
	bool more;
	ssize_t n;

	if (len)
		memcpy(scratch, c->in, len);
	if (may_go_on(c) && !whole_message(scratch, len)) {
		n = c->ops->read(c, scratch + len, CONN_READ);
		if (n < 0) {
			if (n == -EPROTO)
				conn_fail(c, XENSTORE_ERROR_RINGIDX);
			else
				conn_close(c);
			return;
		}
		len += n;
	}
	used = serve(c, scratch, len, TURN);
	more = keep(c, scratch + used, len - used);
	if (c->dead || c->ignored)
		return;
	c->stalled = !may_go_on(c);
	if (!c->stalled && (more || c->ops->pending(c)))
		conn_ready(c);
}

void conn_flush(struct conn *c)
{
	struct iovec iov[64];
	bool full = false;

	while (c->out && !full && !c->dead) {
		size_t want = 0;
		struct msg *m;
		ssize_t n;
		int k = 0;

		for (m = c->out; m && k < 64; m = m->next, k++) {
			iov[k].iov_base = (char *)&m->hdr + m->sent;
			iov[k].iov_len = msg_size(m) - m->sent;
			want += iov[k].iov_len;
		}
		n = c->ops->write(c, iov, k);
		if (n < 0) {
			if (n == -EPROTO)
				conn_fail(c, XENSTORE_ERROR_RINGIDX);
			else
				conn_close(c);
			return;
		}
		full = (size_t)n < want;
		while (n) {
			size_t left;

			m = c->out;
			left = msg_size(m) - m->sent;
			if ((size_t)n < left) {
				m->sent += n;
				break;
			}
			n -= left;
			c->out = m->next;
			if (!c->out)
				c->out_tail = &c->out;
			msg_free(c, m);
		}
	}
	if (c->out_bytes > OUT_LIMIT) {
		log_msg(LOG_ERR,
			"connection %u reads nothing and has %zu bytes of "
			"events waiting: closed",
			c->id, c->out_bytes);
		/* A ring is its domain's, as long as that is there. */
		if (c->dom)
			conn_fail(c, XENSTORE_ERROR_COMM);
		else
			conn_close(c);
	}
}

static void settle(struct conn *c)
{
	if (c->dead || c->ignored)
		return;
	c->ops->settle(c, c->stalled);
}

static void flush_dirty(void)
{
	while (!list_empty(&dirty)) {
		struct conn *c = list_first(&dirty, struct conn, dirty);

		list_del(&c->dirty);
		conn_flush(c);
		if (c->stalled && may_go_on(c)) {
			c->stalled = false;
			conn_ready(c);
		}
		settle(c);
	}
}

static void bury(void)
{
	while (!list_empty(&dead)) {
		struct conn *c = list_first(&dead, struct conn, all);

		list_del(&c->all);
		list_del(&c->turn);
		free(c);
	}
}

bool conn_round(void)
{
	struct list now = LIST_INIT(now);

	list_splice(&now, &ready);
	while (!list_empty(&now)) {
		struct conn *c = list_first(&now, struct conn, turn);

		list_del(&c->turn);
		if (!c->ignored)
			take_turn(c);
		conn_output(c);
	}
	flush_dirty();
	bury();
	return !list_empty(&ready);
}

/* A guest that takes no events must not block those who cause them. */
static void forgive(struct timer *t)
{
	uint64_t limit = event_timeout * 1000ull;
	bool owed = false;

	list_for_each(l, &conns) {
		struct conn *c = container_of(l, struct conn, all);

		if (c->who.priv)
			continue;
		for (struct msg *m = c->out; m; m = m->next) {
			bool due = m->queued + limit <= loop_now() &&
				   m->hdr.type == XS_WATCH_EVENT;

			if (due) {
				debt_put(m->debt);
				m->debt = NULL;
			}
			owed |= m->debt != NULL;
		}
	}
	if (owed)
		timer_set(t, 1000);
}

void conn_event_timeout(unsigned int seconds)
{
	event_timeout = seconds;
	event_timer.fn = seconds ? forgive : NULL;
	timer_stop(&event_timer);
	if (seconds)
		timer_set(&event_timer, 1000);
}
