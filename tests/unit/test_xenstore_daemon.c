/* SPDX-License-Identifier: MIT */
/*
 * The xenstored binary, without Xen, and the client commands: start and
 * restart, ten thousand clients, live update with everything in flight. Runs
 * in the build directory.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#include "harness.h"

#define DAEMON "tools/xenstore/xenstored"

static char dir[] = "/tmp/xenstored-test-XXXXXX";
static char pid_file[64], daemon_path[4096];
static pid_t daemon_pid;

static void nap(int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

static pid_t run_daemon(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	execl(daemon_path, daemon_path, "-D", "-N", "-F", pid_file, NULL);
	_exit(127);
}

static bool start(void)
{
	struct xs_handle *xs;

	daemon_pid = run_daemon();
	for (int i = 0; i < 500; i++) {
		xs = xs_open(0);
		if (xs) {
			xs_close(xs);
			return true;
		}
		nap(10);
	}
	return false;
}

static void stop(int sig)
{
	kill(daemon_pid, sig);
	waitpid(daemon_pid, NULL, 0);
}

/* Runs a shell command in @dir; its output, cut to what fits. */
static const char *sh(const char *fmt, ...)
{
	static char out[4096];
	char cmd[512];
	va_list ap;
	size_t n;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	f = popen(cmd, "r");
	n = f ? fread(out, 1, sizeof(out) - 1, f) : 0;
	out[n] = '\0';
	if (f)
		n = pclose(f);
	snprintf(out + strlen(out), 16, "[%d]", WEXITSTATUS((int)n));
	return out;
}

static void commands(void)
{
	static const struct {
		const char *cmd, *out;
	} q[] = {
		{"xenstore-write /c/a 1 /c/b 'x\\ty' /c/d/e ''", "[0]"},
		{"xenstore-read /c/a /c/b", "1\nx\\ty\n[0]"},
		{"xenstore-read -p /c/a", "/c/a: 1\n[0]"},
		{"xenstore-read -R /c/b", "x\ty[0]"},
		{"xenstore-read /c/none 2>&1 | sed 's/^.*: //'",
		 "couldn't read path /c/none\n[0]"},
		{"xenstore-list /c", "a\nb\nd\n[0]"},
		{"xenstore-list -p /c", "/c/a\n/c/b\n/c/d\n[0]"},
		{"xenstore-exists /c/a", "[0]"},
		{"xenstore-exists /c/none", "[1]"},
		{"xenstore-chmod -r /c/d n1 r2", "[0]"},
		{"xenstore-ls -f -p /c",
		 "/c/a = \"1\"   (n0)\n/c/b = \"x\\ty\"   (n0)\n"
		 "/c/d = \"\"   (n1,r2)\n/c/d/e = \"\"   (n1,r2)\n[0]"},
		{"xenstore-ls /c", "a = \"1\"\nb = \"x\\ty\"\nd = \"\"\n"
				   " e = \"\"\n[0]"},
		{"xenstore-ls -p /c/d | tr -d ' .'", "e=\"\"(n1,r2)\n[0]"},
		{"xenstore-rm -t /c/d/e", "[0]"},
		{"xenstore-list /c", "a\nb\n[0]"},
		{"xenstore-rm /no/such 2>/dev/null", "[1]"},
		{"xenstore-write /c 2>/dev/null", "[1]"},
		{"xenstore-watch -n 1 /c", "/c\n[0]"},
		{"xenstore read /c/a", "1\n[0]"},
		{"xenstore-control check", "OK\n[0]"},
		{"xenstore-control nonsense 2>/dev/null", "[3]"},
		{"xenstore-control help | tr '\\n\\t' ' :'",
		 "check: log:on|off live-update:[-c <cmdline>] [-F] "
		 "[-t <timeout>] <file>     Default timeout is 60 seconds. "
		 "logfile:<file> memreport:[<file>] print:<string> "
		 "quota:[set <name> <val>|<domid>] "
		 "quota-soft:[set <name> <val>] help:  [0]"},
		{"xenstore-control log on", "OK\n[0]"},
		{"xenstore-control log off", "OK\n[0]"},
		{"xenstore-control log maybe 2>/dev/null", "[3]"},
		{"xenstore-control print hello", "OK\n[0]"},
		{"xenstore-control print a b 2>/dev/null", "[3]"},
		{"xenstore-control quota set nodes 5000", "OK\n[0]"},
		{"xenstore-control quota | grep ^nodes",
		 "nodes            :     5000 Nodes per domain\n[0]"},
		{"xenstore-control quota set nodes 1000", "OK\n[0]"},
		{"xenstore-control quota set none 5 2>/dev/null", "[3]"},
		{"xenstore-control quota set nodes -3 2>/dev/null", "[3]"},
		{"xenstore-control quota-soft set memory 5000", "OK\n[0]"},
		{"xenstore-control quota 99 2>&1",
		 "Error 2 when trying to execute command.\n[3]"},
		{"xenstore-control logfile $D/trace", "OK\n[0]"},
		{"xenstore-control memreport", "OK\n[0]"},
		{"stat -c %a $D/trace", "600\n[0]"},
		{"xenstore-control log on", "OK\n[0]"},
		{"xenstore-read \"$(printf '/c/x\\nforged\\033[2J')\" "
		 "2>/dev/null",
		 "[1]"},
		{"xenstore-control log off", "OK\n[0]"},
		{"grep -c 'READ.*/c/x.forged.\\[2J' $D/trace", "1\n[0]"},
		{"grep -c '^forged' $D/trace", "0\n[1]"},
		{"xenstore-control memreport none/file 2>/dev/null", "[3]"},
		{"xenstore-control live-update /none 2>&1",
		 "Setting update binary failed:\nFile not accessible.\n[3]"},
		{"timeout 9 xenstore-control live-update /bin/true 2>&1",
		 "Starting live update failed:\n"
		 "The new binary does not take over this state.\n[3]"},
		{"xenstore-rm /c", "[0]"},
	};

	for (size_t i = 0; i < sizeof(q) / sizeof(*q); i++) {
		const char *out = sh("D=%s; PATH=$D:$PATH %s", dir, q[i].cmd);

		if (strcmp(out, q[i].out))
			printf("# %s gives: %s\n", q[i].cmd, out);
		CHECK(!strcmp(out, q[i].out));
	}
}

static void links(void)
{
	static const char *const name[] = {
		"xenstore-read",   "xenstore-write", "xenstore-list",
		"xenstore-ls",     "xenstore-rm",    "xenstore-chmod",
		"xenstore-exists", "xenstore-watch", "xenstore"};
	char cwd[2048], to[4096], from[128];

	if (!getcwd(cwd, sizeof(cwd)))
		exit(1);
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		snprintf(to, sizeof(to), "%s/tools/xenstore/xenstore", cwd);
		snprintf(from, sizeof(from), "%s/%s", dir, name[i]);
		if (symlink(to, from))
			exit(1);
	}
	snprintf(to, sizeof(to), "%s/tools/xenstore/xenstore-control", cwd);
	snprintf(from, sizeof(from), "%s/xenstore-control", dir);
	if (symlink(to, from))
		exit(1);
}

static int raw_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", dir);
	if (fd < 0 || !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

static void many_clients(void)
{
	static int fd[10000];
	struct rlimit lim;
	struct xs_handle *xs = xs_open(0);
	int n = 0, want = 10000;

	REQUIRE(xs);
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	if (lim.rlim_max < 10100) {
		want = (int)lim.rlim_max - 100;
		printf("# only %d clients: the limit of open files\n", want);
	}
	while (n < want && (fd[n] = raw_connect()) >= 0)
		n++;
	CHECK_EQ(n, want);
	/* Each sends a byte now and then. */
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < n; i++)
			CHECK_EQ(write(fd[i], "", 1), 1);
		CHECK(xs_write(xs, XBT_NULL, "/many", "x", 1));
	}
	for (int i = 0; i < n; i++)
		close(fd[i]);
	CHECK(xs_rm(xs, XBT_NULL, "/many"));
	xs_close(xs);
}

/* A byte now and then: the request is answered when it is whole, however long
 * that takes, and everybody else is served meanwhile. */
static void byte_by_byte(void)
{
	static const char path[] = "/slow";
	struct xsd_sockmsg h = {.type = XS_READ, .len = sizeof(path)};
	char msg[sizeof(h) + sizeof(path)], reply[64];
	struct xs_handle *xs = xs_open(0);
	int fd = raw_connect();

	REQUIRE(xs && fd >= 0);
	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), path, sizeof(path));
	for (size_t i = 0; i < sizeof(msg); i++) {
		CHECK(xs_write(xs, XBT_NULL, path, msg, (unsigned int)i));
		CHECK_EQ(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), -1);
		CHECK_EQ(write(fd, msg + i, 1), 1);
	}
	CHECK_EQ(read(fd, reply, sizeof(reply)),
		 (ssize_t)(sizeof(h) + sizeof(msg) - 1));
	close(fd);
	CHECK(xs_rm(xs, XBT_NULL, path));
	xs_close(xs);
}

/* As many whole requests as the socket takes before it stays full. */
static unsigned int send_reads(int fd, const char *path)
{
	struct xsd_sockmsg h = {.type = XS_READ, .len = strlen(path) + 1};
	char msg[64];
	size_t size = sizeof(h) + h.len;
	unsigned int sent = 0;

	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), path, h.len);
	for (int full = 0; full < 10 && sent < 1000000;) {
		ssize_t n = send(fd, msg, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		/* Small messages on a stream socket go as a whole. */
		CHECK(n < 0 || n == (ssize_t)size);
		sent += n > 0;
		full = n < 0 ? full + 1 : 0;
		if (n < 0)
			nap(5);
	}
	return sent;
}

/* One that never reads its replies is not read either, and costs nobody. */
static void never_reads(void)
{
	static char value[4000], reply[sizeof(struct xsd_sockmsg) + 4000];
	struct xs_handle *xs = xs_open(0);
	int fd = raw_connect();
	unsigned int sent, got = 0;
	size_t have = 0;

	REQUIRE(xs && fd >= 0);
	memset(value, 'v', sizeof(value));
	CHECK(xs_write(xs, XBT_NULL, "/big", value, sizeof(value)));
	sent = send_reads(fd, "/big");
	CHECK(sent > 10 && sent < 1000000);
	CHECK(xs_write(xs, XBT_NULL, "/small", "x", 1));
	/* When it reads at last, no reply is missing. */
	while (got < sent) {
		ssize_t n = read(fd, reply, sizeof(reply) - have);

		REQUIRE(n > 0);
		have += (size_t)n;
		got += have == sizeof(reply);
		have %= sizeof(reply);
	}
	CHECK(have == 0);
	close(fd);
	CHECK(xs_rm(xs, XBT_NULL, "/big"));
	xs_close(xs);
}

/* Writes, reads and transactions until the daemon is gone. */
static void hammer(void)
{
	struct xs_handle *xs = xs_open(0);
	char path[32];

	for (unsigned int i = 0; xs; i++) {
		xs_transaction_t t = xs_transaction_start(xs);

		snprintf(path, sizeof(path), "/hammer/%u", i % 500);
		if (!t || !xs_write(xs, t, path, path, strlen(path)) ||
		    !xs_transaction_end(xs, t, false))
			break;
	}
	_exit(xs ? 0 : 1);
}

static void killed_at_any_moment(void)
{
	for (int i = 0; i < 8; i++) {
		pid_t busy;
		int status;

		fflush(stdout);
		busy = fork();
		if (!busy)
			hammer();
		nap(3 + 11 * i);
		stop(SIGKILL);
		CHECK_EQ(waitpid(busy, &status, 0), busy);
		CHECK(WIFEXITED(status));
		REQUIRE(start());
		CHECK(!strcmp(sh("%s/xenstore-control check", dir), "OK\n[0]"));
	}
}

/* One step of a live update; the daemon's answer, which is static. */
static const char *step(struct xs_handle *xs, const char *args, size_t len)
{
	static char copy[200];
	char buf[4200];
	char *answer;

	memcpy(buf, args, len);
	answer = xs_control_command(xs, "live-update", buf, len);
	snprintf(copy, sizeof(copy), "%s", answer ? answer : strerror(errno));
	free(answer);
	return copy;
}

static const char *update(struct xs_handle *xs, const char *binary)
{
	char buf[4200];
	int len = sprintf(buf, "-f%c%s", 0, binary) + 1;
	const char *answer = step(xs, buf, len);

	return strcmp(answer, "OK") ? answer : step(xs, "-s", 3);
}

static void fill(struct xs_handle *xs, int n)
{
	char path[64];

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/lu/%d/node", i);
		CHECK(xs_write(xs, XBT_NULL, path, path, strlen(path)));
	}
}

static char *read_value(struct xs_handle *xs, xs_transaction_t t,
			const char *path)
{
	static char copy[100];
	char *v = xs_read(xs, t, path, NULL);

	snprintf(copy, sizeof(copy), "%s", v ? v : "-");
	free(v);
	return copy;
}

/* The first event comes with the watch's reply: it must not wait unseen. */
static void event_is_told(void)
{
	struct xs_handle *xs = xs_open(0);
	struct pollfd p = {.events = POLLIN};
	char **event;

	REQUIRE(xs);
	p.fd = xs_fileno(xs);
	for (int i = 0; i < 50; i++) {
		CHECK(xs_watch(xs, "/told", "token"));
		CHECK_EQ(poll(&p, 1, 2000), 1);
		event = xs_check_watch(xs);
		CHECK(event);
		free(event);
		CHECK(!xs_check_watch(xs));
		CHECK_EQ(poll(&p, 1, 0), 0);
		CHECK(xs_unwatch(xs, "/told", "token"));
	}
	xs_close(xs);
}

static void live_update_keeps(void)
{
	struct xsd_sockmsg h = {.type = XS_READ, .req_id = 5, .len = 10};
	struct xs_handle *a = xs_open(0), *b = xs_open(0), *c = xs_open(0);
	xs_transaction_t t, loser;
	char reply[64], *check, **event;
	int raw = raw_connect();

	REQUIRE(a && b && c && raw >= 0);
	fill(a, 3000);
	CHECK(xs_write(a, XBT_NULL, "/lu/x", "old", 3));
	/* A watch; a transaction that will commit, one that must not. */
	CHECK(xs_watch(b, "/lu/x", "token"));
	free(xs_read_watch(b, NULL));
	t = xs_transaction_start(a);
	CHECK(xs_write(a, t, "/lu/new", "in transaction", 14));
	CHECK(xs_rm(a, t, "/lu/17"));
	loser = xs_transaction_start(a);
	CHECK(!strcmp(read_value(a, loser, "/lu/x"), "old"));
	CHECK(xs_write(a, loser, "/lu/lost", "", 0));
	CHECK(xs_write(c, XBT_NULL, "/lu/x", "changed", 7));
	/* Half a request, with nothing answered yet. */
	CHECK_EQ(write(raw, &h, sizeof(h)), sizeof(h));
	CHECK_EQ(write(raw, "/lu/5", 5), 5);
	nap(50);
	CHECK(!strcmp(update(c, daemon_path), "OK"));
	/* The same process, another image. */
	CHECK_EQ(kill(daemon_pid, 0), 0);
	CHECK_EQ(write(raw, "/node", 5), 5); /* no nul: an error */
	CHECK_EQ(read(raw, reply, sizeof(reply)), sizeof(h) + 7);
	CHECK(!strcmp(reply + sizeof(h), "EINVAL"));
	event = xs_read_watch(b, NULL);
	CHECK(event && !strcmp(event[XS_WATCH_PATH], "/lu/x"));
	free(event);
	CHECK(!strcmp(read_value(a, t, "/lu/new"), "in transaction"));
	CHECK(!strcmp(read_value(c, XBT_NULL, "/lu/new"), "-"));
	CHECK(xs_transaction_end(a, t, false));
	CHECK(!strcmp(read_value(c, XBT_NULL, "/lu/new"), "in transaction"));
	CHECK(!strcmp(read_value(c, XBT_NULL, "/lu/17/node"), "-"));
	CHECK(!strcmp(read_value(c, XBT_NULL, "/lu/18/node"), "/lu/18/node"));
	CHECK(!xs_transaction_end(a, loser, false) && errno == EAGAIN);
	CHECK(xs_write(c, XBT_NULL, "/lu/x", "again", 5));
	event = xs_read_watch(b, NULL);
	CHECK(event && !strcmp(event[XS_WATCH_TOKEN], "token"));
	free(event);
	/* And a second one, whose arguments are not doubled. */
	CHECK(!strcmp(update(c, daemon_path), "OK"));
	check = xs_control_command(c, "check", NULL, 0);
	CHECK(check && !strcmp(check, "OK"));
	free(check);
	CHECK(strstr(sh("tr '\\0' ' ' </proc/%d/cmdline", daemon_pid),
		     "--live-update"));
	xs_close(a);
	xs_close(b);
	xs_close(c);
	close(raw);
}

static void live_update_refuses(void)
{
	struct xs_handle *xs = xs_open(0);

	REQUIRE(xs);
	CHECK(strcmp(update(xs, "/bin/true"), "OK"));
	CHECK(strcmp(update(xs, "/no/such/file"), "OK"));
	CHECK(strcmp(update(xs, pid_file), "OK"));
	CHECK(strcmp(step(xs, "-s", 3), "OK"));
	CHECK(xs_write(xs, XBT_NULL, "/lu/after", "", 0));
	xs_close(xs);
}

static void starts_again(void)
{
	struct xs_handle *xs;
	pid_t second;
	int status;

	/* A second daemon leaves the first alone. */
	second = run_daemon();
	CHECK_EQ(waitpid(second, &status, 0), second);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	xs = xs_open(0);
	CHECK(xs && xs_write(xs, XBT_NULL, "/again", "", 0));
	stop(SIGKILL);
	CHECK(!xs_write(xs, XBT_NULL, "/again", "", 0));
	CHECK(!xs_open(0) && errno == ECONNREFUSED);
	xs_close(xs);
	REQUIRE(start());
	xs = xs_open(0);
	CHECK(xs && !xs_read(xs, XBT_NULL, "/again", NULL));
	xs_close(xs);
}

static const struct test_case cases[] = {
	{"xenstore commands: options, output, exit codes", commands},
	{"xenstored serves ten thousand clients", many_clients},
	{"xenstore: an event that came with a reply is told", event_is_told},
	{"xenstored: a live update keeps everything", live_update_keeps},
	{"xenstored: a live update to something else fails",
	 live_update_refuses},
	{"xenstored: a client that never reads its replies", never_reads},
	{"xenstored: a client that sends a byte now and then", byte_by_byte},
	{"xenstored: killed in the middle of work, eight times",
	 killed_at_any_moment},
	{"xenstored: killed and started again", starts_again},
};

int main(void)
{
	char cwd[2048];
	int rc;

	if (!mkdtemp(dir) || !getcwd(cwd, sizeof(cwd)))
		return 1;
	snprintf(daemon_path, sizeof(daemon_path), "%s/%s", cwd, DAEMON);
	snprintf(pid_file, sizeof(pid_file), "%s/pid", dir);
	setenv("XENSTORED_RUNDIR", dir, 1);
	unsetenv("XENSTORED_PATH");
	links();
	if (!start()) {
		printf("1..1\nnot ok 1 - xenstored starts\n");
		return 1;
	}
	rc = RUN_CASES(cases);
	stop(SIGTERM);
	sh("rm -rf %s", dir);
	return rc;
}
