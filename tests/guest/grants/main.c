/* SPDX-License-Identifier: MIT */
/*
 * Grant tables, version 1: size and setup, copies by frame and by reference,
 * their bounds, mapping and unmapping, swapping two references, and references,
 * handles and addresses that are wrong; a table without a free entry, of which
 * all are copied from. With peer= a second domain (guests/pvh/
 * peer) grants us a page, which we read, write, map again and again, and
 * unmap; without, the parts that need one domain only are run. A mapping to
 * oneself would move the page, so no test does that.
 */
#include "test.h"
#include "peer.h"
#include <xen/grant_table.h>
#include <xen/memory.h>

const char guest_name[] = "grants";

#define REF     100
#define REF_RO  101
#define REF_BAD 102
#define MAPS    1000

static uint8_t source[4096] PAGE_ALIGNED;
static uint8_t target[4096] PAGE_ALIGNED;
static uint8_t place[4096] PAGE_ALIGNED;
static domid_t self;

static int copy(struct gnttab_copy c)
{
	long rc = grant_table_op(GNTTABOP_copy, &c, 1);

	return rc ? (int)rc : c.status;
}

static struct gnttab_copy from_ref(unsigned int ref, unsigned int offset,
				   unsigned int len)
{
	return (struct gnttab_copy){
		.source = {.u.ref = ref,
			   .domid = self,
			   .offset = (uint16_t)offset},
		.dest = {.u.gmfn = frame_of(target), .domid = DOMID_SELF},
		.len = (uint16_t)len,
		.flags = GNTCOPY_source_gref,
	};
}

static void sizes(void)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct gnttab_get_version v = {.dom = DOMID_SELF};
	static xen_pfn_t frames[4];
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 4};

	set_xen_guest_handle(s.frame_list, frames);
	check_rc(grant_table_op(GNTTABOP_query_size, &q, 1), 0, "query_size");
	check_rc(q.status, GNTST_okay, "its status");
	note("%u frames of at most %u", q.nr_frames, q.max_nr_frames);
	check(q.max_nr_frames >= 4, "there may be four frames");
	check_rc(grant_table_op(GNTTABOP_get_version, &v, 1), 0, "get_version");
	check_rc((long)v.version, 1, "version 1");
	check_rc(grant_table_op(GNTTABOP_setup_table, &s, 1), 0, "setup_table");
	check_rc(s.status, GNTST_okay, "its status");
	s.nr_frames = q.max_nr_frames + 1;
	check_rc(grant_table_op(GNTTABOP_setup_table, &s, 1), 0,
		 "setup_table beyond the limit returns");
	check_rc(s.status, GNTST_general_error, "with an error");
	check(grant_table() != NULL, "the table is mapped");
}

static void copies(void)
{
	struct gnttab_copy c;

	for (unsigned int i = 0; i < sizeof(source); i++)
		source[i] = (uint8_t)(i * 7 + (i >> 8));
	grant_access(REF, self, frame_of(source), false);
	grant_access(REF_RO, self, frame_of(source), true);
	check_rc(copy(from_ref(REF, 0, 4096)), GNTST_okay, "copy a page");
	check(!memcmp(source, target, 4096), "it is the same");
	memset(target, 0, sizeof(target));
	c = from_ref(REF_RO, 100, 57);
	c.dest.offset = 1000;
	check_rc(copy(c), GNTST_okay, "copy 57 bytes out of a read-only grant");
	check(!memcmp(source + 100, target + 1000, 57) && !target[999] &&
		      !target[1057],
	      "those and no others");
	c = (struct gnttab_copy){
		.source = {.u.gmfn = frame_of(source), .domid = DOMID_SELF},
		.dest = {.u.ref = REF_RO, .domid = self},
		.len = 8,
		.flags = GNTCOPY_dest_gref,
	};
	check_rc(copy(c), GNTST_general_error,
		 "nothing is copied into a read-only grant");
	c.dest.u.ref = REF;
	check_rc(copy(c), GNTST_okay, "but into a writable one");
	check_rc(copy(from_ref(REF, 4000, 97)), GNTST_bad_copy_arg,
		 "a source beyond the page's end");
	check_rc(copy(from_ref(REF, 0, 4097)), GNTST_bad_copy_arg,
		 "more than a page");
	check_rc(copy(from_ref(REF, 0xffff, 2)), GNTST_bad_copy_arg,
		 "an offset that wraps");
	check_rc(copy(from_ref(REF, 0, 0)), GNTST_okay, "nothing");
	check_rc(copy(from_ref(REF_BAD, 0, 8)), GNTST_general_error,
		 "a reference that grants nothing");
	check_rc(copy(from_ref(0x7fffffff, 0, 8)), GNTST_bad_gntref,
		 "a reference beyond the table");
	c = from_ref(REF, 0, 8);
	c.source.domid = 0x7ef0;
	check_rc(copy(c), GNTST_bad_domain, "a domain that does not exist");
	c = from_ref(REF, 0, 8);
	c.dest.u.gmfn = 1ul << 40;
	check_rc(copy(c), GNTST_bad_page, "a frame beyond memory");
	grant_access(REF_BAD, self, 1ul << 24, false);
	check_rc(copy(from_ref(REF_BAD, 0, 8)), GNTST_bad_page,
		 "a grant of a frame beyond memory");
	check(grant_end(REF) && grant_end(REF_RO), "the grants end");
	check_rc(copy(from_ref(REF, 0, 8)), GNTST_general_error,
		 "an ended grant is not copied from");
}

/* Each entry of the first frame but the eight that are reserved is a grant. */
#define FIRST_REF 8u
#define LAST_REF  511u
static void filled(void)
{
	static struct gnttab_copy ops[LAST_REF + 1 - FIRST_REF];
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	unsigned int good = 0, ended = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++) {
		grant_access(FIRST_REF + i, self, frame_of(source), i & 1);
		ops[i] = from_ref(FIRST_REF + i, i * 8, 8);
		ops[i].dest.offset = (uint16_t)(i * 8);
	}
	memset(target, 0, sizeof(target));
	check_rc(grant_table_op(GNTTABOP_copy, ops, ARRAY_SIZE(ops)), 0,
		 "%u copies at once", (unsigned int)ARRAY_SIZE(ops));
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		good += ops[i].status == GNTST_okay;
	check(good == ARRAY_SIZE(ops) &&
		      !memcmp(source, target, ARRAY_SIZE(ops) * 8),
	      "%u grants of a full table are copied from", good);
	grant_table_op(GNTTABOP_query_size, &q, 1);
	check_rc(copy(from_ref(q.max_nr_frames * (LAST_REF + 1), 0, 8)),
		 GNTST_bad_gntref, "there is none beyond the last");
	for (unsigned int i = FIRST_REF; i <= LAST_REF; i++)
		ended += grant_end(i);
	check(ended == ARRAY_SIZE(ops), "all of them end (%u)", ended);
}

static void swaps(void)
{
	volatile struct grant_entry_v1 *t = grant_table();
	struct gnttab_swap_grant_ref s = {.ref_a = REF, .ref_b = REF_RO};

	grant_access(REF, self, 123, false);
	grant_access(REF_RO, self, 456, true);
	check_rc(grant_table_op(GNTTABOP_swap_grant_ref, &s, 1), 0, "swap");
	check_rc(s.status, GNTST_okay, "its status");
	check(t[REF].frame == 456 && t[REF_RO].frame == 123,
	      "the two have changed places");
	s.ref_b = 0x7fffffff;
	check_rc(grant_table_op(GNTTABOP_swap_grant_ref, &s, 1), 0,
		 "swap with a reference beyond the table returns");
	check_rc(s.status, GNTST_bad_gntref, "with an error");
	grant_end(REF);
	grant_end(REF_RO);
}

static int map(domid_t dom, unsigned int ref, unsigned int flags,
	       const void *at, grant_handle_t *handle)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = (unsigned long)at,
		.flags = flags,
		.ref = ref,
		.dom = dom,
	};
	long rc = grant_table_op(GNTTABOP_map_grant_ref, &m, 1);

	*handle = m.handle;
	return rc ? (int)rc : m.status;
}

static int unmap(const void *at, grant_handle_t handle)
{
	struct gnttab_unmap_grant_ref u = {
		.host_addr = (unsigned long)at,
		.handle = handle,
	};
	long rc = grant_table_op(GNTTABOP_unmap_grant_ref, &u, 1);

	return rc ? (int)rc : u.status;
}

static void wrong_maps(void)
{
	grant_handle_t h;

	check_rc(map(0x7ef0, 1, GNTMAP_host_map, place, &h), GNTST_bad_domain,
		 "map: no such domain");
	check_rc(map(self, REF_BAD + 1, GNTMAP_host_map, place, &h),
		 GNTST_general_error, "map: a reference that grants nothing");
	check_rc(map(self, 0x7fffffff, GNTMAP_host_map, place, &h),
		 GNTST_bad_gntref, "map: a reference beyond the table");
	check_rc(map(self, REF, 0, place, &h), GNTST_bad_gntref,
		 "map: neither host nor device");
	check_rc(unmap(place, 0x7fffffff), GNTST_bad_handle,
		 "unmap: a handle never given");
	check_rc(unmap(place, 0), GNTST_bad_handle, "unmap: handle 0");
}

/* Beyond the guest's memory, but within the one-to-one map. */
static void *free_address(unsigned int i)
{
	return (void *)(0xa0000000ul + i * PAGE_SIZE);
}

static void many_maps(domid_t peer, unsigned int ref)
{
	static grant_handle_t handles[MAPS];
	unsigned int n = 0, undone = 0;
	int status = 0;

	while (n < MAPS && !status) {
		status = map(peer, ref, GNTMAP_host_map, free_address(n),
			     &handles[n]);
		n += !status;
	}
	/* Xen counts a grant's mappings in eight bits, the top one a guard. */
	check(n == MAPS || (n >= 128 && status == GNTST_general_error),
	      "one grant is mapped %u times, or refused (%d)", n, status);
	check(n && *(volatile uint32_t *)free_address(n - 1) == ref,
	      "the last mapping shows the page");
	for (unsigned int i = 0; i < n; i++)
		undone += !unmap(free_address(i), handles[i]);
	check(undone == n, "all %u are unmapped", undone);
}

static void peer_maps(domid_t peer)
{
	unsigned int ref = PEER_FIRST_REF + self - peer - 1u, seen = 0;
	volatile uint32_t *words = (volatile uint32_t *)place;
	grant_handle_t h;

	check_rc(map(peer, ref + 1, GNTMAP_host_map, place, &h),
		 GNTST_general_error, "another domain's grant is not ours");
	if (!check_rc(map(peer, ref, GNTMAP_host_map, place, &h), GNTST_okay,
		      "map the peer's page"))
		return;
	check(words[0] == ref, "it holds the peer's mark (%u)", words[0]);
	words[1] = 0xfeed;
	memcpy(&seen, (const void *)&words[1], sizeof(seen));
	check(seen == 0xfeed, "it can be written");
	check_rc(unmap(place, h), GNTST_okay, "unmap");
	check_rc(unmap(place, h), GNTST_bad_handle, "not twice");
	check_rc(map(peer, ref, GNTMAP_host_map | GNTMAP_readonly, place, &h),
		 GNTST_okay, "map it read-only");
	check(words[1] == 0xfeed, "what was written is there");
	check_rc(unmap(place, h), GNTST_okay, "unmap");
	many_maps(peer, ref);
}

void guest_main(void)
{
	domid_t peer = (domid_t)option("peer", 0xffff);

	self = own_domid();
	sizes();
	copies();
	filled();
	swaps();
	wrong_maps();
	if (peer == 0xffff)
		skip("no peer", "maps of another domain's page");
	else
		peer_maps(peer);
}
