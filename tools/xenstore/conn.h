/* SPDX-License-Identifier: MIT */
/*
 * A connection: bytes in become messages, messages out are queued. How bytes
 * move is its transport's affair (sock.c, ring.c). Connections take turns: each
 * round serves a few messages of every one that has some, so nobody who is busy
 * can keep others waiting.
 */
#ifndef OSTLER_XENSTORE_CONN_H
#define OSTLER_XENSTORE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <xen/io/xs_wire.h>

#include "list.h"
#include "loop.h"
#include "perms.h"

struct conn;
struct domain;
struct trans;
struct watch;

/*
 * What a guest's request still has under way: its reply and the events that it
 * caused. The request counts as outstanding until all are delivered.
 */
struct debt {
	uint32_t refs;
	uint16_t domid;
	uint32_t serial;
};

struct msg {
	struct msg *next;
	struct debt *debt;
	struct watch *watch; /* an event that this watch could repeat */
	uint64_t queued;     /* when */
	uint32_t sent;       /* bytes of header and body */
	struct xsd_sockmsg hdr;
	char body[];
};

struct transport {
	const char *name;
	/* Bytes read, 0: none now, or a negative errno: it is at an end. */
	ssize_t (*read)(struct conn *c, void *buf, size_t len);
	ssize_t (*write)(struct conn *c, const struct iovec *iov, int n);
	/* A turn is over: tell the other side, wait for what is needed. */
	void (*settle)(struct conn *c, bool stalled);
	/* There may be input without a message to tell. */
	bool (*pending)(struct conn *c);
	/* The other side broke the protocol (XENSTORE_ERROR_*). */
	void (*fail)(struct conn *c, unsigned int error);
	void (*close)(struct conn *c);
};

struct conn {
	struct list all;
	struct list turn;  /* on the ready or the held list */
	struct list dirty; /* has output that nobody tried to send */
	struct source src; /* a socket's */
	const struct transport *ops;
	struct domain *dom; /* NULL: a socket */
	struct who who;
	uint32_t id; /* for the trace and live updates */
	bool dead, ignored, held, stalled;
	uint32_t in_used;
	char *in; /* what was read and not yet handled */
	struct msg *out, **out_tail;
	size_t out_bytes;
	struct list watches;
	struct list trans;
	uint32_t ntrans, next_trans;
	uint32_t fails;     /* transactions that ended in EAGAIN, in a row */
	uint64_t last_hold; /* when it last had the store to itself */
};

extern struct list conns;

struct conn *conn_new(const struct transport *ops, struct domain *dom);

/* Ends it: watches and transactions go now, the memory after this round. */
void conn_close(struct conn *c);

/* Drops its input, output, watches and transactions. */
void conn_reset(struct conn *c);

/* The other side broke the protocol: no more service (XENSTORE_ERROR_*). */
void conn_fail(struct conn *c, unsigned int error);

/* It may have something to read: give it a turn. */
void conn_ready(struct conn *c);

/* There is room for its output: send in this round. */
void conn_output(struct conn *c);

/* Puts it aside until conn_unhold_all(). */
void conn_hold(struct conn *c);
void conn_unhold_all(void);

/* A message for @c; fill the body. The header's ids are the request's. */
struct msg *conn_message(struct conn *c, const struct xsd_sockmsg *req,
			 uint32_t type, uint32_t len, struct debt *debt);
void conn_queue(struct conn *c, struct msg *m);
/* Takes back the message queued last, if nothing of it is sent. */
bool conn_unqueue_last(struct conn *c);

/* Serves what is ready; true if something is left for the next round. */
bool conn_round(void);

/* Sends what it can. */
void conn_flush(struct conn *c);

/* A guest's request begins; NULL for others. */
struct debt *debt_new(struct conn *c);
void debt_put(struct debt *d);

/* Starts the clock that forgives guests' undelivered events; 0: never. */
void conn_event_timeout(unsigned int seconds);

#define CONN_IN_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)
#define CONN_READ   16384 /* bytes read at once */
/* What a turn may leave. */
#define CONN_IN_KEPT (CONN_READ + CONN_IN_MAX)

#endif
