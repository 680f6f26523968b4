/* SPDX-License-Identifier: MIT */
/* A split device in the store: writing and finding it; see device.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "host.h"
#include "xl.h"

#define PATH_SIZE 256

void dev_backend_path(const struct device *d, char *buf, size_t size)
{
	snprintf(buf, size, "/local/domain/%u/backend/%s/%u/%u",
		 d->backend_domid, *d->back_kind ? d->back_kind : d->kind,
		 d->domid, d->devid);
}

/* The first console is not among the devices. */
void dev_frontend_path(const struct device *d, char *buf, size_t size)
{
	if (!strcmp(d->kind, "console") && !d->devid)
		snprintf(buf, size, "/local/domain/%u/console", d->domid);
	else
		snprintf(buf, size, "/local/domain/%u/device/%s/%u", d->domid,
			 d->kind, d->devid);
}

void dev_libxl_path(const struct device *d, char *buf, size_t size)
{
	snprintf(buf, size, "/libxl/%u/device/%s/%u", d->domid, d->kind,
		 d->devid);
}

static bool write_node(xs_transaction_t t, const char *dir, const char *name,
		       const char *value)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return xs_write(host_xs(), t, path, value, (unsigned int)strlen(value));
}

static bool write_nodes(xs_transaction_t t, const char *dir,
			const struct dev_node *nodes, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (nodes[i].value &&
		    !write_node(t, dir, nodes[i].name, nodes[i].value))
			return false;
	return true;
}

/* A folder owned by one domain and readable by another. */
static bool make_dir(xs_transaction_t t, const char *path, uint32_t owner,
		     uint32_t reader)
{
	struct xs_permissions perms[2] = {
		{.id = owner, .perms = XS_PERM_NONE},
		{.id = reader, .perms = XS_PERM_READ},
	};

	return xs_mkdir(host_xs(), t, path) &&
	       xs_set_permissions(host_xs(), t, path, perms, 2);
}

static bool write_frontend(xs_transaction_t t, const struct device *d,
			   const struct dev_node *nodes, unsigned int nr)
{
	char front[PATH_SIZE], back[PATH_SIZE], id[16];
	bool console = !strcmp(d->kind, "console") && !d->devid;

	dev_frontend_path(d, front, sizeof(front));
	dev_backend_path(d, back, sizeof(back));
	snprintf(id, sizeof(id), "%u", d->backend_domid);
	/* A guest must not forge its own console's ring. */
	if (!make_dir(t, front, console ? 0 : d->domid,
		      console ? d->domid : d->backend_domid))
		return false;
	return write_node(t, front, "backend", back) &&
	       write_node(t, front, "backend-id", id) &&
	       (console || write_node(t, front, "state", "1")) &&
	       write_nodes(t, front, nodes, nr);
}

static bool write_back_nodes(xs_transaction_t t, const struct device *d,
			     const char *dir, const struct dev_node *nodes,
			     unsigned int nr)
{
	char front[PATH_SIZE], id[16];

	dev_frontend_path(d, front, sizeof(front));
	snprintf(id, sizeof(id), "%u", d->domid);
	return write_node(t, dir, "frontend", front) &&
	       write_node(t, dir, "frontend-id", id) &&
	       write_node(t, dir, "online", "1") &&
	       write_node(t, dir, "state", "1") &&
	       write_nodes(t, dir, nodes, nr);
}

static bool write_backend(xs_transaction_t t, const struct device *d,
			  const struct dev_node *nodes, unsigned int nr)
{
	char back[PATH_SIZE], libxl[PATH_SIZE];

	dev_backend_path(d, back, sizeof(back));
	dev_libxl_path(d, libxl, sizeof(libxl));
	return make_dir(t, back, d->backend_domid, d->domid) &&
	       write_back_nodes(t, d, back, nodes, nr) &&
	       write_node(t, libxl, "backend", back) &&
	       write_back_nodes(t, d, libxl, nodes, nr);
}

bool dev_add(const struct device *d, const struct dev_node *back,
	     unsigned int nr_back, const struct dev_node *front,
	     unsigned int nr_front)
{
	xs_transaction_t t;
	bool ok;

	do {
		t = xs_transaction_start(host_xs());
		if (!t)
			return false;
		/* The back end last: its driver wakes when the front is there.
		 */
		ok = write_frontend(t, d, front, nr_front) &&
		     write_backend(t, d, back, nr_back);
		if (!ok) {
			int saved = errno;

			xs_transaction_end(host_xs(), t, true);
			errno = saved;
			return false;
		}
	} while (!xs_transaction_end(host_xs(), t, false) && errno == EAGAIN);
	return true;
}

char *dev_backend_read(const struct device *d, const char *name)
{
	char path[PATH_SIZE];

	dev_backend_path(d, path, sizeof(path));
	return host_read("%s/%s", path, name);
}

char *dev_frontend_read(const struct device *d, const char *name)
{
	char path[PATH_SIZE];

	dev_frontend_path(d, path, sizeof(path));
	return host_read("%s/%s", path, name);
}

/* The entries of one kind, appended. */
static struct device *list_kind(struct device *list, unsigned int *nr,
				uint32_t domid, const char *kind)
{
	char path[PATH_SIZE], *back;
	unsigned int n = 0;
	char **ids;

	snprintf(path, sizeof(path), "/libxl/%u/device/%s", domid, kind);
	ids = xs_directory(host_xs(), XBT_NULL, path, &n);
	if (!ids)
		return list;
	list = realloc(list, (*nr + n + 1) * sizeof(*list));
	for (unsigned int i = 0; list && i < n; i++) {
		struct device *d = &list[(*nr)++];

		d->kind = strdup(kind);
		d->domid = domid;
		d->devid = (uint32_t)strtoul(ids[i], NULL, 10);
		d->backend_domid = 0;
		back = host_read("%s/%s/backend", path, ids[i]);
		*d->back_kind = 0;
		if (back)
			sscanf(back, "/local/domain/%u/backend/%15[^/]",
			       &d->backend_domid, d->back_kind);
		free(back);
	}
	free(ids);
	return list;
}

struct device *dev_list(uint32_t domid, unsigned int *nr)
{
	struct device *list = NULL;
	char path[PATH_SIZE], **kinds;
	unsigned int n = 0;

	*nr = 0;
	snprintf(path, sizeof(path), "/libxl/%u/device", domid);
	kinds = xs_directory(host_xs(), XBT_NULL, path, &n);
	for (unsigned int i = 0; i < n; i++)
		list = list_kind(list, nr, domid, kinds[i]);
	free(kinds);
	return list;
}

void dev_free_list(struct device *list, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		free((char *)list[i].kind);
	free(list);
}

bool dev_backend_domain(const char *name, uint32_t *domid)
{
	*domid = 0;
	if (!name || !*name || !strcmp(name, "0") || !strcmp(name, "Domain-0"))
		return true;
	xl_fail("backend=%s cannot be had: devices are dom0's", name);
	return false;
}
