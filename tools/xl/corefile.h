/* SPDX-License-Identifier: MIT */
/* A guest's memory and processors as a core file (Xen's dump-core format). */
#ifndef OSTLER_XL_COREFILE_H
#define OSTLER_XL_COREFILE_H

#include <stdbool.h>
#include <stdint.h>

/* False with errno set; then there is no file. */
bool corefile_write(uint32_t domid, const char *path);

#endif
