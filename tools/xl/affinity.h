/* SPDX-License-Identifier: MIT */
/* Where and how much a domain runs: pinning, weight and cap. */
#ifndef OSTLER_XL_AFFINITY_H
#define OSTLER_XL_AFFINITY_H

#include "domconf.h"

bool affinity_apply(uint32_t domid, const struct domain_config *dc);
/* How many seconds local time is ahead of UTC now. */
long affinity_utc_offset(void);

#endif
