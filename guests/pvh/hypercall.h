/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls through the page that the hypervisor fills, so that a guest runs
 * unchanged on VT-x and AMD-V. The result is Xen's: negative errno or a value.
 */
#ifndef OSTLER_GUEST_HYPERCALL_H
#define OSTLER_GUEST_HYPERCALL_H

#include "guest.h"

extern uint8_t hypercall_page[4096];

static inline long hypercall(unsigned int nr, unsigned long a1,
			     unsigned long a2, unsigned long a3,
			     unsigned long a4, unsigned long a5)
{
	register unsigned long r10 __asm__("r10") = a4;
	register unsigned long r8 __asm__("r8") = a5;
	long ret;

	__asm__ volatile("call *%[fn]"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10),
			   "+r"(r8)
			 : [fn] "r"(hypercall_page + nr * 32)
			 : "memory");
	return ret;
}

#define HC_ARG(x)                               ((unsigned long)(x))
#define HC_PICK(_0, _1, _2, _3, _4, _5, n, ...) n
#define HC1(nr, ...)                            hypercall(nr, 0, 0, 0, 0, 0)
#define HC2(nr, a)                              hypercall(nr, HC_ARG(a), 0, 0, 0, 0)
#define HC3(nr, a, b)                           hypercall(nr, HC_ARG(a), HC_ARG(b), 0, 0, 0)
#define HC4(nr, a, b, c)                        hypercall(nr, HC_ARG(a), HC_ARG(b), HC_ARG(c), 0, 0)
#define HC5(nr, a, b, c, d)                                                    \
	hypercall(nr, HC_ARG(a), HC_ARG(b), HC_ARG(c), HC_ARG(d), 0)
/* hc(number, up to four arguments of any scalar or pointer type) */
#define hc(...)                                                                \
	HC_PICK(__VA_ARGS__, , HC5, HC4, HC3, HC2, HC1, )                      \
	(__VA_ARGS__)

#define xen_version(cmd, arg)       hc(__HYPERVISOR_xen_version, cmd, arg)
#define memory_op(cmd, arg)         hc(__HYPERVISOR_memory_op, cmd, arg)
#define event_channel_op(cmd, arg)  hc(__HYPERVISOR_event_channel_op, cmd, arg)
#define grant_table_op(cmd, arg, n) hc(__HYPERVISOR_grant_table_op, cmd, arg, n)
#define sched_op(cmd, arg)          hc(__HYPERVISOR_sched_op, cmd, arg)
#define vcpu_op(cmd, id, arg)       hc(__HYPERVISOR_vcpu_op, cmd, id, arg)
#define hvm_op(cmd, arg)            hc(__HYPERVISOR_hvm_op, cmd, arg)
#define physdev_op(cmd, arg)        hc(__HYPERVISOR_physdev_op, cmd, arg)
#define console_io(cmd, n, buf)     hc(__HYPERVISOR_console_io, cmd, n, buf)
#define set_timer_op(when)          hc(__HYPERVISOR_set_timer_op, when)
#define multicall(list, n)          hc(__HYPERVISOR_multicall, list, n)

long hvm_get_param(uint32_t index, uint64_t *value);
long hvm_set_param(uint32_t index, uint64_t value);

#endif
