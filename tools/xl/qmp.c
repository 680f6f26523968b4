/* SPDX-License-Identifier: MIT */
/* QEMU's monitor; see qmp.h. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp.h"

#define ANSWER_MS 10000

static int open_monitor(uint32_t domid)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path),
		 "/var/run/xen/qmp-libxl-%u", domid);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A line, malloced, without its end; NULL at the end or when time is up. */
static char *read_line(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0, room = 0;
	char *line = NULL, *more, ch;

	while (poll(&p, 1, ANSWER_MS) > 0 && read(fd, &ch, 1) == 1) {
		if (ch == '\r')
			continue;
		if (n + 1 >= room) {
			room = room ? 2 * room : 512;
			more = room > (1 << 20) ? NULL : realloc(line, room);
			if (!more)
				break;
			line = more;
		}
		if (ch == '\n') {
			line[n] = 0;
			return line;
		}
		line[n++] = ch;
	}
	free(line);
	return NULL;
}

/* All of it; false, and no signal, if nobody is there any more. */
static bool say(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		text += n;
		left -= (size_t)n;
	}
	return true;
}

/* The answer to a command; events in between are passed over. */
static char *exchange(int fd, const char *command)
{
	char *line;

	if (!say(fd, command) || !say(fd, "\r\n"))
		return NULL;
	while ((line = read_line(fd))) {
		if (!strncmp(line, "{\"return\"", 9) ||
		    !strncmp(line, "{\"error\"", 8))
			return line;
		free(line);
	}
	return NULL;
}

/* The string after "KEY": "…" from p on. */
static bool string_after(const char *p, const char *key, char *out, size_t size)
{
	char want[64];
	size_t n = 0;

	snprintf(want, sizeof(want), "\"%s\": \"", key);
	p = p ? strstr(p, want) : NULL;
	if (!p)
		return false;
	for (p += strlen(want); *p && *p != '"' && n + 1 < size; p++) {
		if (*p == '\\' && p[1])
			p++;
		out[n++] = *p;
	}
	out[n] = 0;
	return *p == '"';
}

bool qmp_run(uint32_t domid, const char *command, char **answer, char *error,
	     size_t size)
{
	int fd = open_monitor(domid);
	char *line = NULL;
	bool ok = false;

	if (answer)
		*answer = NULL;
	if (fd < 0) {
		snprintf(error, size,
			 "its device model's monitor does not "
			 "answer: %s",
			 strerror(errno));
		return false;
	}
	free(read_line(fd)); /* the greeting */
	free(exchange(fd, "{\"execute\": \"qmp_capabilities\"}"));
	line = exchange(fd, command);
	close(fd);
	if (line && !strncmp(line, "{\"return\"", 9))
		ok = true;
	else if (!line || !string_after(line, "desc", error, size))
		snprintf(error, size, "its device model gives no answer");
	if (ok && answer)
		*answer = line;
	else
		free(line);
	return ok;
}

void qmp_quote(const char *s, char *out, size_t size)
{
	size_t n = 0;

	for (; *s && n + 7 < size; s++) {
		if (*s == '"' || *s == '\\')
			out[n++] = '\\', out[n++] = *s;
		else if ((unsigned char)*s < ' ')
			n += (size_t)snprintf(out + n, size - n, "\\u%04x", *s);
		else
			out[n++] = *s;
	}
	out[n] = 0;
}

/* A JSON string's text, in place, from after its first quote to its last. */
static void unquote(char *s)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	char *out = s;
	unsigned int code;

	for (; *s && *s != '"'; s++) {
		const char *p;

		if (*s != '\\' || !s[1]) {
			*out++ = *s;
			continue;
		}
		s++;
		p = strchr(from, *s);
		if (*s == 'u' && sscanf(s + 1, "%4x", &code) == 1) {
			*out++ = code < 0x80 ? (char)code : '?';
			s += strnlen(s + 1, 4);
		} else {
			*out++ = p ? to[p - from] : *s;
		}
	}
	*out = 0;
}

char *qmp_human(uint32_t domid, const char *line, char *error, size_t size)
{
	size_t room = 6 * strlen(line) + 16;
	char *quoted = malloc(room), *command = NULL, *answer = NULL, *p;

	if (quoted)
		qmp_quote(line, quoted, room);
	if (!quoted ||
	    asprintf(&command,
		     "{\"execute\": \"human-monitor-command\", \"arguments\": "
		     "{\"command-line\": \"%s\"}}",
		     quoted) < 0)
		command = NULL;
	if (!command)
		snprintf(error, size, "out of memory");
	else if (qmp_run(domid, command, &answer, error, size)) {
		/* {"return": "…"} */
		p = strchr(answer + 9, '"');
		if (p)
			unquote(p + 1);
		memmove(answer, p ? p + 1 : "", p ? strlen(p + 1) + 1 : 1);
	}
	free(quoted);
	free(command);
	return answer;
}

bool qmp_query_vnc(uint32_t domid, char *port, size_t size)
{
	char error[256], *answer;
	bool ok;

	if (!qmp_run(domid, "{\"execute\": \"query-vnc\"}", &answer, error,
		     sizeof(error)))
		return false;
	ok = string_after(answer, "service", port, size);
	free(answer);
	return ok;
}

bool qmp_query_pty(uint32_t domid, const char *name, char *path, size_t size)
{
	char error[256], want[96], file[160], *answer, *p, *end;
	bool ok = false;

	if (!qmp_run(domid, "{\"execute\": \"query-chardev\"}", &answer, error,
		     sizeof(error)))
		return false;
	snprintf(want, sizeof(want), "\"label\": \"%s\"", name);
	p = strstr(answer, want);
	/* The same object holds its file: "pty:/dev/pts/3". */
	while (p && p > answer && *p != '{')
		p--;
	end = p ? strchr(p, '}') : NULL;
	if (end) {
		*end = 0;
		ok = string_after(p, "filename", file, sizeof(file)) &&
		     !strncmp(file, "pty:", 4);
	}
	if (ok)
		snprintf(path, size, "%s", file + 4);
	free(answer);
	return ok;
}

bool qmp_set_vnc_password(uint32_t domid, const char *password)
{
	char quoted[256], command[400], error[256];

	qmp_quote(password, quoted, sizeof(quoted));
	snprintf(command, sizeof(command),
		 "{\"execute\": \"change-vnc-password\", \"arguments\": "
		 "{\"password\": \"%s\"}}",
		 quoted);
	return qmp_run(domid, command, NULL, error, sizeof(error));
}
