/* SPDX-License-Identifier: MIT */
/* Entries of this domain's version 1 grant table. */
#include "guest.h"
#include <xen/grant_table.h>

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
