/* SPDX-License-Identifier: MIT */
/*
 * The little of a C library that the distribution's decompressors want. They
 * are compiled for ordinary programs: with vector registers, a red zone below
 * the stack pointer and a stack protector. libc_begin() makes a CPU fit for
 * that, with interrupts off (an interrupt would overwrite the red zone);
 * libc_end() puts everything back.
 */
#ifndef OSTLER_BOOT_LIBC_H
#define OSTLER_BOOT_LIBC_H

#include "lib/types.h"

void libc_begin(void);
void libc_end(void);
void *libc_malloc(size_t size);
void libc_free(void *p);

#endif
