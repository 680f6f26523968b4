/* SPDX-License-Identifier: MIT */
/* Hypercalls of 32-bit guests. */
#ifndef OSTLER_HYPERCALL_COMPAT_H
#define OSTLER_HYPERCALL_COMPAT_H

#include "domain/domain.h"

/* args are the six 32-bit registers. pass does a call whose structures are the
 * same for both. */
typedef long hypercall_fn(struct vcpu *v, uint64_t nr, const uint64_t args[6]);
long compat_call(struct vcpu *v, uint64_t nr, const uint64_t args[6],
		 hypercall_fn *pass);

#endif
