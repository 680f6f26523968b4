/* SPDX-License-Identifier: MIT */
/*
 * What a domain is made of beyond domain/, and the ways from lower floors up.
 */
#include "control/control.h"
#include "control/sysctl.h"

#include "event/event.h"
#include "grant/grant.h"

static int init_grants(struct domain *d,
		       const struct xen_domctl_createdomain *c)
{
	return grant_init(d, c->max_grant_frames, c->max_maptrack_frames,
			  c->grant_opts & XEN_DOMCTL_GRANT_version_mask);
}

static const struct domain_part grants_part = {
	.name = "grant table",
	.init = init_grants,
	.relinquish = grant_release_mappings,
	.destroy = grant_destroy,
};

const struct domain_part *const domain_parts[] = {&event_part, &grants_part,
						  NULL};

void control_init(void)
{
	event_setup();
	keys_init();
}
