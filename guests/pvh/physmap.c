/* SPDX-License-Identifier: MIT */
/* Pages of the hypervisor's, mapped over pages of our own: the shared page with
 * its upcall vector, the grant table. */
#include "event.h"
#include "hypercall.h"
#include <xen/grant_table.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

static long map_shared_info(void)
{
	struct xen_add_to_physmap x = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_shared_info,
		.gpfn = frame_of(&shared_info),
	};

	return memory_op(XENMEM_add_to_physmap, &x);
}

long event_init(void)
{
	long rc = map_shared_info();

	if (rc)
		return rc;
	trap_handler(UPCALL_VECTOR, event_upcall);
	vcpu_info(0)->evtchn_upcall_mask = 0;
	return hvm_set_param(HVM_PARAM_CALLBACK_IRQ,
			     2ull << 56 | UPCALL_VECTOR);
}

static uint8_t frames[GRANT_FRAMES][4096] __attribute__((aligned(4096)));
static bool mapped;

struct grant_entry_v1 *grant_table(void)
{
	for (unsigned int i = 0; !mapped && i < GRANT_FRAMES; i++) {
		struct xen_add_to_physmap x = {
			.domid = DOMID_SELF,
			.space = XENMAPSPACE_grant_table,
			.idx = i,
			.gpfn = frame_of(frames[i]),
		};

		if (memory_op(XENMEM_add_to_physmap, &x))
			return NULL;
	}
	mapped = true;
	return (struct grant_entry_v1 *)frames;
}
