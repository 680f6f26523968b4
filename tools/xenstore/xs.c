/* SPDX-License-Identifier: MIT */
/*
 * A client library with the interface of xenstore.h: one request at a time
 * over the daemon's socket, or over the kernel's xenbus device where there is
 * no socket. It starts no thread: events that arrive while a reply is awaited
 * are kept, and xs_fileno() is an epoll descriptor that is readable for both
 * kept and arriving ones. A handle belongs to one thread at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>
#include <xenstore.h>

#define RUNDIR  "/run/xenstored"
#define MSG_MAX (sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)

struct event {
	struct event *next;
	char **vec; /* what the caller gets, and frees */
};

struct xs_handle {
	int fd, epfd, evfd;
	bool is_socket, filter;
	uint32_t last_id;
	size_t used; /* bytes in buf */
	struct event *events, **events_tail;
	char buf[2 * MSG_MAX];
};

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
	struct event *e;

	if (!h)
		return;
	while ((e = h->events)) {
		h->events = e->next;
		free(e->vec);
		free(e);
	}
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

static bool keep_event(struct xs_handle *h, const char *body, uint32_t len)
{
	const char *token = memchr(body, 0, len);
	struct event *e;

	if (!token || !memchr(token + 1, 0, body + len - token - 1))
		return true; /* malformed: nothing to tell */
	e = malloc(sizeof(*e));
	if (!e)
		return false;
	e->vec = malloc(2 * sizeof(char *) + len);
	if (!e->vec) {
		free(e);
		return false;
	}
	e->next = NULL;
	e->vec[XS_WATCH_PATH] = (char *)(e->vec + 2);
	e->vec[XS_WATCH_TOKEN] = e->vec[XS_WATCH_PATH] + (token + 1 - body);
	memcpy(e->vec[XS_WATCH_PATH], body, len);
	*h->events_tail = e;
	h->events_tail = &e->next;
	return !eventfd_write(h->evfd, 1);
}

static char **take_event(struct xs_handle *h)
{
	struct event *e = h->events;
	eventfd_t count;
	char **vec;

	if (!e)
		return NULL;
	vec = e->vec;
	h->events = e->next;
	if (!h->events) {
		h->events_tail = &h->events;
		eventfd_read(h->evfd, &count);
	}
	free(e);
	return vec;
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

/*
 * The next message that is no event: its malloc'd body, nul-terminated. With
 * @want NULL: sorts out what is there and returns NULL, errno EAGAIN.
 */
static char *receive(struct xs_handle *h, struct xsd_sockmsg *want, bool wait)
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
		h->used -= size;
		memmove(h->buf, h->buf + size, h->used);
		if (hdr.type == XS_WATCH_EVENT) {
			bool kept = keep_event(h, body, hdr.len);

			free(body);
			if (!kept)
				return NULL;
			continue;
		}
		if (want && hdr.req_id == want->req_id) {
			*want = hdr;
			return body;
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

/*
 * One request of @n parts and its reply (malloc'd, nul-terminated; *@len
 * without that nul), or NULL with errno.
 */
static char *talk(struct xs_handle *h, xs_transaction_t t, uint32_t type,
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
	body = receive(h, &hdr, true);
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

static struct iovec str(const char *s)
{
	return (struct iovec){(void *)(uintptr_t)s, strlen(s) + 1};
}

static char *talk_string(struct xs_handle *h, xs_transaction_t t, uint32_t type,
			 const char *s, unsigned int *len)
{
	struct iovec part = str(s);

	return talk(h, t, type, &part, 1, len);
}

static bool done(char *reply)
{
	free(reply);
	return reply != NULL;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	return talk_string(h, t, XS_READ, path, len);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
	      const void *data, unsigned int len)
{
	struct iovec parts[] = {str(path), {(void *)(uintptr_t)data, len}};

	return done(talk(h, t, XS_WRITE, parts, 2, NULL));
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return done(talk_string(h, t, XS_MKDIR, path, NULL));
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return done(talk_string(h, t, XS_RM, path, NULL));
}

bool xs_restrict(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	(void)domid;
	errno = ENOSYS;
	return false;
}

/*
 * Names that follow each other -> what xs_directory() returns. No name is
 * empty, so there are at most half as many as bytes; one pass finds them.
 */
static char **split(const char *names, unsigned int len, unsigned int *num)
{
	unsigned int max = len / 2 + 1, n = 0;
	char **vec = malloc((max + 1) * sizeof(*vec) + len), *p, *end;

	if (!vec)
		return NULL;
	p = memcpy(vec + max + 1, names, len);
	for (end = p + len; p < end && n < max; n++) {
		vec[n] = p;
		while (p < end && *p)
			p++;
		p++;
	}
	vec[n] = NULL;
	*num = n;
	return vec;
}

/* One part of a long listing; false at an error or, errno EAGAIN, a change. */
static bool next_part(struct xs_handle *h, xs_transaction_t t, const char *path,
		      char **list, unsigned int *used, char *gen, bool *last)
{
	char off[16], *part, *grown;
	struct iovec parts[] = {str(path), {off, 0}};
	unsigned int len, skip;

	parts[1].iov_len = snprintf(off, sizeof(off), "%u", *used) + 1;
	part = talk(h, t, XS_DIRECTORY_PART, parts, 2, &len);
	if (!part)
		return false;
	skip = strlen(part) + 1;
	if (skip > 24 || skip >= len || (*used && strcmp(gen, part))) {
		free(part);
		errno = EAGAIN;
		return false;
	}
	strcpy(gen, part);
	len -= skip;
	*last = len == 1 || !part[skip + len - 2];
	len -= *last; /* the empty name that ends the list */
	grown = realloc(*list, *used + len + 1);
	if (grown) {
		memcpy(grown + *used, part + skip, len);
		*list = grown;
		*used += len;
	}
	free(part);
	return grown != NULL;
}

static char **long_directory(struct xs_handle *h, xs_transaction_t t,
			     const char *path, unsigned int *num)
{
	char *list = NULL, **vec = NULL, gen[24];
	unsigned int used = 0;
	bool last = false;

	while (!last) {
		if (next_part(h, t, path, &list, &used, gen, &last))
			continue;
		if (errno != EAGAIN)
			goto out;
		used = 0; /* it changed: from the start */
	}
	vec = split(list, used, num);
out:
	free(list);
	return vec;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
		    unsigned int *num)
{
	unsigned int len;
	char *names = talk_string(h, t, XS_DIRECTORY, path, &len), **vec;

	if (!names)
		return errno == E2BIG ? long_directory(h, t, path, num) : NULL;
	vec = split(names, len, num);
	free(names);
	return vec;
}

static bool parse_perm(const char *s, struct xs_permissions *p)
{
	static const char letters[] = "nrwb";
	const char *l = *s ? strchr(letters, *s) : NULL;
	char *end;

	if (!l)
		return false;
	p->perms = l - letters; /* NONE, READ, WRITE, both */
	p->id = strtoul(s + 1, &end, 10);
	return s[1] && !*end;
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h,
					  xs_transaction_t t, const char *path,
					  unsigned int *num)
{
	struct xs_permissions *p;
	unsigned int len, n;
	char *reply = talk_string(h, t, XS_GET_PERMS, path, &len);
	char **vec = reply ? split(reply, len, &n) : NULL;

	free(reply);
	if (!vec)
		return NULL;
	p = calloc(n + 1, sizeof(*p));
	for (unsigned int i = 0; p && i < n; i++) {
		if (parse_perm(vec[i], &p[i]))
			continue;
		free(p);
		p = NULL;
		errno = EPROTO;
	}
	free(vec);
	*num = n;
	return p;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t,
			const char *path, struct xs_permissions *perms,
			unsigned int num)
{
	char text[XENSTORE_PAYLOAD_MAX];
	struct iovec parts[] = {str(path), {text, 0}};
	size_t used = 0;

	for (unsigned int i = 0; i < num; i++) {
		if (used + 16 > sizeof(text)) {
			errno = E2BIG;
			return false;
		}
		used += sprintf(text + used, "%c%u", "nrwb"[perms[i].perms & 3],
				perms[i].id) +
			1;
	}
	parts[1].iov_len = used;
	return done(talk(h, t, XS_SET_PERMS, parts, 2, NULL));
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct iovec parts[] = {str(path), str(token)};

	return done(talk(h, XBT_NULL, XS_WATCH, parts, 2, NULL));
}

static void drop_events(struct xs_handle *h, const char *path,
			const char *token)
{
	struct event **p = &h->events, *e;

	while ((e = *p)) {
		if (strcmp(e->vec[XS_WATCH_TOKEN], token) ||
		    !xs_path_is_subpath(path, e->vec[XS_WATCH_PATH])) {
			p = &e->next;
			continue;
		}
		*p = e->next;
		free(e->vec);
		free(e);
	}
	h->events_tail = p;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	struct iovec parts[] = {str(path), str(token)};
	bool ok = done(talk(h, XBT_NULL, XS_UNWATCH, parts, 2, NULL));

	if (ok && h->filter)
		drop_events(h, path, token);
	return ok;
}

char **xs_check_watch(struct xs_handle *h)
{
	char **vec;

	if (!h->events) {
		free(receive(h, NULL, false));
		if (!h->events)
			return NULL;
	}
	vec = take_event(h);
	return vec;
}

char **xs_read_watch(struct xs_handle *h, unsigned int *num)
{
	while (!h->events) {
		free(receive(h, NULL, true));
		if (!h->events && errno != EAGAIN)
			return NULL;
	}
	if (num)
		*num = 2;
	return take_event(h);
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	char *id = talk_string(h, XBT_NULL, XS_TRANSACTION_START, "", NULL);
	xs_transaction_t t = id ? strtoul(id, NULL, 0) : XBT_NULL;

	free(id);
	return t;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	return done(
		talk_string(h, t, XS_TRANSACTION_END, abort ? "F" : "T", NULL));
}

/* A request whose arguments are numbers. */
static char *talk_numbers(struct xs_handle *h, uint32_t type,
			  const unsigned long *v, int n)
{
	struct iovec parts[3];
	char text[3][24];

	for (int i = 0; i < n; i++) {
		snprintf(text[i], sizeof(text[i]), "%lu", v[i]);
		parts[i] = str(text[i]);
	}
	return talk(h, XBT_NULL, type, parts, n, NULL);
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid,
			 unsigned long mfn, unsigned int eventchn)
{
	unsigned long v[] = {domid, mfn, eventchn};

	return done(talk_numbers(h, XS_INTRODUCE, v, 3));
}

bool xs_set_target(struct xs_handle *h, unsigned int domid, unsigned int target)
{
	unsigned long v[] = {domid, target};

	return done(talk_numbers(h, XS_SET_TARGET, v, 2));
}

bool xs_resume_domain(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return done(talk_numbers(h, XS_RESUME, &v, 1));
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return done(talk_numbers(h, XS_RELEASE, &v, 1));
}

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return talk_numbers(h, XS_GET_DOMAIN_PATH, &v, 1);
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;
	char *reply = talk_numbers(h, XS_IS_DOMAIN_INTRODUCED, &v, 1);
	bool is = reply && reply[0] == 'T';

	free(reply);
	return is;
}

bool xs_path_is_subpath(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	if (len && parent[len - 1] == '/')
		len--;
	return !strncmp(parent, child, len) &&
	       (child[len] == '/' || !child[len]);
}

char *xs_control_command(struct xs_handle *h, const char *cmd, void *data,
			 unsigned int len)
{
	struct iovec parts[] = {str(cmd), {data, len}};

	return talk(h, XBT_NULL, XS_CONTROL, parts, 2, NULL);
}

char *xs_debug_command(struct xs_handle *h, const char *cmd, void *data,
		       unsigned int len)
{
	return xs_control_command(h, cmd, data, len);
}

int xs_suspend_evtchn_port(int domid)
{
	struct xs_handle *h = xs_open(0);
	char path[80], *port;
	int n = -1;

	if (!h)
		return -1;
	snprintf(path, sizeof(path),
		 "/local/domain/%d/device/suspend/event-channel", domid);
	port = xs_read(h, XBT_NULL, path, NULL);
	if (port)
		n = atoi(port);
	free(port);
	xs_close(h);
	return n;
}
