/* SPDX-License-Identifier: MIT */
/*
 * The real xenstored for tests of xl's parts, which run in the build
 * directory, and what those parts want of the rest of xl.
 */
#ifndef OSTLER_TESTS_UNIT_XLSTORE_H
#define OSTLER_TESTS_UNIT_XLSTORE_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#include "harness.h"

#include "../../tools/xl/batch.h"
#include "../../tools/xl/device.h"
#include "../../tools/xl/host.h"
#include "../../tools/xl/xl.h"

#define DAEMON "tools/xenstore/xenstored"

static char dir[] = "/tmp/test_xlstore.XXXXXX";
static struct xs_handle *xs;
static pid_t daemon_pid;

struct xs_handle *host_xs(void)
{
	if (!xs)
		xs = xs_open(0);
	return xs;
}

void host_forget(void)
{
	xs_daemon_destroy_postfork(xs);
	xs = NULL;
}

int xl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	return 1;
}

char *host_read(const char *fmt, ...)
{
	char path[256];
	unsigned int len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_read(xs, XBT_NULL, path, &len);
}

bool host_write(const char *value, const char *fmt, ...)
{
	char path[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_write(host_xs(), XBT_NULL, path, value,
			(unsigned int)strlen(value));
}

/* False when it does not come up. */
static bool start_daemon(void)
{
	static char path[64];
	const struct timespec tick = {.tv_nsec = 10000000};

	if (!mkdtemp(dir))
		return false;
	snprintf(path, sizeof(path), "%s/socket", dir);
	setenv("XENSTORED_RUNDIR", dir, 1);
	setenv("XENSTORED_PATH", path, 1);
	fflush(stdout);
	daemon_pid = fork();
	if (!daemon_pid) {
		execl(DAEMON, DAEMON, "-D", "-N", NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && !xs; i++) {
		nanosleep(&tick, NULL);
		xs = xs_open(0);
	}
	return xs;
}

static int stop_daemon(int rc)
{
	char cmd[64];

	xs_close(xs);
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) ? 1 : rc;
}

#endif
