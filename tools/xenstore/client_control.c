/* SPDX-License-Identifier: MIT */
/* xenstore-control: sends a command to the daemon; live-update takes several.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>
#include <xenstore.h>

struct args {
	char buf[XENSTORE_PAYLOAD_MAX];
	size_t len;
};

static bool add(struct args *a, const char *s)
{
	size_t len = strlen(s) + 1;

	if (a->len + len > sizeof(a->buf)) {
		fprintf(stderr, "The arguments are too long.\n");
		return false;
	}
	memcpy(a->buf + a->len, s, len);
	a->len += len;
	return true;
}

/* One step; true if the daemon says OK. */
static bool step(struct xs_handle *xs, struct args *a, const char *what)
{
	char *reply = xs_control_command(xs, "live-update", a->buf, a->len);
	bool ok = reply && !strcmp(reply, "OK");

	if (!ok)
		fprintf(stderr, "%s failed:\n%s\n", what,
			reply ? reply : strerror(errno));
	free(reply);
	return ok;
}

static bool step2(struct xs_handle *xs, const char *option, const char *value,
		  const char *what)
{
	struct args a = {.len = 0};

	return add(&a, option) && add(&a, value) && step(xs, &a, what);
}

/* Waits while the daemon is busy with transactions, which ours never is. */
static bool start(struct xs_handle *xs, const char *timeout, bool force)
{
	struct args a = {.len = 0};
	time_t end = time(NULL) + atoi(timeout);
	char *reply;

	if (!add(&a, "-s") || !add(&a, "-t") || !add(&a, timeout) ||
	    (force && !add(&a, "-F")))
		return false;
	for (;;) {
		reply = xs_control_command(xs, "live-update", a.buf, a.len);
		if (!reply || strcmp(reply, "BUSY") || time(NULL) >= end)
			break;
		free(reply);
		sleep(1);
	}
	if (reply && !strcmp(reply, "OK")) {
		free(reply);
		return true;
	}
	fprintf(stderr, "Starting live update failed:\n%s\n",
		reply ? reply : strerror(errno));
	free(reply);
	return false;
}

static int live_update(struct xs_handle *xs, int argc, char **argv)
{
	const char *binary = NULL, *cmdline = NULL, *timeout = "60";
	bool force = false;

	for (int i = 0; i < argc; i++) {
		bool takes = !strcmp(argv[i], "-c") || !strcmp(argv[i], "-t");

		if (takes && i + 1 == argc) {
			fprintf(stderr, "Missing value of %s\n", argv[i]);
			return 2;
		}
		if (!strcmp(argv[i], "-c"))
			cmdline = argv[++i];
		else if (!strcmp(argv[i], "-t"))
			timeout = argv[++i];
		else if (!strcmp(argv[i], "-F"))
			force = true;
		else
			binary = argv[i];
	}
	if (!binary) {
		fprintf(stderr, "Missing binary specification\n");
		return 2;
	}
	if (!step2(xs, "-f", binary, "Setting update binary"))
		return 3;
	if ((cmdline && !step2(xs, "-c", cmdline, "Setting command line")) ||
	    !start(xs, timeout, force)) {
		free(xs_control_command(xs, "live-update", "-a", 3));
		return 3;
	}
	return 0;
}

static int one_command(struct xs_handle *xs, int argc, char **argv)
{
	struct args a = {.len = 0};
	char *reply, *help;

	for (int i = 1; i < argc; i++)
		if (!add(&a, argv[i]))
			return 1;
	reply = xs_control_command(xs, argv[0], a.buf, a.len);
	if (reply) {
		if (reply[0])
			printf("%s\n", reply);
		free(reply);
		return 0;
	}
	if (errno != EINVAL) {
		fprintf(stderr, "Error %d when trying to execute command.\n",
			errno);
		return 3;
	}
	help = xs_control_command(xs, "help", NULL, 0);
	if (help)
		fprintf(stderr,
			"Command not supported. Valid commands are:\n%s\n",
			help);
	else
		fprintf(stderr, "Error when executing command.\n");
	free(help);
	return 3;
}

int main(int argc, char **argv)
{
	struct xs_handle *xs;
	int rc;

	if (argc < 2) {
		fprintf(stderr, "Usage:\n%s <command> [<arg>...]\n", argv[0]);
		return 2;
	}
	xs = xs_open(0);
	if (!xs) {
		fprintf(stderr, "Failed to contact Xenstored.\n");
		return 1;
	}
	rc = strcmp(argv[1], "live-update")
		     ? one_command(xs, argc - 1, argv + 1)
		     : live_update(xs, argc - 2, argv + 2);
	xs_close(xs);
	return rc;
}
