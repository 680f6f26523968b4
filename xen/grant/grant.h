/* SPDX-License-Identifier: MIT */
/*
 * Grant tables, version 1 (docs/grant-tables.md; public/grant_table.h). A table
 * is guarded by LOCK_GRANT, one at a time. A mapping holds the granted frame
 * and the granting domain, so a granter that dies leaves nothing dangling.
 */
#ifndef OSTLER_GRANT_GRANT_H
#define OSTLER_GRANT_GRANT_H

#include "domain/domain.h"
#include <xen/grant_table.h>

int grant_init(struct domain *d, int max_frames, int max_maptrack,
	       unsigned int max_version);
/* Unmaps all that the dying domain has mapped; -ERESTART: call again. */
int grant_release_mappings(struct domain *d);
void grant_destroy(struct domain *d);

/* Frame i of the table (XENMAPSPACE_grant_table, acquire_resource), growing the
 * table if need be; idx may carry XENMAPIDX_grant_table_status: -EINVAL.
 * 0 and an mfn of type FRAME_SHARED, owned by d. */
int grant_table_frame(struct domain *d, unsigned long idx, mfn_t *mfn);
/* The table's entry i becomes a grant to domid of gfn (xenstore, console). */
int grant_set_entry(struct domain *d, unsigned int i, domid_t to, gfn_t gfn);
/* How many frames the table may have (acquire_resource's size). */
uint32_t grant_max_frames(const struct domain *d);
/* The debug key 'g': grants in use, of every domain. */
void grant_dump(void);

/* grant_table_op(cmd, uop, count): arrays, so it copies for itself. */
long grant_table_op(struct vcpu *v, unsigned int cmd, uint64_t uop,
		    unsigned int count);

#endif
