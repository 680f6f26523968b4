/* SPDX-License-Identifier: MIT */
/* Domains: use and quotas, introduction, death. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "backend.h"
#include "conn.h"
#include "domain.h"
#include "log.h"
#include "mem.h"
#include "node.h"
#include "perms.h"
#include "ring.h"
#include "store.h"
#include "watch.h"

struct list domains = LIST_INIT(domains);
uint32_t domain_deaths;
bool domain_keep_orphans;

static struct domain *by_id[DOMID_LIMIT];
static struct domain **by_port; /* local event channels */
static unsigned int n_ports;
static const struct backend *backend = &backend_none;

void domain_init(const struct backend *b)
{
	backend = b;
	domain_force(0);
}

const struct backend *domain_backend(void)
{
	return backend;
}

struct domain *domain_find(unsigned int domid)
{
	return domid < DOMID_LIMIT ? by_id[domid] : NULL;
}

struct domain *domain_force(unsigned int domid)
{
	static uint32_t serial;
	struct domain *d = domain_find(domid);

	if (d || domid >= DOMID_LIMIT)
		return d;
	d = mem_zalloc(sizeof(*d));
	d->domid = domid;
	d->serial = ++serial;
	list_add_tail(&domains, &d->all);
	by_id[domid] = d;
	return d;
}

struct domain *domain_want(unsigned int domid)
{
	struct domain *d = domain_find(domid);

	if (d || domid >= DOMID_LIMIT)
		return d;
	return backend->state(domid) == DOMAIN_GONE ? NULL
						    : domain_force(domid);
}

static void check_soft(struct domain *d)
{
	unsigned int soft = quotas[QUOTA_SOFT_MEMORY].value;
	uint16_t bit = 1u << QUOTA_SOFT_MEMORY;

	if (!d->domid || !soft)
		return;
	if (d->memory >= soft && !(d->reported & bit)) {
		d->reported |= bit;
		log_msg(LOG_WARNING,
			"domain %u is over the soft memory quota (%u bytes)",
			d->domid, soft);
	} else if (d->memory < soft / 2) {
		d->reported &= ~bit;
	}
}

void domain_charge(unsigned int domid, long nodes, long bytes)
{
	struct domain *d = domain_find(domid);

	if (!d)
		return;
	d->nodes += nodes;
	d->memory += bytes;
	check_soft(d);
}

void domain_report(struct domain *d, enum quota q)
{
	if (d->reported & (1u << q))
		return;
	d->reported |= 1u << q;
	log_msg(LOG_WARNING, "domain %u is over its quota \"%s\" (%u)",
		d->domid, quotas[q].name, quotas[q].value);
}

bool domain_over(struct domain *d, enum quota q, long used, long more)
{
	unsigned int max = quotas[q].value;

	if (!d->domid || !max || used + more <= (long)max)
		return false;
	domain_report(d, q);
	return true;
}

static void removed(const char *path, struct node *n)
{
	watch_fire(path, n, n->perms, NULL);
}

static void forget_target(unsigned int domid)
{
	list_for_each(l, &conns) {
		struct conn *c = container_of(l, struct conn, all);

		if (c->who.target == (int)domid)
			c->who.target = -1;
	}
}

/* The domain's local port is @port from now on; 0: none. */
static void set_port(struct domain *d, int port)
{
	if (d->port)
		by_port[d->port] = NULL;
	d->port = port;
	if (!port)
		return;
	if ((unsigned int)port >= n_ports) {
		unsigned int n = port + 64;

		by_port = mem_realloc(by_port, n * sizeof(*by_port));
		memset(by_port + n_ports, 0, (n - n_ports) * sizeof(*by_port));
		n_ports = n;
	}
	by_port[port] = d;
}

static void give_up_ring(struct domain *d)
{
	if (d->conn)
		conn_close(d->conn);
	d->conn = NULL;
	if (d->port)
		backend->unbind(d->port);
	set_port(d, 0);
	if (d->ring)
		backend->unmap(d->domid, d->ring);
}

void domain_release(struct domain *d)
{
	unsigned int domid = d->domid;
	bool introduced = d->introduced;

	log_trace("RELEASE domain %u", domid);
	give_up_ring(d);
	forget_target(domid);
	store_forget_domain(domid, domain_keep_orphans, removed);
	list_del(&d->all);
	by_id[domid] = NULL;
	domain_deaths++;
	free(d);
	if (introduced)
		watch_fire_special("@releaseDomain", domid);
}

static void connect(struct domain *d)
{
	d->introduced = true;
	d->shutdown = false;
	d->conn = conn_new(&ring_transport, d);
}

static int first_introduction(struct domain *d, uint64_t gfn, unsigned int port)
{
	int local;

	d->ring = backend->map(d->domid, gfn);
	if (!d->ring) {
		log_msg(LOG_ERR, "domain %u: its ring cannot be mapped: %s",
			d->domid, strerror(errno));
		return errno;
	}
	local = backend->bind(d->domid, port);
	if (local < 0) {
		log_msg(LOG_ERR, "domain %u: port %u cannot be bound: %s",
			d->domid, port, strerror(-local));
		backend->unmap(d->domid, d->ring);
		d->ring = NULL;
		return -local;
	}
	set_port(d, local);
	d->gfn = gfn;
	connect(d);
	return 0;
}

/* The guest was restored or resumed: it has another channel. */
static int again(struct domain *d, unsigned int port)
{
	int local;

	if (d->port)
		backend->unbind(d->port);
	local = backend->bind(d->domid, port);
	set_port(d, local < 0 ? 0 : local);
	conn_reset(d->conn);
	d->conn->ignored = false;
	return local < 0 ? -local : 0;
}

int domain_introduce(unsigned int domid, uint64_t gfn, unsigned int port)
{
	struct domain *d = domain_want(domid);
	bool was;
	int rc;

	if (!d)
		return ENOENT;
	was = d->introduced;
	rc = was ? again(d, port) : first_introduction(d, gfn, port);
	if (rc)
		return rc;
	ring_start(d);
	conn_ready(d->conn);
	if (!was)
		watch_fire_special("@introduceDomain", domid);
	return 0;
}

int domain_introduce_dom0(void)
{
	struct domain *d = domain_force(0);
	int port = backend->dom0_port(), rc;

	if (port < 0)
		return -port;
	rc = first_introduction(d, 0, port);
	if (rc)
		return rc;
	/* The kernel may have requests in it already: nothing is reset. */
	ring_offer(d);
	backend->notify(d->port);
	conn_ready(d->conn);
	return 0;
}

int domain_restore(unsigned int domid, uint64_t gfn, int port)
{
	struct domain *d = domain_force(domid);

	set_port(d, port);
	d->gfn = gfn;
	connect(d);
	d->ring = backend->map(domid, gfn);
	if (!d->ring) {
		log_msg(LOG_ERR,
			"domain %u: its ring cannot be mapped again: %s", domid,
			strerror(errno));
		/* Kept, for @releaseDomain when it ends. */
		d->conn->ignored = true;
		return errno;
	}
	ring_offer(d);
	conn_ready(d->conn);
	return 0;
}

void domain_check(void)
{
	list_for_each_safe(l, &domains) {
		struct domain *d = container_of(l, struct domain, all);
		enum domain_state state;

		if (!d->domid)
			continue;
		state = backend->state(d->domid);
		if (state == DOMAIN_GONE) {
			domain_release(d);
		} else if (state == DOMAIN_SHUTDOWN && d->introduced &&
			   !d->shutdown) {
			d->shutdown = true;
			watch_fire_special("@releaseDomain", d->domid);
		}
	}
}

void domain_event(int port)
{
	struct domain *d;

	if (port == backend->virq_port()) {
		domain_check();
		return;
	}
	d = port > 0 && (unsigned int)port < n_ports ? by_port[port] : NULL;
	if (!d || !d->conn)
		return;
	if (d->ring)
		ring_reconnect(d);
	if (!d->conn->ignored)
		conn_ready(d->conn);
}
