/* SPDX-License-Identifier: MIT */
/*
 * xsbench PID: times the xenstore daemon that is process PID (0: not known)
 * over its socket, as any tool would use it. Prints "name value" lines:
 * operations a second, microseconds, or KiB.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <xenstore.h>

#define TOP "/bench"

static struct xs_handle *xs;
static double seconds = 0.5; /* for each measurement */

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

static void op_directory(void)
{
	unsigned int n;
	char **names = xs_directory(xs, XBT_NULL, TOP "/dir", &n);

	must(names && n == 1000, "directory");
	free(names);
}

static void op_watch(void)
{
	char **vec;

	must(xs_write(xs, XBT_NULL, TOP "/watched", "x", 1), "write");
	vec = xs_read_watch(xs, NULL);
	must(vec, "event");
	free(vec);
}

/* The best of three runs: others use this machine too. */
static double rate(void (*op)(void))
{
	double best = 0;

	for (int run = 0; run < 3; run++) {
		double start = now(), end = start + seconds, t;
		long n = 0;

		do {
			for (int i = 0; i < 16; i++)
				op();
			n += 16;
			t = now();
		} while (t < end);
		if (n / (t - start) > best)
			best = n / (t - start);
	}
	return best;
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
	unsigned int len = 0;
	char **vec;

	fill("dir", 0, 1000);
	op_write();
	printf("write %.0f\n", rate(op_write));
	printf("read %.0f\n", rate(op_read));
	printf("transaction %.0f\n", rate(op_transaction));
	printf("directory-1000 %.0f\n", rate(op_directory));
	must(xs_watch(xs, TOP "/watched", "t"), "watch");
	vec = xs_read_watch(xs, &len);
	free(vec);
	printf("watch %.0f\n", rate(op_watch));
	xs_unwatch(xs, TOP "/watched", "t");
}

/* @n watches of one connection on one node: a write and all its events. */
static void many_watches(int n)
{
	struct xs_handle *w = xs_open(0);
	double best = 1e9;
	char token[16];

	must(w, "connection");
	for (int i = 0; i < n; i++) {
		snprintf(token, sizeof(token), "%d", i);
		must(xs_watch(w, TOP "/many", token), "watch");
		free(xs_read_watch(w, NULL));
	}
	for (int run = 0; run < 5; run++) {
		double start = now();

		must(xs_write(xs, XBT_NULL, TOP "/many", "x", 1), "write");
		for (int i = 0; i < n; i++)
			free(xs_read_watch(w, NULL));
		if (now() - start < best)
			best = now() - start;
	}
	printf("watches-%d-us %.0f\n", n, best * 1e6);
	xs_close(w);
}

/* Idle connections, each with a watch of its own. */
static void idle(int n)
{
	struct xs_handle **h = calloc(n, sizeof(*h));
	char path[64];

	must(h, "memory");
	for (int i = 0; i < n; i++) {
		h[i] = xs_open(0);
		must(h[i], "connection");
		snprintf(path, sizeof(path), TOP "/idle/%d", i);
		must(xs_watch(h[i], path, "t"), "watch");
	}
	printf("write-%d-idle %.0f\n", n, rate(op_write));
	for (int i = 0; i < n; i++)
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

/* @n nodes, 100 in a directory. */
static void nodes(int from, int n)
{
	char dir[32];

	for (int i = from; i < n; i += 100) {
		snprintf(dir, sizeof(dir), "n/%d", i / 100);
		fill(dir, 0, 100);
	}
}

static void sizes(int pid, int max)
{
	int have = 0;

	for (int n = 1000; n <= max; n *= 10) {
		nodes(have, n);
		have = n;
		printf("write-%d-nodes %.0f\n", n, rate(op_write));
		printf("read-%d-nodes %.0f\n", n, rate(op_read));
		if (pid)
			printf("rss-%d-nodes-kib %ld\n", n, rss(pid));
	}
}

int main(int argc, char **argv)
{
	struct rlimit lim = {65536, 65536};
	int o, max_nodes = 100000, max_conns = 1000, pid;

	while ((o = getopt(argc, argv, "n:c:s:")) != -1) {
		if (o == 'n')
			max_nodes = atoi(optarg);
		else if (o == 'c')
			max_conns = atoi(optarg);
		else if (o == 's')
			seconds = atof(optarg);
		else
			errx(2, "usage: xsbench [-n nodes] [-c connections] "
				"[-s seconds] [pid]");
	}
	pid = optind < argc ? atoi(argv[optind]) : 0;
	setrlimit(RLIMIT_NOFILE, &lim);
	setvbuf(stdout, NULL, _IOLBF, 0);
	xs = xs_open(0);
	must(xs, "connection");
	xs_rm(xs, XBT_NULL, TOP);
	if (pid)
		printf("rss-start-kib %ld\n", rss(pid));
	basic();
	many_watches(100);
	many_watches(1000);
	for (int n = 1; n <= max_conns; n *= 10)
		idle(n);
	sizes(pid, max_nodes);
	xs_rm(xs, XBT_NULL, TOP);
	xs_close(xs);
	return 0;
}
