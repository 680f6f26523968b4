/* SPDX-License-Identifier: MIT */
/* Between cpu/'s own files: bringing a CPU to where C can use it. */
#ifndef OSTLER_CPU_PERCPU_H
#define OSTLER_CPU_PERCPU_H

/* Fills cpu_features, on CPU 0. */
void features_detect(void);
/* This CPU's control registers. */
void features_enable(void);

#endif
