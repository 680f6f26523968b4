/* SPDX-License-Identifier: MIT */
/* The hypervisor's own console, into its log; see hvlog.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "hvlog.h"
#include "logfile.h"

static struct logfile hv = {.fd = -1};
static xenevtchn_port_or_error_t port = -1;
static uint32_t place; /* where the next piece starts */

static void copy(void)
{
	char buf[16384];
	unsigned int n;

	do {
		n = sizeof(buf);
		if (xc_readconsolering(handles.xc, buf, &n, 0, 1, &place))
			return;
		log_write(&hv, buf, n);
	} while (n == sizeof(buf));
}

bool hvlog_open(void)
{
	snprintf(hv.path, sizeof(hv.path), "%s/hypervisor.log",
		 settings.log_dir);
	hv.stamps = settings.stamp_hv;
	hv.replace_escape = settings.replace_escape;
	hv.limit = settings.log_limit;
	hv.keep = settings.log_keep;
	if (!log_open(&hv)) {
		say("no log %s: %s", hv.path, strerror(errno));
		return false;
	}
	port = xenevtchn_bind_virq(handles.evtchn, VIRQ_CON_RING);
	if (port < 0)
		say("the hypervisor's console has no event: %s",
		    strerror(errno));
	copy();
	return port >= 0;
}

void hvlog_close(void)
{
	log_close(&hv);
}

void hvlog_reopen(void)
{
	if (hv.fd >= 0)
		log_reopen(&hv);
}

xenevtchn_port_or_error_t hvlog_port(void)
{
	return port;
}

void hvlog_event(void)
{
	copy();
	xenevtchn_unmask(handles.evtchn, (evtchn_port_t)port);
}
