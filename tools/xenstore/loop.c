/* SPDX-License-Identifier: MIT */
/* The event loop, over epoll. */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

#define BATCH 64

static int epfd = -1;
static uint64_t now;
static struct list timers = LIST_INIT(timers);
/* What this round still has to run: a source may be deleted meanwhile. */
static struct epoll_event batch[BATCH];
static int batch_n;

static void read_clock(void)
{
	struct timespec ts;

	/* Ticks do: the exact clock is a system call where TSCs are not kept.
	 */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	now = ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

int loop_init(void)
{
	read_clock();
	epfd = epoll_create1(EPOLL_CLOEXEC);
	return epfd < 0 ? errno : 0;
}

void loop_exit(void)
{
	if (epfd >= 0)
		close(epfd);
	epfd = -1;
}

int loop_add(struct source *s)
{
	struct epoll_event e = {.events = s->events, .data.ptr = s};

	return epoll_ctl(epfd, EPOLL_CTL_ADD, s->fd, &e) ? errno : 0;
}

void loop_change(struct source *s, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = s};

	if (s->events == events)
		return;
	s->events = events;
	epoll_ctl(epfd, EPOLL_CTL_MOD, s->fd, &e);
}

void loop_del(struct source *s)
{
	epoll_ctl(epfd, EPOLL_CTL_DEL, s->fd, NULL);
	for (int i = 0; i < batch_n; i++)
		if (batch[i].data.ptr == s)
			batch[i].data.ptr = NULL;
}

uint64_t loop_now(void)
{
	return now;
}

void timer_set(struct timer *t, uint64_t delay_ms)
{
	if (!t->when)
		list_add_tail(&timers, &t->link);
	t->when = now + delay_ms;
}

void timer_stop(struct timer *t)
{
	if (t->when)
		list_del(&t->link);
	t->when = 0;
}

static int timeout(bool busy)
{
	uint64_t first = UINT64_MAX;

	if (busy)
		return 0;
	list_for_each(l, &timers) {
		struct timer *t = container_of(l, struct timer, link);

		if (t->when < first)
			first = t->when;
	}
	if (first == UINT64_MAX)
		return -1;
	if (first <= now)
		return 0;
	return first - now < INT_MAX ? (int)(first - now) : INT_MAX;
}

static void run_timers(void)
{
	list_for_each_safe(l, &timers) {
		struct timer *t = container_of(l, struct timer, link);

		if (t->when > now)
			continue;
		timer_stop(t);
		t->fn(t);
	}
}

int loop_wait(bool busy)
{
	int n = epoll_wait(epfd, batch, BATCH, timeout(busy));

	if (n < 0 && errno != EINTR)
		return errno;
	batch_n = n < 0 ? 0 : n;
	read_clock();
	for (int i = 0; i < batch_n; i++) {
		struct source *s = batch[i].data.ptr;

		if (s)
			s->fn(s, batch[i].events);
	}
	batch_n = 0;
	run_timers();
	return 0;
}
