/* SPDX-License-Identifier: MIT */
/*
 * memory_op: a domain's reservation and its limits, pages given back and taken
 * again, removed and added frames, and requests that are refused or done in
 * part.
 */
#include "test.h"
#include <xen/memory.h>

const char guest_name[] = "memory";

#define PAGES 64
static uint8_t pool[PAGES][4096] PAGE_ALIGNED;
static xen_pfn_t frames[PAGES];

static long current(void)
{
	domid_t d = DOMID_SELF;

	return memory_op(XENMEM_current_reservation, &d);
}

static long reserve(unsigned int cmd, unsigned long n, unsigned int order)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, frames);
	return memory_op(cmd, &r);
}

static void ballooning(void)
{
	long before = current();

	for (unsigned int i = 0; i < PAGES; i++) {
		memset(pool[i], 0x5a, 4096);
		frames[i] = frame_of(pool[i]);
	}
	check_rc(reserve(XENMEM_decrease_reservation, PAGES, 0), PAGES,
		 "give %u pages back", PAGES);
	check_rc(current(), before - PAGES, "the reservation is smaller");
	reserve(XENMEM_decrease_reservation, PAGES, 0);
	check_rc(current(), before - PAGES, "they are not given back twice");
	check_rc(reserve(XENMEM_populate_physmap, PAGES, 0), PAGES,
		 "take %u pages", PAGES);
	check_rc(current(), before, "the reservation is as it was");
	pool[3][5] = 1;
	check(pool[3][5] == 1, "the pages can be written");
}

static void in_part(void)
{
	long before = current(), done;

	frames[0] = frame_of(pool[0]);
	frames[1] = 1ul << 40;
	frames[2] = frame_of(pool[2]);
	/* Xen stops at the bad one; going on is as good. */
	done = reserve(XENMEM_decrease_reservation, 3, 0);
	check(done == 1 || done == 3, "a list with a bad frame (%ld)", done);
	check_rc(current(), before - (done == 1 ? 1 : 2),
		 "as many pages are gone as were done");
	check_rc(reserve(XENMEM_populate_physmap, 1, 0), 1, "take one back");
	if (done == 3) {
		frames[0] = frame_of(pool[2]);
		reserve(XENMEM_populate_physmap, 1, 0);
	}
	check_rc(current(), before, "the reservation is as it was");
	frames[0] = frame_of(pool[0]);
	check_rc(reserve(XENMEM_populate_physmap, 1, 40), 0,
		 "an extent of order 40 is not given");
	check_rc(reserve(XENMEM_populate_physmap, 0, 0), 0, "nothing");
	check_rc(reserve(XENMEM_decrease_reservation, 0, 0), 0, "nothing back");
}

static void frames_added_and_removed(void)
{
	struct xen_remove_from_physmap r = {.domid = DOMID_SELF,
					    .gpfn = frame_of(pool[7])};
	struct xen_add_to_physmap a = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_shared_info,
		.gpfn = frame_of(pool[7]),
	};
	struct shared_info *shared = (void *)pool[7];

	check_rc(memory_op(XENMEM_add_to_physmap, &a), 0,
		 "the shared page over a page of ours");
	check(shared->wc_sec || shared->vcpu_info[0].time.version,
	      "it has a clock");
	a.space = 77;
	check_rc(memory_op(XENMEM_add_to_physmap, &a), -XEN_EINVAL,
		 "an unknown space");
	a.space = XENMAPSPACE_grant_table;
	a.idx = 1000000;
	check_rc(memory_op(XENMEM_add_to_physmap, &a), -XEN_EINVAL,
		 "grant frame 1000000");
	check_rc(memory_op(XENMEM_remove_from_physmap, &r), 0, "remove it");
	check_rc(memory_op(XENMEM_remove_from_physmap, &r), -XEN_ENOENT,
		 "it is not there any more");
	frames[0] = frame_of(pool[7]);
	check_rc(reserve(XENMEM_populate_physmap, 1, 0), 1,
		 "a page in its place");
	pool[7][0] = 9;
	check(pool[7][0] == 9, "which can be written");
}

static void limits(void)
{
	domid_t d = DOMID_SELF;
	long most = memory_op(XENMEM_maximum_reservation, &d);
	long top = memory_op(XENMEM_maximum_gpfn, &d);

	note("%ld pages of at most %ld, frames up to %ld", current(), most,
	     top);
	check(current() > 4096 && current() <= most,
	      "the reservation is within its limit");
	check(top >= (long)frame_of(pool), "our frames are below the highest");
}

static void bad_lists(void)
{
	struct xen_memory_reservation r = {.nr_extents = 2,
					   .domid = DOMID_SELF};

	window_unmap(0);
	set_xen_guest_handle(r.extent_start, (xen_pfn_t *)window_slot(0));
	check_rc(memory_op(XENMEM_decrease_reservation, &r), 0,
		 "a list that cannot be read does nothing");
	check_rc(memory_op(XENMEM_populate_physmap, window_slot(0)), 0,
		 "nor does a request that cannot be read");
}

void guest_main(void)
{
	ballooning();
	in_part();
	frames_added_and_removed();
	limits();
	bad_lists();
}
