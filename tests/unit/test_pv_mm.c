/* SPDX-License-Identifier: MIT */
/*
 * PV page typing, rule by rule (xen/pv/mm.h): after every step the counts of
 * all frames are those that the tables give, and no processor remembers what it
 * may not. d1 is an ordinary guest, d0 its builder.
 */
#include "harness.h"
#include "pv_world.h"

#include "lib/errno.h"
#include "mem/frame_word.h"
#include "pv/isolate.h"

#include <xen/grant_table.h>

static struct vcpu *g, *b; /* the guest's, the builder's */

static void start(void)
{
	world_start();
	b = vcpu(0, 0);
	g = vcpu(1, 0);
}

#define GOOD() CHECK_EQ(world_check(), 0)
#define OK(call)                                                               \
	do {                                                                   \
		CHECK_EQ(call, 0);                                             \
		GOOD();                                                        \
	} while (0)
#define NO(call, error)                                                        \
	do {                                                                   \
		CHECK_EQ(call, -(error));                                      \
		GOOD();                                                        \
	} while (0)
#define END() CHECK_EQ(world_end(), 0)

#define PIN(n)  (MMUEXT_PIN_L1_TABLE + (n)-1)
#define UNPIN   MMUEXT_UNPIN_TABLE
#define BASE    MMUEXT_NEW_BASEPTR
#define F(n)    frame(1, n)
#define TYPE(n) frame_type(F(n))
#define USES(n) frame_type_count(F(n))

/* d1 runs on the tree at frame 0: level 4 to level 1 in 0, 1, 2, 3. */
static void run_on_tree(void)
{
	build_tree(1, 0);
	OK(ext(g, BASE, F(0)));
}

static void pins(void)
{
	start();
	build_tree(1, 0);
	table(F(3))[5] = entry(F(9), RW);
	table(F(3))[6] = entry(F(9), RO);
	OK(ext(g, PIN(1), F(3)));
	CHECK_EQ(TYPE(3), FRAME_L1);
	CHECK_EQ(USES(9), 1);
	OK(ext(g, PIN(2), F(2)));
	CHECK_EQ(USES(3), 2);
	OK(ext(g, UNPIN, F(3)));
	OK(ext(g, PIN(4), F(0)));
	OK(ext(g, PIN(3), F(1)));
	NO(ext(g, PIN(3), F(1)), EINVAL);
	NO(ext(g, PIN(2), F(1)), EINVAL);
	NO(ext(g, PIN(4), F(9)), EINVAL);
	NO(ext(g, UNPIN, F(9)), EINVAL);
	NO(ext(g, UNPIN, F(3)), EINVAL);
	OK(ext(g, UNPIN, F(0)));
	CHECK_EQ(TYPE(0), FRAME_NONE);
	CHECK_EQ(TYPE(1), FRAME_L3);
	OK(ext(g, UNPIN, F(1)));
	CHECK_EQ(USES(3), 1);
	OK(ext(g, UNPIN, F(2)));
	CHECK_EQ(USES(9), 0);
	CHECK_EQ(TYPE(3), FRAME_NONE);
	NO(ext(g, UNPIN, F(3)), EINVAL);
	END();
}

/* What no entry may be, in a table to be and in one that is. */
static void refuses_l1(uint64_t e)
{
	table(F(3))[7] = e;
	NO(ext(g, PIN(1), F(3)), EINVAL);
	CHECK_EQ(TYPE(3), FRAME_NONE);
	table(F(3))[7] = 0;
	OK(ext(g, PIN(1), F(3)));
	NO(update(g, F(3), 7, e), EINVAL);
	OK(ext(g, UNPIN, F(3)));
}

static void refused_entries(void)
{
	start();
	refuses_l1(entry(F(9), RW | PTE_G));
	refuses_l1(entry(F(9), RW | PTE_PS));
	refuses_l1(entry(F(9), RO | PTE_PCD));
	refuses_l1(entry(frame(0, 3), RW));
	refuses_l1(entry(frame(0, 3), RO));
	refuses_l1(entry(F(3), RW)); /* itself */
	refuses_l1(entry(_mfn(0x1001), RO));
	refuses_l1(entry(_mfn(0x80000), RO));
	refuses_l1(entry(_mfn(0xfee00), RO));
	refuses_l1(0x000ffffffffff000 | RO);
	/* Bits of its own are no matter, nor is what is not present. */
	OK(ext(g, PIN(1), F(3)));
	OK(update(g, F(3), 7, entry(F(9), RW | 0xe00)));
	OK(update(g, F(3), 8, ~0UL & ~PTE_P));
	NO(update_for(g, DOMID_SELF, mfn_to_maddr(F(60)), 0), EINVAL);
	NO(update_for(g, DOMID_SELF, mfn_to_maddr(frame(0, 3)), 0), EINVAL);
	END();
}

static void refused_tables(void)
{
	start();
	build_tree(1, 0);
	table(F(1))[0] |= PTE_PS;
	NO(ext(g, PIN(4), F(0)), EINVAL);
	table(F(1))[0] &= ~PTE_PS;
	table(F(2))[1] = entry(F(8), RW | PTE_PS);
	NO(ext(g, PIN(4), F(0)), EINVAL);
	table(F(2))[1] = entry(F(1), RO); /* of another level */
	NO(ext(g, PIN(4), F(0)), EINVAL);
	table(F(2))[1] = entry(frame(0, 2), RO);
	NO(ext(g, PIN(4), F(0)), EINVAL);
	table(F(2))[1] = entry(F(2), RW); /* linear, but writable */
	NO(ext(g, PIN(4), F(0)), EINVAL);
	table(F(2))[1] = 0;
	table(F(0))[3] = entry(F(0), RO); /* linear at level 4 */
	NO(ext(g, PIN(4), F(0)), EINVAL);
	table(F(0))[3] = 0;
	for (unsigned int i = 0; i < 4; i++)
		CHECK_EQ(TYPE(i), FRAME_NONE);
	OK(ext(g, PIN(4), F(0)));
	NO(update(g, F(2), 1, entry(F(8), RW | PTE_PS)), EINVAL);
	NO(update(g, F(1), 1, entry(F(8), RW | PTE_PS)), EINVAL);
	NO(update(g, F(0), 3, entry(F(0), RO)), EINVAL);
	NO(update(g, F(0), 3, entry(F(3), RO)), EINVAL);
	NO(update(g, F(2), 3, entry(F(2), RW)), EINVAL);
	END();
}

/* Slots 256 to 271 of level 4 are ours, whatever was there. */
static void hypervisor_slots(void)
{
	start();
	build_tree(1, 0);
	table(F(0))[256] = table(F(0))[265] = entry(F(9), RW);
	OK(ext(g, PIN(4), F(0)));
	CHECK(table(F(0))[256] != entry(F(9), RW));
	CHECK(table(F(0))[265] != entry(F(9), RW));
	NO(update(g, F(0), 256, entry(F(1), RW)), EINVAL);
	NO(update(g, F(0), 271, 0), EINVAL);
	OK(update(g, F(0), 255, entry(F(1), RW)));
	OK(update(g, F(0), 272, entry(F(1), RW)));
	OK(ext(g, BASE, F(0)));
	NO(update_va(g, 0xffff800000000000, entry(F(9), RO)), EINVAL);
	NO(update_va(g, 0xffff83ff00000000, 0), EINVAL);
	NO(update_va(g, 0x0000800000000000, 0), EINVAL);
	NO(update_va(g, 0x00f0000000000000, 0), EINVAL);
	OK(update_va(g, 0xffff880000000000, entry(F(9), RO)));
	END();
}

/* A page is a table or writable, and goes from one to the other through a flush
 * only. */
static void writable_or_table(void)
{
	start();
	run_on_tree();
	NO(update_va(g, 0x1000, entry(F(3), RW)), EINVAL);
	NO(update_va(g, 0x1000, entry(F(0), RW)), EINVAL);
	OK(update_va(g, 0x1000, entry(F(3), RO)));
	OK(update_va(g, 0x2000, entry(F(10), RW)));
	NO(ext(g, PIN(1), F(10)), EINVAL);
	NO(update(g, F(2), 4, entry(F(10), RW)), EINVAL);
	OK(update_va(g, 0x2000, entry(F(10), RO)));
	world_flushes = 0;
	OK(update(g, F(2), 4, entry(F(10), RW)));
	CHECK(world_flushes > 0);
	NO(update_va(g, 0x2000, entry(F(10), RW)), EINVAL);
	OK(update(g, F(2), 4, 0));
	OK(update_va(g, 0x2000, entry(F(10), RW)));
	/* A dirty bit more is no more right; one page for another is. */
	OK(update_va(g, 0x2000, entry(F(10), RW | PTE_NX)));
	OK(update_va(g, 0x2000, entry(F(11), RW)));
	CHECK_EQ(USES(10), 0);
	OK(update_va(g, 0x2000, 0));
	OK(update(g, F(20), 0, 0x1234));
	CHECK_EQ(table(F(20))[0], 0x1234);
	END();
}

static void linear_tables(void)
{
	const uint64_t l2 = 2UL << 39, l2_self = 511UL << 21,
		       l3_self = 510UL << 30;

	start();
	build_tree(1, 0);
	table(F(1))[510] = entry(F(1), RO);
	table(F(2))[511] = entry(F(2), RO);
	OK(ext(g, BASE, F(0)));
	CHECK_EQ(USES(1), 1);
	CHECK_EQ(USES(2), 1);
	/* Where a walk ends in a table of an upper level nothing is changed as
	 * if it were of level 1: the first entries there are tables'. */
	NO(update_va(g, l2_self, entry(F(9), RW)), EINVAL);
	NO(update_va(g, l2_self | 511UL << 12, entry(F(9), RW)), EINVAL);
	NO(update_va(g, l3_self, entry(F(9), RW)), EINVAL);
	NO(update_va(g, l3_self | 510UL << 21, entry(F(9), RW)), EINVAL);
	NO(update_va(g, l3_self | 510UL << 21 | 510UL << 12, 0), EINVAL);
	NO(update_va(g, l2, 0), EINVAL);
	CHECK_EQ(pv_grant_map(g, l2_self, frame(0, 9), 0), GNTST_bad_virt_addr);
	CHECK_EQ(pv_grant_map(g, l3_self, frame(0, 9), 0), GNTST_bad_virt_addr);
	CHECK_EQ(pv_grant_unmap(g, l2_self, F(3), 0), GNTST_bad_virt_addr);
	GOOD();
	/* They go with the table, and one by one. */
	OK(update(g, F(2), 511, 0));
	OK(update(g, F(2), 510, entry(F(2), RO)));
	OK(update(g, F(2), 510, entry(F(2), RO | PTE_NX)));
	NO(update(g, F(2), 510, entry(F(2), RW)), EINVAL);
	OK(update(g, F(1), 0, 0));
	CHECK_EQ(TYPE(2), FRAME_NONE);
	CHECK_EQ(TYPE(3), FRAME_NONE);
	END();
}

static void bases(void)
{
	struct vcpu *second = vcpu(1, 1);

	start();
	build_tree(1, 0);
	build_tree(1, 10);
	OK(ext(g, BASE, F(0)));
	OK(ext(g, BASE, F(0)));
	OK(ext(second, BASE, F(0)));
	CHECK_EQ(USES(0), 2);
	NO(ext(g, BASE, F(1)), EINVAL);
	NO(ext(g, BASE, INVALID_MFN), EINVAL);
	NO(ext(g, BASE, frame(0, 0)), EINVAL);
	NO(ext(g, BASE, _mfn(0)), EINVAL);
	NO(ext(g, MMUEXT_NEW_USER_BASEPTR, INVALID_MFN), EINVAL);
	OK(ext(g, MMUEXT_NEW_USER_BASEPTR, F(10)));
	OK(ext(g, MMUEXT_NEW_USER_BASEPTR, _mfn(0)));
	CHECK_EQ(TYPE(10), FRAME_NONE);
	OK(ext(g, BASE, F(10)));
	CHECK_EQ(USES(0), 1);
	OK(ext(second, BASE, F(10)));
	CHECK_EQ(TYPE(3), FRAME_NONE);
	NO(ext_for(b, 1, BASE, mfn_x(F(0))), EPERM);
	END();
}

static bool is_copy(const struct pv_copy *c, unsigned int n)
{
	bool same = mfn_eq(c->of, F(n));

	for (unsigned int i = 0; i < 512; i++)
		same &= c->l4[i] ==
			(pv_guest_slot(4, i) ? table(F(n))[i] : ~0UL);
	return same;
}

/* The tables in force follow those that the guest gave, but for our slots. */
static void isolated(void)
{
	static uint64_t kernel[512], user[512];
	const struct pv_copies *c = &this_cpu(pv_copies);

	start();
	build_tree(1, 0);
	build_tree(1, 10);
	memset(kernel, 0xff, sizeof(kernel));
	memset(user, 0xff, sizeof(user));
	this_cpu(pv_copies) =
		(struct pv_copies){{user, INVALID_MFN}, {kernel, INVALID_MFN}};
	d_mm(&world[1].d)->isolated = true;
	OK(ext(g, BASE, F(0)));
	CHECK(is_copy(&c->kernel, 0));
	CHECK_EQ(this_cpu(trap_full_cr3), mfn_to_maddr(F(0)));
	OK(ext(g, MMUEXT_NEW_USER_BASEPTR, F(10)));
	pv_isolate(F(10), false);
	CHECK(is_copy(&c->user, 10));
	world_runs_calls = true;
	CHECK_EQ(update(g, F(0), 5, entry(F(11), RW)), 0);
	CHECK_EQ(update(g, F(0), 511, entry(F(1), RW)), 0);
	CHECK_EQ(update(g, F(10), 300, entry(F(1), RW)), 0);
	world_runs_calls = false;
	CHECK(kernel[5] && kernel[511] && user[300]);
	CHECK(is_copy(&c->kernel, 0) && is_copy(&c->user, 10));
	/* Another user table: the old one's copy is none any more. */
	OK(ext(g, MMUEXT_NEW_USER_BASEPTR, F(0)));
	CHECK(mfn_eq(c->user.of, INVALID_MFN));
	OK(ext(g, BASE, F(10)));
	CHECK(is_copy(&c->kernel, 10));
	pv_isolate_end();
	CHECK(mfn_eq(c->kernel.of, INVALID_MFN));
	CHECK_EQ(this_cpu(trap_full_cr3), 0);
	d_mm(&world[1].d)->isolated = false;
	END();
}

/* Frames and tables of somebody else. */
static void foreign(void)
{
	uint64_t at;

	start();
	build_tree(0, 0);
	OK(ext(b, BASE, frame(0, 0)));
	run_on_tree();
	at = mfn_to_maddr(frame(0, 3)) + 8;
	/* The builder may, the guest may not. */
	OK(update_for(b, 1, at, entry(F(20), RW)));
	NO(update_for(b, 1, at, entry(frame(0, 20), RW)), EINVAL);
	OK(update_for(b, DOMID_SELF, at, entry(F(20), RW) | PTE_NX));
	NO(update_for(g, 0, mfn_to_maddr(F(3)), entry(frame(0, 9), RO)), EPERM);
	NO(update_for(g, 1U << 16, at, 0), EPERM);
	NO(update_for(g, DOMID_SELF, at, 0), EINVAL);
	NO(update_for(g, DOMID_IO, mfn_to_maddr(F(3)), 0), EPERM);
	NO(update_for(g, 9, mfn_to_maddr(F(3)), 0), ESRCH);
	NO(ext_for(g, 0, UNPIN, FIRST(0)), EPERM);
	NO(ext_for(g, 2, PIN(1), FIRST(2)), EPERM);
	/* What it maps is no table meanwhile, and no table is mapped. */
	NO(ext(g, PIN(1), F(20)), EINVAL);
	NO(update_for(b, 1, at + 8, entry(F(3), RW)), EINVAL);
	OK(update_for(b, 1, at + 8, entry(F(3), RO)));
	OK(update_for(b, 1, at, entry(F(20), RO)));
	OK(ext(g, PIN(1), F(20)));
	OK(ext(g, UNPIN, F(20)));
	/* The guest's tables by the builder. */
	OK(update_for(b, 2U << 16 | 1, mfn_to_maddr(F(3)) + 64,
		      entry(F(21), RW)));
	OK(ext_for(b, 1, PIN(4), FIRST(1)));
	OK(ext_for(b, 1, UNPIN, FIRST(1)));
	/* A frame that its owner gives back stays while somebody maps it. */
	CHECK(pv_release_frame(&world[1].d, F(20)));
	GOOD();
	CHECK(!pv_release_frame(&world[1].d, F(20)));
	CHECK_EQ(frame_count(F(20)), 1);
	OK(update_for(b, 1, at, 0));
	pv_finish_puts();
	CHECK_EQ(frame_count(F(20)), 0);
	NO(update_for(b, 1, at, entry(F(20), RO)), EINVAL);
	END();
}

/* Frames of another domain's go together, after one flush: when there are many,
 * when time is up, when somebody wants one. */
static void let_go_late(void)
{
	uint64_t at;

	start();
	build_tree(0, 0);
	OK(ext(b, BASE, frame(0, 0)));
	at = mfn_to_maddr(frame(0, 3)) + 8;
	for (unsigned int i = 0; i < 20; i++)
		OK(update_for(b, 1, at + 8 * i, entry(F(20 + i), RW)));
	world_flushes = 0;
	for (unsigned int i = 0; i < 20; i++)
		OK(update_for(b, 1, at + 8 * i, 0));
	CHECK_EQ(world_flushes, 0);
	CHECK_EQ(USES(20), 1);
	CHECK_EQ(TYPE(20), FRAME_WRITABLE);
	CHECK(world_timer);
	world_timer->fn(world_timer->data);
	CHECK_EQ(world_flushes, 1);
	CHECK_EQ(USES(20), 0);
	CHECK_EQ(USES(39), 0);
	/* Their owner wants one. */
	OK(update_for(b, 1, at, entry(F(20), RW)));
	OK(update_for(b, 1, at + 8, entry(F(21), RW)));
	OK(update_for(b, 1, at, 0));
	OK(ext(g, PIN(1), F(20)));
	NO(ext(g, PIN(1), F(21)), EINVAL);
	OK(ext(g, UNPIN, F(20)));
	/* What no processor has used goes at once. */
	CHECK_EQ(update_for(b, 1, at, entry(F(20), RW & ~PTE_A)), 0);
	CHECK_EQ(USES(20), 1);
	OK(update_for(b, 1, at, 0));
	CHECK_EQ(USES(20), 0);
	/* More than are kept. */
	world_flushes = 0;
	for (unsigned int i = 0; i < 400; i++) {
		OK(update_for(b, 1, at, entry(F(20), RW)));
		OK(update_for(b, 1, at, 0));
	}
	CHECK(world_flushes >= 1 && world_flushes <= 4);
	END();
}

static void given_back(void)
{
	start();
	run_on_tree();
	OK(update_va(g, 0x5000, entry(F(20), RW)));
	CHECK(pv_release_frame(&world[1].d, F(20)));
	GOOD();
	CHECK_EQ(pv_m2p_get(F(20)), INVALID_M2P_ENTRY);
	OK(update_va(g, 0x5000, 0));
	pv_finish_puts();
	CHECK_EQ(frame_count(F(20)), 0);
	/* Not mapped any more, but known: forgotten before it is free. */
	OK(update_va(g, 0x6000, entry(F(21), RW)));
	OK(update_va(g, 0x6000, 0));
	CHECK(pv_release_frame(&world[1].d, F(21)));
	CHECK_EQ(frame_count(F(21)), 0);
	GOOD();
	/* A table is given back at its last use. */
	CHECK(pv_release_frame(&world[1].d, F(3)));
	GOOD();
	OK(update(g, F(2), 0, 0));
	CHECK_EQ(frame_count(F(3)), 0);
	CHECK(!pv_release_frame(&world[1].d, frame(0, 1)));
	END();
}

static void m2p(void)
{
	uint64_t at = mfn_to_maddr(F(7)) | MMU_MACHPHYS_UPDATE;

	start();
	CHECK_EQ(pv_m2p_get(F(7)), 7);
	OK(update_for(g, DOMID_SELF, at, 1234));
	CHECK_EQ(pv_m2p_get(F(7)), 1234);
	OK(update_for(g, DOMID_SELF, at, INVALID_M2P_ENTRY));
	OK(update_for(g, DOMID_SELF, at, INVALID_M2P_ENTRY));
	CHECK_EQ(pv_m2p_get(F(7)), INVALID_M2P_ENTRY);
	OK(update_for(b, 1, at, 7));
	NO(update_for(g, 0, mfn_to_maddr(frame(0, 7)) | MMU_MACHPHYS_UPDATE, 7),
	   EPERM);
	NO(update_for(g, DOMID_SELF,
		      mfn_to_maddr(frame(0, 7)) | MMU_MACHPHYS_UPDATE, 7),
	   EINVAL);
	CHECK_EQ(pv_m2p_get(frame(0, 7)), 7);
	CHECK_EQ(pv_m2p_get(_mfn(0x80000)), INVALID_M2P_ENTRY);
	NO(update_for(g, DOMID_SELF, 0x80000000000 | MMU_MACHPHYS_UPDATE, 7),
	   EINVAL);
	END();
}

/* Entries of tables, as grant/ asks for them; it holds the frame, too. */
static void grants(void)
{
	uint64_t pte;

	start();
	run_on_tree();
	pte = mfn_to_maddr(F(3)) + 80;
	CHECK_EQ(pv_grant_map(g, 0x9000, frame(0, 9), 0), GNTST_okay);
	GOOD();
	CHECK_EQ(pv_grant_map(g, pte, frame(0, 9), GNTMAP_contains_pte),
		 GNTST_okay);
	CHECK_EQ(frame_type_count(frame(0, 9)), 2);
	GOOD();
	CHECK_EQ(pv_grant_map(g, pte + 4, frame(0, 9), GNTMAP_contains_pte),
		 GNTST_bad_virt_addr);
	CHECK_EQ(pv_grant_map(g, mfn_to_maddr(F(2)), frame(0, 9),
			      GNTMAP_contains_pte),
		 GNTST_bad_virt_addr);
	CHECK_EQ(pv_grant_map(g, mfn_to_maddr(frame(0, 3)), frame(0, 9),
			      GNTMAP_contains_pte),
		 GNTST_bad_virt_addr);
	CHECK_EQ(pv_grant_map(g, 0x40000000000, frame(0, 9), 0),
		 GNTST_bad_virt_addr);
	CHECK_EQ(pv_grant_unmap(g, 0x9000, frame(0, 8), 0),
		 GNTST_general_error);
	NO(ext(b, PIN(1), frame(0, 9)), EINVAL);
	CHECK_EQ(pv_grant_replace(g, pte, frame(0, 9), 0x9000,
				  GNTMAP_contains_pte),
		 GNTST_general_error);
	CHECK_EQ(pv_grant_unmap(g, pte, frame(0, 9), GNTMAP_contains_pte),
		 GNTST_okay);
	OK(update_va(g, 0xb000, entry(F(20), RW)));
	CHECK_EQ(pv_grant_replace(g, 0x9000, frame(0, 9), 0xb000, 0),
		 GNTST_okay);
	GOOD();
	CHECK_EQ(table(F(3))[9] & PTE_ADDR, mfn_to_maddr(F(20)));
	CHECK_EQ(table(F(3))[11], 0);
	pv_grant_flush(&world[1].d);
	CHECK_EQ(frame_type_count(frame(0, 9)), 0);
	OK(ext(b, PIN(1), frame(0, 9)));
	/* Now a table: a grant of it is no mapping. */
	CHECK_EQ(pv_grant_map(g, 0x9000, frame(0, 9), 0), GNTST_general_error);
	GOOD();
	END();
}

/* By an entry that was never accessed nobody remembers anything; one whose mark
 * the guest takes away is still remembered. */
static void accessed(void)
{
	const uint64_t at = 9 << PAGE_SHIFT;

	start();
	run_on_tree();
	world_flushes = 0;
	CHECK_EQ(update_va(g, at, entry(F(20), RW & ~PTE_A)), 0);
	CHECK_EQ(update_va(g, at, 0), 0);
	CHECK_EQ(pv_grant_map(g, at, F(20), 0), GNTST_okay);
	CHECK_EQ(pv_grant_unmap(g, at, F(20), 0), GNTST_okay);
	pv_grant_flush(&world[1].d);
	OK(ext(g, PIN(1), F(20)));
	CHECK_EQ(world_flushes, 0);
	OK(ext(g, UNPIN, F(20)));
	/* The processor's, up to the moment that it goes. */
	CHECK_EQ(pv_grant_map(g, at, F(21), 0), GNTST_okay);
	table(F(3))[9] |= PTE_A;
	GOOD();
	CHECK_EQ(pv_grant_unmap(g, at, F(21), 0), GNTST_okay);
	OK(ext(g, PIN(1), F(21)));
	OK(update_va(g, at, entry(F(22), RW)));
	CHECK_EQ(update_va(g, at, entry(F(22), RW & ~PTE_A)), 0);
	CHECK_EQ(update_va(g, at, 0), 0);
	OK(ext(g, PIN(1), F(22)));
	END();
}

static void descriptors(void)
{
	const uint64_t code = 0x00affb000000ffff, gate = 0x00008e0000080000;

	start();
	run_on_tree();
	table(F(20))[1] = gate;
	NO(pv_segdesc_get(&world[1].d, F(20)), EINVAL);
	table(F(20))[1] = code;
	CHECK_EQ(pv_segdesc_get(&world[1].d, F(20)), 0);
	g->domain->vcpu[0] = g;
	v_mm(g)->gdt[0] = F(20);
	GOOD();
	NO(update_va(g, 0x5000, entry(F(20), RW)), EINVAL);
	NO(update(g, F(20), 1, gate), EINVAL);
	NO(ext(g, PIN(1), F(20)), EINVAL);
	OK(update_va(g, 0x5000, entry(F(20), RO)));
	pv_release_descriptors(g);
	OK(update_va(g, 0x5000, entry(F(20), RW)));
	NO(pv_segdesc_get(&world[1].d, F(20)), EINVAL);
	NO(pv_segdesc_get(&world[1].d, F(3)), EINVAL);
	NO(pv_segdesc_get(&world[1].d, frame(0, 3)), EINVAL);
	OK(update_va(g, 0x5000, 0));
	OK(update(g, F(20), 1, gate)); /* plain memory again */
	END();
}

/* A tree with two full level 1 tables: more than 1,000 entries. */
static void big_tree(void)
{
	build_tree(1, 0);
	for (unsigned int i = 0; i < 512; i++) {
		table(F(3))[i] = entry(F(10 + i % 8), i % 3 ? RW : RO);
		table(F(4))[i] = entry(F(20 + i % 4), RW);
	}
	table(F(2))[300] = entry(F(4), RW);
}

static void gives_way(void)
{
	start();
	big_tree();
	world_yields = 1000;
	OK(ext(g, PIN(4), F(0)));
	CHECK(world_yields < 985);
	CHECK_EQ(USES(10), 42);
	world_yields = 1000;
	OK(ext(g, UNPIN, F(0)));
	CHECK(world_yields < 985);
	CHECK_EQ(TYPE(0), FRAME_NONE);
	/* The last of 1,000 entries is bad: all goes back. */
	table(F(4))[511] = entry(frame(0, 1), RO);
	world_yields = 1000;
	NO(ext(g, PIN(4), F(0)), EINVAL);
	CHECK(world_yields < 970 && world_yields > 900);
	CHECK_EQ(TYPE(3), FRAME_NONE);
	table(F(4))[511] = 0;
	world_yields = 1000;
	OK(ext(g, BASE, F(0)));
	world_yields = 1000;
	OK(update(g, F(1), 0, 0));
	CHECK_EQ(TYPE(3), FRAME_NONE);
	world_yields = 1000;
	OK(update(g, F(1), 0, entry(F(2), RW)));
	table(F(8))[0] = entry(F(8), RW);
	world_yields = 1000;
	NO(update(g, F(1), 0, entry(F(8), RW)), EINVAL);
	END();
}

/* The first executions of a call that is never finished. */
static long give_up(unsigned int turns, struct vcpu *v, unsigned int cmd,
		    mfn_t mfn)
{
	long rc;

	world_yields = world_restarts = turns;
	rc = ext(v, cmd, mfn);
	world_yields = world_restarts = 0;
	return rc;
}

/* Given up after any number of executions; others meanwhile, then something
 * else by the same vCPU, or its domain's end. */
static void given_up(unsigned int turns, bool bad, bool goes_on)
{
	struct vcpu *other = vcpu(1, 1);

	start();
	big_tree();
	if (bad)
		table(F(4))[500] = entry(F(4), RW);
	NO(give_up(turns, g, PIN(4), F(0)), ERESTART);
	/* Not to be written to; whoever needs it goes on with it. */
	OK(ext(other, PIN(1), F(30)));
	NO(update(other, F(30), 1, entry(F(0), RW)), EINVAL);
	world_yields = turns;
	if (bad) {
		NO(ext(other, PIN(4), F(0)), EINVAL);
		OK(update(other, F(0), 1, 0));
		OK(update(other, F(0), 1, entry(F(1), RW)));
	} else if (turns & 1) {
		OK(ext(other, PIN(4), F(0)));
		OK(ext(other, UNPIN, F(0)));
	} else {
		OK(update(other, F(3), 9, 0));
		OK(update(other, F(0), 1, 0));
	}
	if (goes_on) {
		OK(update(g, F(40), 0, 0));
		CHECK_EQ(USES(0), 0);
		table(F(4))[500] = 0;
		OK(ext(g, PIN(4), F(0)));
		give_up(turns, g, UNPIN, F(0));
		GOOD();
		world_restarts = 3;
		ext(other, PIN(4), F(0));
		world_restarts = 0;
		GOOD();
	}
	END();
}

static void abandons(void)
{
	for (unsigned int turns = 1; turns < 12; turns++)
		for (unsigned int i = 0; i < 4; i++)
			given_up(turns, i & 1, i & 2);
}

static void set_context(void)
{
	long rc;

	start();
	big_tree();
	build_tree(1, 30);
	build_tree(1, 40);
	OK(pv_mm_set_context(g, mfn_x(F(0)), 0));
	OK(pv_mm_set_context(g, mfn_x(F(30)), mfn_x(F(40))));
	OK(pv_mm_set_context(g, mfn_x(F(0)), mfn_x(F(30))));
	/* A large old tree of the kernel's, and no more one of the user's. */
	percpu_softirq_pending = 1;
	while ((rc = pv_mm_set_context(g, mfn_x(F(40)), 0)) == -ERESTART)
		GOOD();
	percpu_softirq_pending = 0;
	CHECK_EQ(rc, 0);
	GOOD();
	CHECK_EQ(TYPE(30), FRAME_NONE);
	END();
}

/* mov %rax, (%rbx) by the guest's kernel, on its own table. */
static const uint8_t store[16] = {0x48, 0x89, 0x03};

static bool stores(uint64_t addr, uint64_t val)
{
	percpu_current = g;
	g->regs.rip = (uint64_t)store;
	g->regs.rbx = addr;
	g->regs.rax = val;
	return pv_table_write(g, addr) && g->regs.rip == (uint64_t)store + 3;
}

static void table_writes(void)
{
	start();
	run_on_tree();
	OK(update_va(g, 0x1000, entry(F(3), RO)));
	OK(update_va(g, 0x2000, entry(F(2), RO)));
	OK(update_va(g, 0x3000, entry(F(20), RO)));
	CHECK(stores(0x1040, entry(F(21), RW)));
	GOOD();
	CHECK_EQ(USES(21), 1);
	world[1].d.vm_assist = 0;
	CHECK(!stores(0x1040, 0));
	world[1].d.vm_assist = BIT(VMASST_TYPE_writable_pagetables);
	CHECK(!stores(0x1040, entry(F(3), RW)));
	CHECK(!stores(0x1040, entry(frame(0, 3), RW)));
	CHECK(!stores(0x1044, 0));  /* two entries */
	CHECK(!stores(0x2008, 0));  /* level 2 */
	CHECK(!stores(0x3008, 0));  /* no table */
	CHECK(!stores(0x50000, 0)); /* not mapped */
	GOOD();
	CHECK_EQ(table(F(3))[8], entry(F(21), RW));
	CHECK(stores(0x1040, 0));
	GOOD();
	CHECK_EQ(USES(21), 0);
	END();
}

/* The checker sees a count that is wrong, either way. */
static void checker(void)
{
	uint64_t *w;

	start();
	run_on_tree();
	OK(update_va(g, 0x1000, entry(F(20), RW)));
	CHECK_EQ(pv_check_domain(&world[1].d), 0);
	w = &mfn_to_frame(F(3))->word;
	*w += FRAME_TONE;
	CHECK_EQ(pv_check_domain(&world[1].d), 1);
	CHECK(strstr(host_log, "d1: frame 243 has type 2 with 2 uses"));
	*w -= 2 * FRAME_TONE;
	CHECK_EQ(pv_check_domain(&world[1].d), 1);
	*w += FRAME_TONE;
	table(F(3))[2] = entry(F(20), RW); /* behind its back */
	CHECK_EQ(pv_check_domain(&world[1].d), 1);
	table(F(3))[2] = entry(F(3), RW);
	CHECK_EQ(pv_check_domain(&world[1].d), 1);
	table(F(3))[2] = 0;
	host_log[0] = '\0';
	END();
}

static const struct test_case cases[] = {
	{"tables of each level are pinned and unpinned", pins},
	{"entries that none may be", refused_entries},
	{"tables that none may be", refused_tables},
	{"the hypervisor's slots", hypervisor_slots},
	{"a page is a table or writable", writable_or_table},
	{"tables that map themselves", linear_tables},
	{"bases of vCPUs", bases},
	{"isolated tables", isolated},
	{"frames and tables of others", foreign},
	{"frames of others go together", let_go_late},
	{"frames given back", given_back},
	{"the machine-to-physical table", m2p},
	{"granted frames", grants},
	{"what was never accessed", accessed},
	{"descriptor tables", descriptors},
	{"long work gives way", gives_way},
	{"long work given up", abandons},
	{"a new context takes both bases", set_context},
	{"stores into tables", table_writes},
	{"the checker finds what is wrong", checker},
};

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* a BUG ends the process */
	return RUN_CASES(cases);
}
