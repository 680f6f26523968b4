/* SPDX-License-Identifier: MIT */
/*
 * The client library's connection: the daemon's socket, or the kernel's xenbus
 * device where there is no socket; one request at a time, and its reply. It
 * starts no thread: events that arrive while a reply is awaited are kept, and
 * xs_fileno() is an epoll descriptor that is readable for both kept and
 * arriving ones. A handle belongs to one thread at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xs_wire.h"

#define RUNDIR "/run/xenstored"

static int open_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

static int open_device(void)
{
	int fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);

	return fd >= 0 ? fd : open("/proc/xen/xenbus", O_RDWR | O_CLOEXEC);
}

/*
 * The socket, or the kernel's device where there is no socket. One that nobody
 * serves is a daemon's that died: the device would wait for it for ever.
 */
static bool open_daemon(struct xs_handle *h, unsigned long flags)
{
	const char *path = getenv("XENSTORED_PATH");
	const char *dir = getenv("XENSTORED_RUNDIR");
	char buf[PATH_MAX];
	int err;

	if (!path) {
		snprintf(buf, sizeof(buf), "%s/socket", dir ? dir : RUNDIR);
		path = buf;
	}
	h->fd = open_socket(path);
	h->is_socket = h->fd >= 0;
	if (h->is_socket)
		return true;
	err = errno;
	if (err == ECONNREFUSED || (flags & XS_OPEN_SOCKETONLY))
		return false;
	h->fd = open_device();
	if (h->fd < 0)
		errno = err;
	return h->fd >= 0;
}

static bool epoll_add(int epfd, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	return !epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
}

struct xs_handle *xs_open(unsigned long flags)
{
	struct xs_handle *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return NULL;
	h->fd = h->epfd = h->evfd = -1;
	h->events_tail = &h->events;
	h->filter = flags & XS_UNWATCH_FILTER;
	if (!open_daemon(h, flags))
		goto fail;
	h->epfd = epoll_create1(EPOLL_CLOEXEC);
	h->evfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->epfd < 0 || h->evfd < 0 || !epoll_add(h->epfd, h->fd) ||
	    !epoll_add(h->epfd, h->evfd))
		goto fail;
	return h;
fail:
	err = errno;
	xs_close(h);
	errno = err;
	return NULL;
}

void xs_close(struct xs_handle *h)
{
	if (!h)
		return;
	xs_drop_all_events(h);
	if (h->fd >= 0)
		close(h->fd);
	if (h->epfd >= 0)
		close(h->epfd);
	if (h->evfd >= 0)
		close(h->evfd);
	free(h);
}

struct xs_handle *xs_daemon_open(void)
{
	return xs_open(0);
}

struct xs_handle *xs_daemon_open_readonly(void)
{
	return xs_open(0);
}

struct xs_handle *xs_domain_open(void)
{
	return xs_open(0);
}

void xs_daemon_close(struct xs_handle *h)
{
	xs_close(h);
}

void xs_daemon_destroy_postfork(struct xs_handle *h)
{
	xs_close(h);
}

int xs_fileno(struct xs_handle *h)
{
	return h->epfd;
}

/* Reads what there is; false on an error, EAGAIN if nothing came. */
static bool fill(struct xs_handle *h, bool wait)
{
	struct pollfd p = {.fd = h->fd, .events = POLLIN};
	ssize_t n;

	if (!wait && poll(&p, 1, 0) <= 0) {
		errno = EAGAIN;
		return false;
	}
	n = read(h->fd, h->buf + h->used, sizeof(h->buf) - h->used);
	if (n < 0)
		return errno == EINTR;
	if (!n) {
		errno = ECONNRESET;
		return false;
	}
	h->used += n;
	return true;
}

/* Takes the first @size bytes out of the buffer. */
static void drop_read(struct xs_handle *h, size_t size)
{
	h->used -= size;
	memmove(h->buf, h->buf + size, h->used);
}

/*
 * Events that were read together with a reply. Left in the buffer, nothing
 * would make xs_fileno() readable for them.
 */
static bool keep_what_came(struct xs_handle *h)
{
	struct xsd_sockmsg hdr;

	for (;;) {
		memcpy(&hdr, h->buf, sizeof(hdr));
		if (h->used < sizeof(hdr) || hdr.type != XS_WATCH_EVENT ||
		    hdr.len > XENSTORE_PAYLOAD_MAX ||
		    h->used < sizeof(hdr) + hdr.len)
			return true;
		if (!xs_keep_event(h, h->buf + sizeof(hdr), hdr.len))
			return false;
		drop_read(h, sizeof(hdr) + hdr.len);
	}
}

char *xs_receive(struct xs_handle *h, struct xsd_sockmsg *want, bool wait)
{
	for (;;) {
		struct xsd_sockmsg hdr;
		size_t size;
		char *body;

		memcpy(&hdr, h->buf, sizeof(hdr));
		size = sizeof(hdr) + hdr.len;
		if (h->used >= sizeof(hdr) && hdr.len > XENSTORE_PAYLOAD_MAX) {
			errno = EPROTO;
			return NULL;
		}
		if (h->used < sizeof(hdr) || h->used < size) {
			if (h->events && !want) {
				errno = EAGAIN;
				return NULL;
			}
			if (!fill(h, wait))
				return NULL;
			continue;
		}
		body = malloc(hdr.len + 1);
		if (!body)
			return NULL;
		memcpy(body, h->buf + sizeof(hdr), hdr.len);
		body[hdr.len] = '\0';
		drop_read(h, size);
		if (hdr.type == XS_WATCH_EVENT) {
			bool kept = xs_keep_event(h, body, hdr.len);

			free(body);
			if (!kept)
				return NULL;
			continue;
		}
		if (want && hdr.req_id == want->req_id) {
			*want = hdr;
			if (keep_what_came(h))
				return body;
			free(body);
			return NULL;
		}
		free(body); /* of a request that was given up */
	}
}

static bool send_all(struct xs_handle *h, struct iovec *iov, int n)
{
	while (n) {
		struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n};
		ssize_t done = h->is_socket ? sendmsg(h->fd, &msg, MSG_NOSIGNAL)
					    : writev(h->fd, iov, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		while (n && (size_t)done >= iov->iov_len) {
			done -= iov->iov_len;
			iov++;
			n--;
		}
		if (n) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= done;
		}
	}
	return true;
}

static int error_number(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(*xsd_errors); i++)
		if (!strcmp(xsd_errors[i].errstring, name))
			return xsd_errors[i].errnum;
	return EINVAL;
}

char *xs_talk(struct xs_handle *h, xs_transaction_t t, uint32_t type,
	      const struct iovec *parts, int n, unsigned int *len)
{
	struct xsd_sockmsg hdr = {.type = type, .tx_id = t};
	struct iovec iov[8];
	char *body;

	iov[0].iov_base = &hdr;
	iov[0].iov_len = sizeof(hdr);
	for (int i = 0; i < n; i++) {
		iov[i + 1] = parts[i];
		hdr.len += parts[i].iov_len;
	}
	if (hdr.len > XENSTORE_PAYLOAD_MAX) {
		errno = E2BIG;
		return NULL;
	}
	hdr.req_id = ++h->last_id;
	if (!send_all(h, iov, n + 1))
		return NULL;
	body = xs_receive(h, &hdr, true);
	if (!body)
		return NULL;
	if (hdr.type == XS_ERROR) {
		errno = error_number(body);
		free(body);
		return NULL;
	}
	if (hdr.type != type) {
		free(body);
		errno = EPROTO;
		return NULL;
	}
	if (len)
		*len = hdr.len;
	return body;
}
