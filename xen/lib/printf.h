/* SPDX-License-Identifier: MIT */
/* Formatting, as C's own functions do it, without floating point. */
#ifndef OSTLER_LIB_PRINTF_H
#define OSTLER_LIB_PRINTF_H

#include "lib/types.h"

#include <stdarg.h>

#ifdef OSTLER_UNIT
#include <stdio.h>
#else
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
#endif

#endif
