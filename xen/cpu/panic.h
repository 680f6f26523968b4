/* SPDX-License-Identifier: MIT */
/* What the trap handlers need of panic() (console/printk.h). */
#ifndef OSTLER_CPU_PANIC_H
#define OSTLER_CPU_PANIC_H

#include "cpu/cpu.h"

/* panic() with the registers of the trap that is the reason. */
void panic_regs(const struct cpu_regs *r, const char *fmt, ...)
	__printf(2, 3) __noreturn;
/* How to restart (machine_reboot()), once ACPI is known; NULL: the old ways. */
extern void (*panic_reboot)(void);

#endif
