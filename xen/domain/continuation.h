/* SPDX-License-Identifier: MIT */
/*
 * Long hypercalls give way: a handler that sees hypercall_must_yield() saves
 * its progress and returns -ERESTART. (public/xen.h: a hypercall may be
 * restarted; its registers are then as hypercall_continue() left them.)
 */
#ifndef OSTLER_DOMAIN_CONTINUATION_H
#define OSTLER_DOMAIN_CONTINUATION_H

#include "cpu/softirq.h"
#include "domain/domain.h"

/* Cheap; ask every few dozen steps of work. */
static inline bool hypercall_must_yield(void)
{
	return softirq_is_pending();
}

/*
 * Changes the i-th argument (0: rdi …, 4: r8) that the restarted call sees: in
 * the registers, or in the multicall entry that is being done.
 */
void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value);

#endif
