/* SPDX-License-Identifier: MIT */
/*
 * Rings. The guest may write anything to the page at any time: each index is
 * read once, checked, and used from the copy; indexes of ours are kept in the
 * page too, since a later daemon has to find them, and are not trusted either.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "backend.h"
#include "conn.h"
#include "domain.h"
#include "log.h"
#include "ring.h"

/* xenstore-ring.txt: WATCH takes a depth. */
#define FEATURE_WATCH_DEPTH 4
#define FEATURES                                                               \
	(XENSTORE_SERVER_FEATURE_RECONNECTION |                                \
	 XENSTORE_SERVER_FEATURE_ERROR | FEATURE_WATCH_DEPTH)

#define LOAD(x)     __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define STORE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELEASE)
#define FENCE()     __atomic_thread_fence(__ATOMIC_SEQ_CST)

static ssize_t ring_read(struct conn *c, void *buf, size_t len)
{
	struct xenstore_domain_interface *ring = c->dom->ring;
	uint32_t cons = LOAD(ring->req_cons);
	uint32_t n = LOAD(ring->req_prod) - cons;
	size_t first;

	if (n > XENSTORE_RING_SIZE)
		return -EPROTO;
	if (n > len)
		n = len;
	if (!n)
		return 0;
	first = XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(cons);
	if (first > n)
		first = n;
	memcpy(buf, ring->req + MASK_XENSTORE_IDX(cons), first);
	memcpy((char *)buf + first, ring->req, n - first);
	STORE(ring->req_cons, cons + n);
	c->dom->kick = true;
	return n;
}

static void put_bytes(struct xenstore_domain_interface *ring, uint32_t prod,
		      const char *p, size_t n)
{
	size_t first = XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(prod);

	if (first > n)
		first = n;
	memcpy(ring->rsp + MASK_XENSTORE_IDX(prod), p, first);
	memcpy(ring->rsp, p + first, n - first);
}

static ssize_t ring_write(struct conn *c, const struct iovec *iov, int n)
{
	struct xenstore_domain_interface *ring = c->dom->ring;
	uint32_t prod = LOAD(ring->rsp_prod);
	uint32_t used = prod - LOAD(ring->rsp_cons);
	size_t done = 0;

	if (used > XENSTORE_RING_SIZE)
		return -EPROTO;
	for (int i = 0; i < n && used < XENSTORE_RING_SIZE; i++) {
		size_t len = iov[i].iov_len;

		if (len > XENSTORE_RING_SIZE - used)
			len = XENSTORE_RING_SIZE - used;
		put_bytes(ring, prod + done, iov[i].iov_base, len);
		done += len;
		used += len;
	}
	if (!done)
		return 0;
	STORE(ring->rsp_prod, prod + done);
	c->dom->kick = true;
	return done;
}

static void ring_settle(struct conn *c, bool stalled)
{
	(void)stalled;
	if (!c->dom->kick)
		return;
	c->dom->kick = false;
	FENCE(); /* the indexes are out before the event */
	domain_backend()->notify(c->dom->port);
}

static bool ring_pending(struct conn *c)
{
	struct xenstore_domain_interface *ring = c->dom->ring;

	FENCE();
	return LOAD(ring->req_cons) != LOAD(ring->req_prod);
}

static void ring_fail(struct conn *c, unsigned int error)
{
	struct domain *d = c->dom;

	log_msg(LOG_ERR,
		"domain %u: its ring has %s; no more service until it "
		"reconnects",
		d->domid,
		error == XENSTORE_ERROR_PROTO  ? "an over-long request"
		: error == XENSTORE_ERROR_COMM ? "a communication problem"
					       : "indexes that cannot be");
	STORE(d->ring->error, error);
	d->kick = false;
	FENCE();
	domain_backend()->notify(d->port);
}

/* The domain keeps page and channel; domain.c gives them up. */
static void ring_close(struct conn *c)
{
	(void)c;
}

void ring_offer(struct domain *d)
{
	STORE(d->ring->server_features, FEATURES);
}

void ring_start(struct domain *d)
{
	struct xenstore_domain_interface *ring = d->ring;

	STORE(ring->req_cons, 0);
	STORE(ring->req_prod, 0);
	STORE(ring->rsp_cons, 0);
	STORE(ring->rsp_prod, 0);
	STORE(ring->error, XENSTORE_ERROR_NONE);
	ring_offer(d);
	if (LOAD(ring->connection) == XENSTORE_RECONNECT)
		STORE(ring->connection, XENSTORE_CONNECTED);
	FENCE();
	domain_backend()->notify(d->port);
}

bool ring_reconnect(struct domain *d)
{
	if (!d->conn || LOAD(d->ring->connection) != XENSTORE_RECONNECT)
		return false;
	log_trace("domain %u reconnects", d->domid);
	conn_reset(d->conn);
	d->conn->ignored = false;
	d->conn->stalled = false;
	ring_start(d);
	return true;
}

const struct transport ring_transport = {
	.name = "ring",
	.read = ring_read,
	.write = ring_write,
	.settle = ring_settle,
	.pending = ring_pending,
	.fail = ring_fail,
	.close = ring_close,
};
