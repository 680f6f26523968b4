/* SPDX-License-Identifier: MIT */
/*
 * xenconsoled: the consoles of all guests. It waits for the store to say that
 * domains come and go, for guests' events, and for viewers; each wait's
 * outcome is served in turn, a bounded amount for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "awaited.h"
#include "console.h"
#include "daemon.h"
#include "hvlog.h"

struct settings settings = {
	.log_dir = "/var/log/xen/console",
	.log_limit = 8 << 20,
	.log_keep = 3,
};
struct handles handles;

static struct console *consoles;
static volatile sig_atomic_t stop, reopen;
static bool interactive;

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (interactive) {
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
	} else {
		vsyslog(LOG_NOTICE, fmt, ap);
	}
	va_end(ap);
}

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static struct console *find(uint32_t domid)
{
	struct console *c = consoles;

	while (c && c->domid != domid)
		c = c->next;
	return c;
}

static void take_up(uint32_t domid)
{
	struct console *c = find(domid);

	if (!c) {
		c = console_open(domid);
		if (!c) {
			if (domid && console_is_missing(domid))
				awaited_add(domid);
			return;
		}
		c->next = consoles;
		consoles = c;
	}
	c->seen = true;
}

/* Consoles whose domain is gone, or has become another. */
static void let_go(void)
{
	struct console **p = &consoles, *c;

	while ((c = *p)) {
		if (c->seen) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		console_close(c);
	}
}

static void enumerate(void)
{
	static xc_domaininfo_t info[256];
	uint32_t first = 0;
	int n;

	for (struct console *c = consoles; c; c = c->next)
		c->seen = false;
	do {
		n = xc_domain_getinfolist(handles.xc, first, 256, info);
		if (n < 0) {
			say("the hypervisor does not list its domains: %s",
			    strerror(errno));
			return;
		}
		for (int i = 0; i < n; i++)
			if (!(info[i].flags & XEN_DOMINF_dying))
				take_up(info[i].domain);
		if (n)
			first = info[n - 1].domain + 1u;
	} while (n == 256);
	let_go();
	awaited_sweep();
}

static void serve_events(void)
{
	xenevtchn_port_or_error_t port;
	struct console *c;

	/* One event a wait: the others' viewers have their turn between. */
	port = xenevtchn_pending(handles.evtchn);
	if (port < 0)
		return;
	if (port == hvlog_port()) {
		hvlog_event();
		return;
	}
	for (c = consoles; c; c = c->next) {
		if (c->port == (evtchn_port_t)port) {
			console_event(c);
			return;
		}
	}
	xenevtchn_unmask(handles.evtchn, (evtchn_port_t)port);
}

static void serve_store(void)
{
	char **event;
	bool any = false;

	while ((event = xs_check_watch(handles.xs))) {
		free(event);
		any = true;
	}
	if (any)
		enumerate();
}

/* How long to wait: until the first guest that is held back may go on. */
static int timeout(void)
{
	long long now = now_ms(), first = -1;

	for (struct console *c = consoles; c; c = c->next)
		if (c->masked && (first < 0 || c->period_end < first))
			first = c->period_end;
	if (first < 0)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

static struct pollfd *poll_set(unsigned int *nr)
{
	static struct pollfd *set;
	static unsigned int room;
	unsigned int want = 2;

	for (struct console *c = consoles; c; c = c->next)
		want += CONSOLE_POLLFDS;
	if (want > room) {
		room = want + 16 * CONSOLE_POLLFDS;
		set = realloc(set, room * sizeof(*set));
		if (!set) {
			say("out of memory");
			exit(1);
		}
	}
	set[0] = (struct pollfd){.fd = xs_fileno(handles.xs), .events = POLLIN};
	set[1] = (struct pollfd){.fd = xenevtchn_fd(handles.evtchn),
				 .events = POLLIN};
	*nr = 2;
	for (struct console *c = consoles; c; c = c->next)
		*nr += console_poll(c, set, *nr);
	return set;
}

static void reopen_logs(void)
{
	reopen = 0;
	hvlog_reopen();
	for (struct console *c = consoles; c; c = c->next)
		if (c->log.fd >= 0)
			log_reopen(&c->log);
}

static void serve_forever(void)
{
	struct pollfd *set;
	unsigned int nr;
	long long now;

	while (!stop) {
		set = poll_set(&nr);
		if (poll(set, nr, timeout()) < 0 && errno != EINTR) {
			say("cannot wait: %s", strerror(errno));
			return;
		}
		if (reopen)
			reopen_logs();
		for (struct console *c = consoles; c; c = c->next)
			console_serve(c, set);
		if (set[1].revents)
			serve_events();
		now = now_ms();
		for (struct console *c = consoles; c; c = c->next)
			console_tick(c, now);
		/* Last: it changes the list that the set was made from. */
		if (set[0].revents)
			serve_store();
	}
}

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reopen = 1;
	else
		stop = 1;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool open_handles(void)
{
	handles.xs = xs_open(0);
	if (!handles.xs)
		return say("the store does not answer: %s", strerror(errno)),
		       false;
	handles.xc = xc_interface_open(NULL, NULL, 0);
	if (!handles.xc)
		return say("the hypervisor does not answer: %s",
			   strerror(errno)),
		       false;
	handles.evtchn = xenevtchn_open(NULL, 0);
	if (!handles.evtchn)
		return say("/dev/xen/evtchn: %s", strerror(errno)), false;
	handles.mem = xenforeignmemory_open(NULL, 0);
	if (!handles.mem)
		return say("/dev/xen/privcmd: %s", strerror(errno)), false;
	/* Without it, rings are mapped as frames. */
	handles.gnttab = xengnttab_open(NULL, 0);
	return xs_watch(handles.xs, "@introduceDomain", "domlist") &&
	       xs_watch(handles.xs, "@releaseDomain", "domlist");
}

static bool write_pid(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	bool ok = fd >= 0 && !lockf(fd, F_TLOCK, 0) && !ftruncate(fd, 0) &&
		  write(fd, text, (size_t)n) == n;

	/* Held open for its lock: one daemon at a time. */
	if (!ok)
		say("cannot take the PID file %s: %s", path, strerror(errno));
	return ok;
}

static void become_daemon(void)
{
	int null;
	pid_t pid = fork();

	if (pid < 0) {
		say("cannot fork: %s", strerror(errno));
		exit(1);
	}
	if (pid)
		_exit(0);
	setsid();
	if (chdir("/"))
		say("cannot change to /");
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	if (null > 2)
		close(null);
}

static void allow_many_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* none, guest, hv or all. */
static bool which(const char *s, bool *guests, bool *hv)
{
	*guests = !strcmp(s, "guest") || !strcmp(s, "all");
	*hv = !strcmp(s, "hv") || !strcmp(s, "all");
	if (*guests || *hv || !strcmp(s, "none"))
		return true;
	fprintf(stderr, "expected none, guest, hv or all; found '%s'\n", s);
	return false;
}

static void usage(void)
{
	printf("Usage: xenconsoled [-h] [-V] [-v] [-i] "
	       "[--log=none|guest|hv|all] [--log-dir=DIR] [--pid-file=PATH] "
	       "[-t, --timestamp=none|guest|hv|all] "
	       "[-o, --overflow-data=discard|keep] [--replace-escape]\n"
	       "  --replace-escape  replace ESC with a dot in logs\n"
	       "  --log-limit=BYTES rotate a log that is larger (8388608; 0: "
	       "never)\n"
	       "  --log-keep=N      keep N older files of each (3)\n");
}

static const struct option longs[] = {
	{"help", 0, NULL, 'h'},
	{"version", 0, NULL, 'V'},
	{"verbose", 0, NULL, 'v'},
	{"interactive", 0, NULL, 'i'},
	{"log", 1, NULL, 'l'},
	{"log-dir", 1, NULL, 'r'},
	{"pid-file", 1, NULL, 'p'},
	{"timestamp", 1, NULL, 't'},
	{"overflow-data", 1, NULL, 'o'},
	{"replace-escape", 0, NULL, 'e'},
	{"log-limit", 1, NULL, 'L'},
	{"log-keep", 1, NULL, 'K'},
	{NULL, 0, NULL, 0},
};

/* Returns -1 to go on, else an exit status. */
static int take_option(int opt, const char **pid_file)
{
	switch (opt) {
	case 'h':
		usage();
		return 0;
	case 'V':
		printf("xenconsoled (ostler)\n");
		return 0;
	case 'i':
		interactive = true;
		return -1;
	case 'v':
		return -1;
	case 'l':
		return which(optarg, &settings.log_guests, &settings.log_hv)
			       ? -1
			       : 2;
	case 't':
		return which(optarg, &settings.stamp_guests, &settings.stamp_hv)
			       ? -1
			       : 2;
	case 'r':
		settings.log_dir = optarg;
		return -1;
	case 'p':
		*pid_file = optarg;
		return -1;
	case 'o':
		settings.keep_overflow = !strcmp(optarg, "keep");
		if (settings.keep_overflow || !strcmp(optarg, "discard"))
			return -1;
		fprintf(stderr, "expected discard or keep; found '%s'\n",
			optarg);
		return 2;
	case 'e':
		settings.replace_escape = true;
		return -1;
	case 'L':
		settings.log_limit = strtoull(optarg, NULL, 0);
		return -1;
	case 'K':
		settings.log_keep = (unsigned int)strtoul(optarg, NULL, 0);
		return -1;
	default:
		return 2;
	}
}

int main(int argc, char **argv)
{
	const char *pid_file = "/var/run/xenconsoled.pid";
	int opt, rc;

	while ((opt = getopt_long(argc, argv, "hVvit:o:", longs, NULL)) != -1) {
		rc = take_option(opt, &pid_file);
		if (rc >= 0)
			return rc;
	}
	if (optind < argc) {
		usage();
		return 2;
	}
	openlog("xenconsoled", LOG_CONS, LOG_DAEMON);
	mkdir("/var/run/xen", 0755);
	mkdir(settings.log_dir, 0755);
	allow_many_files();
	if (!interactive)
		become_daemon();
	catch_signals();
	if (!write_pid(pid_file) || !open_handles())
		return 1;
	if (settings.log_hv)
		hvlog_open();
	enumerate();
	serve_forever();
	while (consoles) {
		struct console *next = consoles->next;

		console_close(consoles);
		consoles = next;
	}
	hvlog_close();
	unlink(pid_file);
	return 0;
}
