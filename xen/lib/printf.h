/* SPDX-License-Identifier: MIT */
/*
 * Formatted text: %c %s %d %i %u %x %X %o %p %%, with l, ll, z, h and hh, width
 * and precision (either may be *), and the flags - 0 + space #. As in C, the
 * result is the length of the whole text, though at most size - 1 bytes and the
 * ending zero are stored.
 */
#ifndef OSTLER_LIB_PRINTF_H
#define OSTLER_LIB_PRINTF_H

#include "lib/types.h"
#include <stdarg.h>

#ifdef OSTLER_UNIT
#include <stdio.h>
#else
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
	__printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
#endif

#endif
