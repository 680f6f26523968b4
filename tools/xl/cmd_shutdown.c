/* SPDX-License-Identifier: MIT */
/* xl shutdown, xl reboot: asking the guest, and waiting for it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "host.h"
#include "xl.h"

struct request {
	const char *word; /* what control/shutdown is given */
	const char *said; /* "Shutting down" */
	unsigned int trigger;
	bool fallback;
};

/*
 * Does the guest listen? A PV or PVH kernel always may; of an HVM guest its
 * drivers say so by taking over the callback.
 */
static bool listens(uint32_t domid)
{
	char *type = host_read("/libxl/%u/type", domid);
	bool hvm = type && !strcmp(type, "hvm");
	uint64_t via = 0;

	free(type);
	if (!hvm)
		return true;
	return !xc_hvm_param_get(host_xc(), domid, 0 /* CALLBACK_IRQ */,
				 &via) &&
	       via;
}

static int ask(uint32_t domid, const struct request *r)
{
	const char *event =
		r->trigger == XEN_DOMCTL_SENDTRIGGER_RESET ? "reset" : "power";

	fprintf(stderr, "%s domain %u\n", r->said, domid);
	if (listens(domid)) {
		if (host_write(r->word, "/local/domain/%u/control/shutdown",
			       domid))
			return XL_OK;
		return xl_fail("cannot write to the store: %s",
			       strerror(errno));
	}
	if (!r->fallback) {
		fprintf(stderr,
			"PV control interface not available:\n external "
			"graceful %s not possible.\nUse -F to fallback to ACPI "
			"%s event.\n",
			r->word, event);
		return XL_FAIL;
	}
	fprintf(stderr,
		"PV control interface not available: sending ACPI %s "
		"event.\n",
		event);
	if (!xc_domain_send_trigger(host_xc(), domid, r->trigger, 0))
		return XL_OK;
	return xl_fail("cannot send it: %s", strerror(errno));
}

/* Has that domain stopped (or, with death, gone)? Says so when it has. */
static bool has_ended(const struct dom_info *was, bool death)
{
	struct dom_info now;

	if (!host_domain(was->domid, &now) ||
	    memcmp(now.handle, was->handle, sizeof(now.handle)) ||
	    now.flags & XEN_DOMINF_dying) {
		fprintf(stderr, "Domain %u has been destroyed\n", was->domid);
		return true;
	}
	if (death || !(now.flags & XEN_DOMINF_shutdown))
		return false;
	fprintf(stderr, "Domain %u has been shut down, reason code %u\n",
		was->domid, dom_shutdown_reason(&now));
	return true;
}

static void wait_for(struct dom_info *list, unsigned int nr, bool death)
{
	struct pollfd p = {.fd = xs_fileno(host_xs()), .events = POLLIN};
	char **event;

	fprintf(stderr, "Waiting for %u domains\n", nr);
	for (;;) {
		for (unsigned int i = 0; i < nr;)
			if (has_ended(&list[i], death))
				list[i] = list[--nr];
			else
				i++;
		if (!nr)
			return;
		if (poll(&p, 1, 1000) > 0) {
			event = xs_check_watch(host_xs());
			free(event);
		}
	}
}

struct whom {
	bool all;
	unsigned int wait; /* how often it was said: twice is for the death */
};

static bool take_options(const struct xl_cmd *cmd, int argc, char **argv,
			 struct request *r, struct whom *w)
{
	static const struct option longs[] = {{"all", 0, NULL, 'a'},
					      {"wait", 0, NULL, 'w'},
					      {"help", 0, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "awF", longs, 0)) != -1) {
		w->all |= opt == 'a';
		w->wait += opt == 'w';
		r->fallback |= opt == 'F';
	}
	if (optind == argc && !w->all)
		fprintf(stderr, "You must specify -a or a domain id.\n\n");
	else if (w->all && optind < argc)
		fprintf(stderr,
			"You may specify -a or a domain id, but not both.\n\n");
	else
		return true;
	return false;
}

static int run(const struct xl_cmd *cmd, int argc, char **argv,
	       struct request *r)
{
	struct whom w = {.all = false};
	struct dom_info *list;
	unsigned int nr = 0, asked = 0;
	int rc = XL_OK;

	if (!take_options(cmd, argc, argv, r, &w))
		return XL_FAIL;
	if (w.all) {
		list = host_domains(&nr);
	} else {
		list = calloc(1, sizeof(*list));
		if (!list)
			return xl_fail("out of memory");
		nr = host_domain(host_need(argv[optind]), list);
	}
	if (w.wait)
		xs_watch(host_xs(), "@releaseDomain", "shutdown");
	for (unsigned int i = 0; i < nr; i++) {
		if (w.all && !list[i].domid)
			continue;
		rc |= ask(list[i].domid, r);
		list[asked++] = list[i];
	}
	if (w.wait && rc == XL_OK)
		wait_for(list, asked, w.wait > 1);
	free(list);
	return rc;
}

static int run_shutdown(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct request r = {"poweroff", "Shutting down",
			    XEN_DOMCTL_SENDTRIGGER_POWER, false};

	return run(cmd, argc, argv, &r);
}

const struct xl_cmd cmd_shutdown = {
	.name = "shutdown",
	.usage = "[options] <-a|Domain>",
	.summary = "Issue a shutdown signal to a domain",
	.options = "-a, --all               Shutdown all guest domains.\n"
		   "-h                      Print this help.\n"
		   "-F                      Fallback to ACPI power event for "
		   "HVM guests with\n"
		   "                        no PV drivers.\n"
		   "-w, --wait              Wait for guest(s) to shutdown; "
		   "twice: until they are gone.",
	.run = run_shutdown,
	.changes = true,
};

static int run_reboot(const struct xl_cmd *cmd, int argc, char **argv)
{
	struct request r = {"reboot", "Rebooting", XEN_DOMCTL_SENDTRIGGER_RESET,
			    false};

	return run(cmd, argc, argv, &r);
}

const struct xl_cmd cmd_reboot = {
	.name = "reboot",
	.usage = "[options] <-a|Domain>",
	.summary = "Issue a reboot signal to a domain",
	.options = "-a, --all               Shutdown all guest domains.\n"
		   "-h                      Print this help.\n"
		   "-F                      Fallback to ACPI reset event for "
		   "HVM guests with\n"
		   "                        no PV drivers.\n"
		   "-w, --wait              Wait for guest(s) to reboot; "
		   "twice: until they are gone.",
	.run = run_reboot,
	.changes = true,
};
