/* SPDX-License-Identifier: MIT */
/* Events of a PV guest: the shared page, and the mask that is its interrupt
 * flag. The upcall only counts, as that of guests/pvh does. */
#include "pv.h"
#include "event.h"
#include <xen/sched.h>
#include <xen/version.h>

void irq_enable(void)
{
	struct vcpu_info *v = vcpu_info(0);

	__atomic_store_n(&v->evtchn_upcall_mask, 0, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&v->evtchn_upcall_pending, __ATOMIC_SEQ_CST))
		xen_version(XENVER_version, NULL); /* any call takes it */
}

void irq_disable(void)
{
	__atomic_store_n(&vcpu_info(0)->evtchn_upcall_mask, 1,
			 __ATOMIC_SEQ_CST);
}

void cpu_halt(void)
{
	sched_op(SCHEDOP_block, NULL);
}

long event_init(void)
{
	long rc = pv_map(&shared_info, start_info->shared_info | PTE_P |
					       PTE_RW | PTE_US | PTE_A | PTE_D);

	trap_handler(UPCALL_VECTOR, event_upcall);
	return rc;
}
