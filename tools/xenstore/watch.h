/* SPDX-License-Identifier: MIT */
/*
 * Watches, indexed by path: a change looks at the watches of the changed path
 * and of the paths above it, and at nothing else. A removal also looks at
 * those below.
 */
#ifndef OSTLER_XENSTORE_WATCH_H
#define OSTLER_XENSTORE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct debt;
struct node;
struct perms;
struct watch;

#define WATCH_ANY_DEPTH (-1)

/* 0, EEXIST, or a quota's errno. @path is full; @relative: as given it was. */
int watch_add(struct conn *c, const char *path, const char *token,
	      bool relative, int depth);
/* The first event, which a new watch gets at once. */
void watch_announce(struct conn *c, const char *path, const char *token);
/* 0 or ENOENT. */
int watch_remove(struct conn *c, const char *path, const char *token);
void watch_drop_all(struct conn *c);

/*
 * @path changed. @old_perms: its permissions before, if they changed; @gone:
 * what was there, if it was removed (events also for watches below).
 */
void watch_fire(const char *path, struct node *gone,
		const struct perms *old_perms, struct debt *debt);

/* "@introduceDomain" or "@releaseDomain" for @domid. */
void watch_fire_special(const char *name, unsigned int domid);

/* The event that could be repeated has gone out. */
void watch_sent(struct watch *w);

/* Calls @fn for each watch of @c (live updates). */
void watch_each(struct conn *c,
		void (*fn)(void *arg, const char *path, const char *token,
			   bool relative, int depth),
		void *arg);

/* Who is told of special events. */
extern struct perms *watch_introduce_perms, *watch_release_perms;
void watch_init(void);
/* The set for a special path, or NULL. */
struct perms **watch_special_perms(const char *path);

/* How many watches exist (memreport). */
uint32_t watch_count(void);

#endif
