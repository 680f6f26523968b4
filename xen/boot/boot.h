/* SPDX-License-Identifier: MIT */
/* The start sequence's own steps, in its own files. */
#ifndef OSTLER_BOOT_BOOT_H
#define OSTLER_BOOT_BOOT_H

#include "boot/bootinfo.h"

/* Makes the page where other CPUs start (cpu/trampoline.h). */
void trampoline_init(const struct boot_info *bi);
/* All CPUs are up: memory below 640 KiB is free, for dom0, which needs some to
 * start its own. */
void trampoline_done(const struct boot_info *bi);

#endif
