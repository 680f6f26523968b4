/* SPDX-License-Identifier: MIT */
/*
 * Permission sets. Equal sets are one object: nodes hold references, and what
 * a dead domain was granted can be withdrawn everywhere by marking the few
 * sets that name it, without a walk of the store.
 */
#ifndef OSTLER_XENSTORE_PERMS_H
#define OSTLER_XENSTORE_PERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash.h"

#define PERM_READ  1
#define PERM_WRITE 2
#define PERM_OWNER 4

#define PERMS_MAX 1365 /* "n0" and a nul each, in one payload */

struct perm {
	uint16_t domid;
	uint8_t access; /* PERM_READ | PERM_WRITE */
	uint8_t stale;  /* its domain is gone: grants nothing */
};

/* p[0]: the owner, and what domains that are not listed may do. */
struct perms {
	struct hlink link;
	uint32_t refs;
	uint32_t n;
	struct perm p[];
};

/* Who asks: tools and dom0 may do everything. */
struct who {
	bool priv;
	uint16_t domid;
	int target; /* a domain it may act for (SET_TARGET), or -1 */
};

/* The one object for this set, with a reference for the caller. */
struct perms *perms_intern(const struct perm *p, unsigned int n);
struct perms *perms_get(struct perms *ps);
void perms_put(struct perms *ps);

/* @ps with another owner; a new reference. */
struct perms *perms_chown(const struct perms *ps, uint16_t domid);

/* PERM_* that @who has. */
unsigned int perms_access(const struct perms *ps, const struct who *who);

/* @domid is gone: its entries, where it is not the owner, grant nothing. */
void perms_forget(uint16_t domid);

/*
 * Parses "r1\0n2\0" of @len bytes into @out (room for @max); the number of
 * entries, or a negative errno.
 */
int perms_parse(const char *s, size_t len, struct perm *out, unsigned int max);

/* Formats into @buf, nul after each entry; bytes needed (may exceed @size). */
size_t perms_format(const struct perms *ps, char *buf, size_t size);

/* Number of sets that exist (for memreport and tests). */
uint32_t perms_count(void);

#endif
