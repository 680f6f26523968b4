/* SPDX-License-Identifier: MIT */
/* Reading and writing the store by formatted paths; names of things. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "xl.h"

#define PATH_SIZE 512

static char *read_at(const char *fmt, va_list ap)
{
	char path[PATH_SIZE];
	unsigned int len;

	vsnprintf(path, sizeof(path), fmt, ap);
	/* libxenstore ends what it returns with a zero byte. */
	return xs_read(host_xs(), XBT_NULL, path, &len);
}

char *host_read(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = read_at(fmt, ap);
	va_end(ap);
	return s;
}

long host_read_number(long otherwise, const char *fmt, ...)
{
	va_list ap;
	char *s, *end;
	long n = otherwise;

	va_start(ap, fmt);
	s = read_at(fmt, ap);
	va_end(ap);
	if (s && *s) {
		n = strtol(s, &end, 10);
		if (*end)
			n = otherwise;
	}
	free(s);
	return n;
}

bool host_write(const char *value, const char *fmt, ...)
{
	char path[PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	return xs_write(host_xs(), XBT_NULL, path, value,
			(unsigned int)strlen(value));
}

char *host_name(uint32_t domid)
{
	return host_read("/local/domain/%u/name", domid);
}

bool host_by_name(const char *name, uint32_t *domid)
{
	unsigned int nr, i = 0;
	struct dom_info *list = host_domains(&nr);
	char **names = host_names(list, nr);
	bool found;

	while (names && i < nr && (!names[i] || strcmp(names[i], name)))
		i++;
	found = names && i < nr;
	if (found)
		*domid = list[i].domid;
	host_free_names(names, nr);
	free(list);
	return found;
}

bool host_lookup(const char *name, uint32_t *domid)
{
	size_t digits = strspn(name, "0123456789");

	if (*name && !name[digits] && digits < 6) {
		*domid = (uint32_t)strtoul(name, NULL, 10);
		return true;
	}
	return host_by_name(name, domid);
}

bool host_find(const char *name, uint32_t *domid)
{
	if (host_lookup(name, domid))
		return true;
	fprintf(stderr, "%s is an invalid domain identifier (rc=-6)\n", name);
	return false;
}

bool host_backend(const char *name, uint32_t *domid)
{
	struct dom_info info;

	*domid = 0;
	if (!name || !*name)
		return true;
	if (host_lookup(name, domid) && (!*domid || host_domain(*domid, &info)))
		return true;
	xl_fail("backend=%s: there is no such domain", name);
	return false;
}

uint32_t host_need(const char *name)
{
	struct dom_info info;
	uint32_t domid;

	if (!host_find(name, &domid))
		exit(XL_FAIL);
	if (!host_domain(domid, &info)) {
		xl_fail("domain '%s' does not exist", name);
		exit(XL_FAIL);
	}
	return domid;
}
