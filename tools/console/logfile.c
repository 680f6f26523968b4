/* SPDX-License-Identifier: MIT */
/* A console's log file; see logfile.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "logfile.h"

bool log_open(struct logfile *l)
{
	struct stat st;

	l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (l->fd < 0)
		return false;
	l->size = fstat(l->fd, &st) ? 0 : (uint64_t)st.st_size;
	return true;
}

void log_close(struct logfile *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void log_reopen(struct logfile *l)
{
	log_close(l);
	log_open(l);
}

static void numbered(const struct logfile *l, unsigned int n, char *buf,
		     size_t size)
{
	if (n)
		snprintf(buf, size, "%s.%u", l->path, n);
	else
		snprintf(buf, size, "%s", l->path);
}

/* FILE.2 takes FILE.1's place, and so on; the oldest goes. */
static void rotate(struct logfile *l)
{
	char from[420], to[420];

	log_close(l);
	if (!l->keep)
		unlink(l->path);
	for (unsigned int n = l->keep; n; n--) {
		numbered(l, n - 1, from, sizeof(from));
		numbered(l, n, to, sizeof(to));
		rename(from, to);
	}
	log_open(l);
}

static void put(struct logfile *l, const char *buf, size_t n)
{
	ssize_t done;

	while (n && l->fd >= 0) {
		done = write(l->fd, buf, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		buf += done;
		n -= (size_t)done;
		l->size += (uint64_t)done;
	}
}

static void stamp(struct logfile *l)
{
	time_t now = time(NULL);
	char text[32];
	struct tm tm;
	size_t n = 0;

	if (localtime_r(&now, &tm))
		n = strftime(text, sizeof(text), "[%Y-%m-%d %H:%M:%S] ", &tm);
	put(l, text, n);
}

/* With escapes replaced, a log cannot drive the terminal that shows it. */
static void put_text(struct logfile *l, const char *buf, size_t n)
{
	const char *esc;

	while (l->replace_escape && (esc = memchr(buf, 27, n))) {
		put(l, buf, (size_t)(esc - buf));
		put(l, ".", 1);
		n -= (size_t)(esc - buf) + 1;
		buf = esc + 1;
	}
	put(l, buf, n);
}

static void put_lines(struct logfile *l, const char *buf, size_t n)
{
	const char *nl;
	size_t line;

	while (n) {
		nl = memchr(buf, '\n', n);
		line = nl ? (size_t)(nl - buf) + 1 : n;
		if (!l->midline)
			stamp(l);
		put_text(l, buf, line);
		l->midline = !nl;
		buf += line;
		n -= line;
	}
}

void log_write(struct logfile *l, const char *buf, size_t n)
{
	if (l->fd < 0)
		return;
	if (l->limit && l->size + n > l->limit && l->size)
		rotate(l);
	if (l->stamps)
		put_lines(l, buf, n);
	else
		put_text(l, buf, n);
}
