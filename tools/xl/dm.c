/* SPDX-License-Identifier: MIT */
/* Starting and ending the device model; see dm.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "disk.h"
#include "dm.h"
#include "host.h"
#include "qmp.h"
#include "xl.h"

/* Debian's own; then what a build from source installs. */
static const char *const programs[] = {
	"/usr/libexec/xen-qemu-system-i386",
	"/usr/lib/xen-4.17/bin/qemu-system-i386",
	"/usr/lib/xen/bin/qemu-system-i386",
	"/usr/bin/qemu-system-i386",
};

#define START_SECONDS 60

static bool needed(const struct domain_config *dc)
{
	if (dc->type == TYPE_HVM || dc->wants_vfb)
		return true;
	for (unsigned int i = 0; i < dc->nr_disks; i++)
		if (disk_needs_qemu(&dc->disks[i]))
			return true;
	return false;
}

static const char *find_program(const char *given)
{
	if (given && *given)
		return given;
	for (unsigned int i = 0; i < ARRAY_SIZE(programs); i++)
		if (!access(programs[i], X_OK))
			return programs[i];
	xl_fail("no device model: install qemu-system-xen, or say "
		"device_model_override=");
	return NULL;
}

/* The log of the domain's device model before this one is kept once. */
static int open_log(const char *name)
{
	char path[300], old[304];

	snprintf(path, sizeof(path), "/var/log/xen/qemu-dm-%.200s.log", name);
	snprintf(old, sizeof(old), "%s.1", path);
	rename(path, old);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void child(uint32_t domid, const char *name, const char *const *args)
{
	int null = open("/dev/null", O_RDWR), log = open_log(name);
	char id[16];

	setsid();
	dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
	snprintf(id, sizeof(id), "%u", domid);
	setenv("XEN_DOMAIN_ID", id, 1);
	setenv("XEN_QEMU_CONSOLE_LIMIT", "1048576", 1);
	execv(args[0], (char *const *)args);
	fprintf(stderr, "cannot run %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

static pid_t start(uint32_t domid, const char *name, const char *const *args)
{
	pid_t pid = fork();

	if (!pid)
		child(domid, name, args);
	if (pid < 0)
		xl_fail("no process for the device model: %s", strerror(errno));
	return pid;
}

static bool is_running(uint32_t domid)
{
	char *s = host_read("/local/domain/0/device-model/%u/state", domid);
	bool running = s && !strcmp(s, "running");

	free(s);
	return running;
}

/* Until it says that it runs, or is gone, or time is up. */
static bool wait_running(uint32_t domid, pid_t pid, const char *name)
{
	struct pollfd p = {.fd = xs_fileno(host_xs()), .events = POLLIN};
	time_t end = time(NULL) + START_SECONDS;
	char path[80];
	int status;
	bool ok = false;

	snprintf(path, sizeof(path), "/local/domain/0/device-model/%u/state",
		 domid);
	xs_watch(host_xs(), path, "dm");
	while (!(ok = is_running(domid))) {
		if (waitpid(pid, &status, WNOHANG) == pid) {
			xl_fail("the device model ended at its start: see "
				"/var/log/xen/qemu-dm-%s.log",
				name);
			break;
		}
		if (time(NULL) > end) {
			xl_fail("the device model does not start within %d "
				"seconds: see /var/log/xen/qemu-dm-%s.log",
				START_SECONDS, name);
			break;
		}
		if (poll(&p, 1, 200) > 0)
			free(xs_check_watch(host_xs()));
	}
	xs_unwatch(host_xs(), path, "dm");
	return ok;
}

/* A PV screen and its keyboard are devices of their own. */
static bool add_vfb(uint32_t domid, const struct domain_config *dc)
{
	struct device vfb = {"vfb", domid, 0, 0, ""};
	struct device vkbd = {"vkbd", domid, 0, 0, ""};
	char number[16];
	const struct dev_node back[] = {
		{"vnc", "1"},
		{"vnclisten", dc->vnc.listen ? dc->vnc.listen : "127.0.0.1"},
		{"vncdisplay", number},
		{"vncunused", dc->vnc.unused != TRI_NO ? "1" : "0"},
		{"vncpasswd", dc->vnc.password},
		{"sdl", "0"},
		{"opengl", "0"},
		{"feature-resize", "1"},
	};

	if (!dc->wants_vfb || dc->type == TYPE_HVM)
		return true;
	snprintf(number, sizeof(number), "%lld", dc->vnc.display);
	return dev_add(&vfb, back, ARRAY_SIZE(back), NULL, 0) &&
	       dev_add(&vkbd, NULL, 0, NULL, 0);
}

/* What only a running device model knows: its VNC port, its serial ports. */
static void publish(uint32_t domid, const struct domain_config *dc)
{
	char value[128], path[64];

	if (qmp_query_vnc(domid, value, sizeof(value))) {
		host_write(value, "/local/domain/%u/console/vnc-port", domid);
		host_write(dc->vnc.listen ? dc->vnc.listen : "127.0.0.1",
			   "/local/domain/%u/console/vnc-listen", domid);
	}
	for (unsigned int i = 0; i < dc->serial.nr; i++) {
		snprintf(path, sizeof(path), "serial%u", i);
		if (qmp_query_pty(domid, path, value, sizeof(value)))
			host_write(value, "/local/domain/%u/serial/%u/tty",
				   domid, i);
	}
	if (dc->vnc.password && *dc->vnc.password)
		qmp_set_vnc_password(domid, dc->vnc.password);
}

bool dm_start(uint32_t domid, struct domain_config *dc)
{
	const char *program;
	struct string_list args;
	char number[16];
	pid_t pid;

	if (!needed(dc))
		return true;
	program = find_program(dc->dm_path);
	if (!program || !dm_arguments(domid, dc, program, &args) ||
	    !add_vfb(domid, dc))
		return false;
	pid = start(domid, dc->name, args.item);
	if (pid < 0)
		return false;
	snprintf(number, sizeof(number), "%d", pid);
	host_write(number, "/local/domain/%u/image/device-model-pid", domid);
	if (!wait_running(domid, pid, dc->name)) {
		dm_stop(domid);
		return false;
	}
	publish(domid, dc);
	return true;
}

bool dm_is_model(pid_t pid, uint32_t domid)
{
	char path[64], args[4096], want[32];
	ssize_t n;
	size_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, args, sizeof(args));
	close(fd);
	len = (size_t)snprintf(want, sizeof(want), "-xen-domid%c%u", 0, domid);
	return n > 0 && memmem(args, (size_t)n, want, len + 1);
}

void dm_end(pid_t pid, uint32_t domid)
{
	if (!dm_is_model(pid, domid))
		return;
	kill(pid, SIGHUP);
	/* It may be our own child, or nobody's. */
	for (int i = 0; i < 500 && dm_is_model(pid, domid); i++) {
		waitpid(pid, NULL, WNOHANG);
		if (i == 300)
			kill(pid, SIGKILL);
		usleep(10000);
	}
}

pid_t dm_start_backend(uint32_t guest, const char *name)
{
	char id[16], title[32];
	const char *args[] = {
		find_program(NULL),
		"-xen-domid",
		id,
		"-xen-attach",
		"-name",
		title,
		"-nographic",
		"-M",
		"xenpv",
		"-monitor",
		"/dev/null",
		"-serial",
		"/dev/null",
		"-parallel",
		"/dev/null",
		NULL,
	};

	if (!args[0])
		return -1;
	snprintf(id, sizeof(id), "%u", guest);
	snprintf(title, sizeof(title), "domain-%u", guest);
	return start(guest, name, args);
}

void dm_stop(uint32_t domid)
{
	long pid = host_read_number(
		0, "/local/domain/%u/image/device-model-pid", domid);
	char path[80];

	if (pid > 1)
		dm_end((pid_t)pid, domid);
	snprintf(path, sizeof(path), "/var/run/xen/qmp-libxl-%u", domid);
	unlink(path);
	snprintf(path, sizeof(path), "/var/run/xen/qmp-libxenstat-%u", domid);
	unlink(path);
}
