/* SPDX-License-Identifier: MIT */
/*
 * A second domain for tests and benchmarks of grants: see peer.h. It prints
 * that it is ready, then sleeps until it is destroyed.
 */
#include "test.h"
#include "peer.h"
#include <xen/sched.h>

const char guest_name[] = "peer";
static uint8_t pages[PEER_GRANTS][4096] PAGE_ALIGNED;

void guest_main(void)
{
	if (!check(grant_table() != NULL, "a grant table"))
		return;
	for (unsigned int i = 0; i < PEER_GRANTS; i++) {
		unsigned int ref = PEER_FIRST_REF + i;

		memcpy(pages[i], &ref, sizeof(ref));
		grant_access(ref, own_domid() + 1u + i, frame_of(pages[i]),
			     false);
	}
	note("peer ready");
	for (;;)
		sched_op(SCHEDOP_block, NULL);
}
