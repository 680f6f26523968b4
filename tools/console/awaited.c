/* SPDX-License-Identifier: MIT */
/* Consoles that are still to come; see awaited.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "awaited.h"
#include "daemon.h"

struct awaited {
	struct awaited *next;
	uint32_t domid;
	bool seen;
};

static struct awaited *all;

static const char *watched_path(char *buf, size_t size, uint32_t domid)
{
	snprintf(buf, size, "/local/domain/%u/console", domid);
	return buf;
}

void awaited_add(uint32_t domid)
{
	struct awaited *a = all;
	char path[64];

	while (a && a->domid != domid)
		a = a->next;
	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return; /* the next introduction tries again */
		a->domid = domid;
		a->next = all;
		all = a;
		xs_watch(handles.xs, watched_path(path, sizeof(path), domid),
			 "awaited");
	}
	a->seen = true;
}

void awaited_sweep(void)
{
	struct awaited **p = &all, *a;
	char path[64];

	while ((a = *p)) {
		if (a->seen) {
			a->seen = false;
			p = &a->next;
			continue;
		}
		*p = a->next;
		xs_unwatch(handles.xs,
			   watched_path(path, sizeof(path), a->domid),
			   "awaited");
		free(a);
	}
}
