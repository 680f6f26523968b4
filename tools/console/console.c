/* SPDX-License-Identifier: MIT */
/* One guest's console: opening, closing, and what the guest sends. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "daemon.h"
#include <xen/grant_table.h>
#include "ring.h"
#include "viewer.h"

/*
 * A guest may raise so many events in a period; more wait for the next one, so
 * that one that floods its console does not keep the daemon from the others.
 */
#define PERIOD_MS         200
#define EVENTS_PER_PERIOD 30

static bool read_number(uint32_t domid, const char *name, uint64_t *n)
{
	char path[96], *s, *end;
	bool ok;

	snprintf(path, sizeof(path), "/local/domain/%u/console/%s", domid,
		 name);
	s = xs_read(handles.xs, XBT_NULL, path, NULL);
	if (!s)
		return false;
	*n = strtoull(s, &end, 10);
	ok = *s && !*end;
	free(s);
	return ok;
}

static bool is_ours(uint32_t domid)
{
	char path[96], *type;
	bool ours;

	snprintf(path, sizeof(path), "/local/domain/%u/console/type", domid);
	type = xs_read(handles.xs, XBT_NULL, path, NULL);
	ours = !type || !strcmp(type, "xenconsoled");
	free(type);
	return ours;
}

/* By the grant that every builder leaves for us, else by the frame. */
static bool map_ring(struct console *c, xen_pfn_t frame)
{
	int err = 0;

	if (handles.gnttab)
		c->ring = xengnttab_map_grant_ref(handles.gnttab, c->domid,
						  GNTTAB_RESERVED_CONSOLE,
						  PROT_READ | PROT_WRITE);
	c->granted = c->ring != NULL;
	if (c->ring)
		return true;
	c->ring = xenforeignmemory_map(handles.mem, c->domid,
				       PROT_READ | PROT_WRITE, 1, &frame, &err);
	return c->ring != NULL;
}

static void unmap_ring(struct console *c)
{
	if (c->ring && c->granted)
		xengnttab_unmap(handles.gnttab, c->ring, 1);
	else if (c->ring)
		xenforeignmemory_unmap(handles.mem, c->ring, 1);
	c->ring = NULL;
}

static void open_log(struct console *c)
{
	char path[96], *name;

	c->log.fd = -1;
	if (!settings.log_guests)
		return;
	snprintf(path, sizeof(path), "/local/domain/%u/name", c->domid);
	name = xs_read(handles.xs, XBT_NULL, path, NULL);
	/* A name is checked by xl, but other toolstacks write it too. */
	for (char *p = name; p && *p; p++)
		if (*p == '/')
			*p = '_';
	snprintf(c->log.path, sizeof(c->log.path), "%s/guest-%.200s.log",
		 settings.log_dir, name ? name : "unnamed");
	free(name);
	c->log.stamps = settings.stamp_guests;
	c->log.replace_escape = settings.replace_escape;
	c->log.limit = settings.log_limit;
	c->log.keep = settings.log_keep;
	if (!log_open(&c->log))
		say("no log %s: %s", c->log.path, strerror(errno));
}

static bool connect_ring(struct console *c, uint64_t frame, uint64_t port)
{
	xenevtchn_port_or_error_t local;

	if (!map_ring(c, (xen_pfn_t)frame)) {
		say("domain %u: its console's page cannot be mapped: %s",
		    c->domid, strerror(errno));
		return false;
	}
	local = xenevtchn_bind_interdomain(handles.evtchn, c->domid,
					   (evtchn_port_t)port);
	if (local < 0) {
		say("domain %u: its console's event channel %llu cannot be "
		    "bound: %s",
		    c->domid, (unsigned long long)port, strerror(errno));
		return false;
	}
	c->port = (evtchn_port_t)local;
	c->remote_port = (uint32_t)port;
	return true;
}

bool console_is_missing(uint32_t domid)
{
	uint64_t n;

	return !read_number(domid, "ring-ref", &n) ||
	       !read_number(domid, "port", &n);
}

struct console *console_open(uint32_t domid)
{
	uint64_t frame, port;
	struct console *c;

	if (!is_ours(domid) || !read_number(domid, "ring-ref", &frame) ||
	    !read_number(domid, "port", &port))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->domid = domid;
	c->port = (evtchn_port_t)-1;
	viewers_init(c);
	c->log.fd = -1;
	if (!connect_ring(c, frame, port)) {
		console_close(c);
		return NULL;
	}
	open_log(c);
	if (!viewers_open(c))
		say("domain %u: no terminal for its console: %s", domid,
		    strerror(errno));
	console_event(c);
	return c;
}

void console_close(struct console *c)
{
	bool bad;
	char buf[2048];
	size_t n;

	/* A guest that died may have said why. */
	if (c->ring && (n = ring_take(c->ring, buf, sizeof(buf), &bad))) {
		log_write(&c->log, buf, n);
		history_add(&c->history, buf, n);
	}
	viewers_close(c);
	log_close(&c->log);
	if (c->port != (evtchn_port_t)-1)
		xenevtchn_unbind(handles.evtchn, c->port);
	unmap_ring(c);
	free(c);
}

/* With --overflow-data=keep a guest waits for its slowest reader. */
static bool must_wait(const struct console *c)
{
	return settings.keep_overflow && c->pty.fd >= 0 &&
	       c->history.end - c->pty.at >= HISTORY_SIZE - 2048;
}

/* A few rings' worth at most: a guest that writes on is served again later. */
static void drain(struct console *c)
{
	char buf[2048];
	bool bad = false, any = false;
	size_t n = sizeof(buf);

	for (int i = 0; i < 4 && n == sizeof(buf) && !must_wait(c); i++) {
		n = ring_take(c->ring, buf, sizeof(buf), &bad);
		log_write(&c->log, buf, n);
		history_add(&c->history, buf, n);
		any |= n > 0;
	}
	if (any)
		xenevtchn_notify(handles.evtchn, c->port);
	if (bad && !c->complained) {
		c->complained = true;
		say("domain %u: its console's indexes make no sense", c->domid);
	}
}

void console_event(struct console *c)
{
	long long now = now_ms();

	if (now >= c->period_end) {
		c->period_end = now + PERIOD_MS;
		c->events = 0;
	}
	drain(c);
	viewers_flush(c);
	if (++c->events >= EVENTS_PER_PERIOD)
		c->masked = true;
	else
		xenevtchn_unmask(handles.evtchn, c->port);
}

void console_tick(struct console *c, long long now)
{
	if (!c->masked || now < c->period_end)
		return;
	c->masked = false;
	console_event(c);
}
