/* SPDX-License-Identifier: MIT */
/* Messages and the request trace. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

#include "log.h"

bool log_tracing;
void (*log_hook)(int priority, const char *text);

static bool to_syslog;
static FILE *trace;
static char *trace_path;

void log_init(bool use_syslog)
{
	to_syslog = use_syslog;
	if (to_syslog)
		openlog("xenstored", LOG_PID, LOG_DAEMON);
}

void log_msg(int priority, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_hook)
		log_hook(priority, text);
	else if (to_syslog)
		syslog(priority, "%s", text);
	else
		fprintf(stderr, "xenstored: %s\n", text);
	log_trace("%s", text);
}

void log_trace(const char *fmt, ...)
{
	struct timespec now;
	struct tm tm;
	char when[32], text[XENSTORE_PAYLOAD_MAX + 256];
	va_list ap;

	if (!log_tracing || !trace)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y%m%d %H:%M:%S", &tm);
	fprintf(trace, "%s.%06ld ", when, now.tv_nsec / 1000);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A guest's words make no line of their own, and no terminal act. */
	for (char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '.';
	fprintf(trace, "%s\n", text);
	fflush(trace);
}

int log_trace_file(const char *path)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return ENOMEM;
	log_trace_off();
	free(trace_path);
	trace_path = copy;
	return 0;
}

const char *log_trace_path(void)
{
	return trace_path;
}

FILE *log_append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "a");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

int log_trace_on(void)
{
	log_trace_off();
	if (!trace_path)
		return EBADF;
	trace = log_append(trace_path);
	if (!trace) {
		int err = errno;

		log_msg(LOG_ERR, "trace file %s: %s", trace_path,
			strerror(err));
		return err;
	}
	log_tracing = true;
	return 0;
}

void log_trace_off(void)
{
	log_tracing = false;
	if (trace)
		fclose(trace);
	trace = NULL;
}
