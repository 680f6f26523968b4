/* SPDX-License-Identifier: MIT */
/* What the daemon says: syslog or standard error, and the request trace. */
#ifndef OSTLER_XENSTORE_LOG_H
#define OSTLER_XENSTORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <syslog.h>

/* Before this, and when @use_syslog is false, messages go to stderr. */
void log_init(bool use_syslog);

void log_msg(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* One line of the request trace; nothing when tracing is off. */
void log_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

extern bool log_tracing;

/* Chooses the trace file (NULL: none); 0 or an errno. */
int log_trace_file(const char *path);
/* Opens the chosen file again, or closes it; 0 or an errno. */
int log_trace_on(void);
void log_trace_off(void);
const char *log_trace_path(void);
/* A file to add to, which only root can read: it has what domains say to each
 * other. NULL and errno. */
FILE *log_append(const char *path);

/* Where messages go in tests: called instead of syslog when set. */
extern void (*log_hook)(int priority, const char *text);

#endif
