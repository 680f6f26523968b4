/* SPDX-License-Identifier: MIT */
/* One guest's console: its ring, its log, its viewers. */
#ifndef OSTLER_CONSOLE_CONSOLE_H
#define OSTLER_CONSOLE_CONSOLE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <xenevtchn.h>

#include "history.h"
#include "logfile.h"

#define MAX_VIEWERS 16

/* A viewer reads the history at its own pace; fd -1: free. */
struct viewer {
	int fd;
	uint64_t at;
	int index; /* in the poll set, -1: not there */
};

struct console {
	struct console *next;
	uint32_t domid;
	struct xencons_interface *ring;
	bool granted; /* else mapped as a foreign frame */
	evtchn_port_t port;
	uint32_t remote_port;
	bool masked;         /* its event waits for the next period */
	unsigned int events; /* in this period */
	long long period_end;
	bool complained;
	struct viewer pty; /* the master; slave stays open too */
	int pty_slave;
	int listener;
	int listener_index;
	char socket_path[64];
	struct viewer viewers[MAX_VIEWERS];
	struct logfile log;
	struct history history;
	bool seen; /* in the enumeration that is under way */
};

/*
 * Opens a guest's console if its nodes are in the store. NULL if they are not
 * there yet, or after saying what failed.
 */
struct console *console_open(uint32_t domid);
/* Are its nodes still to come? */
bool console_is_missing(uint32_t domid);
void console_close(struct console *c);

/* The guest has written, or taken input. */
void console_event(struct console *c);
/* Time has passed: a guest that was held back may go on. */
void console_tick(struct console *c, long long now);

/* Adds what to wait for; returns how many entries were used. */
unsigned int console_poll(struct console *c, struct pollfd *set,
			  unsigned int at);
/* Does what the wait's outcome says. */
void console_serve(struct console *c, const struct pollfd *set);
#define CONSOLE_POLLFDS (MAX_VIEWERS + 2)

#endif
