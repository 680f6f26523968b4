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
/* Answers that came together are read together. */
static struct {
	char bytes[16384];
	size_t at, end;
} in;

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
	in.at = in.end = 0;
	errno = saved;
}

static bool send_all(const struct batch *b)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = send(store, b->buf + at, b->len - at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

static bool take_bytes(void *to, size_t n)
{
	size_t have;
	ssize_t got;

	while (n) {
		have = in.end - in.at < n ? in.end - in.at : n;
		memcpy(to, in.bytes + in.at, have);
		in.at += have;
		to = (char *)to + have;
		n -= have;
		if (!n)
			break;
		got = read(store, in.bytes, sizeof(in.bytes));
		if (got < 0 && errno == EINTR)
			continue;
		if (!got)
			errno = EPIPE;
		if (got <= 0)
			return false;
		in.at = 0;
		in.end = (size_t)got;
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

/* One answer to got(); false when the connection failed. */
static bool take_answer(batch_answer *got, void *arg)
{
	static char buf[XENSTORE_PAYLOAD_MAX + 1];
	struct xsd_sockmsg h;
	int error = 0;

	if (!take_bytes(&h, sizeof(h)))
		return false;
	if (h.len > XENSTORE_PAYLOAD_MAX) {
		errno = EPROTO;
		return false;
	}
	if (!take_bytes(buf, h.len))
		return false;
	buf[h.len] = 0;
	if (h.type == (uint32_t)XS_ERROR)
		error = error_of(buf);
	got(arg, h.req_id, error, buf, error ? 0 : h.len);
	return true;
}

bool batch_exchange(struct batch *b, batch_answer *got, void *arg)
{
	bool ok = !b->broken && send_all(b);

	for (unsigned int i = 0; ok && i < b->nr; i++)
		ok = take_answer(got, arg);
	b->len = b->nr = 0;
	if (!ok && !b->broken)
		batch_forget();
	if (b->broken)
		errno = ENOMEM;
	return ok;
}

struct started {
	uint32_t tx;
	int error;
};

static void got_transaction(void *arg, unsigned int id, int error,
			    const char *body, size_t len)
{
	struct started *s = arg;

	(void)id;
	s->error = error;
	s->tx = len ? (uint32_t)strtoul(body, NULL, 10) : 0;
}

bool batch_begin(struct batch *b, bool transaction)
{
	struct started s = {0};

	memset(b, 0, sizeof(*b));
	if (!open_store())
		return false;
	if (!transaction)
		return true;
	add(b, XS_TRANSACTION_START, "", 1, NULL, 0);
	if (batch_exchange(b, got_transaction, &s) && s.tx) {
		b->tx = s.tx;
		return true;
	}
	free(b->buf);
	if (s.error)
		errno = s.error;
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

void batch_directory(struct batch *b, const char *path)
{
	add(b, XS_DIRECTORY, path, strlen(path) + 1, NULL, 0);
}

static void got_first_error(void *arg, unsigned int id, int error,
			    const char *body, size_t len)
{
	int *first = arg;

	(void)id, (void)body, (void)len;
	if (!*first)
		*first = error;
}

bool batch_commit(struct batch *b)
{
	bool broken = b->broken, ok;
	int first = 0;

	/* What does not fit is not sent, but a transaction has to end. */
	if (broken) {
		b->broken = false;
		b->len = b->nr = 0;
	}
	if (b->tx)
		add(b, XS_TRANSACTION_END, broken ? "F" : "T", 2, NULL, 0);
	ok = batch_exchange(b, got_first_error, &first);
	free(b->buf);
	b->buf = NULL;
	if (ok && (broken || first))
		errno = broken ? ENOMEM : first;
	return ok && !broken && !first;
}

static void got_value(void *arg, unsigned int id, int error, const char *body,
		      size_t len)
{
	char **values = arg;

	(void)len;
	if (!error && id < WINDOW)
		values[id] = strdup(body);
}

bool batch_read(char *const *paths, unsigned int nr, char **values)
{
	bool ok = true;

	for (unsigned int at = 0; ok && at < nr; at += WINDOW) {
		unsigned int n = nr - at < WINDOW ? nr - at : WINDOW;
		struct batch b;

		if (!batch_begin(&b, false))
			return false;
		for (unsigned int i = 0; i < n; i++)
			add(&b, XS_READ, paths[at + i],
			    strlen(paths[at + i]) + 1, NULL, 0);
		ok = batch_exchange(&b, got_value, values + at);
		free(b.buf);
	}
	return ok;
}
