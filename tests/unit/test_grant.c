/* SPDX-License-Identifier: MIT */
/*
 * Grant tables: every operation and error, domains that die in between, two
 * threads that race, and random operations after which every reference is back.
 * d1 grants, d2 uses; gfns from 100 on are empty.
 */
#include "harness.h"

#include "domain/continuation.h"
#include "fake.h"
#include "grant/grant.h"
#include "hvm/kind.h"
#include "lib/errno.h"
#include "threads.h"

static struct domain *d0, *d1, *d2;
static struct grant_entry_v1 *table1; /* d1's */

static int part_init(struct domain *d,
		     const struct xen_domctl_createdomain *cfg)
{
	return grant_init(d, cfg->max_grant_frames, cfg->max_maptrack_frames,
			  cfg->grant_opts & XEN_DOMCTL_GRANT_version_mask);
}
static const struct domain_part part = {
	.init = part_init,
	.relinquish = grant_release_mappings,
	.destroy = grant_destroy,
};

/* What hypercall_set_arg() was told. */
static uint64_t restart_uop;
static uint32_t restart_count;
void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value)
{
	(void)v;
	if (i == 1)
		restart_uop = value;
	else if (i == 2)
		restart_count = (uint32_t)value;
}

static struct grant_entry_v1 *frame_of(struct domain *d, unsigned long i)
{
	mfn_t mfn;

	if (grant_table_frame(d, i, &mfn))
		return NULL;
	return mfn_to_virt(mfn);
}
static void start(void)
{
	fake_start();
	fake_kind.grant_map = hvm_grant_map;
	fake_kind.grant_unmap = hvm_grant_unmap;
	fake_kind.grant_replace = hvm_grant_replace;
	fake_kind.grant_flush = hvm_grant_flush;
	d0 = fake_domain(0, &part);
	d1 = fake_domain(1, &part);
	d2 = fake_domain(2, &part);
	table1 = frame_of(d1, 0);
}
static void end(void)
{
	CHECK_EQ(fake_end(&part), 0);
}
static struct vcpu *as(struct domain *d)
{
	this_cpu(current) = d->vcpu[0];
	return d->vcpu[0];
}
static void grant(uint32_t ref, domid_t to, uint32_t gfn, uint16_t flags)
{
	table1[ref] = (struct grant_entry_v1){flags, to, gfn};
}
static int refs(struct domain *d, uint64_t gfn)
{
	return fake_frame(fake_mfn(d, gfn))->refs;
}
static int writers(struct domain *d, uint64_t gfn)
{
	return fake_frame(fake_mfn(d, gfn))->type_refs;
}

/* One operation in the guest's memory; the status, or the error. */
#define ONE(d, cmd, op)                                                        \
	({                                                                     \
		long err_;                                                     \
		__typeof__(op) *at_ = (void *)fake_guest_memory;               \
		*at_ = op;                                                     \
		err_ = grant_table_op(as(d), cmd, (uint64_t)(uintptr_t)at_,    \
				      1);                                      \
		op = *at_;                                                     \
		err_ ? err_ : op.status;                                       \
	})

static uint32_t handle; /* of the last mapping */
static long map(struct domain *d, domid_t from, uint32_t ref, uint64_t gfn,
		uint32_t flags)
{
	struct gnttab_map_grant_ref op = {.host_addr = gfn << 12,
					  .flags = flags,
					  .ref = ref,
					  .dom = from};
	long status = ONE(d, GNTTABOP_map_grant_ref, op);

	handle = op.handle;
	if (!status)
		CHECK_EQ(op.dev_bus_addr, mfn_x(fake_mfn(d, gfn)) << 12);
	return status;
}
static long unmap(struct domain *d, uint32_t h, uint64_t gfn)
{
	struct gnttab_unmap_grant_ref op = {.host_addr = gfn << 12,
					    .handle = h};

	return ONE(d, GNTTABOP_unmap_grant_ref, op);
}

#define RW GNTMAP_host_map
#define RO (GNTMAP_host_map | GNTMAP_readonly)

static void maps_and_unmaps(void)
{
	enum p2m_type type;

	start();
	grant(8, 2, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_okay);
	CHECK_EQ(table1[8].flags,
		 GTF_permit_access | GTF_reading | GTF_writing);
	CHECK(mfn_eq(p2m_lookup(&d2->p2m, _gfn(100), &type, NULL),
		     fake_mfn(d1, 10)));
	CHECK_EQ(type, P2M_GRANT_RW);
	CHECK_EQ(refs(d1, 10), 2);
	CHECK_EQ(writers(d1, 10), 1);
	CHECK_EQ(unmap(d2, handle, 101), GNTST_general_error);
	CHECK_EQ(unmap(d2, handle + 1, 100), GNTST_bad_handle);
	CHECK_EQ(unmap(d2, 1 << 30, 100), GNTST_bad_handle);
	CHECK_EQ(unmap(d2, handle, 0), GNTST_okay); /* nothing asked */
	CHECK_EQ(unmap(d2, handle, 100), GNTST_okay);
	CHECK_EQ(fake_domains[2]->flushes, 1);
	CHECK_EQ(unmap(d2, handle, 100), GNTST_bad_handle);
	CHECK_EQ(table1[8].flags, GTF_permit_access);
	CHECK_EQ(refs(d1, 10), 1);
	CHECK_EQ(writers(d1, 10), 0);
	CHECK(mfn_eq(fake_mfn(d2, 100), INVALID_MFN));
	/* Read-only, into its own memory as well. */
	grant(9, 1, 11, GTF_permit_access | GTF_readonly);
	CHECK_EQ(map(d1, 1, 9, 100, RO), GNTST_okay);
	CHECK_EQ(table1[9].flags,
		 GTF_permit_access | GTF_readonly | GTF_reading);
	CHECK_EQ(writers(d1, 11), 0);
	p2m_lookup(&d1->p2m, _gfn(100), &type, NULL);
	CHECK_EQ(type, P2M_GRANT_RO);
	CHECK_EQ(unmap(d1, handle, 100), GNTST_okay);
	end();
}

static void map_errors(void)
{
	start();
	CHECK_EQ(map(d2, 1, 8, 100, 0), GNTST_bad_gntref);
	CHECK_EQ(map(d2, 1, 8, 100, RW | GNTMAP_device_map),
		 GNTST_general_error);
	CHECK_EQ(map(d2, 1, 8, 100, RW | GNTMAP_contains_pte),
		 GNTST_general_error);
	CHECK_EQ(map(d2, 9, 8, 100, RW), GNTST_bad_domain);
	CHECK_EQ(map(d2, DOMID_SELF, 8, 100, RW), GNTST_bad_domain);
	CHECK_EQ(map(d2, 1, 512, 100, RW), GNTST_bad_gntref);
	CHECK_EQ(map(d2, 1, UINT32_MAX, 100, RW), GNTST_bad_gntref);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_general_error); /* no grant */
	grant(8, 0, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_general_error);
	grant(8, 2, 10, GTF_accept_transfer);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_general_error);
	grant(8, 2, 10, GTF_permit_access | GTF_sub_page);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_general_error);
	grant(8, 2, 10, GTF_permit_access | GTF_readonly);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_general_error);
	CHECK_EQ(table1[8].flags, GTF_permit_access | GTF_readonly);
	grant(8, 2, 100, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_bad_page);
	CHECK_EQ(table1[8].flags, GTF_permit_access);
	grant(8, 2, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 1 << 20, RW), GNTST_no_device_space);
	CHECK_EQ(map(d2, 1, 8, 100, RW | 1U << 20), GNTST_general_error);
	CHECK_EQ(table1[8].flags, GTF_permit_access);
	CHECK_EQ(refs(d1, 10), 1);
	/* What is not the granter's own memory is not his to grant. */
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_okay);
	struct grant_entry_v1 *table2 = frame_of(d2, 0);
	table2[8] = (struct grant_entry_v1){GTF_permit_access, 0, 100};
	CHECK_EQ(map(d0, 2, 8, 100, RW), GNTST_bad_page);
	CHECK_EQ(map(d0, 2, 8, 100, RO), GNTST_bad_page);
	/* A mapping replaces no other and no shared page; memory of the
	 * domain's own goes back. */
	fake_domains[2]->p2m[101] = (struct fake_p2m_entry){
		virt_to_mfn(d2->shared_info), P2M_SHARED};
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_bad_virt_addr);
	CHECK_EQ(map(d2, 1, 8, 101, RW), GNTST_bad_virt_addr);
	CHECK_EQ(map(d2, 1, 8, 20, RW), GNTST_okay);
	CHECK(mfn_eq(fake_mfn(d2, 20), fake_mfn(d1, 10)));
	CHECK_EQ(map(d2, 1, 8, 1UL << 36, RW), GNTST_bad_virt_addr);
	/* No memory for the handle, or for the p2m. */
	fake_alloc_budget = 0;
	CHECK_EQ(map(d1, 1, 8, 100, RW), GNTST_no_space);
	CHECK_EQ(map(d2, 1, 8, 103, RW), GNTST_no_device_space);
	end();
}

static void one_grant_many_times(void)
{
	uint32_t first;

	start();
	grant(8, 2, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RO), GNTST_okay);
	first = handle;
	CHECK_EQ(table1[8].flags, GTF_permit_access | GTF_reading);
	/* The entry says other things now; the frame in use stays. */
	grant(8, 0, 33, GTF_permit_access | GTF_reading);
	CHECK_EQ(map(d0, 1, 8, 100, RO), GNTST_general_error);
	CHECK_EQ(map(d2, 1, 8, 101, RW), GNTST_okay);
	CHECK(mfn_eq(fake_mfn(d2, 101), fake_mfn(d1, 10)));
	CHECK(table1[8].flags & GTF_writing);
	CHECK_EQ(unmap(d2, handle, 101), GNTST_okay);
	CHECK(!(table1[8].flags & GTF_writing));
	CHECK(table1[8].flags & GTF_reading);
	CHECK_EQ(unmap(d2, first, 100), GNTST_okay);
	CHECK_EQ(table1[8].flags, GTF_permit_access);
	CHECK_EQ(refs(d1, 33), 1);
	/* Up to the limit of handles: 4 pages of 170. */
	grant(8, 2, 10, GTF_permit_access);
	for (int i = 0; i < 4 * 170; i++) {
		CHECK_EQ(map(d2, 1, 8, 100 + (uint64_t)i % 150, RW),
			 i < 150 ? GNTST_okay : GNTST_bad_virt_addr);
		if (i < 150)
			continue;
		fake_domains[2]->p2m[100 + i % 150] =
			(struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
		CHECK_EQ(map(d2, 1, 8, 100 + (uint64_t)i % 150, RW),
			 GNTST_okay);
	}
	CHECK_EQ(refs(d1, 10), 1 + 4 * 170);
	CHECK_EQ(map(d2, 1, 8, 99, RW), GNTST_no_space);
	end(); /* d2 dies with all of them mapped */
}

static void arrays_give_way(void)
{
	struct gnttab_map_grant_ref *m = (void *)fake_guest_memory;
	struct gnttab_unmap_grant_ref *u = (void *)fake_guest_memory;
	uint64_t uop = (uint64_t)(uintptr_t)fake_guest_memory;
	uint32_t handles[100];

	start();
	for (uint32_t i = 0; i < 100; i++) {
		grant(8 + i, 2, i % FAKE_RAM, GTF_permit_access);
		m[i] = (struct gnttab_map_grant_ref){.host_addr = (100 + i)
								  << 12,
						     .flags = RW,
						     .ref = 8 + i,
						     .dom = 1};
	}
	m[50].dom = 9;
	this_cpu(softirq_pending) = 1;
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_map_grant_ref, uop, 100),
		 -ERESTART);
	CHECK_EQ(restart_uop, uop + 32 * sizeof(*m));
	CHECK_EQ(restart_count, 68);
	this_cpu(softirq_pending) = 0;
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_map_grant_ref, restart_uop,
				restart_count),
		 0);
	for (uint32_t i = 0; i < 100; i++) {
		CHECK_EQ(m[i].status, i == 50 ? GNTST_bad_domain : GNTST_okay);
		handles[i] = m[i].handle;
	}
	for (uint32_t i = 0; i < 100; i++)
		u[i] = (struct gnttab_unmap_grant_ref){
			.host_addr = (100 + i) << 12, .handle = handles[i]};
	u[50].handle = 9999;
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_unmap_grant_ref, uop, 100), 0);
	for (uint32_t i = 0; i < 100; i++)
		CHECK_EQ(u[i].status, i == 50 ? GNTST_bad_handle : GNTST_okay);
	CHECK_EQ(fake_domains[2]->flushes, 4); /* one a chunk */
	/* Bad arguments. */
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_map_grant_ref, 4096, 1),
		 -EFAULT);
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_map_grant_ref, 4096, 0), 0);
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_map_grant_ref, ~0UL - 8, 9),
		 -EFAULT);
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_map_grant_ref, uop, 1U << 31),
		 -EINVAL);
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_dump_table, uop, 1), -ENOSYS);
	CHECK_EQ(grant_table_op(as(d2), 13, uop, 1), -ENOSYS);
	CHECK_EQ(grant_table_op(as(d2), 1 << 12, uop, 1), -EINVAL);
	for (unsigned int cmd = 0; cmd < 13; cmd++)
		CHECK(grant_table_op(as(d2), cmd, 4096, 1) < 0);
	end();
}

static void replaces(void)
{
	struct gnttab_unmap_and_replace op = {.host_addr = 100 << 12,
					      .new_addr = 101 << 12};

	start();
	grant(8, 2, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_okay);
	op.handle = handle;
	CHECK_EQ(ONE(d2, GNTTABOP_unmap_and_replace, op), GNTST_general_error);
	CHECK_EQ(refs(d1, 10), 2);
	op.new_addr = 0;
	CHECK_EQ(ONE(d2, GNTTABOP_unmap_and_replace, op), GNTST_okay);
	CHECK_EQ(ONE(d2, GNTTABOP_unmap_and_replace, op), GNTST_bad_handle);
	end();
}

static void deaths(void)
{
	uint32_t first;

	start();
	grant(8, 2, 10, GTF_permit_access);
	grant(9, 0, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RW), GNTST_okay);
	first = handle;
	CHECK_EQ(map(d0, 1, 9, 100, RO), GNTST_okay);
	/* The granter is gone, its memory given back; the frame lives on. */
	mfn_t frame = fake_mfn(d1, 10);
	fake_domains[1]->frozen = true;
	d1->dying = DOMDYING_DYING;
	CHECK_EQ(grant_release_mappings(d1), 0);
	CHECK(frame_release(frame, 1));
	fake_domains[1]->p2m[10].type = P2M_NONE;
	CHECK(fake_frame(frame)->used);
	CHECK_EQ(d1->refs, 3);
	CHECK_EQ(unmap(d2, first, 100), GNTST_okay);
	CHECK(fake_frame(frame)->used);
	CHECK_EQ(unmap(d0, handle, 100), GNTST_okay);
	CHECK(!fake_frame(frame)->used);
	CHECK_EQ(d1->refs, 1);
	end();
	/* The mapper dies, in steps. */
	start();
	grant(8, 2, 10, GTF_permit_access);
	for (uint64_t i = 0; i < 80; i++)
		CHECK_EQ(map(d2, 1, 8, 100 + i, RW), GNTST_okay);
	d2->dying = DOMDYING_DYING;
	this_cpu(softirq_pending) = 1;
	CHECK_EQ(grant_release_mappings(d2), -ERESTART);
	CHECK_EQ(refs(d1, 10), 17);
	this_cpu(softirq_pending) = 0;
	CHECK_EQ(grant_release_mappings(d2), 0);
	CHECK_EQ(refs(d1, 10), 1);
	CHECK_EQ(d1->refs, 1);
	CHECK_EQ(table1[8].flags, GTF_permit_access);
	end();
}

static struct gnttab_copy copy_op(domid_t from, uint64_t src, domid_t to,
				  uint64_t dst, uint16_t flags)
{
	struct gnttab_copy op = {.len = PAGE_SIZE, .flags = flags};

	op.source.domid = from;
	op.dest.domid = to;
	if (flags & GNTCOPY_source_gref)
		op.source.u.ref = (uint32_t)src;
	else
		op.source.u.gmfn = src;
	if (flags & GNTCOPY_dest_gref)
		op.dest.u.ref = (uint32_t)dst;
	else
		op.dest.u.gmfn = dst;
	return op;
}

static void copies(void)
{
	struct gnttab_copy op;

	start();
	memset(fake_page(d1, 10), 0x11, PAGE_SIZE);
	grant(8, 2, 10, GTF_permit_access | GTF_readonly);
	grant(9, 2, 11, GTF_permit_access);
	op = copy_op(1, 8, DOMID_SELF, 5, GNTCOPY_source_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK(!memcmp(fake_page(d2, 5), fake_page(d1, 10), PAGE_SIZE));
	CHECK_EQ(table1[8].flags, GTF_permit_access | GTF_readonly);
	op = copy_op(DOMID_SELF, 5, 1, 9, GNTCOPY_dest_gref);
	op.source.offset = 100;
	op.dest.offset = 4095;
	op.len = 1;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK_EQ(((char *)fake_page(d1, 11))[4095], 0x11);
	CHECK_EQ(((char *)fake_page(d1, 11))[4094], 0);
	op = copy_op(1, 8, 1, 9, GNTCOPY_source_gref | GNTCOPY_dest_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	op = copy_op(DOMID_SELF, 5, DOMID_SELF, 6, 0);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK_EQ(((char *)fake_page(d2, 6))[7], 0x11);
	op.dest.u.gmfn = 5; /* onto itself */
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);

	op = copy_op(1, 10, DOMID_SELF, 5, 0);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_permission_denied);
	op = copy_op(9, 8, DOMID_SELF, 5, GNTCOPY_source_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_domain);
	op = copy_op(1, 8, DOMID_SELF, 200, GNTCOPY_source_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_page);
	op = copy_op(1, 999, DOMID_SELF, 5, GNTCOPY_source_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_gntref);
	op = copy_op(1, 8, DOMID_SELF, 5, GNTCOPY_source_gref);
	CHECK_EQ(ONE(d0, GNTTABOP_copy, op), GNTST_general_error);
	op = copy_op(DOMID_SELF, 5, 1, 8, GNTCOPY_dest_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_general_error); /* r/o */
	op = copy_op(1, 8, DOMID_SELF, 5, GNTCOPY_source_gref);
	op.source.offset = 1;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_copy_arg);
	op.source.offset = 0;
	op.dest.offset = UINT16_MAX;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_copy_arg);
	op.dest.offset = 0;
	op.len = UINT16_MAX;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_copy_arg);
	/* A granted page is not the caller's own. */
	CHECK_EQ(map(d2, 1, 9, 100, RW), GNTST_okay);
	op = copy_op(DOMID_SELF, 100, DOMID_SELF, 5, 0);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_page);
	end();
}

/* What an entry stood for the last time is not asked again until memory leaves
 * the granter's p2m. */
static void frames_that_change(void)
{
	struct fake_p2m_entry was, *p2m;
	struct gnttab_copy op;

	start();
	p2m = fake_domains[1]->p2m;
	memset(fake_page(d1, 10), 0x11, PAGE_SIZE);
	memset(fake_page(d1, 12), 0x22, PAGE_SIZE);
	grant(8, 2, 10, GTF_permit_access);
	op = copy_op(1, 8, DOMID_SELF, 5, GNTCOPY_source_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK_EQ(((char *)fake_page(d2, 5))[7], 0x11);
	/* another frame at the same address */
	was = p2m[10];
	p2m[10] = p2m[12];
	d1->p2m.ram_left++;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK_EQ(((char *)fake_page(d2, 5))[7], 0x22);
	/* the entry names another address */
	p2m[10] = was;
	grant(8, 2, 11, GTF_permit_access);
	memset(fake_page(d1, 11), 0x33, PAGE_SIZE);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	CHECK_EQ(((char *)fake_page(d2, 5))[7], 0x33);
	/* nothing is there any more */
	was = p2m[11];
	p2m[11] = (struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
	d1->p2m.ram_left++;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_page);
	CHECK_EQ(table1[8].flags, GTF_permit_access);
	/* memory that must not be written is looked at each time */
	p2m[11] = was;
	p2m[11].type = P2M_RAM_RO;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	op = copy_op(DOMID_SELF, 5, 1, 8, GNTCOPY_dest_gref);
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_bad_page);
	p2m[11] = was;
	CHECK_EQ(ONE(d2, GNTTABOP_copy, op), GNTST_okay);
	end();
}

static void copy_arrays(void)
{
	struct gnttab_copy *op = (void *)fake_guest_memory;
	uint64_t uop = (uint64_t)(uintptr_t)fake_guest_memory;

	start();
	for (int i = 0; i < 40; i++) {
		grant(8 + (uint32_t)i / 4, 2, (uint32_t)i / 4,
		      GTF_permit_access);
		memset((char *)fake_page(d1, (uint64_t)i / 4) + i % 4 * 1024,
		       i + 1, 1024);
		op[i] = copy_op(1, 8 + (uint64_t)i / 4, DOMID_SELF, 30,
				GNTCOPY_source_gref);
		op[i].source.offset = (uint16_t)(i % 4 * 1024);
		op[i].dest.offset = (uint16_t)(i * 100);
		op[i].len = 100;
	}
	op[7].source.domid = 9;
	this_cpu(softirq_pending) = 1;
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_copy, uop, 40), -ERESTART);
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_copy, restart_uop,
				restart_count),
		 -ERESTART);
	CHECK_EQ(grant_table_op(as(d2), GNTTABOP_copy, restart_uop,
				restart_count),
		 0);
	this_cpu(softirq_pending) = 0;
	for (int i = 0; i < 40; i++) {
		CHECK_EQ(op[i].status, i == 7 ? GNTST_bad_domain : GNTST_okay);
		CHECK_EQ(((char *)fake_page(d2, 30))[i * 100 + 99],
			 i == 7 ? 0 : i + 1);
		CHECK_EQ(table1[8 + i / 4].flags, GTF_permit_access);
	}
	end();
}

static void tables(void)
{
	struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 2};
	struct gnttab_query_size query = {.dom = 1};
	struct gnttab_get_version ver = {.dom = DOMID_SELF};
	struct gnttab_set_version *set = (void *)fake_guest_memory;
	struct gnttab_get_status_frames st = {.dom = DOMID_SELF};
	uint64_t uop = (uint64_t)(uintptr_t)fake_guest_memory;
	xen_pfn_t *list = (void *)(fake_guest_memory + 4096);
	struct domain *d3;
	mfn_t mfn;

	start();
	setup.frame_list.p = list;
	CHECK_EQ(ONE(d1, GNTTABOP_setup_table, setup), GNTST_okay);
	CHECK_EQ(list[0], ~0UL);
	setup.nr_frames = 5;
	CHECK_EQ(ONE(d1, GNTTABOP_setup_table, setup), GNTST_general_error);
	setup.nr_frames = 1;
	setup.frame_list.p = (void *)8;
	CHECK_EQ(ONE(d1, GNTTABOP_setup_table, setup), GNTST_bad_virt_addr);
	setup.dom = 2;
	CHECK_EQ(ONE(d1, GNTTABOP_setup_table, setup), GNTST_permission_denied);
	setup.dom = 9;
	CHECK_EQ(ONE(d1, GNTTABOP_setup_table, setup), GNTST_bad_domain);
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_setup_table, uop, 2), -EINVAL);
	fake_kind.translated = false;
	setup.dom = 1;
	setup.frame_list.p = list;
	CHECK_EQ(ONE(d0, GNTTABOP_setup_table, setup), GNTST_okay);
	CHECK_EQ(list[0], mfn_x(virt_to_mfn(table1)));
	fake_kind.translated = true;

	CHECK_EQ(ONE(d0, GNTTABOP_query_size, query), GNTST_okay);
	CHECK_EQ(query.nr_frames, 2);
	CHECK_EQ(query.max_nr_frames, 4);
	CHECK_EQ(ONE(d2, GNTTABOP_query_size, query), GNTST_permission_denied);
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_query_size, uop, 0), -EINVAL);

	memcpy(fake_guest_memory, &ver, sizeof(ver));
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_get_version, uop, 1), 0);
	CHECK_EQ(((struct gnttab_get_version *)set)->version, 1);
	ver.dom = 2;
	memcpy(fake_guest_memory, &ver, sizeof(ver));
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_get_version, uop, 1), -EPERM);
	ver.dom = 9;
	memcpy(fake_guest_memory, &ver, sizeof(ver));
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_get_version, uop, 1), -ESRCH);
	set->version = 1;
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_set_version, uop, 1), 0);
	set->version = 2;
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_set_version, uop, 1), -ENOSYS);
	CHECK_EQ(set->version, 1);
	set->version = 3;
	CHECK_EQ(grant_table_op(as(d1), GNTTABOP_set_version, uop, 1), -EINVAL);
	CHECK_EQ(ONE(d1, GNTTABOP_get_status_frames, st), GNTST_okay);
	st.nr_frames = 1;
	CHECK_EQ(ONE(d1, GNTTABOP_get_status_frames, st), GNTST_general_error);

	/* Frames, for those who map the table. */
	CHECK_EQ(grant_table_frame(d1, 3, &mfn), 0);
	CHECK_EQ(grant_table_frame(d1, 4, &mfn), -EINVAL);
	CHECK_EQ(grant_table_frame(d1, XENMAPIDX_grant_table_status, &mfn),
		 -EINVAL);
	fake_alloc_budget = 1;
	CHECK_EQ(grant_table_frame(d2, 1, &mfn), -EINVAL);
	fake_alloc_budget = -1;
	CHECK_EQ(grant_table_frame(d2, 1, &mfn), 0);
	CHECK_EQ(grant_max_frames(d2), 4);
	CHECK_EQ(grant_set_entry(d1, 1, 0, _gfn(7)), 0);
	CHECK_EQ(table1[1].frame, 7);
	CHECK_EQ(map(d0, 1, 1, 100, RW), GNTST_okay);
	CHECK_EQ(grant_set_entry(d1, 9999, 0, _gfn(7)), -EINVAL);
	grant_dump();

	d3 = fake_domain(3, NULL);
	CHECK_EQ(grant_init(d3, 1, 1, 2), -EINVAL);
	CHECK_EQ(grant_init(d3, 1, 1, 0), -EINVAL);
	CHECK_EQ(grant_init(d3, 0, 1, 1), -EINVAL);
	CHECK_EQ(grant_init(d3, 65, 1, 1), -EINVAL);
	CHECK_EQ(grant_init(d3, 1, 1025, 1), -EINVAL);
	for (int i = 0; i < 6; i++) {
		fake_alloc_budget = i;
		CHECK_EQ(grant_init(d3, -1, -1, 1), -ENOMEM);
	}
	end();
}

static void swaps(void)
{
	struct gnttab_swap_grant_ref op = {.ref_a = 8, .ref_b = 9};
	struct gnttab_transfer tr = {.mfn = 5, .domid = 1, .ref = 8};

	start();
	grant(8, 2, 10, GTF_permit_access);
	grant(9, 0, 11, GTF_permit_access);
	CHECK_EQ(ONE(d1, GNTTABOP_swap_grant_ref, op), GNTST_okay);
	CHECK_EQ(table1[9].frame, 10);
	CHECK_EQ(table1[8].domid, 0);
	CHECK_EQ(map(d2, 1, 9, 100, RW), GNTST_okay);
	CHECK_EQ(ONE(d1, GNTTABOP_swap_grant_ref, op), GNTST_eagain);
	op.ref_b = 8;
	CHECK_EQ(ONE(d1, GNTTABOP_swap_grant_ref, op), GNTST_okay);
	op.ref_b = 5000;
	CHECK_EQ(ONE(d1, GNTTABOP_swap_grant_ref, op), GNTST_bad_gntref);
	CHECK_EQ(ONE(d2, GNTTABOP_transfer, tr), GNTST_general_error);
	tr.mfn = 200;
	CHECK_EQ(ONE(d2, GNTTABOP_transfer, tr), GNTST_bad_page);
	end();
}

static long cache_flush(struct domain *d, mfn_t mfn, uint16_t offset,
			uint16_t length, uint32_t op)
{
	struct gnttab_cache_flush *at = (void *)fake_guest_memory;

	*at = (struct gnttab_cache_flush){.a.dev_bus_addr = mfn_to_maddr(mfn),
					  .offset = offset,
					  .length = length,
					  .op = op};
	return grant_table_op(as(d), GNTTABOP_cache_flush,
			      (uint64_t)(uintptr_t)at, 1);
}

static void cache_flushes(void)
{
	mfn_t mine, other;

	start();
	mine = fake_mfn(d2, 3);
	other = fake_mfn(d1, 10);
	CHECK_EQ(cache_flush(d2, mine, 0, 4096, GNTTAB_CACHE_CLEAN), 0);
	CHECK_EQ(cache_flush(d2, mine, 1, 4096, GNTTAB_CACHE_CLEAN), -EINVAL);
	CHECK_EQ(cache_flush(d2, mine, 4096, 0, GNTTAB_CACHE_CLEAN), -EINVAL);
	CHECK_EQ(cache_flush(d2, mine, 0, 8, GNTTAB_CACHE_INVAL), -EOPNOTSUPP);
	CHECK_EQ(cache_flush(d2, mine, 0, 8, GNTTAB_CACHE_SOURCE_GREF),
		 -EINVAL);
	CHECK_EQ(cache_flush(d2, mine, 0, 0, GNTTAB_CACHE_CLEAN), 0);
	CHECK_EQ(cache_flush(d2, _mfn(1 << 20), 0, 8, GNTTAB_CACHE_CLEAN),
		 -EINVAL);
	CHECK_EQ(cache_flush(d2, other, 0, 8, GNTTAB_CACHE_CLEAN), -EPERM);
	grant(8, 2, 10, GTF_permit_access);
	CHECK_EQ(map(d2, 1, 8, 100, RO), GNTST_okay);
	CHECK_EQ(cache_flush(d2, other, 0, 8,
			     GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL),
		 0);
	end();
}

/* d1's guest rewrites its entries while d2 maps, copies and unmaps. */
static int race_stop;
static void *race_granter(void *arg)
{
	(void)arg;
	for (unsigned long n = 0; !atomic_read(&race_stop); n++) {
		uint32_t ref = 8 + n % 4;

		atomic_set(&table1[ref].frame, (uint32_t)(n % 80));
		atomic_or(&table1[ref].flags, GTF_permit_access);
		atomic_set(&table1[ref].domid, (domid_t)(n % 16 ? 2 : 0));
		if (n % 64 == 0)
			atomic_and(&table1[ref].flags,
				   (uint16_t)~GTF_type_mask);
	}
	return NULL;
}
static void *race_mapper(void *arg)
{
	/* A guest's memory of its own: the second half. */
	char *mem = fake_guest_memory + 32768;
	struct vcpu *v = arg;
	unsigned long mapped = 0;

	while (!atomic_read(&race_stop)) {
		struct gnttab_map_grant_ref *m = (void *)mem;
		struct gnttab_unmap_grant_ref *u = (void *)(mem + 1024);

		*m = (struct gnttab_map_grant_ref){.host_addr = 101 << 12,
						   .flags = RW,
						   .ref = 8 + mapped % 4,
						   .dom = 1};
		mapped++;
		grant_table_op(v, GNTTABOP_map_grant_ref,
			       (uint64_t)(uintptr_t)m, 1);
		if (m->status)
			continue;
		*u = (struct gnttab_unmap_grant_ref){.host_addr = 101 << 12,
						     .handle = m->handle};
		grant_table_op(v, GNTTABOP_unmap_grant_ref,
			       (uint64_t)(uintptr_t)u, 1);
		if (u->status)
			return (void *)1;
	}
	return NULL;
}

static void races(void)
{
	void *t[2];
	int mapped = 0;

	start();
	race_stop = 0;
	for (uint32_t i = 8; i < 12; i++)
		grant(i, 2, i, GTF_permit_access);
	this_cpu(current) = d2->vcpu[0];
	t[0] = thread_start(race_granter, NULL);
	t[1] = thread_start(race_mapper, d2->vcpu[1]);
	/* On a busy machine the others may not have their turn at once. */
	for (int i = 0; i < 200 || (!mapped && i < 1000000); i++) {
		struct gnttab_copy op = copy_op(1, 8 + (uint64_t)i % 4,
						DOMID_SELF, 5,
						GNTCOPY_source_gref);

		ONE(d2, GNTTABOP_copy, op);
		if (map(d2, 1, 8 + (uint32_t)i % 4, 100, RO) == GNTST_okay) {
			mapped++;
			CHECK_EQ(unmap(d2, handle, 100), GNTST_okay);
		}
	}
	atomic_set(&race_stop, 1);
	CHECK(!thread_join(t[0]));
	CHECK(!thread_join(t[1]));
	CHECK(mapped > 0);
	end();
}

static void random_op(void)
{
	struct domain *all[] = {d0, d1, d2}, *d = all[random() % 3];
	domid_t from = random() % 9 ? (domid_t)(random() % 4) : DOMID_SELF;
	uint32_t ref = 8 + (uint32_t)random() % 8;
	uint64_t gfn = 100 + (uint64_t)random() % 20;
	struct grant_entry_v1 *e = &frame_of(all[random() % 3], 0)[ref];
	struct gnttab_swap_grant_ref swap = {
		.ref_a = ref, .ref_b = 8 + (uint32_t)random() % 8};
	struct gnttab_copy copy = copy_op(from, ref, DOMID_SELF,
					  (uint64_t)random() % 120,
					  (uint16_t)random() % 4);

	switch (random() % 8) {
	case 0:
	case 1:
		*e = (struct grant_entry_v1){
			(uint16_t)(random() % 8 ? GTF_permit_access : random()),
			(domid_t)(random() % 3), (uint32_t)random() % 130};
		break;
	case 2:
	case 3:
		map(d, from, ref, gfn, random() % 2 ? RW : RO);
		break;
	case 4:
	case 5:
		unmap(d, (uint32_t)random() % 40, gfn);
		break;
	case 6:
		copy.source.offset = (uint16_t)(random() % 5000);
		copy.len = (uint16_t)(random() % 5000);
		ONE(d, GNTTABOP_copy, copy);
		break;
	default:
		ONE(d, GNTTABOP_swap_grant_ref, swap);
	}
}

static void random_operations(void)
{
	for (unsigned int seed = 1; seed <= 10; seed++) {
		start();
		srandom(seed);
		for (int i = 0; i < 3000; i++)
			random_op();
		end();
	}
}

/*
 * Mappings for the processor and for devices end apart: by two CPUs at once,
 * too. The first of them fails, or not, after the second is done.
 */
static uint32_t both_handle;
static uint64_t both_dev;
static int unmap_fails;
static long of_other_half;

static int map_nothing(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags)
{
	(void)v;
	(void)addr;
	(void)mfn;
	(void)flags;
	return GNTST_okay;
}

static int unmap_beside(struct vcpu *v, uint64_t addr, mfn_t mfn,
			uint32_t flags)
{
	struct gnttab_unmap_grant_ref op = {.dev_bus_addr = both_dev,
					    .handle = both_handle};

	(void)v;
	(void)addr;
	(void)mfn;
	(void)flags;
	of_other_half = ONE(d2, GNTTABOP_unmap_grant_ref, op);
	return unmap_fails ? GNTST_general_error : GNTST_okay;
}

static void no_flush(struct domain *d)
{
	(void)d;
}

static void halves(void)
{
	for (unmap_fails = 0; unmap_fails < 2; unmap_fails++) {
		struct gnttab_map_grant_ref op = {
			.flags = RW | GNTMAP_device_map, .ref = 8, .dom = 1};

		start();
		fake_kind.translated = false;
		fake_kind.grant_map = map_nothing;
		fake_kind.grant_unmap = unmap_beside;
		fake_kind.grant_flush = no_flush;
		grant(8, 2, (uint32_t)mfn_x(fake_mfn(d1, 5)),
		      GTF_permit_access);
		CHECK_EQ(ONE(d2, GNTTABOP_map_grant_ref, op), GNTST_okay);
		both_handle = op.handle;
		both_dev = op.dev_bus_addr;
		CHECK_EQ(refs(d1, 5), 2);
		CHECK_EQ(unmap(d2, both_handle, 100),
			 unmap_fails ? GNTST_general_error : GNTST_okay);
		CHECK_EQ(of_other_half, GNTST_okay);
		CHECK_EQ(refs(d1, 5), unmap_fails ? 2 : 1);
		if (unmap_fails) {
			fake_kind.grant_unmap = map_nothing;
			CHECK_EQ(unmap(d2, both_handle, 100), GNTST_okay);
			CHECK_EQ(refs(d1, 5), 1);
		}
		CHECK_EQ(unmap(d2, both_handle, 100), GNTST_bad_handle);
		CHECK(!(table1[8].flags & (GTF_reading | GTF_writing)));
		fake_kind.translated = true;
		end();
	}
}

static const struct test_case cases[] = {
	{"grant: mapping and unmapping", maps_and_unmaps},
	{"grant: mapping that fails", map_errors},
	{"grant: one grant mapped many times", one_grant_many_times},
	{"grant: arrays, and giving way in them", arrays_give_way},
	{"grant: unmap and replace", replaces},
	{"grant: a granter dies, a mapper dies", deaths},
	{"grant: copies", copies},
	{"grant: frames that change", frames_that_change},
	{"grant: arrays of copies", copy_arrays},
	{"grant: tables, their sizes and version", tables},
	{"grant: swapping, transfer", swaps},
	{"grant: cache flushes", cache_flushes},
	{"grant: entries that change under us", races},
	{"grant: random operations leave nothing", random_operations},
	{"grant: the two halves of a mapping", halves},
};

int main(void)
{
	return RUN_CASES(cases);
}
