/* SPDX-License-Identifier: MIT */
/* A machine with two pieces of RAM, for tests of mem/ and boot/. */
#ifndef OSTLER_TESTS_UNIT_HOST_RAM_H
#define OSTLER_TESTS_UNIT_HOST_RAM_H

#include "lib/types.h"
#include "mem/internal.h"

#define LOW_RAM  (64UL << 20)
#define HIGH_AT  (4UL << 30)
#define HIGH_RAM (32UL << 20)

/* Fresh memory, an empty frame table for it, nothing free. */
void host_ram_reset(void);
/* What was printed since the last reset. */
extern char host_log[16384];
/* A panic() was expected: longjmp()s there. */
#include <setjmp.h>
extern jmp_buf *host_panic;

#endif
