/* SPDX-License-Identifier: MIT */
/* The host's free memory, and dom0's, which may be made smaller for a guest. */
#ifndef OSTLER_XL_HOSTMEM_H
#define OSTLER_XL_HOSTMEM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Is there as much for the guest of that name? If not, and xl.conf's
 * autoballoon wants it, takes it from dom0. Complains when it cannot be had.
 */
bool hostmem_need(const char *guest, uint64_t kb);

#endif
