/* SPDX-License-Identifier: MIT */
/* One xl at a time makes a domain; the lock file is the stock xl's. */
#ifndef OSTLER_XL_CREATELOCK_H
#define OSTLER_XL_CREATELOCK_H

#include <stdint.h>

/* Waits for it. -1 if it cannot be had, which is no reason to stop. */
int create_lock(void);
void create_unlock(int lock);

/*
 * Returns when no xl is making the domain any more: it may be whole then, or
 * gone. A domain is whole when its configuration is kept, the last step.
 */
void create_wait(uint32_t domid, const uint8_t uuid[16]);

#endif
