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

static uint64_t slot_entry; /* of level 4 */
static uint64_t **leaves;   /* tables of level 1 */
static uint64_t nobody;     /* the entry of the page of invalid ones */
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
	leaves[i] = table;
	return 0;
}

int __init pv_m2p_init(void)
{
	uint64_t pages = mfn_x(max_mfn()) / PER_PAGE + 1;
	uint64_t tables = DIV_ROUND_UP(pages, 512);
	uint64_t *l3 = new_page(), *none = new_page();

	leaves = xnew_array(uint64_t *, tables);
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

/* A page of its own for the entries around mfn. CPUs that read there before
 * remember the other. */
static uint64_t *own_page(uint64_t *e)
{
	uint64_t *page = new_page();
	bool used;

	if (!page)
		return NULL;
	memset(page, 0xff, PAGE_SIZE);
	spin_lock(&m2p_lock);
	used = *e == nobody;
	if (used)
		WRITE_ONCE(*e, entry_of(page, LEAF));
	spin_unlock(&m2p_lock);
	if (used)
		pv_flush_cpus(&cpu_online_map);
	else
		free_page_virt(page);
	return maddr_to_virt(*e & PTE_ADDR);
}

static uint64_t *leaf_of(mfn_t mfn)
{
	uint64_t page = mfn_x(mfn) / PER_PAGE;

	return &leaves[page / 512][page % 512];
}

int pv_m2p_set(mfn_t mfn, uint64_t pfn)
{
	uint64_t *e = leaf_of(mfn), *page;

	if (*e == nobody && pfn == INVALID_M2P_ENTRY)
		return 0;
	page = *e == nobody ? own_page(e) : maddr_to_virt(*e & PTE_ADDR);
	if (!page)
		return -ENOMEM;
	WRITE_ONCE(page[mfn_x(mfn) % PER_PAGE], pfn);
	return 0;
}

uint64_t pv_m2p_get(mfn_t mfn)
{
	uint64_t *page;

	if (!mfn_valid(mfn))
		return INVALID_M2P_ENTRY;
	page = maddr_to_virt(*leaf_of(mfn) & PTE_ADDR);
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
