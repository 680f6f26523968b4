/* SPDX-License-Identifier: MIT */
/* The event loop: file descriptors, timers, and time. */
#ifndef OSTLER_XENSTORE_LOOP_H
#define OSTLER_XENSTORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "list.h"

struct source {
	int fd;
	uint32_t events; /* EPOLL* that are waited for */
	void (*fn)(struct source *s, uint32_t events);
};

struct timer {
	struct list link;
	uint64_t when; /* 0: not set */
	void (*fn)(struct timer *t);
};

int loop_init(void);
void loop_exit(void);

/* Watches s->fd for s->events; 0 or an errno. */
int loop_add(struct source *s);
void loop_change(struct source *s, uint32_t events);
void loop_del(struct source *s);

/* Milliseconds of the monotonic clock, as of the start of this round. */
uint64_t loop_now(void);

void timer_set(struct timer *t, uint64_t delay_ms);
void timer_stop(struct timer *t);

/* Waits (not at all if @busy) and runs what is due; 0 or an errno. */
int loop_wait(bool busy);

#endif
