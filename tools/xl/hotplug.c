/* SPDX-License-Identifier: MIT */
/* Runs a hotplug script; see hotplug.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "hotplug.h"
#include "xl.h"

#define SCRIPT_SECONDS 40 /* as long as the stock xl waits */

static void set_environment(const struct device *d, const char *script,
			    const char *vif)
{
	char path[160];

	/* Relative to the back end's domain, as hotplug agents have it. */
	snprintf(path, sizeof(path), "backend/%s/%u/%u", d->kind, d->domid,
		 d->devid);
	setenv("XENBUS_TYPE", d->kind, 1);
	setenv("XENBUS_PATH", path, 1);
	setenv("XENBUS_BASE_PATH", "backend", 1);
	setenv("script", script, 1);
	if (vif) {
		setenv("vif", vif, 1);
		setenv("netdev", "", 1);
	}
}

static void child(const struct device *d, const char *script,
		  const char *action, const char *vif)
{
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0); /* so that what it starts can be ended with it */
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
	}
	set_environment(d, script, vif);
	execl(script, script, action, vif ? "type_if=vif" : (char *)NULL,
	      (char *)NULL);
	_exit(127);
}

/* Its status; a script that hangs is ended, and says so as a signal would. */
static int wait_for(pid_t pid, const char *script)
{
	int fd = pidfd_open(pid, 0), status = 0;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (fd >= 0 && poll(&p, 1, SCRIPT_SECONDS * 1000) == 0) {
		xl_fail("the script %s does not end within %d seconds", script,
			SCRIPT_SECONDS);
		kill(-pid, SIGKILL);
	}
	if (fd >= 0)
		close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

bool hotplug_run(const struct device *d, const char *script, const char *action,
		 const char *vif)
{
	int status;
	pid_t pid;

	if (access(script, X_OK)) {
		xl_fail("the script %s cannot be run: %s", script,
			strerror(errno));
		return false;
	}
	pid = fork();
	if (!pid)
		child(d, script, action, vif);
	if (pid < 0) {
		xl_fail("no process for the script %s: %s", script,
			strerror(errno));
		return false;
	}
	status = wait_for(pid, script);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	xl_fail("the script %s %s failed for %s %u of domain %u: status %d "
		"(/var/log/xen/xen-hotplug.log may say more)",
		script, action, d->kind, d->devid, d->domid,
		WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return false;
}

bool hotplug_is_default(const char *script)
{
	return !strcmp(script, HOTPLUG_VIF_SCRIPT) ||
	       !strcmp(script, HOTPLUG_VBD_SCRIPT);
}

char *hotplug_script_here(const struct device *d)
{
	char *script = dev_backend_read(d, "script");

	if (!script || !hotplug_is_default(script) || !access(script, X_OK))
		return script;
	free(script);
	return NULL;
}

void hotplug_path(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s", *name == '/' ? "" : HOTPLUG_DIR "/", name);
}

/*
 * Under /libxl, where only dom0 writes. The device's node "script" is there
 * whether it was run or not.
 */
void hotplug_ran(const struct device *d, const char *script)
{
	char path[160];

	dev_libxl_path(d, path, sizeof(path));
	host_write(script, "%s/hotplug-script", path);
}

static char *script_that_ran(const struct device *d)
{
	char path[160], *script;

	dev_libxl_path(d, path, sizeof(path));
	script = host_read("%s/script", path);
	if (!script || !hotplug_is_default(script))
		return script;
	free(script);
	return host_read("%s/hotplug-script", path);
}

void hotplug_take_down(const struct device *d, const char *script,
		       const char *dir)
{
	char name[32], *given;

	if (strcmp(d->kind, "vif")) {
		hotplug_run(d, script, "remove", NULL);
		return;
	}
	given = host_read("%s/vifname", dir);
	snprintf(name, sizeof(name), "vif%u.%u", d->domid, d->devid);
	hotplug_run(d, script, "offline", given && *given ? given : name);
	free(given);
}

void hotplug_undo(const struct device *d)
{
	bool vif = !strcmp(d->kind, "vif");
	bool qemus = *d->back_kind && strcmp(d->back_kind, d->kind);
	char path[160], *script;

	if (d->backend_domid || qemus || (!vif && strcmp(d->kind, "vbd")))
		return;
	script = script_that_ran(d);
	dev_libxl_path(d, path, sizeof(path));
	if (script)
		hotplug_take_down(d, script, path);
	free(script);
}
