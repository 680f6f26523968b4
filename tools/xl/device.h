/* SPDX-License-Identifier: MIT */
/*
 * A split device in the store: its front end's folder in the guest, its back
 * end's in dom0, and the copy under /libxl that says to every tool which
 * devices a domain has.
 */
#ifndef OSTLER_XL_DEVICE_H
#define OSTLER_XL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* xen/io/xenbus.h's states */
enum dev_state {
	DEV_GONE = 0,
	DEV_INITIALISING = 1,
	DEV_INIT_WAIT = 2,
	DEV_INITIALISED = 3,
	DEV_CONNECTED = 4,
	DEV_CLOSING = 5,
	DEV_CLOSED = 6,
};

struct device {
	const char *kind; /* the front end's folder: "vbd", "vif", … */
	uint32_t domid, devid, backend_domid;
	char back_kind[16]; /* the back end's, where it differs: "qdisk" */
};

/* Nodes to write: pairs of name and value. */
struct dev_node {
	const char *name;
	const char *value;
};

void dev_backend_path(const struct device *d, char *buf, size_t size);
void dev_frontend_path(const struct device *d, char *buf, size_t size);
void dev_libxl_path(const struct device *d, char *buf, size_t size);

/*
 * Writes a device's three folders in one transaction. What both ends always
 * have (front end, ids, state 1, online) is added here. Returns false with
 * errno set; then nothing was written.
 */
bool dev_add(const struct device *d, const struct dev_node *back,
	     unsigned int nr_back, const struct dev_node *front,
	     unsigned int nr_front);

/*
 * Waits until the back end's state is at least this (or gone, when that is
 * what is asked for: DEV_CLOSED takes both). Returns false after ms
 * milliseconds.
 */
bool dev_wait(const struct device *d, enum dev_state state, int ms);

/* A console's back end is xenconsoled, which follows the domain itself. */
static inline bool dev_closes(const struct device *d)
{
	return strcmp(d->kind, "console") != 0;
}

/* Removes their nodes, and folders that are left empty (devprune.c). */
void dev_forget_nodes(const struct device *list, unsigned int nr);

/*
 * Takes devices away: asks the back ends to close (with force, the front ends
 * are pulled first), waits for all of them together, then removes their
 * folders and what they held (loop devices). Returns how many did not close in
 * time; with force they are removed all the same.
 */
unsigned int dev_remove(const struct device *list, unsigned int nr, bool force);

/* All devices of a domain, malloced. */
struct device *dev_list(uint32_t domid, unsigned int *nr);
/* One value of a device's back end; malloced, NULL if not there. */
char *dev_backend_read(const struct device *d, const char *name);
/*
 * What dom0's xl wrote of it: of a back end in another domain the copy, since
 * that domain may write anything into its own.
 */
char *dev_fact_read(const struct device *d, const char *name);
char *dev_frontend_read(const struct device *d, const char *name);
void dev_free_list(struct device *list, unsigned int nr);

#endif
