/* SPDX-License-Identifier: MIT */
/* xl vncviewer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "host.h"
#include "vnc.h"
#include "xl.h"

static void give_password(uint32_t domid)
{
	char *vm = host_read("/local/domain/%u/vm", domid);
	char *password = vm ? host_read("%s/vncpasswd", vm) : NULL;
	FILE *file = tmpfile();

	if (file && password) {
		fputs(password, file);
		rewind(file);
		dup2(fileno(file), 0);
	}
	free(vm);
	free(password);
}

static int become_viewer(uint32_t domid, bool password, const char *listen,
			 const char *port)
{
	char where[128];

	snprintf(where, sizeof(where), "%s:%ld", listen,
		 strtol(port, NULL, 10) - 5900);
	if (password)
		give_password(domid);
	execlp("vncviewer", "vncviewer", where, password ? "-autopass" : NULL,
	       (char *)NULL);
	return xl_fail("cannot run vncviewer: %s", strerror(errno));
}

int vnc_viewer(uint32_t domid, bool password, bool replace)
{
	char *port = host_read("/local/domain/%u/console/vnc-port", domid);
	char *listen = host_read("/local/domain/%u/console/vnc-listen", domid);
	int rc = XL_OK;
	pid_t pid = 0;

	if (!port)
		rc = xl_fail("domain %u has no VNC display", domid);
	else if (!replace)
		pid = fork();
	if (rc == XL_OK && !pid)
		rc = become_viewer(domid, password,
				   listen ? listen : "127.0.0.1", port);
	if (!replace && !pid && port)
		_exit(rc);
	free(port);
	free(listen);
	return rc;
}

static int run_vncviewer(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		{"autopass", 0, NULL, 'a'},
		{"vncviewer-autopass", 0, NULL, 'a'},
		{"help", 0, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool password = false;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "a", longs, 1)) != -1)
		password |= opt == 'a';
	return vnc_viewer(host_need(argv[optind]), password, true);
}

const struct xl_cmd cmd_vncviewer = {
	.name = "vncviewer",
	.usage = "[options] <Domain>",
	.summary = "Attach to domain's VNC server.",
	.options = "--autopass               Pass VNC password to viewer via "
		   "stdin and\n"
		   "                         -autopass\n"
		   "--vncviewer-autopass     (consistency alias for "
		   "--autopass)",
	.run = run_vncviewer,
};
