/* SPDX-License-Identifier: MIT */
/*
 * What came and went while a guest ran, in the configuration that is kept of
 * it: its restart is to have the devices that it had at the end.
 */
#ifndef OSTLER_XL_KEPTTEXT_H
#define OSTLER_XL_KEPTTEXT_H

#include <stdint.h>

/* The text with one more in a list. Malloced. */
char *kept_with(const char *text, const char *key, const char *spec);
/*
 * The text with one device of a list less: key is "disk" or "vif". Malloced;
 * NULL if the text has no such device.
 */
char *kept_without(const char *text, const char *key, uint32_t devid);

#endif
