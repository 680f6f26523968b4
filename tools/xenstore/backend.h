/* SPDX-License-Identifier: MIT */
/*
 * Where domains come from: a table that the daemon is given. The Xen backend
 * maps rings and binds event channels; the other one has no domains at all, so
 * that the daemon runs, and is tested, on any Linux. Unit tests bring their
 * own.
 */
#ifndef OSTLER_XENSTORE_BACKEND_H
#define OSTLER_XENSTORE_BACKEND_H

#include <stdint.h>

struct xenstore_domain_interface;

enum domain_state { DOMAIN_GONE, DOMAIN_RUNNING, DOMAIN_SHUTDOWN };

struct backend {
	const char *name;
	/*
	 * Opens the hypervisor's devices; @evtchn_fd is the event channel
	 * device that a previous daemon left open, or -1. 0 or an errno.
	 */
	int (*open)(int evtchn_fd);
	/* Readable when an event channel fired; -1: never. */
	int (*fd)(void);
	/* A port that fired and is unmasked again, or -1: none is left. */
	int (*next_port)(void);
	/* The port on which domains' ends are reported. */
	int (*virq_port)(void);
	/* Binds the virtual IRQ for that; a live update keeps it. */
	int (*bind_virq)(void);
	void (*adopt_virq)(int port);
	/* A local port bound to @port of @domid, or a negative errno. */
	int (*bind)(unsigned int domid, unsigned int port);
	void (*unbind)(int port);
	void (*notify)(int port);
	/* The ring page of @domid, NULL with errno if that cannot be. */
	struct xenstore_domain_interface *(*map)(unsigned int domid,
						 uint64_t gfn);
	void (*unmap)(unsigned int domid,
		      struct xenstore_domain_interface *ring);
	enum domain_state (*state)(unsigned int domid);
	/* The port that dom0's kernel listens on, or a negative errno. */
	int (*dom0_port)(void);
};

extern const struct backend backend_xen, backend_none;

#endif
