/* SPDX-License-Identifier: MIT */
/* The names of all of a list of domains, in one exchange with the store. */
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "host.h"

#define PATH_SIZE 48

static bool ask_all(const struct dom_info *list, unsigned int nr, char **names)
{
	char *text = calloc(nr + 1u, PATH_SIZE);
	char **paths = calloc(nr + 1u, sizeof(*paths));
	bool ok = text && paths;

	for (unsigned int i = 0; ok && i < nr; i++) {
		paths[i] = text + (size_t)i * PATH_SIZE;
		snprintf(paths[i], PATH_SIZE, "/local/domain/%u/name",
			 list[i].domid);
	}
	ok = ok && batch_read(paths, nr, names);
	free(paths);
	free(text);
	return ok;
}

char **host_names(const struct dom_info *list, unsigned int nr)
{
	char **names = calloc(nr + 1u, sizeof(*names));

	if (!names || ask_all(list, nr, names))
		return names;
	/* A store in another domain has no socket: then one by one. */
	for (unsigned int i = 0; i < nr; i++)
		if (!names[i])
			names[i] = host_name(list[i].domid);
	return names;
}

void host_free_names(char **names, unsigned int nr)
{
	for (unsigned int i = 0; names && i < nr; i++)
		free(names[i]);
	free(names);
}
