/* SPDX-License-Identifier: MIT */
/* A debugger in dom0 and its hardware container. */
#ifndef OSTLER_HVM_DEBUG_H
#define OSTLER_HVM_DEBUG_H

#include "hvm/hvm.h"

/* After each instruction of v the domain stops, if somebody debugs it. v is
 * paused. Always true: every processor can. */
bool hvm_single_step(struct vcpu *v, bool on);
/* INT3 stops the domain, or not. It is paused. */
void hvm_debug(struct domain *d, bool on);

/* v has done an instruction with TF set: a step, or #DB for the guest. */
void hvm_trap_step(struct vcpu *v);
/* An exception exited; true: it was the debugger's. */
bool hvm_debug_exception(struct vcpu *v, const struct vmexit *x);
/* Without the TF that single steps need. */
uint64_t hvm_own_rflags(const struct vcpu *v);

#endif
