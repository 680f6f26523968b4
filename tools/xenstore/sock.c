/* SPDX-License-Identifier: MIT */
/* Unix sockets: the tools of this domain. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"
#include "sock.h"

/* Held open, to be able to turn callers away when descriptors run out. */
static int spare = -1;

static void take_spare(void)
{
	if (spare < 0)
		spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static ssize_t sock_read(struct conn *c, void *buf, size_t len)
{
	ssize_t n = recv(c->src.fd, buf, len, MSG_DONTWAIT);

	if (n > 0)
		return n;
	if (!n)
		return -ECONNRESET;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static ssize_t sock_write(struct conn *c, const struct iovec *iov, int n)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
	ssize_t rc = sendmsg(c->src.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (rc >= 0)
		return rc;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static void sock_settle(struct conn *c, bool stalled)
{
	loop_change(&c->src, (stalled ? 0 : EPOLLIN) | (c->out ? EPOLLOUT : 0));
}

static bool sock_pending(struct conn *c)
{
	(void)c;
	return false; /* epoll tells again */
}

static void sock_close(struct conn *c)
{
	loop_del(&c->src);
	close(c->src.fd);
	c->src.fd = -1;
	take_spare();
}

static void sock_fail(struct conn *c, unsigned int error)
{
	(void)error;
	conn_close(c);
}

static const struct transport sock_transport = {
	.name = "socket",
	.read = sock_read,
	.write = sock_write,
	.settle = sock_settle,
	.pending = sock_pending,
	.fail = sock_fail,
	.close = sock_close,
};

static void on_event(struct source *s, uint32_t events)
{
	struct conn *c = container_of(s, struct conn, src);

	if ((events & (EPOLLHUP | EPOLLERR)) && c->stalled) {
		conn_close(c);
		return;
	}
	if (events & EPOLLOUT)
		conn_output(c);
	if (events & ~EPOLLOUT)
		conn_ready(c);
}

struct conn *sock_conn(int fd)
{
	struct conn *c = conn_new(&sock_transport, NULL);
	int err;

	c->src = (struct source){.fd = fd, .events = EPOLLIN, .fn = on_event};
	err = loop_add(&c->src);
	if (err) {
		conn_close(c);
		errno = err;
		return NULL;
	}
	return c;
}

static void turn_away(int listener)
{
	static bool told;
	int fd;

	close(spare);
	spare = -1;
	fd = accept(listener, NULL, NULL);
	if (fd >= 0)
		close(fd);
	take_spare();
	if (!told)
		log_msg(LOG_ERR, "no descriptor is left for a new connection: "
				 "refused; raise the open files limit");
	told = true;
}

static void on_connect(struct source *s, uint32_t events)
{
	(void)events;
	for (int i = 0; i < 64; i++) {
		int fd = accept4(s->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			turn_away(s->fd);
		if (fd < 0)
			return;
		if (!sock_conn(fd))
			log_msg(LOG_ERR, "a new connection: %s",
				strerror(errno));
	}
}

static struct source listener = {.fd = -1, .events = EPOLLIN, .fn = on_connect};

int sock_adopt_listener(int fd)
{
	take_spare();
	listener.fd = fd;
	return loop_add(&listener);
}

int sock_listener(void)
{
	return listener.fd;
}

int sock_listen(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    chmod(path, 0600) || listen(fd, 128)) {
		err = errno;
		close(fd);
		return err;
	}
	return sock_adopt_listener(fd);
}
