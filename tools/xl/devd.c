/* SPDX-License-Identifier: MIT */
/*
 * The driver domain's watch over its back ends; see devd.h. What is to be done
 * about a device follows from its nodes alone, so one that was missed is found
 * at the next look, and devd may die and be started again. A child does the
 * work: a script that hangs holds up no other guest's devices.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "devd.h"
#include "host.h"
#include "loop.h"
#include "xl.h"

/* A device that was seen, until its nodes are gone. */
struct served {
	struct served *next;
	struct device dev;
	int child; /* its pidfd, -1: none */
	pid_t pid;
	bool attached; /* or tried to */
	bool going;    /* the child takes it down */
	char *node;    /* its loop device, should the nodes go before that */
};

struct devd {
	uint32_t self;
	struct served *list;
};

static const char *const back_kinds[] = {"vif", "vbd", "qdisk"};

static struct served *find(struct devd *v, const struct device *d)
{
	struct served *s = v->list;

	while (s && (s->dev.domid != d->domid || s->dev.devid != d->devid ||
		     strcmp(s->dev.back_kind, d->back_kind)))
		s = s->next;
	return s;
}

static struct served *add(struct devd *v, const struct device *d)
{
	struct served *s = calloc(1, sizeof(*s));

	if (!s) {
		xl_fail("out of memory");
		return NULL;
	}
	s->dev = *d;
	s->child = -1;
	s->next = v->list;
	v->list = s;
	return s;
}

static void drop(struct devd *v, struct served *s)
{
	struct served **p = &v->list;

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	free(s->node);
	free(s);
}

static long number(const struct device *d, const char *name)
{
	char *s = dev_backend_read(d, name);
	long n = s && *s ? strtol(s, NULL, 10) : -1;

	free(s);
	return n;
}

/* Did a script, or an earlier devd, say how it went? */
static bool is_settled(const struct device *d)
{
	char *s = dev_backend_read(d, "hotplug-status");
	bool settled = s && *s;

	free(s);
	return settled;
}

/* QEMU makes the back end itself, so nothing waits for it. */
static bool wants_attaching(const struct served *s, long state)
{
	if (s->attached)
		return false;
	if (!strcmp(s->dev.back_kind, "qdisk"))
		return state != DEV_CLOSING && state != DEV_CLOSED;
	return state == DEV_INIT_WAIT && !is_settled(&s->dev);
}

static void start(struct served *s, bool attach)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* The parent's connection is its own. */
		host_forget();
		_exit((attach ? devd_attach : devd_detach)(&s->dev) ? XL_OK
								    : XL_FAIL);
	}
	if (pid < 0) {
		xl_fail("no process for %s %u of domain %u: %s",
			s->dev.back_kind, s->dev.devid, s->dev.domid,
			strerror(errno));
		return;
	}
	s->attached = true;
	s->going = !attach;
	s->pid = pid;
	s->child = pidfd_open(pid, 0);
}

/* dom0 waited no longer, or knows nothing of it any more. */
static void lost(struct devd *v, struct served *s)
{
	if (s->node)
		loop_release(s->node);
	if (s->attached)
		start(s, false);
	else
		drop(v, s);
}

static void look(struct devd *v, const struct device *d)
{
	struct served *s = find(v, d);
	long state = number(d, "state"), online = number(d, "online");

	if (s && s->child >= 0)
		return; /* again when that is done */
	if (state < 0) {
		if (s)
			lost(v, s);
		return;
	}
	if (!s)
		s = add(v, d);
	if (!s)
		return;
	if (state == DEV_CLOSED && !online)
		start(s, false);
	else if (online > 0 && wants_attaching(s, state))
		start(s, true);
}

/* "KIND/DOMAIN/DEVICE", whatever follows. */
static bool parse(const struct devd *v, const char *s, struct device *d)
{
	int end = 0;

	memset(d, 0, sizeof(*d));
	if (sscanf(s, "%15[^/]/%u/%u%n", d->back_kind, &d->domid, &d->devid,
		   &end) != 3 ||
	    (s[end] && s[end] != '/'))
		return false;
	d->backend_domid = v->self;
	for (unsigned int i = 0; i < ARRAY_SIZE(back_kinds); i++)
		if (!strcmp(d->back_kind, back_kinds[i]))
			d->kind = i ? "vbd" : "vif";
	return d->kind;
}

/* Every device below this folder, which is so many levels above one. */
static void look_below(struct devd *v, const char *folder, int levels)
{
	char path[256], **names;
	struct device d;
	unsigned int nr = 0;

	snprintf(path, sizeof(path), "/local/domain/%u/backend%s%s", v->self,
		 *folder ? "/" : "", folder);
	names = xs_directory(host_xs(), XBT_NULL, path, &nr);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s%s%s", folder,
			 *folder ? "/" : "", names[i]);
		if (levels > 1)
			look_below(v, path, levels - 1);
		else if (parse(v, path, &d))
			look(v, &d);
	}
	free(names);
}

/* Those that were seen before, which may be gone with their folder. */
static void look_again(struct devd *v)
{
	struct served *s, *next;
	struct device d;

	for (s = v->list; s; s = next) {
		next = s->next;
		d = s->dev;
		look(v, &d);
	}
}

/* The watch's own first event, and one of a folder, mean all of them. */
static void happened(struct devd *v, const char *path)
{
	struct device d;
	char dir[64];
	size_t n = (size_t)snprintf(dir, sizeof(dir),
				    "/local/domain/%u/backend", v->self);

	if (!strncmp(path, dir, n) && path[n] == '/' &&
	    parse(v, path + n + 1, &d)) {
		look(v, &d);
		return;
	}
	look_again(v);
	look_below(v, "", 3);
}

/* A failure stays in the store, where scripts put theirs. */
static void ended(struct devd *v, struct served *s)
{
	const struct device d = s->dev;
	char path[160];
	int status = 0;

	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	close(s->child);
	s->child = -1;
	free(s->node);
	s->node = s->going ? NULL : dev_backend_read(&d, "node");
	if (s->going && status)
		return; /* it has said why; the next event tries again */
	s->attached = !s->going;
	dev_backend_path(&d, path, sizeof(path));
	if (status && number(&d, "online") > 0)
		host_write("error", "%s/hotplug-status", path);
	look(v, &d);
}

/* One that has ended, or NULL when the store has something to tell. */
static struct served *wait_event(struct devd *v)
{
	unsigned int nr = 1, i = 1;
	struct served *s, *done = NULL;
	struct pollfd *p;

	for (s = v->list; s; s = s->next)
		nr += s->child >= 0;
	p = calloc(nr, sizeof(*p));
	if (!p)
		return NULL;
	p[0].fd = xs_fileno(host_xs());
	p[0].events = POLLIN;
	for (s = v->list; s; s = s->next)
		if (s->child >= 0)
			p[i++] = (struct pollfd){s->child, POLLIN, 0};
	if (poll(p, nr, -1) > 0)
		for (s = v->list, i = 1; s && !done; s = s->next)
			if (s->child >= 0 && p[i++].revents)
				done = s;
	free(p);
	return done;
}

int devd_run(uint32_t self)
{
	struct devd v = {.self = self};
	struct served *done;
	char path[64], **event;

	snprintf(path, sizeof(path), "/local/domain/%u/backend", self);
	if (!xs_watch(host_xs(), path, "devd"))
		return xl_fail("cannot watch %s: %s", path, strerror(errno));
	for (;;) {
		done = wait_event(&v);
		if (done)
			ended(&v, done);
		errno = 0;
		while ((event = xs_check_watch(host_xs()))) {
			happened(&v, event[XS_WATCH_PATH]);
			free(event);
		}
		if (errno && errno != EAGAIN && errno != EINTR)
			return xl_fail("the store is gone: %s",
				       strerror(errno));
	}
}
