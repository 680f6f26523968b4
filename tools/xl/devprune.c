/* SPDX-License-Identifier: MIT */
/*
 * Devices' nodes leave the store: both ends and the copy under /libxl, and the
 * folders above them that are empty then. One transaction for all of them, in
 * three exchanges: it starts; the nodes go and their folders are listed; the
 * empty ones go and it ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "device.h"
#include "host.h"

#define PATH_SIZE 256

struct folder {
	char path[PATH_SIZE];
	char *names; /* of what is in it, each with its zero byte */
	size_t len;
	bool there, empty;
};

struct prune {
	struct folder *folder;  /* children before what they are in */
	unsigned int nr, first; /* the answers of folders begin at first */
};

static void add_folder(struct prune *p, const char *path)
{
	for (unsigned int i = 0; i < p->nr; i++)
		if (!strcmp(p->folder[i].path, path))
			return;
	snprintf(p->folder[p->nr++].path, PATH_SIZE, "%s", path);
}

/* The three above a back end: of the domain, of the kind, of all. */
static void add_above(struct prune *p, const struct device *d, int level)
{
	char path[PATH_SIZE], *slash;

	dev_backend_path(d, path, sizeof(path));
	for (int i = 0; i < level; i++) {
		slash = strrchr(path, '/');
		if (slash)
			*slash = 0;
	}
	add_folder(p, path);
}

static void got_names(void *arg, unsigned int id, int error, const char *body,
		      size_t len)
{
	struct prune *p = arg;
	struct folder *f;

	if (id < p->first || id - p->first >= p->nr)
		return;
	f = &p->folder[id - p->first];
	f->names = error ? NULL : malloc(len + 1);
	f->there = f->names != NULL;
	if (!f->there)
		return;
	memcpy(f->names, body, len + 1);
	f->len = len;
}

static bool is_going(const struct prune *p, const struct folder *in,
		     const char *name)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", in->path, name);
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->folder[i].empty && !strcmp(p->folder[i].path, path))
			return true;
	return false;
}

/* Empty, or nothing in it but what is. */
static void find_empty(struct prune *p)
{
	for (struct folder *f = p->folder; f < p->folder + p->nr; f++) {
		f->empty = f->there;
		for (size_t at = 0; f->empty && at < f->len;
		     at += strlen(f->names + at) + 1)
			f->empty = !f->names[at] ||
				   is_going(p, f, f->names + at);
	}
}

static void ask(struct batch *b, struct prune *p, const struct device *list,
		unsigned int nr)
{
	char path[PATH_SIZE];

	p->first = 0;
	for (unsigned int i = 0; i < nr; i++) {
		dev_frontend_path(&list[i], path, sizeof(path));
		if (dev_closes(&list[i])) {
			batch_rm(b, path);
			p->first++;
		}
		dev_backend_path(&list[i], path, sizeof(path));
		batch_rm(b, path);
		dev_libxl_path(&list[i], path, sizeof(path));
		batch_rm(b, path);
		p->first += 2;
	}
	for (unsigned int i = 0; i < p->nr; i++)
		batch_directory(b, p->folder[i].path);
}

static bool prune_once(struct prune *p, const struct device *list,
		       unsigned int nr)
{
	struct batch b;

	if (!batch_begin(&b, true))
		return true; /* no store: nothing to clear */
	ask(&b, p, list, nr);
	batch_exchange(&b, got_names, p);
	find_empty(p);
	for (unsigned int i = 0; i < p->nr; i++) {
		if (p->folder[i].empty)
			batch_rm(&b, p->folder[i].path);
		free(p->folder[i].names);
		p->folder[i].names = NULL;
	}
	return batch_commit(&b) || errno != EAGAIN;
}

void dev_forget_nodes(const struct device *list, unsigned int nr)
{
	struct prune p = {.folder = calloc(3 * nr + 1, sizeof(*p.folder))};

	if (!nr || !p.folder) {
		free(p.folder);
		return;
	}
	for (int level = 1; level <= 3; level++)
		for (unsigned int i = 0; i < nr; i++)
			add_above(&p, &list[i], level);
	while (!prune_once(&p, list, nr))
		continue;
	free(p.folder);
}
