/* SPDX-License-Identifier: MIT */
/*
 * What the image code needs from its surroundings: memcpy(), memset() and
 * memcmp(), and Xen's error numbers. The hypervisor is freestanding and brings
 * its own string functions; the tools and the tests have the C library's.
 */
#ifndef OSTLER_IMAGE_PORT_H
#define OSTLER_IMAGE_PORT_H

#if __STDC_HOSTED__
#include <string.h>
#else
#include "lib/string.h"
#endif

#include <xen/errno.h>

#endif
