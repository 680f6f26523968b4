/* SPDX-License-Identifier: MIT */
/*
 * The client library's inside: a connection (xs_wire.c), its events
 * (xs_watch.c), and requests made of them (xs.c). Its users see xenstore.h.
 */
#ifndef OSTLER_XENSTORE_XS_WIRE_H
#define OSTLER_XENSTORE_XS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <xen/io/xs_wire.h>
#include <xenstore.h>

#define XS_MSG_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

struct xs_event {
	struct xs_event *next;
	char **vec; /* what the caller gets, and frees */
};

struct xs_handle {
	int fd, epfd, evfd;
	bool is_socket, filter;
	uint32_t last_id;
	size_t used; /* bytes in buf */
	struct xs_event *events, **events_tail;
	char buf[2 * XS_MSG_MAX];
};

/*
 * One request of @n parts and its reply (malloc'd, nul-terminated; *@len
 * without that nul), or NULL with errno.
 */
char *xs_talk(struct xs_handle *h, xs_transaction_t t, uint32_t type,
	      const struct iovec *parts, int n, unsigned int *len);
/*
 * The next message that is no event: its malloc'd body, nul-terminated. With
 * @want NULL: sorts out what is there and returns NULL, errno EAGAIN.
 */
char *xs_receive(struct xs_handle *h, struct xsd_sockmsg *want, bool wait);

/* An event's body is kept until somebody asks; false: out of memory. */
bool xs_keep_event(struct xs_handle *h, const char *body, uint32_t len);
void xs_drop_all_events(struct xs_handle *h);

static inline struct iovec xs_string(const char *s)
{
	return (struct iovec){(void *)(uintptr_t)s, strlen(s) + 1};
}

/* Of a reply that says no more than that it worked. */
static inline bool xs_done(char *reply)
{
	free(reply);
	return reply != NULL;
}

#endif
