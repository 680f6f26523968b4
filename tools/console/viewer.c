/* SPDX-License-Identifier: MIT */
/* Who looks at a console; see viewer.h. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "client.h"
#include "daemon.h"
#include "ring.h"
#include "viewer.h"

/* A client that comes late sees this much of what was before. */
#define REPLAY 16384

void viewers_init(struct console *c)
{
	c->pty.fd = c->pty_slave = c->listener = -1;
	for (unsigned int i = 0; i < MAX_VIEWERS; i++)
		c->viewers[i].fd = -1;
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/*
 * Says where the console is. A domain may be on its way out, and its nodes
 * gone: then nothing of it is made again.
 */
static bool publish_tty(uint32_t domid, const char *tty)
{
	char dir[64], path[96], *node;
	bool there, done;

	snprintf(dir, sizeof(dir), "/local/domain/%u/console", domid);
	snprintf(path, sizeof(path), "%s/tty", dir);
	do {
		xs_transaction_t t = xs_transaction_start(handles.xs);

		if (t == XBT_NULL)
			return false;
		node = xs_read(handles.xs, t, dir, NULL);
		there = node && xs_write(handles.xs, t, path, tty,
					 (unsigned int)strlen(tty));
		free(node);
		done = xs_transaction_end(handles.xs, t, !there);
	} while (!done && errno == EAGAIN);
	return there && done;
}

/* The slave stays open here, so that the master does not hang up. */
static bool open_pty(struct console *c)
{
	char tty[128];
	struct termios t;

	if (openpty(&c->pty.fd, &c->pty_slave, tty, NULL, NULL)) {
		c->pty.fd = c->pty_slave = -1;
		return false;
	}
	if (!tcgetattr(c->pty_slave, &t)) {
		cfmakeraw(&t);
		tcsetattr(c->pty_slave, TCSANOW, &t);
	}
	set_nonblocking(c->pty.fd);
	fcntl(c->pty_slave, F_SETFD, FD_CLOEXEC);
	return publish_tty(c->domid, tty);
}

static bool open_socket(struct console *c)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t before;
	bool ok;

	snprintf(c->socket_path, sizeof(c->socket_path), CONSOLE_SOCKET_FORMAT,
		 c->domid, 0u);
	memcpy(addr.sun_path, c->socket_path, sizeof(c->socket_path));
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->listener < 0)
		return false;
	unlink(c->socket_path);
	before = umask(077);
	ok = !bind(c->listener, (struct sockaddr *)&addr, sizeof(addr)) &&
	     !listen(c->listener, 4);
	umask(before);
	set_nonblocking(c->listener);
	if (!ok) {
		close(c->listener);
		c->listener = -1;
	}
	return ok;
}

bool viewers_open(struct console *c)
{
	bool pty = open_pty(c);

	return open_socket(c) && pty;
}

static void drop(struct viewer *v)
{
	if (v->fd >= 0)
		close(v->fd);
	v->fd = -1;
}

void viewers_close(struct console *c)
{
	viewers_flush(c);
	for (unsigned int i = 0; i < MAX_VIEWERS; i++)
		drop(&c->viewers[i]);
	drop(&c->pty);
	if (c->pty_slave >= 0)
		close(c->pty_slave);
	if (c->listener >= 0) {
		close(c->listener);
		unlink(c->socket_path);
	}
	c->pty_slave = c->listener = -1;
}

/* Returns false when the viewer is gone. */
static bool flush_one(struct console *c, struct viewer *v)
{
	const char *p;
	size_t n;
	ssize_t done;

	while (v->fd >= 0 && (n = history_peek(&c->history, &v->at, &p))) {
		done = write(v->fd, p, n);
		if (done < 0)
			return errno == EAGAIN || errno == EINTR;
		v->at += (uint64_t)done;
		if ((size_t)done < n)
			return true;
	}
	return true;
}

void viewers_flush(struct console *c)
{
	flush_one(c, &c->pty);
	for (unsigned int i = 0; i < MAX_VIEWERS; i++)
		if (!flush_one(c, &c->viewers[i]))
			drop(&c->viewers[i]);
}

static void accept_viewer(struct console *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	static const char full[] = "too many viewers of this console\r\n";

	if (fd < 0)
		return;
	for (unsigned int i = 0; i < MAX_VIEWERS; i++) {
		if (c->viewers[i].fd >= 0)
			continue;
		c->viewers[i].fd = fd;
		c->viewers[i].at = history_back(&c->history, REPLAY);
		c->viewers[i].index = -1;
		if (!flush_one(c, &c->viewers[i]))
			drop(&c->viewers[i]);
		return;
	}
	if (write(fd, full, sizeof(full) - 1) < 0)
		say("domain %u: too many viewers", c->domid);
	close(fd);
}

/* Input, no more than the guest's ring takes. False: the viewer is gone. */
static bool take_input(struct console *c, struct viewer *v)
{
	char buf[1024];
	size_t room = ring_room(c->ring);
	ssize_t n;

	if (!room)
		return true;
	n = read(v->fd, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (n <= 0)
		return n < 0 &&
		       (errno == EAGAIN || errno == EINTR || errno == EIO);
	ring_give(c->ring, buf, (size_t)n);
	xenevtchn_notify(handles.evtchn, c->port);
	return true;
}

static short wants(const struct console *c, const struct viewer *v)
{
	short events = ring_room(c->ring) ? POLLIN : 0;

	if (v->at < c->history.end)
		events |= POLLOUT;
	return events;
}

static unsigned int poll_viewer(struct console *c, struct viewer *v,
				struct pollfd *set, unsigned int at)
{
	v->index = -1;
	if (v->fd < 0)
		return 0;
	v->index = (int)at;
	set[at] = (struct pollfd){.fd = v->fd, .events = wants(c, v)};
	return 1;
}

unsigned int console_poll(struct console *c, struct pollfd *set,
			  unsigned int at)
{
	unsigned int n = poll_viewer(c, &c->pty, set, at);

	for (unsigned int i = 0; i < MAX_VIEWERS; i++)
		n += poll_viewer(c, &c->viewers[i], set, at + n);
	c->listener_index = -1;
	if (c->listener >= 0) {
		c->listener_index = (int)(at + n);
		set[at + n] =
			(struct pollfd){.fd = c->listener, .events = POLLIN};
		n++;
	}
	return n;
}

static bool serve_viewer(struct console *c, struct viewer *v,
			 const struct pollfd *set)
{
	short got = v->index < 0 || v->fd < 0 ? 0 : set[v->index].revents;

	if (got & POLLOUT && !flush_one(c, v))
		return false;
	/* Gone, and what it typed last finds no room: it is not waited for,
	 * since poll() would return at once until the guest makes some. */
	if (got & (POLLHUP | POLLERR) && !ring_room(c->ring))
		return false;
	if (got & (POLLIN | POLLHUP | POLLERR))
		return take_input(c, v) && !(got & POLLERR);
	return true;
}

void console_serve(struct console *c, const struct pollfd *set)
{
	bool held = settings.keep_overflow;

	serve_viewer(c, &c->pty, set);
	for (unsigned int i = 0; i < MAX_VIEWERS; i++)
		if (!serve_viewer(c, &c->viewers[i], set))
			drop(&c->viewers[i]);
	if (c->listener_index >= 0 && set[c->listener_index].revents & POLLIN)
		accept_viewer(c);
	/* Room was made: a guest that waited for it can go on. */
	if (held && c->pty.index >= 0 && set[c->pty.index].revents & POLLOUT)
		console_event(c);
}
