/* SPDX-License-Identifier: MIT */
/*
 * Maps the peer's page (guests/pvh/peer) and never lets go. It is destroyed
 * while it holds the page, and another time the peer is: then the page must
 * still be there, whoever it belonged to.
 */
#include "test.h"
#include "peer.h"
#include <xen/grant_table.h>
#include <xen/sched.h>

const char guest_name[] = "hold";

#define PLACE 0xa0000000ul /* beyond the guest's memory */

static void sleep_ms(unsigned int ms)
{
	struct sched_poll p = {.timeout = system_time() + ms * 1000000ul};

	sched_op(SCHEDOP_poll, &p);
}

void guest_main(void)
{
	domid_t peer = (domid_t)option("peer", 0xffff);
	unsigned int ref = PEER_FIRST_REF + own_domid() - peer - 1u;
	volatile uint32_t *page = (volatile uint32_t *)PLACE;
	struct gnttab_map_grant_ref m = {
		.host_addr = PLACE,
		.flags = GNTMAP_host_map,
		.ref = ref,
		.dom = peer,
	};

	check_rc(grant_table_op(GNTTABOP_map_grant_ref, &m, 1), 0, "map");
	check_rc(m.status, GNTST_okay, "its status");
	note("the hold begins");
	for (unsigned int n = 1; page[0] == ref && page[1] == n - 1; n++) {
		page[1] = n;
		note("held %u", n);
		sleep_ms(200);
	}
	check(false, "the page is as it was left");
}
