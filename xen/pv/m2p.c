/* SPDX-License-Identifier: MIT */
/*
 * The machine-to-physical table: for each machine frame the pseudo-physical
 * number that its PV owner gave it (public/xen.h, machine_to_phys_mapping).
 * Guests read it at M2P_VIRT_START. Only where a PV domain has frames are there
 * pages behind it; all others are one page of invalid entries.
 */
#include "pv/pv.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"
#include "mem/map.h"

#define PER_PAGE (PAGE_SIZE / sizeof(uint64_t))
#define TABLE    (PTE_P | PTE_US | PTE_A)
#define LEAF     (PTE_P | PTE_US | PTE_A | PTE_NX)

/* A table of level 1, and how many valid entries each of its pages has. */
struct leaf {
	uint64_t *table;
	uint16_t used[512];
};

static uint64_t slot_entry; /* of level 4 */
static struct leaf *leaves;
static uint64_t nobody; /* the entry of the page of invalid ones */
static spinlock_t m2p_lock = SPINLOCK_INIT(LOCK_MAP);

static void *new_page(void)
{
	return alloc_page_virt(ALLOC_ZERO);
}

static uint64_t entry_of(const void *page, uint64_t flags)
{
	return virt_to_maddr(page) | flags;
}

/* One level 1 table more, entered in the levels above. */
static int __init add_leaves(uint64_t *l3, uint64_t i)
{
	uint64_t *l2, *e3 = &l3[i / 512], *table = new_page();

	if (!table)
		return -ENOMEM;
	if (!*e3) {
		l2 = new_page();
		if (!l2)
			return -ENOMEM;
		*e3 = entry_of(l2, TABLE);
	}
	l2 = maddr_to_virt(*e3 & PTE_ADDR);
	l2[i % 512] = entry_of(table, TABLE);
	for (unsigned int n = 0; n < 512; n++)
		table[n] = nobody;
	leaves[i].table = table;
	return 0;
}

int __init pv_m2p_init(void)
{
	uint64_t pages = mfn_x(max_mfn()) / PER_PAGE + 1;
	uint64_t tables = DIV_ROUND_UP(pages, 512);
	uint64_t *l3 = new_page(), *none = new_page();

	leaves = xnew_array(struct leaf, tables);
	if (!l3 || !none || !leaves)
		return -ENOMEM;
	memset(none, 0xff, PAGE_SIZE);
	nobody = entry_of(none, LEAF);
	for (uint64_t i = 0; i < tables; i++) {
		int rc = add_leaves(l3, i);

		if (rc)
			return rc;
	}
	slot_entry = entry_of(l3, TABLE);
	return 0;
}

static struct leaf *leaf_of(mfn_t mfn)
{
	uint64_t page = mfn_x(mfn) / PER_PAGE;

	return &leaves[page / 512];
}

/* The table's word for mfn; the lock is held. A page more or less is known to
 * the CPUs when they flush, which *changed asks for. */
static uint64_t *word_at(mfn_t mfn, bool *changed)
{
	struct leaf *l = leaf_of(mfn);
	uint64_t n = mfn_x(mfn) / PER_PAGE % 512, *page;

	if (l->table[n] == nobody) {
		page = new_page();
		if (!page)
			return NULL;
		memset(page, 0xff, PAGE_SIZE);
		WRITE_ONCE(l->table[n], entry_of(page, LEAF));
		*changed = true;
	}
	page = maddr_to_virt(l->table[n] & PTE_ADDR);
	return &page[mfn_x(mfn) % PER_PAGE];
}

/* One valid entry more or less; the page that has none any more, or NULL. */
static void *count_entry(mfn_t mfn, int by, bool *changed)
{
	struct leaf *l = leaf_of(mfn);
	uint64_t n = mfn_x(mfn) / PER_PAGE % 512;
	void *page;

	l->used[n] = (uint16_t)(l->used[n] + by);
	if (l->used[n])
		return NULL;
	page = maddr_to_virt(l->table[n] & PTE_ADDR);
	WRITE_ONCE(l->table[n], nobody);
	*changed = true;
	return page;
}

int pv_m2p_set(mfn_t mfn, uint64_t pfn)
{
	bool changed = false, valid = pfn != INVALID_M2P_ENTRY, was;
	void *unused = NULL;
	uint64_t *w;

	if (!valid && pv_m2p_get(mfn) == INVALID_M2P_ENTRY)
		return 0;
	spin_lock(&m2p_lock);
	w = word_at(mfn, &changed);
	if (w) {
		was = *w != INVALID_M2P_ENTRY;
		WRITE_ONCE(*w, pfn);
		if (was != valid)
			unused = count_entry(mfn, valid ? 1 : -1, &changed);
	}
	spin_unlock(&m2p_lock);
	/* CPUs that read there before remember another page. */
	if (changed)
		pv_flush_m2p();
	if (unused)
		free_page_virt(unused);
	return w ? 0 : -ENOMEM;
}

uint64_t pv_m2p_get(mfn_t mfn)
{
	uint64_t *page;

	if (!mfn_valid(mfn))
		return INVALID_M2P_ENTRY;
	page = maddr_to_virt(leaf_of(mfn)->table[mfn_x(mfn) / PER_PAGE % 512] &
			     PTE_ADDR);
	return READ_ONCE(page[mfn_x(mfn) % PER_PAGE]);
}

void pv_fill_slots(uint64_t *l4)
{
	const uint64_t *host = maddr_to_virt(host_cr3);

	l4[HYPERVISOR_FIRST_SLOT] = slot_entry;
	for (unsigned int i = HYPERVISOR_FIRST_SLOT + 1;
	     i <= HYPERVISOR_LAST_SLOT; i++)
		l4[i] = host[i];
}
