/* SPDX-License-Identifier: MIT */
/*
 * Counters that tools may read (XEN_SYSCTL_perfc_op, "xenperf"): each subsystem
 * that counts something registers a source once, at boot.
 */
#ifndef OSTLER_TRACE_PERF_H
#define OSTLER_TRACE_PERF_H

#include "lib/types.h"

struct perf_source {
	unsigned int nr;
	/* Counter i's name, at most size bytes with the zero. */
	void (*name)(unsigned int i, char *buf, size_t size);
	uint64_t (*value)(unsigned int i);
	void (*reset)(void);
	struct perf_source *next;
};

void perf_register(struct perf_source *s);
/* The first of all sources, in the order of registration. */
extern struct perf_source *perf_sources;

#endif
