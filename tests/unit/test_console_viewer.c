/* SPDX-License-Identifier: MIT */
/* xenconsoled's viewers: one that hangs up while its guest reads nothing. */
#include "harness.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../tools/console/console.h"
#include "../../tools/console/daemon.h"
#include "../../tools/console/ring.h"
#include "../../tools/console/viewer.h"

struct handles handles;
struct settings settings;
static unsigned int notified;

void say(const char *fmt, ...)
{
	(void)fmt;
}
void console_event(struct console *c)
{
	(void)c;
}
int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	notified++;
	return 0;
}
xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	return XBT_NULL;
}
bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	(void)h;
	(void)t;
	return abort;
}
void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	(void)h;
	(void)t;
	(void)path;
	(void)len;
	return NULL;
}
bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
	      const void *data, unsigned int len)
{
	(void)h;
	(void)t;
	(void)path;
	(void)data;
	(void)len;
	return false;
}

static struct xencons_interface ring;

/* The daemon's loop, once: what it waits for, and what it does about it. */
static bool round_trip(struct console *c)
{
	struct pollfd set[CONSOLE_POLLFDS];
	unsigned int n = console_poll(c, set, 0);
	bool woken = poll(set, n, 0) > 0;

	console_serve(c, set);
	return woken;
}

static void hangs_up(bool full)
{
	static struct console c;
	int fd[2];

	memset(&c, 0, sizeof(c));
	memset(&ring, 0, sizeof(ring));
	c.ring = &ring;
	viewers_init(&c);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd))
		abort();
	c.viewers[3].fd = fd[0];
	if (full)
		ring.in_prod = sizeof(ring.in);
	CHECK_EQ(write(fd[1], "typed", 5), 5);
	close(fd[1]);
	for (int i = 0; i < 5; i++)
		round_trip(&c);
	CHECK_EQ(c.viewers[3].fd, -1);
	CHECK(!round_trip(&c)); /* nothing keeps the daemon awake */
	CHECK_EQ(ring.in_prod, full ? sizeof(ring.in) : 5);
}

static void guest_reads(void)
{
	notified = 0;
	hangs_up(false);
	CHECK_EQ(notified, 1);
}

static void guest_reads_nothing(void)
{
	hangs_up(true);
}

static const struct test_case cases[] = {
	{"console: what was typed before hanging up", guest_reads},
	{"console: … to a guest that reads nothing", guest_reads_nothing},
};

int main(void)
{
	return RUN_CASES(cases);
}
