/* SPDX-License-Identifier: MIT */
/* A split device in the store: writing and finding it; see device.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
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

static void write_node(struct batch *b, const char *dir, const char *name,
		       const char *value)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	batch_write(b, path, value);
}

static void write_nodes(struct batch *b, const char *dir,
			const struct dev_node *nodes, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (nodes[i].value)
			write_node(b, dir, nodes[i].name, nodes[i].value);
}

static void write_frontend(struct batch *b, const struct device *d,
			   const struct dev_node *nodes, unsigned int nr)
{
	char front[PATH_SIZE], back[PATH_SIZE], id[16];
	bool console = !strcmp(d->kind, "console") && !d->devid;

	dev_frontend_path(d, front, sizeof(front));
	dev_backend_path(d, back, sizeof(back));
	snprintf(id, sizeof(id), "%u", d->backend_domid);
	/* A guest must not forge its own console's ring. */
	batch_folder(b, front, console ? 0 : d->domid,
		     console ? d->domid : d->backend_domid);
	write_node(b, front, "backend", back);
	write_node(b, front, "backend-id", id);
	if (!console)
		write_node(b, front, "state", "1");
	write_nodes(b, front, nodes, nr);
}

static void write_back_nodes(struct batch *b, const struct device *d,
			     const char *dir, const struct dev_node *nodes,
			     unsigned int nr)
{
	char front[PATH_SIZE], id[16];

	dev_frontend_path(d, front, sizeof(front));
	snprintf(id, sizeof(id), "%u", d->domid);
	write_node(b, dir, "frontend", front);
	write_node(b, dir, "frontend-id", id);
	write_node(b, dir, "online", "1");
	write_node(b, dir, "state", "1");
	write_nodes(b, dir, nodes, nr);
}

static void write_backend(struct batch *b, const struct device *d,
			  const struct dev_node *nodes, unsigned int nr)
{
	char back[PATH_SIZE], libxl[PATH_SIZE];

	dev_backend_path(d, back, sizeof(back));
	dev_libxl_path(d, libxl, sizeof(libxl));
	batch_folder(b, back, d->backend_domid, d->domid);
	write_back_nodes(b, d, back, nodes, nr);
	write_node(b, libxl, "backend", back);
	write_back_nodes(b, d, libxl, nodes, nr);
}

/* What a batch wrote before one of its requests failed. */
static void take_back(const struct device *d)
{
	char path[PATH_SIZE];
	int saved = errno;

	dev_backend_path(d, path, sizeof(path));
	xs_rm(host_xs(), XBT_NULL, path);
	dev_frontend_path(d, path, sizeof(path));
	xs_rm(host_xs(), XBT_NULL, path);
	dev_libxl_path(d, path, sizeof(path));
	xs_rm(host_xs(), XBT_NULL, path);
	errno = saved;
}

bool dev_add(const struct device *d, const struct dev_node *back,
	     unsigned int nr_back, const struct dev_node *front,
	     unsigned int nr_front)
{
	struct batch b;
	bool ok;

	do {
		if (!batch_begin(&b, true))
			return false;
		/* The back end last: its driver wakes when the front is there.
		 */
		write_frontend(&b, d, front, nr_front);
		write_backend(&b, d, back, nr_back);
		ok = batch_commit(&b);
	} while (!ok && errno == EAGAIN);
	if (!ok)
		take_back(d);
	return ok;
}

char *dev_backend_read(const struct device *d, const char *name)
{
	char path[PATH_SIZE];

	dev_backend_path(d, path, sizeof(path));
	return host_read("%s/%s", path, name);
}

char *dev_fact_read(const struct device *d, const char *name)
{
	char path[PATH_SIZE];

	if (!d->backend_domid)
		return dev_backend_read(d, name);
	dev_libxl_path(d, path, sizeof(path));
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
