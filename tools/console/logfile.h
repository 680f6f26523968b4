/* SPDX-License-Identifier: MIT */
/* A console's log file: time stamps at line starts, rotation by size. */
#ifndef OSTLER_CONSOLE_LOGFILE_H
#define OSTLER_CONSOLE_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

struct logfile {
	char path[400];
	int fd; /* -1: closed */
	bool stamps, replace_escape, midline;
	uint64_t size, limit; /* limit 0: no rotation */
	unsigned int keep;    /* older files: .1 … */
};

/* Opens for appending; false with errno set. The settings must be there. */
bool log_open(struct logfile *l);
void log_close(struct logfile *l);
/* After someone else has moved the file away. */
void log_reopen(struct logfile *l);
/* Writes; a disk that is full loses output, and stops nothing. */
void log_write(struct logfile *l, const char *buf, size_t n);

#endif
