/* SPDX-License-Identifier: MIT */
/*
 * The watch over one guest. It sleeps until the store says that some domain
 * was released, looks whether it was its own, and does what the configuration
 * wants: on_poweroff, on_reboot, on_crash, on_watchdog, on_soft_reset. It ends
 * when its domain has been destroyed, by itself or by anyone.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "create.h"
#include "destroy.h"
#include "dm.h"
#include "host.h"
#include "savedconf.h"
#include "supervise.h"
#include "xl.h"

#define LOG_DIR  "/var/log/xen"
#define DUMP_DIR "/var/lib/xen/dump"

struct guest {
	struct loaded *l;
	uint32_t domid;
	struct loaded fresh; /* what a restart read again */
	char name[256];
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static int action_for(const struct domain_config *dc, unsigned int reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		return dc->on_poweroff;
	case SHUTDOWN_reboot:
		return dc->on_reboot;
	case SHUTDOWN_suspend:
		return ACT_PRESERVE;
	case SHUTDOWN_watchdog:
		return dc->on_watchdog;
	case SHUTDOWN_soft_reset:
		return dc->on_soft_reset;
	default:
		return dc->on_crash;
	}
}

static void dump_core(struct guest *g)
{
	char path[320];

	mkdir(DUMP_DIR, 0700);
	snprintf(path, sizeof(path), DUMP_DIR "/%s", g->name);
	if (xc_domain_dumpcore(host_xc(), g->domid, path))
		say("dump of domain %u to %s failed: %s", g->domid, path,
		    strerror(errno));
	else
		say("dump of domain %u is in %s", g->domid, path);
}

/* That of the interface with its number, unless it says one. */
static void same_address(struct vif_spec *v, const struct domain_config *was)
{
	for (unsigned int i = 0; i < was->nr_vifs && !v->has_mac; i++) {
		if (was->vifs[i].devid != v->devid)
			continue;
		memcpy(v->mac, was->vifs[i].mac, 6);
		v->has_mac = was->vifs[i].has_mac;
	}
}

/* The kept configuration may have been changed while the guest ran. */
static bool read_again(struct guest *g)
{
	char *text = saved_load(g->domid, g->l->dc.uuid, SAVED_TEXT);
	struct loaded fresh;
	bool ok;

	if (!text)
		return true;
	ok = load_text(&fresh, "the kept configuration", text);
	free(text);
	if (!ok) {
		load_free(&fresh);
		say("the kept configuration has errors: going on with the "
		    "one before it");
		return true;
	}
	/* It stays the same machine, with the same addresses. */
	memcpy(fresh.dc.uuid, g->l->dc.uuid, sizeof(fresh.dc.uuid));
	fresh.dc.has_uuid = true;
	fresh.dc.ignore_masks = g->l->dc.ignore_masks;
	for (unsigned int i = 0; i < fresh.dc.nr_vifs; i++)
		same_address(&fresh.dc.vifs[i], &g->l->dc);
	load_free(&g->fresh);
	g->fresh = fresh;
	g->l = &g->fresh;
	return true;
}

static bool make_again(struct guest *g)
{
	if (!create_domain(g->l, &g->domid)) {
		say("%s was not made again", g->name);
		return false;
	}
	if (xc_domain_unpause(host_xc(), g->domid)) {
		say("domain %u cannot be unpaused: %s", g->domid,
		    strerror(errno));
		return false;
	}
	say("Done. Rebooting now: %s is domain %u", g->name, g->domid);
	return true;
}

/* The old one keeps its memory, under a name and UUID of its own. */
static bool set_aside(struct guest *g)
{
	char name[300], stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "-%Y%m%dT%H%MZ", &tm);
	snprintf(name, sizeof(name), "%s%s", g->name, stamp);
	say("domain %u is kept as %s", g->domid, name);
	/* Its device model would keep the new one's from its disks. */
	dm_stop(g->domid);
	destroy_devices(g->domid);
	saved_remove(g->domid, g->l->dc.uuid);
	return host_write(name, "/local/domain/%u/name", g->domid);
}

/* Returns whether there is a domain to go on watching. */
static bool act(struct guest *g, int action)
{
	switch (action) {
	case ACT_COREDUMP_RESTART:
		dump_core(g);
		/* fallthrough */
	case ACT_SOFT_RESET: /* a new start is the nearest that we have */
	case ACT_RESTART:
		return read_again(g) && destroy_domain(g->domid) &&
		       make_again(g);
	case ACT_RENAME_RESTART:
		return read_again(g) && set_aside(g) && make_again(g);
	case ACT_COREDUMP_DESTROY:
		dump_core(g);
		/* fallthrough */
	case ACT_DESTROY:
		say("Domain %u needs to be cleaned up: destroying the domain",
		    g->domid);
		destroy_domain(g->domid);
		return false;
	default:
		say("Domain %u is preserved", g->domid);
		return false;
	}
}

/* Looks at the domain once. Returns whether to go on. */
static bool look(struct guest *g)
{
	struct dom_info d;
	unsigned int reason;
	int action;

	if (!host_domain(g->domid, &d) ||
	    memcmp(d.handle, g->l->dc.uuid, sizeof(d.handle)) ||
	    d.flags & XEN_DOMINF_dying) {
		say("Domain %u has been destroyed.", g->domid);
		return false;
	}
	if (!(d.flags & XEN_DOMINF_shutdown))
		return true;
	reason = dom_shutdown_reason(&d);
	action = action_for(&g->l->dc, reason);
	say("Domain %u has shut down, reason code %u 0x%x", g->domid, reason,
	    reason);
	say("Action for shutdown reason code %u is %s", reason,
	    dom_action_names[action]);
	return act(g, action);
}

/* Where releases are told; -1: the store is not there, for now. */
static int hear(void)
{
	if (!host_store_again() ||
	    !xs_watch(host_xs(), "@releaseDomain", "supervise"))
		return -1;
	return xs_fileno(host_xs());
}

/* Until something was told, or for a minute, should an event be lost. A store
 * that has gone away is asked for each second. */
static void wait_for_release(struct pollfd *p)
{
	char **event;

	if (p->fd < 0)
		p->fd = hear();
	if (poll(p, 1, p->fd < 0 ? 1000 : 60000) <= 0 || p->fd < 0)
		return;
	errno = EAGAIN;
	event = xs_check_watch(host_xs());
	if (!event && errno != EAGAIN) {
		say("The store has gone away: %s", strerror(errno));
		p->fd = -1;
	}
	free(event);
}

int supervise_run(struct loaded *l, uint32_t domid)
{
	struct guest g = {.l = l, .domid = domid};
	struct pollfd p = {.events = POLLIN};

	snprintf(g.name, sizeof(g.name), "%s", l->dc.name);
	say("Waiting for domain %s (domid %u) to die [pid %d]", g.name, domid,
	    (int)getpid());
	if (!xs_watch(host_xs(), "@releaseDomain", "supervise"))
		return xl_fail("cannot watch the store: %s", strerror(errno));
	p.fd = xs_fileno(host_xs());
	while (look(&g))
		wait_for_release(&p);
	load_free(&g.fresh);
	return XL_OK;
}

static void redirect(const char *name)
{
	char path[320];
	int null = open("/dev/null", O_RDWR), log;

	snprintf(path, sizeof(path), LOG_DIR "/xl-%s.log", name);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
}

bool supervise_start(struct loaded *l, uint32_t domid)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		xl_fail("no process to watch over the domain: %s",
			strerror(errno));
		return false;
	}
	if (pid)
		return true;
	/* The parent's connections are its own: this side opens others. */
	host_forget();
	setsid();
	signal(SIGHUP, SIG_IGN);
	if (chdir("/"))
		xl_note("cannot change to /");
	redirect(l->dc.name);
	exit(supervise_run(l, domid));
}
