/* SPDX-License-Identifier: MIT */
/*
 * Where other CPUs start: a page below 1 MiB with 16-bit code (boot/
 * trampoline_code.S), which takes one CPU at a time to 64-bit mode on our page
 * tables, with this CPU's CR0, CR4 and EFER, interrupts off, GS.base and
 * FS.base 0, flat segments from a GDT in that page, and calls entry(arg) on the
 * stack.
 */
#ifndef OSTLER_CPU_TRAMPOLINE_H
#define OSTLER_CPU_TRAMPOLINE_H

#include "lib/types.h"

/* The page's address; its number >> 12 is the vector of a start-up IPI. */
extern paddr_t trampoline_phys;
/* What the next CPU that starts does. entry does not return. */
void trampoline_prepare(void *stack_top, void (*entry)(unsigned long arg),
			unsigned long arg);

#endif
