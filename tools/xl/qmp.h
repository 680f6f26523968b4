/* SPDX-License-Identifier: MIT */
/* QEMU's monitor: a few commands, each over a connection of its own. */
#ifndef OSTLER_XL_QMP_H
#define OSTLER_XL_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Runs a command given as JSON. The answer's line, malloced, in *answer
 * (NULL: not wanted). False if there is no monitor or it refuses; why, from
 * its own words, in error.
 */
bool qmp_run(uint32_t domid, const char *command, char **answer, char *error,
	     size_t size);
/* The VNC server's TCP port. */
bool qmp_query_vnc(uint32_t domid, char *port, size_t size);
/* The pseudoterminal of a character device. */
bool qmp_query_pty(uint32_t domid, const char *name, char *path, size_t size);
/* A line of the monitor's own language; what it prints, malloced, or NULL. */
char *qmp_human(uint32_t domid, const char *line, char *error, size_t size);
bool qmp_set_vnc_password(uint32_t domid, const char *password);
/* s as a JSON string's inside, quotes excluded. */
void qmp_quote(const char *s, char *out, size_t size);

#endif
