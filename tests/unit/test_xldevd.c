/* SPDX-License-Identifier: MIT */
/*
 * xl devd against the real xenstored: which devices it puts up and takes down,
 * and when. What it does to one is this file's: it is noted in the store.
 */
#include <errno.h>

#include "xlstore.h"

#include "../../tools/xl/devd.h"
#include "../../tools/xl/loop.h"

#define SELF 7
#define BACK "/local/domain/7/backend/"

static pid_t devd;

void loop_release(const char *node)
{
	host_write(node, "/test/released");
}

static bool note(const char *what, const struct device *d)
{
	char *had =
		host_read("/test/%s/%u/%u", d->back_kind, d->domid, d->devid);
	char text[256];

	snprintf(text, sizeof(text), "%s%s", had ? had : "", what);
	free(had);
	return host_write(text, "/test/%s/%u/%u", d->back_kind, d->domid,
			  d->devid);
}

/* Device 13 has bad luck. */
bool devd_attach(const struct device *d)
{
	host_xs();
	note("+", d);
	if (d->devid == 13)
		return false;
	if (!strcmp(d->kind, "vbd"))
		host_write("/dev/loop5", BACK "%s/%u/%u/node", d->back_kind,
			   d->domid, d->devid);
	return host_write("connected", BACK "%s/%u/%u/hotplug-status",
			  d->back_kind, d->domid, d->devid);
}

bool devd_detach(const struct device *d)
{
	char path[128];

	host_xs();
	note("-", d);
	dev_backend_path(d, path, sizeof(path));
	return xs_rm(xs, XBT_NULL, path) || errno == ENOENT;
}

static void start(void)
{
	fflush(stdout);
	devd = fork();
	if (!devd) {
		host_forget();
		_exit(devd_run(SELF));
	}
}

static void stop(void)
{
	kill(devd, SIGKILL);
	waitpid(devd, NULL, 0);
}

/* dom0's xl: the nodes of a device; the kernel: its state. */
static void made(const char *dev)
{
	CHECK(host_write("1", BACK "%s/online", dev));
	CHECK(host_write("1", BACK "%s/state", dev));
}
static void state(const char *dev, const char *to)
{
	CHECK(host_write(to, BACK "%s/state", dev));
}
static void going(const char *dev)
{
	CHECK(host_write("0", BACK "%s/online", dev));
	state(dev, "6");
}

static bool is(const char *path, const char *want)
{
	char *s = host_read("%s", path);
	bool same = want ? s && !strcmp(s, want) : !s;

	free(s);
	return same;
}

/* In the end; NULL: there is no such node. */
static bool becomes(const char *path, const char *want)
{
	const struct timespec tick = {.tv_nsec = 5000000};

	for (int i = 0; i < 400; i++) {
		if (is(path, want))
			return true;
		nanosleep(&tick, NULL);
	}
	printf("# %s is not %s\n", path, want ? want : "gone");
	return false;
}

/* Everything that was written before has been looked at. */
static void looked(void)
{
	static int n = 20;
	char dev[32], path[48];

	n++;
	snprintf(dev, sizeof(dev), "vif/99/%d", n);
	made(dev);
	state(dev, "2");
	snprintf(path, sizeof(path), "/test/%s", dev);
	CHECK(becomes(path, "+"));
}

static void test_life(void)
{
	start();
	made("vif/9/0");
	made("console/9/0");
	state("console/9/0", "2");
	looked();
	CHECK(is("/test/vif/9/0", NULL)); /* the kernel does not wait yet */
	state("vif/9/0", "2");
	CHECK(becomes(BACK "vif/9/0/hotplug-status", "connected"));
	state("vif/9/0", "4");
	/* The guest's driver starts anew; nothing is to be done here. */
	state("vif/9/0", "6");
	state("vif/9/0", "2");
	looked();
	CHECK(is("/test/vif/9/0", "+"));
	going("vif/9/0");
	CHECK(becomes(BACK "vif/9/0/state", NULL));
	CHECK(is("/test/vif/9/0", "+-"));
	/* Another of the same number. */
	made("vif/9/0");
	state("vif/9/0", "2");
	CHECK(becomes("/test/vif/9/0", "+-+"));
	going("vif/9/0");
	CHECK(becomes(BACK "vif/9/0/state", NULL));
	CHECK(is("/test/console/9/0", NULL));
	stop();
}

static void test_failure(void)
{
	start();
	made("vbd/9/13");
	state("vbd/9/13", "2");
	CHECK(becomes(BACK "vbd/9/13/hotplug-status", "error"));
	state("vbd/9/13", "2");
	looked();
	CHECK(is("/test/vbd/9/13", "+"));
	going("vbd/9/13");
	CHECK(becomes(BACK "vbd/9/13/state", NULL));
	CHECK(is("/test/vbd/9/13", "+-"));
	stop();
}

/* What was there before it, and before one that died. */
static void test_late(void)
{
	made("vbd/10/1");
	state("vbd/10/1", "2");
	made("qdisk/10/2");
	start();
	CHECK(becomes("/test/vbd/10/1", "+"));
	CHECK(becomes("/test/qdisk/10/2", "+"));
	CHECK(becomes(BACK "vbd/10/1/hotplug-status", "connected"));
	state("vbd/10/1", "4");
	stop();
	start();
	looked();
	CHECK(is("/test/vbd/10/1", "+"));
	going("vbd/10/1");
	CHECK(becomes(BACK "vbd/10/1/state", NULL));
	stop();
	going("qdisk/10/2");
	start();
	CHECK(becomes(BACK "qdisk/10/2/state", NULL));
	stop();
}

/* dom0 did not wait for it. */
static void test_lost(void)
{
	start();
	made("vbd/11/1");
	state("vbd/11/1", "2");
	CHECK(becomes(BACK "vbd/11/1/hotplug-status", "connected"));
	state("vbd/11/1", "4");
	looked();
	xs_rm(xs, XBT_NULL, "/local/domain/7/backend/vbd");
	CHECK(becomes("/test/released", "/dev/loop5"));
	CHECK(becomes("/test/vbd/11/1", "+-"));
	stop();
}

int main(void)
{
	static const struct test_case cases[] = {
		{"xldevd: a device is put up once, and taken down", test_life},
		{"xldevd: a failure is told, and not repeated", test_failure},
		{"xldevd: what it missed", test_late},
		{"xldevd: nodes that go too early", test_lost},
	};

	if (!start_daemon())
		return 1;
	return stop_daemon(RUN_CASES(cases));
}
