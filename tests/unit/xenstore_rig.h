/* SPDX-License-Identifier: MIT */
/*
 * The xenstore daemon without its main(), with domains whose rings are plain
 * memory and whose event channels are flags. A test talks to it as a guest
 * (ring_*) or as a tool over a socket pair (tool_*), and rig_run() lets the
 * daemon work until nothing is left to do.
 */
#ifndef OSTLER_TESTS_UNIT_XENSTORE_RIG_H
#define OSTLER_TESTS_UNIT_XENSTORE_RIG_H

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#include "backend.h"
#include "conn.h"
#include "dir.h"
#include "domain.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "node.h"
#include "quota.h"
#include "sock.h"
#include "state.h"
#include "store.h"
#include "watch.h"

#define RIG_DOMAINS 64

static struct xenstore_domain_interface rig_page[RIG_DOMAINS];
static enum domain_state rig_state[RIG_DOMAINS];
static bool rig_notified[RIG_DOMAINS], rig_mapped[RIG_DOMAINS];
static char rig_log[8192];

static int rig_open(int fd)
{
	(void)fd;
	return 0;
}

static int rig_none(void)
{
	return -1;
}

static void rig_adopt(int port)
{
	(void)port;
}

/* Domain n's local port is 100 + n. */
static int rig_bind(unsigned int domid, unsigned int port)
{
	return port == 666 ? -EINVAL : (int)(100 + domid);
}

static void rig_unbind(int port)
{
	(void)port;
}

static void rig_notify(int port)
{
	if (port >= 100 && port < 100 + RIG_DOMAINS)
		rig_notified[port - 100] = true;
}

static struct xenstore_domain_interface *rig_map(unsigned int domid,
						 uint64_t gfn)
{
	(void)gfn;
	if (domid >= RIG_DOMAINS) {
		errno = ENOENT;
		return NULL;
	}
	rig_mapped[domid] = true;
	return &rig_page[domid];
}

static void rig_unmap(unsigned int domid,
		      struct xenstore_domain_interface *ring)
{
	(void)ring;
	rig_mapped[domid] = false;
}

static enum domain_state rig_domain_state(unsigned int domid)
{
	return domid < RIG_DOMAINS ? rig_state[domid] : DOMAIN_GONE;
}

static const struct backend rig_backend = {
	.name = "rig",
	.open = rig_open,
	.fd = rig_none,
	.next_port = rig_none,
	.virq_port = rig_none,
	.bind_virq = rig_none,
	.adopt_virq = rig_adopt,
	.bind = rig_bind,
	.unbind = rig_unbind,
	.notify = rig_notify,
	.map = rig_map,
	.unmap = rig_unmap,
	.state = rig_domain_state,
	.dom0_port = rig_none,
};

static void rig_logged(int priority, const char *text)
{
	size_t used = strlen(rig_log);

	(void)priority;
	snprintf(rig_log + used, sizeof(rig_log) - used, "%s\n", text);
}

static unsigned int rig_quotas[QUOTA_ALL];

static void rig_start(void)
{
	static bool once;

	if (!once) {
		once = true;
		loop_init();
		mem_init();
		log_hook = rig_logged;
		for (int i = 0; i < QUOTA_ALL; i++)
			rig_quotas[i] = quotas[i].value;
		watch_init();
		domain_init(&rig_backend);
		store_init();
	}
	for (int i = 0; i < QUOTA_ALL; i++)
		quotas[i].value = rig_quotas[i];
	for (int i = 0; i < RIG_DOMAINS; i++)
		rig_state[i] = DOMAIN_RUNNING;
	rig_log[0] = '\0';
}

static inline void rig_run(void)
{
	bool busy = true;

	for (int i = 0; i < 1000 && busy; i++) {
		loop_wait(true);
		busy = conn_round();
	}
	loop_wait(true);
	conn_round();
}

/* Ends every domain and connection, so that cases start alike. */
static inline void rig_stop(void)
{
	struct who dom0 = {.priv = true, .target = -1};
	static const char *const tops[] = {"/local", "/t", "/a", "/b", "/w"};
	struct node *gone;

	for (int i = 1; i < RIG_DOMAINS; i++)
		rig_state[i] = DOMAIN_GONE;
	domain_check();
	list_for_each_safe(l, &conns)
		conn_close(container_of(l, struct conn, all));
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++)
		if (!store_rm(&store, &dom0, tops[i], &gone) && gone)
			node_put(gone);
	rig_run();
}

/* Everything that is in the store. */
static inline void rig_forget_nodes(void)
{
	static const struct who dom0 = {.priv = true, .target = -1};
	struct node *gone;
	char name[PATH_MAX], names[4096];
	size_t len = dir_names(store.root->kids, 0, names, sizeof(names));

	for (size_t at = 0; at < len; at += strlen(names + at) + 1) {
		snprintf(name, sizeof(name), "/%s", names + at);
		if (!store_rm(&store, &dom0, name, &gone) && gone)
			node_put(gone);
	}
}

/* The same, and nothing is left in the store: for fuzzers. */
static inline void rig_clean(void)
{
	rig_stop();
	while (dir_bytes(store.root->kids))
		rig_forget_nodes();
}

/* A reply or event as a test sees it. */
struct answer {
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX + 1];
};

/* Puts raw bytes in @domid's request ring, as far as they fit. */
static inline size_t ring_put(unsigned int domid, const void *p, size_t len)
{
	struct xenstore_domain_interface *r = &rig_page[domid];
	uint32_t prod = r->req_prod, n = 0;

	while (n < len && prod - (uint32_t)r->req_cons < XENSTORE_RING_SIZE)
		r->req[MASK_XENSTORE_IDX(prod++)] = ((const char *)p)[n++];
	r->req_prod = prod;
	domain_event(100 + domid);
	return n;
}

static inline size_t ring_get(unsigned int domid, void *p, size_t len)
{
	struct xenstore_domain_interface *r = &rig_page[domid];
	uint32_t cons = r->rsp_cons, n = 0;

	while (n < len && cons != (uint32_t)r->rsp_prod)
		((char *)p)[n++] = r->rsp[MASK_XENSTORE_IDX(cons++)];
	r->rsp_cons = cons;
	domain_event(100 + domid);
	return n;
}

static inline void ring_send(unsigned int domid, uint32_t type, uint32_t tx,
			     const void *body, uint32_t len)
{
	struct xsd_sockmsg h = {
		.type = type, .req_id = 7, .tx_id = tx, .len = len};
	char buf[sizeof(h) + XENSTORE_PAYLOAD_MAX];
	size_t done = 0;

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), body, len);
	for (int i = 0; i < 100 && done < sizeof(h) + len; i++) {
		done += ring_put(domid, buf + done, sizeof(h) + len - done);
		rig_run();
	}
}

/* The next message; false if there is none. */
static inline bool ring_receive(unsigned int domid, struct answer *a)
{
	char *p = (char *)&a->hdr;
	size_t used = 0, want = sizeof(a->hdr);

	for (int i = 0; i < 100 && used < want; i++) {
		used += ring_get(domid, p + used, want - used);
		rig_run();
	}
	if (used < want)
		return false;
	for (used = 0; used < a->hdr.len;) {
		size_t n = ring_get(domid, a->body + used, a->hdr.len - used);

		rig_run();
		if (!n)
			return false;
		used += n;
	}
	a->body[used] = '\0';
	return true;
}

/* A tool's connection. */
static inline int tool_connect(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) ||
	    !sock_conn(fd[0]))
		return -1;
	return fd[1];
}

static inline void tool_send(int fd, uint32_t type, uint32_t tx,
			     const void *body, uint32_t len)
{
	struct xsd_sockmsg h = {
		.type = type, .req_id = 9, .tx_id = tx, .len = len};
	char buf[sizeof(h) + XENSTORE_PAYLOAD_MAX];

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), body, len);
	if (write(fd, buf, sizeof(h) + len) != (ssize_t)(sizeof(h) + len))
		abort();
	rig_run();
}

static inline bool tool_receive(int fd, struct answer *a)
{
	if (read(fd, &a->hdr, sizeof(a->hdr)) != sizeof(a->hdr))
		return false;
	if (a->hdr.len && read(fd, a->body, a->hdr.len) != a->hdr.len)
		return false;
	a->body[a->hdr.len] = '\0';
	return true;
}

/*
 * A request whose body is @n strings, each with its nul; @a gets the reply,
 * events before it are dropped. Returns 0 or the errno of an error reply.
 * @from: a domain, or TOOL + a descriptor.
 */
#define TOOL 100000
static inline int ask(int from, uint32_t type, uint32_t tx, struct answer *a,
		      int n, ...)
{
	char body[XENSTORE_PAYLOAD_MAX];
	uint32_t len = 0;
	va_list ap;

	va_start(ap, n);
	while (n--) {
		const char *s = va_arg(ap, const char *);

		strcpy(body + len, s);
		len += strlen(s) + 1;
	}
	va_end(ap);
	if (type == XS_WRITE) /* the value has no nul */
		len--;
	if (from >= TOOL)
		tool_send(from - TOOL, type, tx, body, len);
	else
		ring_send(from, type, tx, body, len);
	do {
		bool got = from >= TOOL ? tool_receive(from - TOOL, a)
					: ring_receive(from, a);

		if (!got)
			return -1;
	} while (a->hdr.type == XS_WATCH_EVENT);
	if (a->hdr.type != XS_ERROR)
		return a->hdr.type == type ? 0 : -2;
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(*xsd_errors); i++)
		if (!strcmp(xsd_errors[i].errstring, a->body))
			return xsd_errors[i].errnum;
	return -3;
}

/* dom0's toolstack makes domain @domid's home and introduces it. */
static inline void rig_domain(int tool, unsigned int domid)
{
	char id[8], home[64], perm[8];
	struct answer a;

	memset(&rig_page[domid], 0, sizeof(rig_page[domid]));
	snprintf(id, sizeof(id), "%u", domid);
	snprintf(home, sizeof(home), "/local/domain/%u/data", domid);
	snprintf(perm, sizeof(perm), "n%u", domid);
	ask(tool, XS_WRITE, 0, &a, 2, home, "");
	ask(tool, XS_SET_PERMS, 0, &a, 2, home, perm);
	ask(tool, XS_INTRODUCE, 0, &a, 3, id, "1", "5");
}

#endif
