/* SPDX-License-Identifier: MIT */
/* This domain's version 1 grant table, mapped over pages of our own. */
#include "guest.h"
#include "hypercall.h"
#include <xen/grant_table.h>
#include <xen/memory.h>

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

void grant_access(unsigned int ref, unsigned int domid, uint64_t frame,
		  bool readonly)
{
	volatile struct grant_entry_v1 *e = grant_table() + ref;

	e->domid = (domid_t)domid;
	e->frame = (uint32_t)frame;
	barrier();
	e->flags = GTF_permit_access | (readonly ? GTF_readonly : 0);
}

bool grant_end(unsigned int ref)
{
	volatile struct grant_entry_v1 *e = grant_table() + ref;
	uint16_t old = e->flags;

	if (old & (GTF_reading | GTF_writing))
		return false;
	return __atomic_compare_exchange_n(&e->flags, &old, 0, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
