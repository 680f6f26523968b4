/* SPDX-License-Identifier: MIT */
/* The client library's watches, and the events that wait to be asked for. */
#include <errno.h>
#include <sys/eventfd.h>

#include "xs_wire.h"

bool xs_keep_event(struct xs_handle *h, const char *body, uint32_t len)
{
	const char *token = memchr(body, 0, len);
	struct xs_event *e;

	if (!token || !memchr(token + 1, 0, body + len - token - 1))
		return true; /* malformed: nothing to tell */
	e = malloc(sizeof(*e));
	if (!e)
		return false;
	e->vec = malloc(2 * sizeof(char *) + len);
	if (!e->vec) {
		free(e);
		return false;
	}
	e->next = NULL;
	e->vec[XS_WATCH_PATH] = (char *)(e->vec + 2);
	e->vec[XS_WATCH_TOKEN] = e->vec[XS_WATCH_PATH] + (token + 1 - body);
	memcpy(e->vec[XS_WATCH_PATH], body, len);
	*h->events_tail = e;
	h->events_tail = &e->next;
	return !eventfd_write(h->evfd, 1);
}

static char **take_event(struct xs_handle *h)
{
	struct xs_event *e = h->events;
	eventfd_t count;
	char **vec;

	if (!e)
		return NULL;
	vec = e->vec;
	h->events = e->next;
	if (!h->events) {
		h->events_tail = &h->events;
		eventfd_read(h->evfd, &count);
	}
	free(e);
	return vec;
}

void xs_drop_all_events(struct xs_handle *h)
{
	struct xs_event *e;

	while ((e = h->events)) {
		h->events = e->next;
		free(e->vec);
		free(e);
	}
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct iovec parts[] = {xs_string(path), xs_string(token)};

	return xs_done(xs_talk(h, XBT_NULL, XS_WATCH, parts, 2, NULL));
}

static void drop_events(struct xs_handle *h, const char *path,
			const char *token)
{
	struct xs_event **p = &h->events, *e;

	while ((e = *p)) {
		if (strcmp(e->vec[XS_WATCH_TOKEN], token) ||
		    !xs_path_is_subpath(path, e->vec[XS_WATCH_PATH])) {
			p = &e->next;
			continue;
		}
		*p = e->next;
		free(e->vec);
		free(e);
	}
	h->events_tail = p;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	struct iovec parts[] = {xs_string(path), xs_string(token)};
	bool ok = xs_done(xs_talk(h, XBT_NULL, XS_UNWATCH, parts, 2, NULL));

	if (ok && h->filter)
		drop_events(h, path, token);
	return ok;
}

char **xs_check_watch(struct xs_handle *h)
{
	char **vec;

	if (!h->events) {
		free(xs_receive(h, NULL, false));
		if (!h->events)
			return NULL;
	}
	vec = take_event(h);
	return vec;
}

char **xs_read_watch(struct xs_handle *h, unsigned int *num)
{
	while (!h->events) {
		free(xs_receive(h, NULL, true));
		if (!h->events && errno != EAGAIN)
			return NULL;
	}
	if (num)
		*num = 2;
	return take_event(h);
}
