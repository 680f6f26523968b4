/* SPDX-License-Identifier: MIT */
/* Waiting for back ends, and taking devices away; see device.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "host.h"
#include "loop.h"
#include "xl.h"

#define PATH_SIZE 256
/* How long a back end may take to close. */
#define CLOSE_MS 10000

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static enum dev_state state_of(const struct device *d)
{
	char path[PATH_SIZE];
	long n;

	dev_backend_path(d, path, sizeof(path));
	n = host_read_number(DEV_GONE, "%s/state", path);
	return n >= 0 && n <= DEV_CLOSED ? (enum dev_state)n : DEV_GONE;
}

static bool reached(const struct device *d, enum dev_state want)
{
	enum dev_state is = state_of(d);

	if (want == DEV_CLOSED)
		return is == DEV_CLOSED || is == DEV_GONE;
	return is >= want;
}

/* Waits for something to happen in the store; false when time is up. */
static bool next_event(long long until)
{
	struct pollfd p = {.fd = xs_fileno(host_xs()), .events = POLLIN};
	long long left = until - now_ms();
	char **event;

	if (left <= 0 || poll(&p, 1, (int)left) == 0)
		return false;
	event = xs_check_watch(host_xs());
	free(event);
	return true;
}

static bool wait_all(const struct device *list, unsigned int nr,
		     enum dev_state want, int ms, unsigned int *late)
{
	long long until = now_ms() + ms;
	char path[PATH_SIZE], state[PATH_SIZE + 8];
	unsigned int i;

	*late = 0;
	for (i = 0; i < nr; i++) {
		if (reached(&list[i], want))
			continue;
		dev_backend_path(&list[i], path, sizeof(path));
		snprintf(state, sizeof(state), "%s/state", path);
		xs_watch(host_xs(), state, "dev");
		while (!reached(&list[i], want))
			if (!next_event(until)) {
				++*late;
				break;
			}
		xs_unwatch(host_xs(), state, "dev");
	}
	return !*late;
}

bool dev_wait(const struct device *d, enum dev_state state, int ms)
{
	unsigned int late;

	return wait_all(d, 1, state, ms, &late);
}

static bool put(xs_transaction_t t, const char *dir, const char *name,
		const char *value)
{
	char path[PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return xs_write(host_xs(), t, path, value, (unsigned)strlen(value));
}

/* A console's back end is xenconsoled, which follows the domain itself. */
static bool closes(const struct device *d)
{
	return strcmp(d->kind, "console") != 0;
}

static void ask_to_close(const struct device *d, bool force)
{
	char back[PATH_SIZE], front[PATH_SIZE];
	enum dev_state is = state_of(d);
	xs_transaction_t t;

	if (!closes(d))
		return;
	dev_backend_path(d, back, sizeof(back));
	dev_frontend_path(d, front, sizeof(front));
	do {
		t = xs_transaction_start(host_xs());
		if (!t)
			return;
		/* Writing to a back end that is gone would make it again. */
		if (is != DEV_GONE) {
			put(t, back, "online", "0");
			if (is != DEV_CLOSED)
				put(t, back, "state", "5");
		}
		if (force)
			xs_rm(host_xs(), t, front);
	} while (!xs_transaction_end(host_xs(), t, false) && errno == EAGAIN);
}

/* The folder, and the ones above it that are left empty, up to stop. */
static void prune(const char *path, const char *stop)
{
	char buf[PATH_SIZE], *slash;
	unsigned int n;
	char **names;

	snprintf(buf, sizeof(buf), "%s", path);
	xs_rm(host_xs(), XBT_NULL, buf);
	while ((slash = strrchr(buf, '/')) && strlen(buf) > strlen(stop)) {
		*slash = 0;
		if (strlen(buf) <= strlen(stop))
			return;
		n = 1;
		names = xs_directory(host_xs(), XBT_NULL, buf, &n);
		free(names);
		if (!names || n)
			return;
		xs_rm(host_xs(), XBT_NULL, buf);
	}
}

static void forget(const struct device *d)
{
	char path[PATH_SIZE], stop[64];
	char *node = NULL;

	if (!strcmp(d->kind, "vbd"))
		node = dev_backend_read(d, "node");
	dev_frontend_path(d, path, sizeof(path));
	if (closes(d))
		xs_rm(host_xs(), XBT_NULL, path);
	dev_backend_path(d, path, sizeof(path));
	snprintf(stop, sizeof(stop), "/local/domain/%u", d->backend_domid);
	prune(path, stop);
	dev_libxl_path(d, path, sizeof(path));
	xs_rm(host_xs(), XBT_NULL, path);
	if (node)
		loop_release(node);
	free(node);
}

static void complain_late(const struct device *d)
{
	xl_warn("the back end of %s %u of domain %u does not close "
		"(state %d)",
		d->kind, d->devid, d->domid, state_of(d));
}

unsigned int dev_remove(const struct device *list, unsigned int nr, bool force)
{
	unsigned int late = 0, one;

	for (unsigned int i = 0; i < nr; i++)
		ask_to_close(&list[i], force);
	for (unsigned int i = 0; i < nr; i++) {
		if (closes(&list[i]) &&
		    !wait_all(&list[i], 1, DEV_CLOSED, late ? 1000 : CLOSE_MS,
			      &one)) {
			complain_late(&list[i]);
			late++;
			if (!force)
				continue;
		}
		forget(&list[i]);
	}
	return late;
}
