/* SPDX-License-Identifier: MIT */
/*
 * Two-level event channels: the shared page, the upcall vector and the pending
 * bits. The upcall only counts and clears the per-CPU flag and selector, so a
 * test sees which port is pending by asking event_take().
 */
#include "event.h"

/* A whole page: the hypervisor's takes its place. */
struct shared_info shared_info PAGE_ALIGNED;
volatile unsigned long upcalls;

struct vcpu_info *vcpu_info(unsigned int cpu)
{
	return &shared_info.vcpu_info[cpu];
}

void event_upcall(struct trap_frame *f)
{
	struct vcpu_info *v = vcpu_info(0);

	(void)f;
	__atomic_store_n(&v->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	upcalls++;
}

bool event_pending(unsigned int port)
{
	return __atomic_load_n(&shared_info.evtchn_pending[port / 64],
			       __ATOMIC_SEQ_CST) >>
		       port % 64 &
	       1;
}

bool event_take(unsigned int port)
{
	unsigned long bit = 1ul << port % 64;

	return __atomic_fetch_and(&shared_info.evtchn_pending[port / 64], ~bit,
				  __ATOMIC_SEQ_CST) &
	       bit;
}

void event_mask(unsigned int port, bool masked)
{
	unsigned long bit = 1ul << port % 64;
	xen_ulong_t *word = &shared_info.evtchn_mask[port / 64];

	if (masked)
		__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST);
}
