/* SPDX-License-Identifier: MIT */
/* Waiting for back ends, and taking devices away; see device.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "device.h"
#include "host.h"
#include "hotplug.h"
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

	if (want == DEV_GONE)
		return is == DEV_GONE;
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

bool dev_wait(const struct device *d, enum dev_state want, int ms)
{
	long long until = now_ms() + ms;
	char path[PATH_SIZE], state[PATH_SIZE + 8];
	bool there = reached(d, want);

	if (there)
		return true;
	dev_backend_path(d, path, sizeof(path));
	snprintf(state, sizeof(state), "%s/state", path);
	xs_watch(host_xs(), state, "dev");
	while (!(there = reached(d, want)) && next_event(until))
		continue;
	xs_unwatch(host_xs(), state, "dev");
	return there;
}

static void put(struct batch *b, const char *dir, const char *name,
		const char *value)
{
	char path[PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	batch_write(b, path, value);
}

static void ask_one(struct batch *b, const struct device *d, enum dev_state is,
		    bool force)
{
	char path[PATH_SIZE];

	dev_backend_path(d, path, sizeof(path));
	/* Writing to a back end that is gone would make it again. */
	if (is != DEV_GONE) {
		put(b, path, "online", "0");
		if (is != DEV_CLOSED)
			put(b, path, "state", "5");
	}
	dev_frontend_path(d, path, sizeof(path));
	if (force)
		batch_rm(b, path);
}

/* All of them at once. */
static void ask_to_close(const struct device *list, unsigned int nr, bool force)
{
	unsigned int closing = 0;
	struct batch b;
	bool ok;

	for (unsigned int i = 0; i < nr; i++)
		closing += dev_closes(&list[i]);
	if (!closing)
		return;
	do {
		if (!batch_begin(&b, true))
			return;
		for (unsigned int i = 0; i < nr; i++)
			if (dev_closes(&list[i]))
				ask_one(&b, &list[i], state_of(&list[i]),
					force);
		ok = batch_commit(&b);
	} while (!ok && errno == EAGAIN);
}

static void complain_late(const struct device *d)
{
	xl_warn("the back end of %s %u of domain %u does not close "
		"(state %d)",
		d->kind, d->devid, d->domid, state_of(d));
}

/*
 * Of those that go, the loop devices too. What another domain says of its
 * back end is no business of ours.
 */
static void forget(const struct device *gone, unsigned int nr)
{
	char **node = calloc(nr + 1, sizeof(*node));

	for (unsigned int i = 0; i < nr; i++)
		hotplug_undo(&gone[i]);
	for (unsigned int i = 0; node && i < nr; i++)
		if (!strcmp(gone[i].kind, "vbd") && !gone[i].backend_domid)
			node[i] = dev_backend_read(&gone[i], "node");
	dev_forget_nodes(gone, nr);
	for (unsigned int i = 0; node && i < nr; i++) {
		if (node[i])
			loop_release(node[i]);
		free(node[i]);
	}
	free(node);
}

/* In a driver domain xl devd tidies up, and says so by removing the nodes. */
static void wait_tidied(const struct device *d, int ms)
{
	if (!d->backend_domid || dev_wait(d, DEV_GONE, ms))
		return;
	xl_warn("domain %u does not take down its back end of %s %u of domain "
		"%u: does xl devd run there?",
		d->backend_domid, d->kind, d->devid, d->domid);
}

unsigned int dev_remove(const struct device *list, unsigned int nr, bool force)
{
	struct device *gone = calloc(nr + 1, sizeof(*gone));
	unsigned int late = 0, going = 0;

	ask_to_close(list, nr, force);
	for (unsigned int i = 0; gone && i < nr; i++) {
		if (dev_closes(&list[i]) &&
		    !dev_wait(&list[i], DEV_CLOSED, late ? 1000 : CLOSE_MS)) {
			complain_late(&list[i]);
			late++;
			if (!force)
				continue;
		}
		if (dev_closes(&list[i]))
			wait_tidied(&list[i], late ? 1000 : CLOSE_MS);
		gone[going++] = list[i];
	}
	if (gone)
		forget(gone, going);
	free(gone);
	return late;
}
