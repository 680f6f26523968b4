/* SPDX-License-Identifier: MIT */
/* Taking a domain away, with all that belongs to it. */
#ifndef OSTLER_XL_DESTROY_H
#define OSTLER_XL_DESTROY_H

#include <stdbool.h>
#include <stdint.h>

/* False after a complaint; what could be removed has been. */
bool destroy_domain(uint32_t domid);
/* Its devices only, forced. */
void destroy_devices(uint32_t domid);

#endif
