/* SPDX-License-Identifier: MIT */
/* Loop devices: a file as a block device, for the kernel's disk back end. */
#ifndef OSTLER_XL_LOOP_H
#define OSTLER_XL_LOOP_H

#include <stdbool.h>
#include <stddef.h>

/* Binds file to a free loop device; its name in node. errno on failure. */
bool loop_bind(const char *file, bool writable, char *node, size_t size);
/* Gives it back (when its last user closes it). Other devices are let be. */
void loop_release(const char *node);

#endif
