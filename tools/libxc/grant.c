/* SPDX-License-Identifier: MIT */
/* Other domains' grant tables, to be looked at. */
#include "private.h"

int xc_gnttab_query_size(xc_interface *xch, struct gnttab_query_size *query)
{
	int rc = xc_gnttab_op(xch, GNTTABOP_query_size, query, sizeof(*query),
			      1);

	if (rc || query->status != GNTST_okay)
		xc_report_error(xch, XC_INTERNAL_ERROR,
				"Could not query dom%u's grant table size",
				query->dom);
	return rc;
}

int xc_gnttab_get_version(xc_interface *xch, uint32_t domid)
{
	struct gnttab_get_version query = {.dom = (domid_t)domid};
	int rc = xc_gnttab_op(xch, GNTTABOP_get_version, &query, sizeof(query),
			      1);

	return rc < 0 ? rc : (int)query.version;
}

static void *map_table(xc_interface *xch, uint32_t domid, int *gnt_num)
{
	struct gnttab_query_size query = {.dom = (domid_t)domid};
	struct gnttab_setup_table setup = {.dom = (domid_t)domid};
	xen_pfn_t *frames;
	struct safe s;
	void *table = NULL;
	int rc;

	if (xc_gnttab_query_size(xch, &query) || query.status != GNTST_okay)
		return NULL;
	frames = calloc(query.nr_frames ? query.nr_frames : 1, sizeof(*frames));
	if (!frames)
		return NULL;
	if (safe_get(xch, &s, frames, query.nr_frames * sizeof(*frames),
		     SAFE_OUT))
		goto out;
	setup.nr_frames = query.nr_frames;
	set_xen_guest_handle_raw(setup.frame_list, s.p);
	rc = xc_gnttab_op(xch, GNTTABOP_setup_table, &setup, sizeof(setup), 1);
	safe_put(xch, &s);
	if (rc || setup.status != GNTST_okay)
		goto out;
	table = xc_map_foreign_pages(xch, domid, PROT_READ, frames,
				     (int)query.nr_frames);
	*gnt_num =
		(int)(query.nr_frames * (PAGE_SIZE / sizeof(grant_entry_v1_t)));
out:
	free(frames);
	return table;
}

grant_entry_v1_t *xc_gnttab_map_table_v1(xc_interface *xch, uint32_t domid,
					 int *gnt_num)
{
	if (xc_gnttab_get_version(xch, domid) == 2)
		return NULL;
	return map_table(xch, domid, gnt_num);
}

grant_entry_v2_t *xc_gnttab_map_table_v2(xc_interface *xch, uint32_t domid,
					 int *gnt_num)
{
	if (xc_gnttab_get_version(xch, domid) != 2)
		return NULL;
	return map_table(xch, domid, gnt_num);
}
