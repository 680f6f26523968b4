/* SPDX-License-Identifier: MIT */
/* Error numbers are the ABI's own; functions return them negated. */
#ifndef OSTLER_LIB_ERRNO_H
#define OSTLER_LIB_ERRNO_H

#ifdef OSTLER_UNIT
#include <errno.h>
#ifndef ERESTART
#define ERESTART 85
#endif
#else
#define XEN_ERRNO(name, value) name = value,
enum {
#include <xen/errno.h>
	ERESTART = 85, /* ours alone, no guest sees it */
};
#endif

#endif
