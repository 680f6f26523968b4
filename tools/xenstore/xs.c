/* SPDX-License-Identifier: MIT */
/* A client library with the interface of xenstore.h: its requests. */
#include <errno.h>
#include <stdio.h>

#include "xs_wire.h"

static char *talk_string(struct xs_handle *h, xs_transaction_t t, uint32_t type,
			 const char *s, unsigned int *len)
{
	struct iovec part = xs_string(s);

	return xs_talk(h, t, type, &part, 1, len);
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
	      unsigned int *len)
{
	return talk_string(h, t, XS_READ, path, len);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
	      const void *data, unsigned int len)
{
	struct iovec parts[] = {xs_string(path),
				{(void *)(uintptr_t)data, len}};

	return xs_done(xs_talk(h, t, XS_WRITE, parts, 2, NULL));
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return xs_done(talk_string(h, t, XS_MKDIR, path, NULL));
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return xs_done(talk_string(h, t, XS_RM, path, NULL));
}

bool xs_restrict(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	(void)domid;
	errno = ENOSYS;
	return false;
}

/*
 * Names that follow each other -> what xs_directory() returns. No name is
 * empty, so there are at most half as many as bytes; one pass finds them.
 */
static char **split(const char *names, unsigned int len, unsigned int *num)
{
	unsigned int max = len / 2 + 1, n = 0;
	char **vec = malloc((max + 1) * sizeof(*vec) + len), *p, *end;

	if (!vec)
		return NULL;
	p = memcpy(vec + max + 1, names, len);
	for (end = p + len; p < end && n < max; n++) {
		vec[n] = p;
		while (p < end && *p)
			p++;
		p++;
	}
	vec[n] = NULL;
	*num = n;
	return vec;
}

/* One part of a long listing; false at an error or, errno EAGAIN, a change. */
static bool next_part(struct xs_handle *h, xs_transaction_t t, const char *path,
		      char **list, unsigned int *used, char *gen, bool *last)
{
	char off[16], *part, *grown;
	struct iovec parts[] = {xs_string(path), {off, 0}};
	unsigned int len, skip;

	parts[1].iov_len = snprintf(off, sizeof(off), "%u", *used) + 1;
	part = xs_talk(h, t, XS_DIRECTORY_PART, parts, 2, &len);
	if (!part)
		return false;
	skip = strlen(part) + 1;
	if (skip > 24 || skip >= len || (*used && strcmp(gen, part))) {
		free(part);
		errno = EAGAIN;
		return false;
	}
	strcpy(gen, part);
	len -= skip;
	*last = len == 1 || !part[skip + len - 2];
	len -= *last; /* the empty name that ends the list */
	grown = realloc(*list, *used + len + 1);
	if (grown) {
		memcpy(grown + *used, part + skip, len);
		*list = grown;
		*used += len;
	}
	free(part);
	return grown != NULL;
}

static char **long_directory(struct xs_handle *h, xs_transaction_t t,
			     const char *path, unsigned int *num)
{
	char *list = NULL, **vec = NULL, gen[24];
	unsigned int used = 0;
	bool last = false;

	while (!last) {
		if (next_part(h, t, path, &list, &used, gen, &last))
			continue;
		if (errno != EAGAIN)
			goto out;
		used = 0; /* it changed: from the start */
	}
	vec = split(list, used, num);
out:
	free(list);
	return vec;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path,
		    unsigned int *num)
{
	unsigned int len;
	char *names = talk_string(h, t, XS_DIRECTORY, path, &len), **vec;

	if (!names)
		return errno == E2BIG ? long_directory(h, t, path, num) : NULL;
	vec = split(names, len, num);
	free(names);
	return vec;
}

static bool parse_perm(const char *s, struct xs_permissions *p)
{
	static const char letters[] = "nrwb";
	const char *l = *s ? strchr(letters, *s) : NULL;
	char *end;

	if (!l)
		return false;
	p->perms = l - letters; /* NONE, READ, WRITE, both */
	p->id = strtoul(s + 1, &end, 10);
	return s[1] && !*end;
}

struct xs_permissions *xs_get_permissions(struct xs_handle *h,
					  xs_transaction_t t, const char *path,
					  unsigned int *num)
{
	struct xs_permissions *p;
	unsigned int len, n;
	char *reply = talk_string(h, t, XS_GET_PERMS, path, &len);
	char **vec = reply ? split(reply, len, &n) : NULL;

	free(reply);
	if (!vec)
		return NULL;
	p = calloc(n + 1, sizeof(*p));
	for (unsigned int i = 0; p && i < n; i++) {
		if (parse_perm(vec[i], &p[i]))
			continue;
		free(p);
		p = NULL;
		errno = EPROTO;
	}
	free(vec);
	*num = n;
	return p;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t,
			const char *path, struct xs_permissions *perms,
			unsigned int num)
{
	char text[XENSTORE_PAYLOAD_MAX];
	struct iovec parts[] = {xs_string(path), {text, 0}};
	size_t used = 0;

	for (unsigned int i = 0; i < num; i++) {
		if (used + 16 > sizeof(text)) {
			errno = E2BIG;
			return false;
		}
		used += sprintf(text + used, "%c%u", "nrwb"[perms[i].perms & 3],
				perms[i].id) +
			1;
	}
	parts[1].iov_len = used;
	return xs_done(xs_talk(h, t, XS_SET_PERMS, parts, 2, NULL));
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	char *id = talk_string(h, XBT_NULL, XS_TRANSACTION_START, "", NULL);
	xs_transaction_t t = id ? strtoul(id, NULL, 0) : XBT_NULL;

	free(id);
	return t;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort)
{
	return xs_done(
		talk_string(h, t, XS_TRANSACTION_END, abort ? "F" : "T", NULL));
}

/* A request whose arguments are numbers. */
static char *talk_numbers(struct xs_handle *h, uint32_t type,
			  const unsigned long *v, int n)
{
	struct iovec parts[3];
	char text[3][24];

	for (int i = 0; i < n; i++) {
		snprintf(text[i], sizeof(text[i]), "%lu", v[i]);
		parts[i] = xs_string(text[i]);
	}
	return xs_talk(h, XBT_NULL, type, parts, n, NULL);
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid,
			 unsigned long mfn, unsigned int eventchn)
{
	unsigned long v[] = {domid, mfn, eventchn};

	return xs_done(talk_numbers(h, XS_INTRODUCE, v, 3));
}

bool xs_set_target(struct xs_handle *h, unsigned int domid, unsigned int target)
{
	unsigned long v[] = {domid, target};

	return xs_done(talk_numbers(h, XS_SET_TARGET, v, 2));
}

bool xs_resume_domain(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return xs_done(talk_numbers(h, XS_RESUME, &v, 1));
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return xs_done(talk_numbers(h, XS_RELEASE, &v, 1));
}

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;

	return talk_numbers(h, XS_GET_DOMAIN_PATH, &v, 1);
}

bool xs_is_domain_introduced(struct xs_handle *h, unsigned int domid)
{
	unsigned long v = domid;
	char *reply = talk_numbers(h, XS_IS_DOMAIN_INTRODUCED, &v, 1);
	bool is = reply && reply[0] == 'T';

	free(reply);
	return is;
}

bool xs_path_is_subpath(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	if (len && parent[len - 1] == '/')
		len--;
	return !strncmp(parent, child, len) &&
	       (child[len] == '/' || !child[len]);
}

char *xs_control_command(struct xs_handle *h, const char *cmd, void *data,
			 unsigned int len)
{
	struct iovec parts[] = {xs_string(cmd), {data, len}};

	return xs_talk(h, XBT_NULL, XS_CONTROL, parts, 2, NULL);
}

char *xs_debug_command(struct xs_handle *h, const char *cmd, void *data,
		       unsigned int len)
{
	return xs_control_command(h, cmd, data, len);
}

int xs_suspend_evtchn_port(int domid)
{
	struct xs_handle *h = xs_open(0);
	char path[80], *port;
	int n = -1;

	if (!h)
		return -1;
	snprintf(path, sizeof(path),
		 "/local/domain/%d/device/suspend/event-channel", domid);
	port = xs_read(h, XBT_NULL, path, NULL);
	if (port)
		n = atoi(port);
	free(port);
	xs_close(h);
	return n;
}
