/* SPDX-License-Identifier: MIT */
/* Hypercalls that a domain makes about itself and its vCPUs. */
#ifndef OSTLER_DOMAIN_OPS_H
#define OSTLER_DOMAIN_OPS_H

#include "domain/domain.h"
#include <xen/sched.h>
#include <xen/vcpu.h>

/* sched_op; by the names of public/sched.h (poll: control/poll.c). */
long sched_yield_op(struct vcpu *v);
long sched_block_op(struct vcpu *v);
long sched_shutdown(struct vcpu *v, struct sched_shutdown *op);
long sched_shutdown_code(struct vcpu *v, struct sched_shutdown *op);
long sched_remote_shutdown(struct vcpu *v, struct sched_remote_shutdown *op);
long sched_watchdog(struct vcpu *v, struct sched_watchdog *op);
long sched_pin_override(struct vcpu *v, struct sched_pin_override *op);

/* vcpu_op(cmd, vcpuid, arg) */
long vcpu_op(struct vcpu *v, const uint64_t args[6]);
/* set_timer_op(timeout) */
long set_timer_op(struct vcpu *v, const uint64_t args[6]);

#endif
