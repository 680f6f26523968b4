/* SPDX-License-Identifier: MIT */
/*
 * Domains as the store knows them: what each one uses, and its ring. A record
 * exists from the first time that a node or a permission names the domain (if
 * the hypervisor says that it exists) to its death; it is introduced in
 * between.
 */
#ifndef OSTLER_XENSTORE_DOMAIN_H
#define OSTLER_XENSTORE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"
#include "quota.h"

#define DOMID_LIMIT 0x7ff0 /* DOMID_FIRST_RESERVED */

struct conn;
struct backend;
struct xenstore_domain_interface;

struct domain {
	struct list all;
	uint16_t domid;
	bool introduced;
	bool shutdown;     /* already reported */
	uint16_t reported; /* quotas whose overrun was logged */
	uint32_t serial;   /* tells it from another with the same number */
	bool kick;         /* the other end is to be notified */
	int port;          /* local event channel, or 0 */
	uint64_t gfn;
	struct xenstore_domain_interface *ring;
	struct conn *conn;
	long nodes, watches, transactions, outstanding;
	long memory;
	long counted; /* nodes, by store_check() */
};

extern struct list domains;

/* How many records have ended: what names a domain may be out of date. */
extern uint32_t domain_deaths;

/* Chooses the backend, before anything else here. */
void domain_init(const struct backend *b);
const struct backend *domain_backend(void);

/* The record of @domid or NULL. */
struct domain *domain_find(unsigned int domid);
/* The same, made if the domain exists. */
struct domain *domain_want(unsigned int domid);
/* The same, made in any case (a live update's record). */
struct domain *domain_force(unsigned int domid);

/* Counts what @domid owns. */
void domain_charge(unsigned int domid, long nodes, long bytes);

/* True if @more of a use that is at @used now would exceed the quota. */
bool domain_over(struct domain *d, enum quota q, long used, long more);

/* Logs an overrun that is not a matter of adding up. */
void domain_report(struct domain *d, enum quota q);

/* INTRODUCE: 0 or an errno. */
int domain_introduce(unsigned int domid, uint64_t gfn, unsigned int port);
/* The same for dom0's kernel. */
int domain_introduce_dom0(void);
/* Takes up a ring that a previous daemon served. */
int domain_restore(unsigned int domid, uint64_t gfn, int port);

/* RELEASE, and what death does: the connection, the nodes, the record. */
void domain_release(struct domain *d);

/* Looks at all domains and ends what belongs to dead ones. */
void domain_check(void);

/* An event channel fired. */
void domain_event(int port);

/* --keep-orphans: nodes of dead domains go to dom0. */
extern bool domain_keep_orphans;

#endif
