// SPDX-License-Identifier: MIT
/*
 * What a Linux guest costs, seen from its own user space: system call, page
 * fault, fork + exec, context switch, disk and network. tests/matrix runs it in
 * every kind of guest; linked statically, so that it needs no userland.
 *
 *   guestbench micro           processor and memory
 *   guestbench disk DEVICE     reads and overwrites the device
 *   guestbench serve           the other end of net, in dom0; never ends
 *   guestbench net ADDRESS     throughput and round trip to a serve
 *
 * Each figure is a line "BENCH NAME UNIT MEDIAN MIN MAX SAMPLES". Times are
 * less-is-better, rates (MiB/s, op/s) more-is-better.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/fs.h>

#define SAMPLES 7
#define MIB     (1 << 20)
/* serve's port: the first byte of a connection says what it is for. */
#define PORT 5001

static const char *self;

static void fail(const char *what)
{
	printf("BENCH-FAIL %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The kernel gives words it does not know, samples=N, to the first process. */
static int samples_wanted(void)
{
	const char *s = getenv("samples");
	int n = s ? atoi(s) : SAMPLES;

	return n < 1 || n > SAMPLES ? SAMPLES : n;
}

/* Seconds that a sample should last at most. */
#define PATIENCE 1.5

/*
 * Warms up with an eighth of op(n); where that says that n takes too long (a
 * disk that a device model emulates is a hundred times slower than a shared
 * ring), samples are shorter. A multiple of two.
 */
static int warm_up(void (*op)(int), int n)
{
	int part = n < 16 ? 2 : n / 8 & ~1;
	double from = now(), each;

	op(part);
	each = (now() - from) / part;
	if (each * n <= PATIENCE)
		return n;
	n = (int)(PATIENCE / each);
	return n < 2 ? 2 : n & ~1;
}

/*
 * Runs op(n) samples_wanted() times after a warm-up. scale > 0: a time,
 * in seconds / scale, per n; scale < 0: a rate, n * -scale per second.
 */
static void measure(const char *name, const char *unit, void (*op)(int), int n,
		    double scale)
{
	double s[SAMPLES];
	int samples = samples_wanted();

	n = warm_up(op, n);
	for (int i = 0; i < samples; i++) {
		double from = now(), took;

		op(n);
		took = now() - from;
		if (took <= 0)
			took = 1e-9;
		s[i] = scale > 0 ? took / n / scale : n * -scale / took;
	}
	qsort(s, (size_t)samples, sizeof(s[0]), compare);
	printf("BENCH %s %s %.3f %.3f %.3f %d\n", name, unit, s[samples / 2],
	       s[0], s[samples - 1], samples);
	fflush(stdout);
}

static void op_syscall(int n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void op_page_fault(int n)
{
	size_t len = (size_t)n * 4096;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	madvise(p, len, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < len; i += 4096)
		((volatile char *)p)[i] = 1;
	munmap(p, len);
}

static void op_fork_exec(int n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			execl(self, self, "nothing", (char *)NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

static int ping[2], pong[2];

static void relay(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1)
		if (write(out, &c, 1) != 1)
			break;
}

/* A round trip between two processes is two switches. */
static void op_switch(int n)
{
	char c = 0;

	for (int i = 0; i < n; i += 2)
		if (write(ping[1], &c, 1) != 1 || read(pong[0], &c, 1) != 1)
			fail("pipe");
}

static void micro(void)
{
	pid_t child;

	measure("syscall", "ns", op_syscall, 20000, 1e-9);
	measure("page_fault", "us", op_page_fault, 1000, 1e-6);
	measure("fork_exec", "us", op_fork_exec, 10, 1e-6);
	if (pipe(ping) || pipe(pong))
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(ping[1]);
		close(pong[0]);
		relay(ping[0], pong[1]);
		_exit(0);
	}
	measure("context_switch", "us", op_switch, 400, 1e-6);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static int disk_fd;
static uint64_t disk_size;
static char *disk_buf;

static void transfer(int write_it, size_t len, uint64_t at)
{
	ssize_t r = write_it ? pwrite(disk_fd, disk_buf, len, (off_t)at)
			     : pread(disk_fd, disk_buf, len, (off_t)at);

	if (r != (ssize_t)len)
		fail(write_it ? "write" : "read");
}

static void op_read_1m(int n)
{
	for (int i = 0; i < n; i++)
		transfer(0, MIB, (uint64_t)i * MIB);
}

static void op_write_1m(int n)
{
	for (int i = 0; i < n; i++)
		transfer(1, MIB, (uint64_t)i * MIB);
}

/* Spread over the device by a fixed sequence: the same in every guest. */
static uint64_t scattered(int i)
{
	return ((uint64_t)i * 2654435761u) % (disk_size / 4096) * 4096;
}

static void op_read_4k(int n)
{
	for (int i = 0; i < n; i++)
		transfer(0, 4096, scattered(i));
}

static void op_write_4k(int n)
{
	for (int i = 0; i < n; i++)
		transfer(1, 4096, scattered(i));
}

static void disk(const char *device)
{
	disk_fd = open(device, O_RDWR | O_DIRECT);
	if (disk_fd < 0 || ioctl(disk_fd, BLKGETSIZE64, &disk_size))
		fail(device);
	if (disk_size < 16 * MIB) {
		errno = ENOSPC;
		fail(device);
	}
	if (posix_memalign((void **)&disk_buf, 4096, MIB))
		fail("memory");
	memset(disk_buf, 0x5a, MIB);
	measure("disk_read", "MiB/s", op_read_1m, 8, -1);
	measure("disk_write", "MiB/s", op_write_1m, 8, -1);
	measure("disk_read_4k", "op/s", op_read_4k, 50, -1);
	measure("disk_write_4k", "op/s", op_write_4k, 50, -1);
}

static struct sockaddr_in peer = {.sin_family = AF_INET};
static char net_buf[65536];

static int dial(char what)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (s < 0 || connect(s, (struct sockaddr *)&peer, sizeof(peer)))
		fail("connect");
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (write(s, &what, 1) != 1)
		fail("net");
	return s;
}

static void send_mib(int s, int mib)
{
	for (long left = (long)mib * MIB; left > 0;) {
		ssize_t r = write(s, net_buf, sizeof(net_buf));

		if (r <= 0)
			return;
		left -= r;
	}
}

/* The peer answers with a byte when it has all. */
static void op_net_out(int mib)
{
	int s = dial('i');

	send_mib(s, mib);
	shutdown(s, SHUT_WR);
	if (read(s, net_buf, 1) != 1)
		fail("net out");
	close(s);
}

static void op_net_in(int mib)
{
	int s = dial((char)mib);
	long left = (long)mib * MIB;

	while (left > 0) {
		ssize_t r = read(s, net_buf, sizeof(net_buf));

		if (r <= 0)
			fail("net in");
		left -= r;
	}
	close(s);
}

static int echo_socket;

static void op_round_trip(int n)
{
	while (n--)
		if (write(echo_socket, net_buf, 1) != 1 ||
		    read(echo_socket, net_buf, 1) != 1)
			fail("net round trip");
}

static void net(const char *address)
{
	if (inet_pton(AF_INET, address, &peer.sin_addr) != 1) {
		errno = EINVAL;
		fail(address);
	}
	peer.sin_port = htons(PORT);
	measure("net_out", "MiB/s", op_net_out, 8, -1);
	measure("net_in", "MiB/s", op_net_in, 8, -1);
	echo_socket = dial('e');
	measure("net_round_trip", "us", op_round_trip, 100, 1e-6);
}

static void answer(int s)
{
	ssize_t r;
	char what;

	if (read(s, &what, 1) != 1)
		return;
	if (what == 'i') {
		while ((r = read(s, net_buf, sizeof(net_buf))) > 0)
			;
		if (r == 0 && write(s, "", 1) != 1)
			return;
	} else if (what == 'e') {
		relay(s, s);
	} else {
		send_mib(s, what);
	}
}

static void serve(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
				  .sin_port = htons(PORT)};
	int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	signal(SIGCHLD, SIG_IGN);
	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (l < 0 || bind(l, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(l, 16))
		fail("serve");
	for (;;) {
		int s = accept(l, NULL, NULL);

		if (s < 0)
			continue;
		setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (fork() == 0) {
			answer(s);
			_exit(0);
		}
		close(s);
	}
}

int main(int argc, char **argv)
{
	self = argv[0];
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc == 2 && strcmp(argv[1], "micro") == 0)
		micro();
	else if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve();
	else if (argc == 3 && strcmp(argv[1], "disk") == 0)
		disk(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "net") == 0)
		net(argv[2]);
	else {
		fprintf(stderr, "usage: guestbench micro | disk DEVICE | serve "
				"| net ADDRESS\n");
		return 2;
	}
	return 0;
}
