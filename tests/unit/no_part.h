/* SPDX-License-Identifier: MIT */
/* A part of domains that does nothing, for tests of what stands above parts;
 * and its functions, for a kind that does nothing. */
#ifndef OSTLER_TESTS_UNIT_NO_PART_H
#define OSTLER_TESTS_UNIT_NO_PART_H

#include "domain/domain.h"

static inline int no_init(struct domain *d,
			  const struct xen_domctl_createdomain *cfg)
{
	(void)d;
	(void)cfg;
	return 0;
}
static inline int no_relinquish(struct domain *d)
{
	(void)d;
	return 0;
}
static inline void no_destroy(struct domain *d)
{
	(void)d;
}
static const struct domain_part no_part __attribute__((unused)) = {
	.init = no_init, .relinquish = no_relinquish, .destroy = no_destroy};

#endif
