/* SPDX-License-Identifier: MIT */
/* Many requests to the store in one exchange; see batch.h. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "batch.h"

/* Requests under way at once: their answers fit a socket's buffer. */
#define WINDOW    256u
#define NO_DOMAIN 0x7ff4u /* DOMID_INVALID */

static int store = -1;

static bool open_store(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const char *path = getenv("XENSTORED_PATH");

	if (store >= 0)
		return true;
	if (!path)
		path = "/var/run/xenstored/socket";
	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(addr.sun_path, path);
	store = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (store < 0)
		return false;
	if (!connect(store, (struct sockaddr *)&addr, sizeof(addr)))
		return true;
	batch_forget();
	return false;
}

void batch_forget(void)
{
	int saved = errno;

	if (store >= 0)
		close(store);
	store = -1;
	errno = saved;
}

static bool transfer(char *buf, size_t n, bool out)
{
	ssize_t done;

	while (n) {
		done = out ? send(store, buf, n, MSG_NOSIGNAL)
			   : read(store, buf, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (!done)
			errno = EPIPE;
		if (done <= 0)
			return false;
		buf += done;
		n -= (size_t)done;
	}
	return true;
}

/* Adds a request whose body is two pieces. */
static void add(struct batch *b, uint32_t type, const char *path, size_t n,
		const char *rest, size_t m)
{
	struct xsd_sockmsg h = {.type = type,
				.req_id = b->nr,
				.tx_id = b->tx,
				.len = (uint32_t)(n + m)};

	if (n + m > XENSTORE_PAYLOAD_MAX) {
		b->broken = true;
		return;
	}
	if (b->room - b->len < sizeof(h) + n + m) {
		size_t room = 2 * b->room + sizeof(h) + n + m;
		char *more = realloc(b->buf, room);

		if (!more) {
			b->broken = true;
			return;
		}
		b->buf = more;
		b->room = room;
	}
	memcpy(b->buf + b->len, &h, sizeof(h));
	memcpy(b->buf + b->len + sizeof(h), path, n);
	if (m)
		memcpy(b->buf + b->len + sizeof(h) + n, rest, m);
	b->len += sizeof(h) + n + m;
	b->nr++;
}

/* The errno that the store's word for it stands for. */
static int error_of(const char *word)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(*xsd_errors); i++)
		if (!strcmp(xsd_errors[i].errstring, word))
			return xsd_errors[i].errnum;
	return EIO;
}

/*
 * The next answer; its body malloced in *body if that is wanted. Returns 0,
 * the errno that the store answered, or -1 when the connection failed.
 */
static int take_answer(uint32_t *id, char **body)
{
	static char buf[XENSTORE_PAYLOAD_MAX + 1];
	struct xsd_sockmsg h;

	if (!transfer((char *)&h, sizeof(h), false))
		return -1;
	if (h.len > XENSTORE_PAYLOAD_MAX) {
		errno = EPROTO;
		return -1;
	}
	if (!transfer(buf, h.len, false))
		return -1;
	buf[h.len] = 0;
	*id = h.req_id;
	if (h.type == (uint32_t)XS_ERROR)
		return error_of(buf);
	if (body)
		*body = strdup(buf);
	return 0;
}

bool batch_begin(struct batch *b, bool transaction)
{
	char *id = NULL;
	uint32_t req;
	int error;

	memset(b, 0, sizeof(*b));
	if (!open_store())
		return false;
	if (!transaction)
		return true;
	add(b, XS_TRANSACTION_START, "", 1, NULL, 0);
	error = b->broken || !transfer(b->buf, b->len, true)
			? -1
			: take_answer(&req, &id);
	b->len = b->nr = 0;
	if (!error && id) {
		b->tx = (uint32_t)strtoul(id, NULL, 10);
		free(id);
		return true;
	}
	free(b->buf);
	if (error > 0)
		errno = error;
	else
		batch_forget();
	return false;
}

void batch_write(struct batch *b, const char *path, const char *value)
{
	add(b, XS_WRITE, path, strlen(path) + 1, value, strlen(value));
}

void batch_folder(struct batch *b, const char *path, uint32_t owner,
		  uint32_t reader)
{
	char perms[32];
	size_t n = strlen(path) + 1;
	int m = snprintf(perms, sizeof(perms), "n%u", owner) + 1;

	if (reader != NO_DOMAIN)
		m += snprintf(perms + m, sizeof(perms) - (size_t)m, "r%u",
			      reader) +
		     1;
	add(b, XS_MKDIR, path, n, NULL, 0);
	add(b, XS_SET_PERMS, path, n, perms, (size_t)m);
}

void batch_rm(struct batch *b, const char *path)
{
	add(b, XS_RM, path, strlen(path) + 1, NULL, 0);
}

bool batch_commit(struct batch *b)
{
	int first = 0, error = 0;
	uint32_t id;

	if (b->tx)
		add(b, XS_TRANSACTION_END, b->broken ? "F" : "T", 2, NULL, 0);
	if (b->broken)
		first = ENOMEM;
	if (b->nr && !transfer(b->buf, b->len, true))
		error = -1;
	for (unsigned int i = 0; error >= 0 && i < b->nr; i++) {
		error = take_answer(&id, NULL);
		if (error > 0 && !first)
			first = error;
	}
	free(b->buf);
	b->buf = NULL;
	if (error < 0) {
		batch_forget();
		return false;
	}
	if (first)
		errno = first;
	return !first;
}

bool batch_read(char *const *paths, unsigned int nr, char **values)
{
	struct batch b;
	uint32_t id;
	char *body;
	int error = 0;

	for (unsigned int at = 0; error >= 0 && at < nr; at += WINDOW) {
		unsigned int n = nr - at < WINDOW ? nr - at : WINDOW;

		if (!batch_begin(&b, false))
			return false;
		for (unsigned int i = 0; i < n; i++)
			add(&b, XS_READ, paths[at + i],
			    strlen(paths[at + i]) + 1, NULL, 0);
		if (b.broken || !transfer(b.buf, b.len, true))
			error = -1;
		for (unsigned int i = 0; error >= 0 && i < n; i++) {
			body = NULL;
			error = take_answer(&id, &body);
			if (!error && id < n)
				values[at + id] = body;
			else
				free(body);
		}
		free(b.buf);
	}
	if (error < 0)
		batch_forget();
	return error >= 0;
}
