/* SPDX-License-Identifier: MIT */
/*
 * A PV guest's memory: what no page table may have in it, and who may not be
 * written to. Writable mappings of tables, descriptors and others' frames;
 * tables that map themselves; the hypervisor's part of level 4; large pages;
 * addresses that are none; frames given back or granted while they are tables;
 * another domain's tables. Then two vCPUs want one frame as two things at once,
 * make and unmake one tree together, and one is taken down in the middle of it.
 * The documented error, or a fault, is what must come, and at the end all pages
 * must be the guest's own again.
 */
#include "../../../guests/pv/pv.h"
#include "test.h"
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

const char guest_name[] = "pv-memory";

#define NONCANONICAL 0x0000800000000000ul
#define LOCAL_APIC   0xfee00ul
#define RO           (PTE_P | PTE_US | PTE_A)
#define RW           (RO | PTE_RW | PTE_D)
#define PTE_PS       0x80ul
#define PTE_G        0x100ul /* Xen's own, in a page of level 1 */
#define CODE         0x00affb000000ffff

/* Level 4 to 1: trees of the test's own, not in use unless it says so. */
static uint64_t l4[512] PAGE_ALIGNED, l3[512] PAGE_ALIGNED,
	l2[512] PAGE_ALIGNED, l1[4][512] PAGE_ALIGNED;
static uint64_t page[512] PAGE_ALIGNED, other[512] PAGE_ALIGNED;

static uint64_t entry(const void *p, uint64_t flags)
{
	return frame_of(p) * PAGE_SIZE | flags;
}

static long set(const uint64_t *table, unsigned int index, uint64_t val)
{
	struct mmu_update u = {.ptr = entry(table, index * 8ul), .val = val};

	return mmu_update(&u, 1);
}

static long pin(unsigned int level, const uint64_t *table)
{
	return pv_mmuext(MMUEXT_PIN_L1_TABLE + level - 1, frame_of(table));
}

static long unpin(const uint64_t *table)
{
	return pv_mmuext(MMUEXT_UNPIN_TABLE, frame_of(table));
}

/* Somewhere else in the address space: a frame with those flags. */
static long alias(uint64_t frame, uint64_t flags)
{
	return pv_map(window_slot(1), frame * PAGE_SIZE | flags);
}

static void refused(long rc, const char *what)
{
	check(rc < 0, "%s is refused (%ld)", what, rc);
}

static void all_read_only(void)
{
	uint64_t *const tables[] = {l4, l3, l2, l1[0], l1[1], l1[2], l1[3]};

	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++) {
		pv_protect(tables[i], RW);
		memset(tables[i], 0, PAGE_SIZE);
		pv_protect(tables[i], RO);
	}
}

/* A tree of all of them, the four of level 1 full of read-only pages. */
static void make_tree(void)
{
	all_read_only();
	set(l4, 0, entry(l3, RW));
	set(l3, 0, entry(l2, RW));
	for (unsigned int i = 0; i < ARRAY_SIZE(l1); i++) {
		pv_protect(l1[i], RW);
		for (unsigned int n = 0; n < 512; n++)
			l1[i][n] = entry(n & 1 ? page : other, RO);
		pv_protect(l1[i], RO);
		set(l2, i, entry(l1[i], RW));
	}
}

static bool all_writable(void)
{
	uint64_t *const tables[] = {l4, l3, l2, l1[0], l1[1], l1[2], l1[3]};

	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		if (pv_protect(tables[i], RW))
			return false;
	return true;
}

static void store(void *p)
{
	*(volatile uint64_t *)p = 0;
}

/* Tables, descriptors and what is not ours, writable. */
static void writable_mappings(void)
{
	const uint64_t *base = (const uint64_t *)start_info->pt_base;

	refused(alias(frame_of(base), RW), "a writable level 4 table");
	refused(alias(base[0] >> 12 & 0xffffffffff, RW),
		"a writable level 3 table");
	check_rc(alias(frame_of(base), RO), 0, "it can be read");
	check(*(uint64_t *)window_slot(1) == base[0], "and is what it is");
	check_rc(try_call(store, window_slot(1)), 14, "a store into it");
	check_rc(pin(1, l1[0]), 0, "a level 1 table");
	refused(pv_protect(l1[0], RW), "its page, writable,");
	check_rc(unpin(l1[0]), 0, "it is none any more");
	check_rc(pv_protect(l1[0], RW), 0, "and can be written");
	refused(pin(1, l1[0]), "a writable page as a table");
	check_rc(pv_protect(l1[0], RO), 0, "read-only again");
	refused(alias(LOCAL_APIC, RW), "the local APIC");
	refused(alias(0xfffffffffful, RW), "a frame that is none");
	refused(alias(0x10000000ul, RO), "a frame beyond memory");
}

static void load_fs(uint16_t sel)
{
	__asm__ volatile("movl %0, %%fs" ::"r"((uint32_t)sel));
}

static void descriptor_tables(void)
{
	unsigned long frames[1] = {frame_of(page)};
	struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
			       .arg1.linear_addr = (unsigned long)other,
			       .arg2.nr_ents = 512};

	page[1] = other[1] = CODE | 1ul << 41;
	pv_protect(page, RO);
	pv_protect(other, RO);
	check_rc(hc(__HYPERVISOR_set_gdt, frames, 512), 0, "a GDT");
	refused(alias(frames[0], RW), "a writable GDT");
	refused(pin(1, page), "a GDT as a table");
	refused(set(page, 2, 0x00008e0000080000), "a gate by mmu_update");
	check_rc(hc(__HYPERVISOR_set_gdt, 0, 0), 0, "no GDT");
	check_rc(alias(frames[0], RW), 0, "its page can be written now");
	alias(0, 0);
	check_rc(mmuext_op(&op, 1), 0, "an LDT");
	load_fs(1 << 3 | 7);
	refused(alias(frame_of(other), RW), "a writable LDT");
	load_fs(0);
	op.arg2.nr_ents = 0;
	check_rc(mmuext_op(&op, 1), 0, "no LDT");
	check_rc(alias(frame_of(other), RW), 0, "its page can be written now");
	alias(0, 0);
	op.arg2.nr_ents = 8193;
	refused(mmuext_op(&op, 1), "an LDT too long");
	pv_protect(page, RW);
	pv_protect(other, RW);
	memset(page, 0, PAGE_SIZE);
	memset(other, 0, PAGE_SIZE);
}

/* What a table may not have, before it is one and after. */
static void entries(void)
{
	all_read_only();
	check_rc(set(l1[0], 7, entry(l1[0], RW)), 0, "a plain page's word");
	refused(pin(1, l1[0]), "a table that maps itself writable");
	set(l1[0], 7, 0);
	set(l2, 0, entry(page, RW | PTE_PS));
	refused(pin(2, l2), "a table with a 2 MiB page");
	set(l2, 0, entry(page, RW));
	refused(pin(2, l2), "a table over a writable page");
	set(l2, 0, 0xfffffffffful << 12 | RW);
	refused(pin(2, l2), "a table over no memory");
	set(l2, 0, 0);
	check_rc(pin(2, l2), 0, "an empty table");
	refused(set(l2, 0, entry(page, RW | PTE_PS)), "a 2 MiB page");
	refused(set(l2, 0, entry(l2, RW)), "itself, writable");
	refused(set(l2, 0, entry(start_info, RW)), "no table");
	check_rc(set(l2, 0, entry(l1[0], RW)), 0, "a table below");
	refused(pin(1, l2), "another level");
	refused(pin(2, l2), "a second pin");
	refused(unpin(l1[0]), "to unpin what is not");
	refused(pv_mmuext(MMUEXT_CLEAR_PAGE, frame_of(l2)), "to clear it");
	refused(set(l2, 0, entry(l1[1], RW | PTE_PS)), "a large page for it");
	check_rc(unpin(l2), 0, "no table any more");
	set(l3, 0, entry(page, RW | PTE_PS));
	refused(pin(3, l3), "a table with a 1 GiB page");
	set(l3, 0, 0);
}

static void linear_tables(void)
{
	const uint64_t at = 4ul << 39, self = at + (1ul << 21) + (1ul << 12);

	all_read_only();
	set(l2, 1, entry(l2, RO));
	set(l2, 0, entry(l1[0], RW));
	set(l3, 0, entry(l2, RW));
	set(l3, 1, entry(l3, RO));
	check_rc(pin(3, l3), 0, "tables that map themselves");
	check_rc(set((const uint64_t *)start_info->pt_base, 4, entry(l3, RW)),
		 0, "are in use");
	check(*(uint64_t *)self == l2[0], "by its own entry a table is memory");
	check_rc(try_call(store, (void *)self), 14, "which is not written to");
	/* The walk for these ends in an entry of level 2 or 3. */
	refused(pv_map((void *)(at + (1ul << 21)), entry(page, RW)),
		"a page in a table of level 2");
	refused(pv_map((void *)(at + (1ul << 30) + (1ul << 21)),
		       entry(page, RW)),
		"a page in a table of level 3");
	refused(set(l2, 1, entry(l2, RW)), "a writable linear entry");
	check_rc(set((const uint64_t *)start_info->pt_base, 4, 0), 0,
		 "no longer");
	check_rc(unpin(l3), 0, "they go with themselves");
	check(all_writable(), "and are pages again");
}

static void hypervisor_slots(void)
{
	const uint64_t *base = (const uint64_t *)start_info->pt_base;

	all_read_only();
	refused(set(base, 256, entry(l3, RW)), "slot 256");
	refused(set(base, 261, 0), "slot 261");
	refused(set(base, 271, entry(l3, RO)), "slot 271");
	set(l4, 262, entry(page, RW));
	check_rc(pin(4, l4), 0, "a table with an entry there");
	check(l4[262] != entry(page, RW), "does not keep it");
	check_rc(unpin(l4), 0, "it is unpinned");
	refused(pv_map((void *)MACH2PHYS_VIRT_START, entry(page, RO)),
		"a page in the hypervisor's part");
	refused(pv_map((void *)0xffff830000000000, 0), "and taking one away");
	check_rc(pin(3, l3), 0, "a table of level 3");
	refused(pv_mmuext(MMUEXT_NEW_BASEPTR, frame_of(l3)), "as a base");
	check_rc(unpin(l3), 0, "it is none any more");
	refused(pv_mmuext(MMUEXT_NEW_BASEPTR, ~0ul), "a base that is none");
	refused(pv_mmuext(MMUEXT_NEW_USER_BASEPTR, ~0ul >> 12),
		"a user's base that is none");
}

static void addresses(void)
{
	refused(pv_map((void *)NONCANONICAL, entry(page, RO)),
		"a page at no address");
	refused(pv_map((void *)(5ul << 39), entry(page, RO)),
		"a page where there is no table");
	check_rc(hc(__HYPERVISOR_mmu_update, NONCANONICAL, 1, 0, DOMID_SELF),
		 -XEN_EFAULT, "a list at no address");
	check_rc(hc(__HYPERVISOR_mmu_update, 0xffff830000000000, 1, 0,
		    DOMID_SELF),
		 -XEN_EFAULT, "a list in the hypervisor");
	check_rc(hc(__HYPERVISOR_mmuext_op, NONCANONICAL, 1, 0, DOMID_SELF),
		 -XEN_EFAULT, "operations at no address");
	check_rc(pv_mmuext(99, 0), -XEN_ENOSYS, "an unknown operation");
	check_rc(pv_mmuext(MMUEXT_INVLPG_LOCAL, NONCANONICAL), 0,
		 "to forget no address");
	check_rc(hc(__HYPERVISOR_mmu_update, 0, 0, 0, DOMID_SELF), 0,
		 "an empty list");
}

static void others(void)
{
	struct mmu_update u = {.ptr = entry(l1[0], 0), .val = 0};
	struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE,
			       .arg1.mfn = frame_of(l1[0])};

	check_rc(hc(__HYPERVISOR_mmu_update, &u, 1, 0, 7001ul << 16),
		 -XEN_ESRCH, "tables of a domain that is none");
	check_rc(hc(__HYPERVISOR_mmu_update, &u, 1, 0, 7000), -XEN_ESRCH,
		 "frames of a domain that is none");
	check_rc(hc(__HYPERVISOR_mmuext_op, &op, 1, 0, 7000), -XEN_ESRCH,
		 "a pin for a domain that is none");
	check_rc(hc(__HYPERVISOR_update_va_mapping_otherdomain, page,
		    entry(page, RW), 0, 7000),
		 -XEN_ESRCH, "a page of a domain that is none");
}

/* A page that is a table is given back: it stays one, and goes when it is none.
 */
static void given_back(void)
{
	xen_pfn_t list[1] = {(unsigned long)l1[3] / PAGE_SIZE};
	struct xen_memory_reservation r = {.nr_extents = 1,
					   .domid = DOMID_SELF};
	uint64_t frame = frame_of(l1[3]);

	all_read_only();
	check_rc(pin(1, l1[3]), 0, "a table");
	pv_map(l1[3], 0);
	list[0] = frame;
	set_xen_guest_handle(r.extent_start, list);
	check_rc(memory_op(XENMEM_decrease_reservation, &r), 1,
		 "is given back");
	refused(alias(frame, RW), "it is not writable for that");
	check_rc(pv_mmuext(MMUEXT_UNPIN_TABLE, frame), 0, "until it is none");
	refused(alias(frame, RW), "then it is nobody's, which");
	refused(alias(frame, RO), "even to read,");
	list[0] = (unsigned long)l1[3] / PAGE_SIZE;
	check_rc(memory_op(XENMEM_populate_physmap, &r), 1, "another comes");
	((uint64_t *)start_info->mfn_list)[(unsigned long)l1[3] / PAGE_SIZE] =
		list[0];
	check_rc(pv_protect(l1[3], RW), 0, "in its place");
}

static long reservation(void)
{
	domid_t self = DOMID_SELF;

	return memory_op(XENMEM_current_reservation, &self);
}

/* n frames from old[] against as many; how many went. */
static unsigned long exchange(xen_pfn_t *old, unsigned int n,
			      unsigned int order)
{
	static xen_pfn_t new[2];
	struct xen_memory_exchange x = {
		.in = {.nr_extents = n, .domid = DOMID_SELF},
		.out = {.nr_extents = n >> order,
			.extent_order = order,
			.domid = DOMID_SELF},
	};

	new[0] = (unsigned long)l1[2] / PAGE_SIZE;
	set_xen_guest_handle(x.in.extent_start, old);
	set_xen_guest_handle(x.out.extent_start, new);
	memory_op(XENMEM_exchange, &x);
	if (x.nr_exchanged)
		((uint64_t *)start_info
			 ->mfn_list)[(unsigned long)l1[2] / PAGE_SIZE] = new[0];
	return x.nr_exchanged;
}

/* Who exchanges frames has no more of them afterwards. */
static void exchanged(void)
{
	xen_pfn_t old[2] = {frame_of(l1[2]), frame_of(l1[2])};
	long before = reservation();

	check(!exchange(old, 1, 0), "a mapped frame is not exchanged");
	pv_map(l1[2], 0);
	check(!exchange(old, 2, 1), "nor is one twice");
	old[1] = 0xfffffffffful;
	check(!exchange(old, 2, 1), "nor one that is none");
	check_rc(reservation(), before, "there are as many as before");
	check(exchange(old, 1, 0) == 1, "one that is not mapped is");
	check_rc(reservation(), before, "there are as many still");
	check_rc(pv_protect(l1[2], RW), 0, "the new one is mapped");
	check(frame_of(l1[2]) != old[0], "and is another");
}

static long map_grant(unsigned int ref, const void *at, uint32_t flags)
{
	struct gnttab_map_grant_ref m = {.host_addr = (unsigned long)at,
					 .flags = flags | GNTMAP_host_map,
					 .ref = ref,
					 .dom = own_domid()};

	if (grant_table_op(GNTTABOP_map_grant_ref, &m, 1))
		return -1;
	if (m.status == GNTST_okay) {
		struct gnttab_unmap_grant_ref u = {.host_addr = m.host_addr,
						   .handle = m.handle};

		grant_table_op(GNTTABOP_unmap_grant_ref, &u, 1);
		return u.status;
	}
	return m.status;
}

static void grants(void)
{
	struct gnttab_copy c = {.len = 8, .flags = GNTCOPY_source_gref};

	all_read_only();
	if (!check(grant_table(), "a grant table"))
		return;
	grant_access(8, own_domid(), frame_of(l1[0]), false);
	grant_access(9, own_domid(), frame_of(page), false);
	check_rc(pin(1, l1[0]), 0, "a table that was granted");
	refused(map_grant(8, window_slot(1), 0), "its mapping");
	check_rc(map_grant(8, window_slot(1), GNTMAP_readonly), 0,
		 "reading it is all right");
	refused(map_grant(9, (void *)entry(l2, 0), GNTMAP_contains_pte),
		"a grant in no table");
	check_rc(pin(2, l2), 0, "a table of level 2");
	refused(map_grant(9, (void *)entry(l2, 0), GNTMAP_contains_pte),
		"a grant in it");
	refused(map_grant(9, (void *)NONCANONICAL, 0), "a grant nowhere");
	refused(map_grant(9, (void *)0xffff830000000000, 0),
		"a grant in the hypervisor");
	c.source.u.ref = 9;
	c.source.domid = own_domid();
	c.dest.u.gmfn = frame_of(l1[0]);
	c.dest.domid = DOMID_SELF;
	check_rc(grant_table_op(GNTTABOP_copy, &c, 1), 0, "a copy");
	check(c.status < 0, "into a table is refused (%d)", c.status);
	check_rc(unpin(l1[0]), 0, "the table is none");
	check_rc(map_grant(8, window_slot(1), 0), 0, "the grant is mapped");
	check_rc(unpin(l2), 0, "nor is the other");
	check(grant_end(8) && grant_end(9), "the grants end");
}

/* Stores into a table that are done for whoever asked for that. */
static void table_writes(void)
{
	uint64_t *seen = window_slot(2);

	all_read_only();
	check_rc(pv_map(seen, entry(l1[0], RO)), 0, "a page");
	check_rc(pin(1, l1[0]), 0, "a table");
	check_rc(hc(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
		    VMASST_TYPE_writable_pagetables),
		 0, "writable page tables");
	check_rc(try_call(store, &seen[3]), -1, "the store is done");
	seen[3] = entry(page, RO);
	check((l1[0][3] & ~PTE_G) == entry(page, RO),
	      "a page is mapped by it (%lx)", l1[0][3]);
	__asm__ volatile("lock btsq $9, %0" : "+m"(seen[3])::"memory");
	check((l1[0][3] & ~PTE_G) == (entry(page, RO) | 0x200),
	      "a bit is set by it (%lx)", l1[0][3]);
	pv_map(seen, entry(l2, RO));
	check_rc(pin(2, l2), 0, "a table of level 2");
	check_rc(try_call(store, &seen[3]), 14, "for which it is not done");
	check_rc(unpin(l1[0]), 0, "it is none");
	check_rc(unpin(l2), 0, "nor is that");
	pv_map(seen, 0);
}

/* Two vCPUs. What the second does, until it is told something else. */
enum { NOTHING, WRITE, TREES, DOWN };
static volatile unsigned int wanted, doing, written, pinned;
extern const uint8_t store_here[], store_end[];

/* The second vCPU's stores, to a mapping that may be gone. */
static void on_fault(struct trap_frame *f)
{
	if (f->rip == (unsigned long)store_here)
		f->rip = (unsigned long)store_end;
	else
		check(false, "a fault at %lx, error %lx", f->rip, f->error);
}

static __attribute__((noinline)) void store_at(volatile uint64_t *p, uint64_t v)
{
	__asm__ volatile(".globl store_here, store_end\n"
			 "store_here: movq %1, (%0)\n"
			 "store_end:\n"
			 :
			 : "r"(p), "r"(v)
			 : "memory");
}

/* Maps the page writable, stores, lets go without a flush of its own, and tries
 * to store again. What is there is never a present entry. */
static void write_once(void)
{
	volatile uint64_t *p = window_slot(3);

	if (hc(__HYPERVISOR_update_va_mapping, p, entry(l1[0], RW), 0)) {
		/* A line on the console, which takes its time. */
		for (unsigned int i = 0; i < 2000; i++)
			__asm__ volatile("pause");
		return;
	}
	written++;
	for (unsigned int i = 0; i < 20; i++)
		store_at(p, i * 2);
	hc(__HYPERVISOR_update_va_mapping, p, 0, 0);
	for (unsigned int i = 0; i < 200; i++)
		store_at(p, i * 2);
}

static void second(unsigned int id)
{
	for (;;) {
		unsigned int what = wanted;

		doing = what;
		if (what == WRITE)
			write_once();
		else if (what == TREES)
			pinned += (pin(4, l4) == 0) + (unpin(l4) == 0);
		else if (what == DOWN)
			vcpu_op(VCPUOP_down, id, NULL);
		else
			__asm__ volatile("pause");
	}
}

static bool tell(unsigned int what)
{
	uint64_t end = system_time() + 10000000000;

	wanted = what;
	while (doing != what)
		if (system_time() > end)
			return false;
	return true;
}

/* While it is a table nobody writes to it. */
static void table_or_writable(void)
{
	unsigned int changed = 0, tables = 0;

	all_read_only();
	trap_handler(14, on_fault);
	if (!check(tell(WRITE), "the second vCPU writes"))
		return;
	for (unsigned int i = 0; i < 20000 && (tables < 50 || written < 50);
	     i++) {
		volatile const uint64_t *p = l1[0];
		uint64_t first;

		if (pin(1, l1[0]))
			continue;
		tables++;
		first = *p;
		for (unsigned int n = 0; n < 500; n++)
			changed += *p != first;
		unpin(l1[0]);
	}
	check(tell(NOTHING), "the second vCPU stops");
	trap_handler(14, NULL);
	check(tables && written, "a table %u times, written %u times", tables,
	      written);
	check(!changed, "never both (%u)", changed);
	check_rc(pv_protect(l1[0], RW), 0, "it is a page again");
}

static void one_tree_together(void)
{
	unsigned int mine = 0;

	make_tree();
	pinned = 0;
	if (!check(tell(TREES), "the second vCPU pins a tree"))
		return;
	for (unsigned int i = 0; i < 3000 && (mine < 20 || pinned < 20); i++)
		mine += (pin(4, l4) == 0) + (unpin(l4) == 0);
	check(mine && pinned, "so does the first: %u and %u times", mine,
	      pinned);
}

/* The second vCPU stops anywhere in its hypercall, and the first goes on. */
static void abandoned(void)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < 16; i++) {
		long rc;

		for (unsigned int n = 0; n < i * 2000; n++)
			__asm__ volatile("pause");
		vcpu_op(VCPUOP_down, 1, NULL);
		rc = pin(4, l4);
		if (rc) /* it was already */
			unpin(l4);
		else
			rc = unpin(l4);
		done += !rc || !pin(4, l4);
		unpin(l4);
		vcpu_op(VCPUOP_up, 1, NULL);
	}
	check(done == 16, "what a stopped vCPU left can be gone on with (%u)",
	      done);
	check(tell(NOTHING), "it goes on itself");
	unpin(l4);
	refused(unpin(l4), "to unpin what is not");
	check(all_writable(), "all are pages again");
}

static void two_vcpus(void)
{
	if (vcpu_op(VCPUOP_is_up, 1, NULL) == -XEN_ENOENT) {
		skip("there is one vCPU only", "races of two");
		return;
	}
	if (!check_rc(smp_boot(1, second), 0, "a second vCPU"))
		return;
	table_or_writable();
	one_tree_together();
	abandoned();
	wanted = DOWN;
}

void guest_main(void)
{
	window_map(0, frame_of(page), WINDOW_RO);
	all_read_only();
	writable_mappings();
	descriptor_tables();
	entries();
	linear_tables();
	hypervisor_slots();
	addresses();
	others();
	given_back();
	exchanged();
	grants();
	table_writes();
	two_vcpus();
}
