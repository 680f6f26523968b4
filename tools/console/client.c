/* SPDX-License-Identifier: MIT */
/*
 * The console client. It prefers xenconsoled's socket, which every viewer may
 * have, and takes the pseudoterminal that the store names where there is none
 * (the stock daemon, a device model's serial port).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <xenstore.h>

#include "client.h"

static int escape = 0x1d; /* ^] */
static volatile sig_atomic_t resized;

void console_set_escape(int ch)
{
	escape = ch;
}

static int fail(const char *fmt, uint32_t domid, const char *why)
{
	fprintf(stderr, "xenconsole: ");
	fprintf(stderr, fmt, domid);
	fprintf(stderr, "%s%s\n", *why ? ": " : "", why);
	return 1;
}

static char *read_node(struct xs_handle *xs, const char *path)
{
	unsigned int len;
	char *s = xs_read(xs, XBT_NULL, path, &len);

	if (s && !*s) {
		free(s);
		s = NULL;
	}
	return s;
}

/* A fresh domain's console takes a moment to get its terminal. */
static char *wait_for_tty(struct xs_handle *xs, const char *path, int ms)
{
	struct pollfd p = {.fd = xs_fileno(xs), .events = POLLIN};
	char *tty = read_node(xs, path);

	if (tty || !xs_watch(xs, path, "tty"))
		return tty;
	while (!(tty = read_node(xs, path)) && ms > 0) {
		if (poll(&p, 1, 100) > 0)
			free(xs_check_watch(xs));
		else
			ms -= 100;
	}
	xs_unwatch(xs, path, "tty");
	return tty;
}

static int open_socket(uint32_t domid, unsigned int num)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), CONSOLE_SOCKET_FORMAT,
		 domid, num);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void tty_path(char *buf, size_t size, uint32_t domid, bool serial,
		     unsigned int num)
{
	if (serial)
		snprintf(buf, size, "/local/domain/%u/serial/%u/tty", domid,
			 num);
	else if (num)
		snprintf(buf, size, "/local/domain/%u/device/console/%u/tty",
			 domid, num);
	else
		snprintf(buf, size, "/local/domain/%u/console/tty", domid);
}

/* The terminal, set so that what is typed passes untouched. A guest can have
 * written the node of any console but its first one: nothing else is opened. */
static int open_tty(const char *tty)
{
	struct termios t;
	int fd = -1;

	errno = ENOTTY;
	if (!strncmp(tty, "/dev/", 5) && !strstr(tty, "/../"))
		fd = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &t)) {
		close(fd);
		errno = ENOTTY;
		return -1;
	}
	cfmakeraw(&t);
	tcsetattr(fd, TCSAFLUSH, &t);
	return fd;
}

static bool write_all(int fd, const char *buf, size_t n)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	ssize_t done;

	while (n) {
		done = write(fd, buf, n);
		if (done < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
		else if (done < 0 && errno != EINTR)
			return false;
		else if (done > 0)
			buf += done, n -= (size_t)done;
	}
	return true;
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

/* The terminal's size, for those who ask the pseudoterminal. */
static void pass_size(int fd)
{
	struct winsize size;

	resized = 0;
	if (!ioctl(STDIN_FILENO, TIOCGWINSZ, &size))
		ioctl(fd, TIOCSWINSZ, &size);
}

/* What was typed, up to the escape. Returns false when it is time to go. */
static bool take_input(int fd)
{
	char buf[1024], *esc;
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	esc = escape ? memchr(buf, escape, (size_t)n) : NULL;
	if (!write_all(fd, buf, esc ? (size_t)(esc - buf) : (size_t)n))
		return false;
	return !esc;
}

static bool give_output(int fd)
{
	char buf[8192];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	/* A pseudoterminal whose master has gone: EIO. */
	return n > 0 && write_all(STDOUT_FILENO, buf, (size_t)n);
}

static bool domain_there(struct xs_handle *xs, uint32_t domid)
{
	char path[64], *s;

	snprintf(path, sizeof(path), "/local/domain/%u/console", domid);
	s = xs_read(xs, XBT_NULL, path, NULL);
	free(s);
	return s || errno != ENOENT;
}

static void relay(struct xs_handle *xs, uint32_t domid, int fd)
{
	struct pollfd p[3] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = fd, .events = POLLIN},
		{.fd = xs_fileno(xs), .events = POLLIN},
	};
	bool on = true;

	while (on) {
		if (resized)
			pass_size(fd);
		if (poll(p, 3, -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (p[1].revents)
			on = give_output(fd);
		if (on && p[0].revents)
			on = take_input(fd);
		if (on && p[2].revents) {
			free(xs_check_watch(xs));
			on = domain_there(xs, domid);
		}
	}
	/* What came last before the domain went. */
	while (poll(&p[1], 1, 0) > 0 && give_output(fd))
		continue;
}

static int connect_to(struct xs_handle *xs, uint32_t domid, bool serial,
		      unsigned int num)
{
	char path[96], *tty;
	int fd = -1;

	if (!serial)
		fd = open_socket(domid, num);
	if (fd >= 0)
		return fd;
	tty_path(path, sizeof(path), domid, serial, num);
	tty = wait_for_tty(xs, path, 5000);
	if (!tty) {
		fail("domain %u has no such console", domid,
		     "is xenconsoled running?");
		return -1;
	}
	/* The daemon may have made its socket by now. */
	fd = serial ? -1 : open_socket(domid, num);
	if (fd < 0)
		fd = open_tty(tty);
	if (fd < 0)
		fail("the console of domain %u cannot be opened", domid,
		     strerror(errno));
	free(tty);
	return fd;
}

int console_client(struct xs_handle *xs, uint32_t domid, const char *type,
		   unsigned int num)
{
	bool serial = type && !strcmp(type, "serial");
	bool terminal = isatty(STDIN_FILENO);
	struct termios before, raw;
	struct sigaction sa = {.sa_handler = on_resize};
	char path[64];
	int fd = connect_to(xs, domid, serial, num);

	if (fd < 0)
		return 1;
	snprintf(path, sizeof(path), "/local/domain/%u/console", domid);
	xs_watch(xs, path, "gone");
	if (terminal && !tcgetattr(STDIN_FILENO, &before)) {
		if (escape)
			fprintf(stderr,
				"Console of domain %u. Leave with ^%c.\n",
				domid, escape + '@');
		sigaction(SIGWINCH, &sa, NULL);
		pass_size(fd);
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	}
	relay(xs, domid, fd);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	xs_unwatch(xs, path, "gone");
	close(fd);
	return 0;
}
