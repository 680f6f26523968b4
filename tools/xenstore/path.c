/* SPDX-License-Identifier: MIT */
/* Names in the store (docs: "xenstored", paths). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "path.h"

/* Alphanumerics and -/_@ : the protocol's set of characters. */
static bool valid_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '/' || c == '_' ||
	       c == '@';
}

/* Bytes of "/local/domain/N/" at the start, which do not count as relative. */
static size_t domain_prefix(const char *path)
{
	static const char base[] = "/local/domain/";
	const char *p = path + sizeof(base) - 1;
	size_t digits = 0;

	if (strncmp(path, base, sizeof(base) - 1))
		return 0;
	while (digits < 5 && p[digits] >= '0' && p[digits] <= '9')
		digits++;
	if (!digits || p[digits] != '/')
		return 0;
	return sizeof(base) - 1 + digits + 1;
}

bool path_valid(const char *path, size_t rel_max)
{
	size_t len = 0;

	if (path[0] != '/')
		return false;
	for (; path[len]; len++) {
		if (!valid_char((unsigned char)path[len]))
			return false;
		if (len && path[len] == '/' && path[len - 1] == '/')
			return false;
	}
	if (len > 1 && path[len - 1] == '/')
		return false;
	if (len > XENSTORE_ABS_PATH_MAX)
		return false;
	return len <= domain_prefix(path) + rel_max;
}

const char *path_full(const char *name, unsigned int domid, char *buf)
{
	int len;

	if (name[0] == '/' || name[0] == '@')
		return name;
	len = snprintf(buf, PATH_BUF, "/local/domain/%u/%s", domid, name);
	return len < PATH_BUF ? buf : NULL;
}

const char *path_relative(const char *path, unsigned int domid)
{
	char base[32];
	int len = snprintf(base, sizeof(base), "/local/domain/%u", domid);

	path += len;
	return *path == '/' ? path + 1 : path;
}

size_t path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? 1 : (size_t)(slash - path);
}

bool path_is_below(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	if (!strcmp(parent, "/"))
		return child[0] == '/';
	return !strncmp(parent, child, len) &&
	       (child[len] == '/' || !child[len]);
}

unsigned int path_distance(const char *parent, const char *child)
{
	const char *rest = child + strlen(parent);
	unsigned int n = 0;

	if (!strcmp(parent, "/")) {
		if (!child[1])
			return 0;
		rest = child;
	}
	for (; *rest; rest++)
		n += *rest == '/';
	return n;
}
