/* SPDX-License-Identifier: MIT */
#ifndef OSTLER_CPU_CALIBRATE_H
#define OSTLER_CPU_CALIBRATE_H

#include "lib/types.h"

/* The TSC's rate in kHz and what it was measured with; 0: nothing counts. */
uint64_t calibrate_tsc(const char **source);

#endif
