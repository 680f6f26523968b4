/* SPDX-License-Identifier: MIT */
/*
 * What a domain has mapped: the handles that it gets for its mappings. Pages of
 * them are allocated as they are needed; free handles are linked.
 */
#include "grant/table.h"

#include "mem/alloc.h"

_Static_assert(sizeof(struct mapping) == 24, "as small as it can be");

/* A page of free handles more. False: no memory, or the limit. */
static __attribute__((noinline)) bool add_page(struct grant_table *t)
{
	uint32_t n = t->nr_handles;
	struct mapping *page;

	if (n / MAPPINGS_PER_PAGE >= t->max_maptrack)
		return false;
	if (!t->maptrack)
		t->maptrack = xnew_array(struct mapping *, t->max_maptrack);
	if (!t->maptrack)
		return false;
	page = alloc_page_virt(ALLOC_ZERO);
	if (!page)
		return false;
	t->maptrack[n / MAPPINGS_PER_PAGE] = page;
	for (uint32_t i = 0; i < MAPPINGS_PER_PAGE; i++)
		page[i].ref = i + 1 < MAPPINGS_PER_PAGE ? n + i + 1 : NO_HANDLE;
	t->free_handle = n;
	t->nr_handles = n + (uint32_t)MAPPINGS_PER_PAGE;
	return true;
}

struct mapping *mapping_new(struct grant_table *t, uint32_t *handle)
{
	struct mapping *m = NULL;

	spin_lock(&t->lock);
	if (likely(t->free_handle != NO_HANDLE) || add_page(t)) {
		*handle = t->free_handle;
		m = mapping_at(t, *handle);
		t->free_handle = m->ref;
		t->mapped++;
	}
	spin_unlock(&t->lock);
	return m;
}

void mapping_free(struct grant_table *t, uint32_t handle, struct mapping *m)
{
	spin_lock(&t->lock);
	m->granter = NULL;
	m->flags = 0;
	m->ref = t->free_handle;
	t->free_handle = handle;
	t->mapped--;
	spin_unlock(&t->lock);
}

void maptrack_destroy(struct grant_table *t)
{
	for (uint32_t i = 0; i < t->nr_handles / MAPPINGS_PER_PAGE; i++)
		free_page_virt(t->maptrack[i]);
	xfree(t->maptrack);
}
