/* SPDX-License-Identifier: MIT */
/*
 * Running the decompression libraries, which are ordinary user-space code:
 * vector registers, a red zone, a stack protector (docs/image.md). At start
 * only, before any vCPU's vector state is loaded.
 */
#ifndef OSTLER_MEM_LIBC_H
#define OSTLER_MEM_LIBC_H

/* Around image_unpack(): interrupts off, the canary in place. */
unsigned long libc_begin(void);
void libc_end(unsigned long flags);

#endif
