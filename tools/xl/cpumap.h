/* SPDX-License-Identifier: MIT */
/* Processor sets of this host: spec.h's lists, with its processors known. */
#ifndef OSTLER_XL_CPUMAP_H
#define OSTLER_XL_CPUMAP_H

#include <stdbool.h>
#include <xenctrl.h>

#include "spec.h"

unsigned int host_cpus(void);
/* A parsed list as a set of the host's processors. */
void cpumap_of(const struct cpu_list *l, xc_cpumap_t map);
/* What xl.conf's vm.*cpumask lets guests of that kind have of a set. */
void cpumap_mask(bool hvm, xc_cpumap_t map);
/* From text; complains and returns false when it is none, or is empty. */
bool cpumap_from(const char *s, xc_cpumap_t map);

#endif
