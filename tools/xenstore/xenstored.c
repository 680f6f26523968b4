/* SPDX-License-Identifier: MIT */
/*
 * xenstored: options, start, the loop. Everything is opened first; from then
 * on the process serves.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"
#include "conn.h"
#include "domain.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "quota.h"
#include "sock.h"
#include "state.h"
#include "state_file.h"
#include "store.h"
#include "watch.h"

#ifndef XENSTORED_RUNDIR
#define XENSTORED_RUNDIR "/run/xenstored"
#endif

static struct {
	bool no_domains, no_fork, print_pid, verbose;
	const char *pid_file, *trace_file;
	int state_fd;
	unsigned int event_timeout;
} opt = {.state_fd = -1, .event_timeout = 20};

static const char usage[] =
	"Usage: xenstored [options]\n"
	"  -D, --no-domain-init      serve the socket only, without Xen\n"
	"      --no-domains          the same\n"
	"  -F, --pid-file <file>     write the daemon's process id there\n"
	"  -H, --help                print this\n"
	"  -N, --no-fork             stay in the foreground, log to stderr\n"
	"  -P, --output-pid          print the process id\n"
	"  -T, --trace-file <file>   log every request there\n"
	"  -E, --entry-nb <n>        quota: nodes per domain\n"
	"  -S, --entry-size <n>      quota: bytes of a node\n"
	"  -W, --watch-nb <n>        quota: watches per domain\n"
	"  -t, --transaction <n>     quota: transactions per domain\n"
	"  -A, --perm-nb <n>         quota: permissions per node\n"
	"  -M, --path-max <n>        quota: length of a path\n"
	"  -Q, --quota <what>=<n>    any quota: nodes, watches, transactions,\n"
	"                            outstanding, transaction-nodes, memory,\n"
	"                            node-size, path-max, permissions\n"
	"  -q, --quota-soft <what>=<n>  memory: log a warning above that\n"
	"  -w, --timeout watch-event=<seconds>  how long an event that a "
	"guest\n"
	"                            does not take holds up who caused it\n"
	"  -K, --keep-orphans        give dead domains' nodes to dom0\n"
	"  -R, --no-recovery         accepted; the store is never repaired\n"
	"  -I, --internal-db [on|off]  accepted; the store is in memory\n"
	"  -V, --verbose             trace to stderr (with -N)\n";

enum { OPT_NO_DOMAINS = 256, OPT_LIVE_UPDATE, OPT_CHECK_STATE };

static const struct option options[] = {
	{"no-domain-init", 0, NULL, 'D'},
	{"no-domains", 0, NULL, OPT_NO_DOMAINS},
	{"entry-nb", 1, NULL, 'E'},
	{"pid-file", 1, NULL, 'F'},
	{"help", 0, NULL, 'H'},
	{"no-fork", 0, NULL, 'N'},
	{"priv-domid", 1, NULL, 'p'},
	{"output-pid", 0, NULL, 'P'},
	{"entry-size", 1, NULL, 'S'},
	{"trace-file", 1, NULL, 'T'},
	{"transaction", 1, NULL, 't'},
	{"perm-nb", 1, NULL, 'A'},
	{"path-max", 1, NULL, 'M'},
	{"quota", 1, NULL, 'Q'},
	{"quota-soft", 1, NULL, 'q'},
	{"timeout", 1, NULL, 'w'},
	{"no-recovery", 0, NULL, 'R'},
	{"internal-db", 2, NULL, 'I'},
	{"keep-orphans", 0, NULL, 'K'},
	{"verbose", 0, NULL, 'V'},
	{"watch-nb", 1, NULL, 'W'},
	{"live-update", 1, NULL, OPT_LIVE_UPDATE},
	{"check-state", 1, NULL, OPT_CHECK_STATE},
	{0},
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *fmt,
								...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_msg(LOG_CRIT, "%s", text);
	if (!opt.no_fork)
		fprintf(stderr, "xenstored: %s\n", text);
	exit(1);
}

static unsigned int number(const char *arg, int option)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || v > INT_MAX)
		die("option -%c wants a number, not \"%s\"", option, arg);
	return v;
}

static void event_timeout(const char *arg)
{
	static const char key[] = "watch-event=";

	if (strncmp(arg, key, sizeof(key) - 1))
		die("option -w wants watch-event=<seconds>, not \"%s\"", arg);
	opt.event_timeout = number(arg + sizeof(key) - 1, 'w');
}

__attribute__((noreturn)) static void check_state(int fd)
{
	struct state_in i;

	exit(state_in_start(&i, fd) ? 1 : STATE_ACCEPTED);
}

static void set_quota_or_die(const char *arg, bool soft)
{
	if (quota_set_arg(arg, soft))
		die("\"%s\" is no quota: want <name>=<number>", arg);
}

/* Options that set one quota, by letter. */
static bool quota_option(int o)
{
	static const struct {
		char letter;
		enum quota q;
	} map[] = {
		{'E', QUOTA_NODES},   {'S', QUOTA_NODE_SIZE},
		{'W', QUOTA_WATCHES}, {'t', QUOTA_TRANSACTIONS},
		{'A', QUOTA_PERMS},   {'M', QUOTA_PATH_MAX},
	};

	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++) {
		if (map[i].letter != o)
			continue;
		quota_set(quotas[map[i].q].name, false, number(optarg, o));
		return true;
	}
	return false;
}

static void one_option(int o)
{
	switch (o) {
	case 'D':
	case OPT_NO_DOMAINS:
		opt.no_domains = true;
		break;
	case 'F':
		opt.pid_file = optarg;
		break;
	case 'H':
		fputs(usage, stdout);
		exit(0);
	case 'N':
		opt.no_fork = true;
		break;
	case 'P':
		opt.print_pid = true;
		break;
	case 'T':
		opt.trace_file = optarg;
		break;
	case 'Q':
	case 'q':
		set_quota_or_die(optarg, o == 'q');
		break;
	case 'w':
		event_timeout(optarg);
		break;
	case 'K':
		domain_keep_orphans = true;
		break;
	case 'V':
		opt.verbose = true;
		break;
	case 'R':
	case 'I':
		break;
	case 'p':
		if (number(optarg, 'p'))
			die("only domain 0 can be the privileged domain");
		break;
	case OPT_LIVE_UPDATE:
		opt.state_fd = number(optarg, 'U');
		break;
	case OPT_CHECK_STATE:
		check_state(number(optarg, 'U'));
	default:
		fputs(usage, stderr);
		exit(1);
	}
}

static void parse(int argc, char **argv)
{
	int o;

	while ((o = getopt_long(argc, argv,
				"DE:F:HI::KM:NPp:Q:q:RS:t:T:VA:W:w:", options,
				NULL)) != -1)
		if (!quota_option(o))
			one_option(o);
	if (optind != argc)
		die("%s: no arguments are wanted", argv[optind]);
}

/* The first process waits until the daemon serves, then goes. */
static int daemonize(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		die("a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(ready[0]);
	setsid();
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		_exit(0);
	if (chdir("/"))
		die("chdir /: %s", strerror(errno));
	umask(022);
	return ready[1];
}

static void detach(int ready)
{
	int null = open("/dev/null", O_RDWR);

	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		if (null > 2)
			close(null);
	}
	if (write(ready, "", 1) != 1)
		log_msg(LOG_WARNING, "the starting process did not wait");
	close(ready);
}

/* The lock on it lasts as long as the daemon; a second one goes quietly. */
static void write_pid(void)
{
	int fd = open(opt.pid_file, O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		die("pid file %s: %s", opt.pid_file, strerror(errno));
	if (lockf(fd, F_TLOCK, 0))
		exit(0);
	if (ftruncate(fd, 0) || dprintf(fd, "%ld\n", (long)getpid()) < 0)
		die("pid file %s: %s", opt.pid_file, strerror(errno));
}

static const char *run_dir(void)
{
	const char *dir = getenv("XENSTORED_RUNDIR");

	return dir ? dir : XENSTORED_RUNDIR;
}

static void open_socket(void)
{
	const char *path = getenv("XENSTORED_PATH");
	char buf[PATH_MAX];
	int err;

	if (!path) {
		mkdir(run_dir(), 0755); /* if it fails, bind says so */
		snprintf(buf, sizeof(buf), "%s/socket", run_dir());
		path = buf;
	}
	err = sock_listen(path);
	if (err)
		die("socket %s: %s", path, strerror(err));
}

static void raise_file_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

static void on_xen_event(struct source *s, uint32_t events)
{
	const struct backend *b = domain_backend();

	(void)s;
	(void)events;
	for (int i = 0; i < 256; i++) {
		int port = b->next_port();

		if (port < 0)
			return;
		domain_event(port);
	}
}

static void listen_to_xen(void)
{
	static struct source src = {.events = EPOLLIN, .fn = on_xen_event};

	src.fd = domain_backend()->fd();
	if (src.fd >= 0 && loop_add(&src))
		die("the event channel device cannot be waited for");
}

static void start_fresh(void)
{
	const struct backend *b = domain_backend();
	int err;

	store_init();
	open_socket();
	err = b->open(-1);
	if (!err && !opt.no_domains)
		err = b->bind_virq();
	if (!err && !opt.no_domains)
		err = domain_introduce_dom0();
	if (err)
		die("no service for domains: %s (--no-domains serves the "
		    "socket only)",
		    strerror(err));
}

static volatile sig_atomic_t hung_up;

static void on_hangup(int sig)
{
	(void)sig;
	hung_up = 1;
}

static void serve(void)
{
	bool busy = true;

	for (;;) {
		int err = loop_wait(busy);

		if (err)
			die("waiting for events: %s", strerror(err));
		if (hung_up) {
			hung_up = 0;
			if (log_tracing)
				log_trace_on();
		}
		busy = conn_round();
		busy |= live_update_run();
	}
}

int main(int argc, char **argv)
{
	const char *wrong;
	int ready = -1;

	parse(argc, argv);
	if (opt.state_fd < 0 && !opt.no_fork)
		ready = daemonize();
	log_init(!opt.no_fork);
	mem_init();
	live_update_args(argc, argv);
	if (opt.verbose && opt.no_fork && !opt.trace_file)
		opt.trace_file = "/dev/stderr";
	if (opt.trace_file &&
	    (log_trace_file(opt.trace_file) || log_trace_on()))
		die("trace file %s", opt.trace_file);
	if (opt.pid_file && opt.state_fd < 0)
		write_pid();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, on_hangup);
	raise_file_limit();
	if (loop_init())
		die("epoll: %s", strerror(errno));
	watch_init();
	domain_init(opt.no_domains ? &backend_none : &backend_xen);
	if (opt.state_fd < 0) {
		start_fresh();
	} else {
		wrong = state_restore(opt.state_fd);
		if (wrong)
			die("the state of the last daemon: %s", wrong);
		log_msg(LOG_INFO, "live update: done");
	}
	listen_to_xen();
	conn_event_timeout(opt.event_timeout);
	if (opt.print_pid) {
		printf("%ld\n", (long)getpid());
		fflush(stdout);
	}
	if (ready >= 0)
		detach(ready);
	serve();
}
