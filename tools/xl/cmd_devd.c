/* SPDX-License-Identifier: MIT */
/* xl devd: the hotplug daemon of driver domains. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "devd.h"
#include "host.h"
#include "xl.h"

#define LOG_FILE "/var/log/xen/xldevd.log"

/* Its number, from its own part of the store; it has no other privilege. */
static bool find_self(uint32_t *self)
{
	long domid = host_read_number(-1, "domid");

	if (domid < 0)
		return xl_fail("the store does not say which domain this is: "
			       "%s",
			       strerror(errno)),
		       false;
	if (!domid)
		return xl_fail("devd is for driver domains: dom0's devices "
			       "are attached by xl itself"),
		       false;
	*self = (uint32_t)domid;
	return true;
}

static void redirect(void)
{
	int null = open("/dev/null", O_RDWR);
	int log = open(LOG_FILE, O_WRONLY | O_CREAT | O_APPEND, 0644);

	dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static bool keep_pid(const char *pidfile, pid_t pid)
{
	FILE *f = fopen(pidfile, "w");
	bool ok = f && fprintf(f, "%d\n", pid) > 0;

	if (f && fclose(f))
		ok = false;
	if (!ok)
		xl_fail("cannot write %s: %s", pidfile, strerror(errno));
	return ok;
}

static int daemonize(uint32_t self, const char *pidfile)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return xl_fail("no process for the daemon: %s",
			       strerror(errno));
	if (!pid) {
		host_forget();
		setsid();
		redirect();
		if (chdir("/"))
			xl_note("cannot change to /");
		exit(devd_run(self));
	}
	if (!pidfile || keep_pid(pidfile, pid))
		return XL_OK;
	kill(pid, SIGTERM);
	return XL_FAIL;
}

static int run_devd(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"help", 0, NULL, 'h'},
					      {"pidfile", 1, NULL, 'p'},
					      {NULL, 0, NULL, 0}};
	const char *pidfile = NULL;
	bool foreground = false;
	uint32_t self;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "Fp:", longs, 0)) != -1) {
		foreground |= opt == 'F';
		if (opt == 'p')
			pidfile = optarg;
	}
	if (!find_self(&self))
		return XL_FAIL;
	return foreground ? devd_run(self) : daemonize(self, pidfile);
}

const struct xl_cmd cmd_devd = {
	.name = "devd",
	.usage = "[options]",
	.summary = "Daemon that listens for devices and launches backends",
	.options = "-F                      Run in the foreground\n"
		   "-p, --pidfile [FILE]    Write PID to pidfile when "
		   "daemonizing.",
	.run = run_devd,
};
