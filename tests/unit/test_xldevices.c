/* SPDX-License-Identifier: MIT */
/*
 * A domain's devices in the store, against the real xenstored: written, listed
 * and taken out again, with the folders that nobody needs any more. Runs in
 * the build directory.
 */
#include "harness.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <xenstore.h>

#include "../../tools/xl/batch.h"
#include "../../tools/xl/device.h"
#include "../../tools/xl/host.h"
#include "../../tools/xl/xl.h"

#define DAEMON "tools/xenstore/xenstored"

static char dir[] = "/tmp/test_xldevices.XXXXXX";
static struct xs_handle *xs;

struct xs_handle *host_xs(void)
{
	return xs;
}

int xl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	return 1;
}

char *host_read(const char *fmt, ...)
{
	char path[256];
	unsigned int len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_read(xs, XBT_NULL, path, &len);
}

static pid_t start_daemon(void)
{
	static char path[64];
	const struct timespec tick = {.tv_nsec = 10000000};
	pid_t pid;

	snprintf(path, sizeof(path), "%s/socket", dir);
	setenv("XENSTORED_RUNDIR", dir, 1);
	setenv("XENSTORED_PATH", path, 1);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		execl(DAEMON, DAEMON, "-D", "-N", NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && !xs; i++) {
		nanosleep(&tick, NULL);
		xs = xs_open(0);
	}
	return pid;
}

/* "a b" for a folder's names, "-" if there is no such folder. */
static const char *names(const char *path)
{
	static char text[256];
	unsigned int n = 0;
	char **list = xs_directory(xs, XBT_NULL, path, &n);

	strcpy(text, list ? "" : "-");
	for (unsigned int i = 0; list && i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, list[i]);
	}
	free(list);
	return text;
}

#define SAME(path, want)                                                       \
	do {                                                                   \
		if (strcmp(names(path), want)) {                               \
			printf("# %s holds %s\n", path, names(path));          \
			test_failures++;                                       \
		}                                                              \
	} while (0)

static void add(const char *kind, uint32_t domid, uint32_t devid)
{
	struct device d = {kind, domid, devid, 0, ""};
	const struct dev_node back[] = {{"mode", "w"}, {"absent", NULL}};
	const struct dev_node front[] = {{"x", "1"}};

	if (!strcmp(kind, "qdisk")) {
		d.kind = "vbd";
		strcpy(d.back_kind, kind);
	}
	CHECK(dev_add(&d, back, 2, front, 1));
}

static void forget_all(uint32_t domid, unsigned int want)
{
	unsigned int nr;
	struct device *list = dev_list(domid, &nr);

	CHECK_EQ(nr, want);
	dev_forget_nodes(list, nr);
	dev_free_list(list, nr);
	list = dev_list(domid, &nr);
	CHECK_EQ(nr, 0);
	dev_free_list(list, nr);
}

static void test_forget(void)
{
	add("console", 5, 0);
	add("vbd", 5, 51712);
	add("vbd", 5, 51728);
	add("qdisk", 5, 51744);
	add("vif", 5, 0);
	add("vif", 6, 0);
	SAME("/local/domain/0/backend/vif", "5 6");
	forget_all(5, 5);
	/* Another's folder stays, with what is above it. */
	SAME("/local/domain/0/backend", "vif");
	SAME("/local/domain/0/backend/vif", "6");
	SAME("/local/domain/0/backend/vif/6", "0");
	SAME("/local/domain/5/device/vbd", "");
	/* A console's front end is the domain's, not the device's. */
	SAME("/local/domain/5", "console device");
	forget_all(6, 1);
	SAME("/local/domain/0", "");
}

static void test_one_of_two(void)
{
	struct device d = {"vbd", 7, 51712, 0, ""};

	add("vbd", 7, 51712);
	add("vbd", 7, 51728);
	dev_forget_nodes(&d, 1);
	SAME("/local/domain/0/backend/vbd/7", "51728");
	SAME("/libxl/7/device/vbd", "51728");
	forget_all(7, 1);
	dev_forget_nodes(&d, 1);
	SAME("/local/domain/0/backend", "-");
}

int main(void)
{
	static const struct test_case cases[] = {
		{"xldevices: nodes and empty folders go, others stay",
		 test_forget},
		{"xldevices: one of two, and one that there is not",
		 test_one_of_two},
	};
	char cmd[64];
	pid_t pid;
	int rc;

	if (!mkdtemp(dir))
		return 1;
	pid = start_daemon();
	if (!xs)
		return 1;
	rc = RUN_CASES(cases);
	xs_close(xs);
	batch_forget();
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) ? 1 : rc;
}
