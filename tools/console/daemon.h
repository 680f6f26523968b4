/* SPDX-License-Identifier: MIT */
/* What the daemon's parts share: its settings and its handles. */
#ifndef OSTLER_CONSOLE_DAEMON_H
#define OSTLER_CONSOLE_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenstore.h>

struct settings {
	bool log_guests, log_hv, stamp_guests, stamp_hv;
	bool replace_escape, keep_overflow;
	const char *log_dir;
	uint64_t log_limit;
	unsigned int log_keep;
};

extern struct settings settings;

struct handles {
	xc_interface *xc;
	struct xs_handle *xs;
	xenevtchn_handle *evtchn; /* one for all guests */
	xengnttab_handle *gnttab;
	xenforeignmemory_handle *mem;
};

extern struct handles handles;

/* To the system's log, or standard error in the foreground. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Milliseconds that only go up. */
long long now_ms(void);

#endif
