/* SPDX-License-Identifier: MIT */
/*
 * xsbench NAME=DIR[:PID]...: times xenstore daemons whose sockets are in those
 * directories, as any tool would use them. Daemons are measured in turns, in
 * slices of some milliseconds, and each one's best slice counts: what else the
 * machine does then hits all alike. Prints a line per measurement: its name
 * and a figure for each daemon (operations a second, or as the name says).
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>
#include <xenstore.h>

#define TOP "/bench"

#define MAX_TARGETS 4

static struct target {
	char *name, *dir;
	int pid, raw;
	struct xs_handle *xs;
} targets[MAX_TARGETS];
static int n_targets;

/* Of the daemon that is measured now. */
static struct xs_handle *xs;
static int raw;
static double slice = 0.005;
static int slices = 60;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void must(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static void op_write(void)
{
	must(xs_write(xs, XBT_NULL, TOP "/w", "12345678", 8), "write");
}

static void op_read(void)
{
	char *v = xs_read(xs, XBT_NULL, TOP "/w", NULL);

	must(v, "read");
	free(v);
}

static void op_transaction(void)
{
	xs_transaction_t t = xs_transaction_start(xs);
	char *v;

	must(t, "transaction");
	v = xs_read(xs, t, TOP "/w", NULL);
	must(v, "read");
	free(v);
	must(xs_write(xs, t, TOP "/w", "87654321", 8), "write");
	must(xs_transaction_end(xs, t, false), "commit");
}

/* On the wire: taking the names apart would be most of the time. */
static void op_directory(void)
{
	static const char path[] = TOP "/dir";
	struct xsd_sockmsg h = {.type = XS_DIRECTORY, .len = sizeof(path)};
	char buf[sizeof(h) + XENSTORE_PAYLOAD_MAX];
	size_t used = 0;
	ssize_t n;

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), path, sizeof(path));
	must(write(raw, buf, sizeof(h) + sizeof(path)) > 0, "directory");
	do {
		n = read(raw, buf + used, sizeof(buf) - used);
		must(n > 0, "directory");
		used += n;
		memcpy(&h, buf, sizeof(h));
	} while (used < sizeof(h) || used < sizeof(h) + h.len);
	must(h.type == XS_DIRECTORY && h.len == 3890, "directory of 1000");
}

static void op_watch(void)
{
	char **vec;

	must(xs_write(xs, XBT_NULL, TOP "/watched", "x", 1), "write");
	vec = xs_read_watch(xs, NULL);
	must(vec, "event");
	free(vec);
}

/* What is done next is done to target @i. */
static void choose(int i)
{
	setenv("XENSTORED_RUNDIR", targets[i].dir, 1);
	xs = targets[i].xs;
	raw = targets[i].raw;
}

/* What a daemon has run on a processor, in nanoseconds. */
static double cpu_ns(int pid)
{
	char path[40];
	double ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%lf", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return ns;
}

struct slice_result {
	double rate, cpu_us; /* operations a second; the daemon's time of one */
};

static struct slice_result one_slice(void (*op)(void), int pid)
{
	double start = now(), cpu = cpu_ns(pid), t;
	long n = 0;

	do {
		op();
		n++;
		t = now();
	} while (t < start + slice);
	return (struct slice_result){n / (t - start),
				     (cpu_ns(pid) - cpu) / 1e3 / n};
}

/* The best of all slices: others' work on the machine only makes it worse. */
static void rate(const char *name, void (*op)(void))
{
	struct slice_result best[MAX_TARGETS];

	for (int i = 0; i < n_targets; i++)
		best[i] = (struct slice_result){0, 1e9};
	for (int run = 0; run < slices; run++)
		for (int i = 0; i < n_targets; i++) {
			struct slice_result r;

			choose(i);
			r = one_slice(op, targets[i].pid);
			if (r.rate > best[i].rate)
				best[i].rate = r.rate;
			if (r.cpu_us < best[i].cpu_us)
				best[i].cpu_us = r.cpu_us;
		}
	printf("%s", name);
	for (int i = 0; i < n_targets; i++)
		printf(" %.0f", best[i].rate);
	printf("\n%s-cpu-us", name);
	for (int i = 0; i < n_targets; i++)
		printf(" %.1f", best[i].cpu_us);
	printf("\n");
}

static void fill(const char *dir, int first, int n)
{
	char path[64];

	for (int i = first; i < first + n; i++) {
		snprintf(path, sizeof(path), TOP "/%s/%d", dir, i);
		must(xs_write(xs, XBT_NULL, path, "v", 1), "fill");
	}
}

static void basic(void)
{
	for (int i = 0; i < n_targets; i++) {
		choose(i);
		fill("dir", 0, 1000);
		op_write();
		must(xs_watch(xs, TOP "/watched", "t"), "watch");
		free(xs_read_watch(xs, NULL));
	}
	rate("write", op_write);
	rate("read", op_read);
	rate("transaction", op_transaction);
	rate("directory-1000", op_directory);
	rate("watch", op_watch);
	for (int i = 0; i < n_targets; i++)
		xs_unwatch(targets[i].xs, TOP "/watched", "t");
}

static struct xs_handle *many_of[MAX_TARGETS];
static int many_n;

/* A write and all its events. */
static double fire_many(struct xs_handle *w)
{
	double start = now();

	must(xs_write(xs, XBT_NULL, TOP "/many", "x", 1), "write");
	for (int i = 0; i < many_n; i++)
		free(xs_read_watch(w, NULL));
	return now() - start;
}

/* @n watches of one connection on one node. */
static void many_watches(int n)
{
	double best[MAX_TARGETS];
	char token[16];

	many_n = n;
	for (int i = 0; i < n_targets; i++) {
		choose(i);
		best[i] = 1e9;
		many_of[i] = xs_open(0);
		must(many_of[i], "connection");
		for (int k = 0; k < n; k++) {
			snprintf(token, sizeof(token), "%d", k);
			must(xs_watch(many_of[i], TOP "/many", token), "watch");
			free(xs_read_watch(many_of[i], NULL));
		}
	}
	for (int run = 0; run < slices; run++)
		for (int i = 0; i < n_targets; i++) {
			double t;

			choose(i);
			t = fire_many(many_of[i]);
			if (t < best[i])
				best[i] = t;
		}
	printf("watches-%d-us", n);
	for (int i = 0; i < n_targets; i++) {
		printf(" %.0f", best[i] * 1e6);
		xs_close(many_of[i]);
	}
	printf("\n");
}

/* Idle connections, each with a watch of its own. */
static void idle(int n)
{
	struct xs_handle **h = calloc(n * n_targets, sizeof(*h));
	char path[64];

	must(h, "memory");
	for (int i = 0; i < n * n_targets; i++) {
		choose(i / n);
		h[i] = xs_open(0);
		must(h[i], "connection");
		snprintf(path, sizeof(path), TOP "/idle/%d", i);
		must(xs_watch(h[i], path, "t"), "watch");
	}
	snprintf(path, sizeof(path), "write-%d-idle", n);
	rate(path, op_write);
	for (int i = 0; i < n * n_targets; i++)
		xs_close(h[i]);
	free(h);
}

static long rss(int pid)
{
	char path[32], line[128];
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void print_rss(const char *when)
{
	printf("rss-%s-kib", when);
	for (int i = 0; i < n_targets; i++)
		printf(" %ld", rss(targets[i].pid));
	printf("\n");
}

/* Nodes, 100 in a directory. */
static void nodes(int from, int n)
{
	char dir[32];

	for (int i = from; i < n; i += 100) {
		snprintf(dir, sizeof(dir), "n/%d", i / 100);
		fill(dir, 0, 100);
	}
}

static void sizes(int max)
{
	char name[64];
	int have = 0;

	for (int n = 1000; n <= max; n *= 10) {
		for (int i = 0; i < n_targets; i++) {
			choose(i);
			nodes(have, n);
		}
		have = n;
		snprintf(name, sizeof(name), "write-%d-nodes", n);
		rate(name, op_write);
		snprintf(name, sizeof(name), "read-%d-nodes", n);
		rate(name, op_read);
		snprintf(name, sizeof(name), "%d-nodes", n);
		print_rss(name);
	}
}

static int raw_connect(const char *dir)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", dir);
	must(fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)),
	     dir);
	return fd;
}

static void add_target(char *arg)
{
	struct target *t = &targets[n_targets];
	char *dir = strchr(arg, '='), *pid;

	if (!dir || n_targets == MAX_TARGETS)
		errx(2, "%s: want NAME=DIR[:PID], at most %d", arg,
		     MAX_TARGETS);
	*dir++ = '\0';
	pid = strchr(dir, ':');
	if (pid)
		*pid++ = '\0';
	t->name = arg;
	t->dir = dir;
	t->pid = pid ? atoi(pid) : 0;
	choose(n_targets++);
	t->xs = xs_open(0);
	must(t->xs, arg);
	t->raw = raw_connect(dir);
	xs_rm(t->xs, XBT_NULL, TOP);
}

int main(int argc, char **argv)
{
	int o, max_nodes = 100000, max_conns = 1000;
	struct rlimit lim;

	while ((o = getopt(argc, argv, "n:c:s:k:")) != -1) {
		if (o == 'n')
			max_nodes = atoi(optarg);
		else if (o == 'c')
			max_conns = atoi(optarg);
		else if (o == 's')
			slice = atof(optarg);
		else if (o == 'k')
			slices = atoi(optarg);
		else
			errx(2, "usage: xsbench [-n nodes] [-c connections] "
				"[-s seconds] [-k slices] name=dir[:pid]...");
	}
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (optind < argc)
		add_target(argv[optind++]);
	print_rss("start");
	basic();
	many_watches(100);
	many_watches(1000);
	for (int n = 1; n <= max_conns; n *= 10)
		idle(n);
	sizes(max_nodes);
	for (int i = 0; i < n_targets; i++) {
		xs_rm(targets[i].xs, XBT_NULL, TOP);
		xs_close(targets[i].xs);
	}
	return 0;
}
