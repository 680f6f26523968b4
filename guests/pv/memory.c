/* SPDX-License-Identifier: MIT */
/*
 * The guest's page tables, and what needs them: the window (level 4 slot 1, one
 * table), the tables of user mode, the grant table.
 */
#include "pv.h"
#include <xen/grant_table.h>

#define WINDOW_BASE    (1ul << 39)
#define FLAGS_TABLE    (PTE_P | PTE_RW | PTE_US | PTE_A)
#define FLAGS_PAGE     (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define FIRST_XEN_SLOT 256
#define LAST_XEN_SLOT  271

static uint64_t window[3][512] PAGE_ALIGNED; /* levels 3, 2, 1 */
static uint64_t user_l4[512] PAGE_ALIGNED;
static uint8_t grant_frames[GRANT_FRAMES][4096] PAGE_ALIGNED;

unsigned long frame_of(const void *p)
{
	const uint64_t *p2m = (const uint64_t *)start_info->mfn_list;

	return p2m[(unsigned long)p / PAGE_SIZE];
}

long pv_map(const void *va, uint64_t pte)
{
	return hc(__HYPERVISOR_update_va_mapping, va, pte,
		  UVMF_INVLPG | UVMF_ALL);
}

long pv_protect(const void *va, uint64_t flags)
{
	return pv_map(va, frame_of(va) * PAGE_SIZE | flags);
}

long pv_mmuext(unsigned int cmd, uint64_t mfn)
{
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = mfn};

	return mmuext_op(&op, 1);
}

static long set_entry(const void *table, unsigned int index, uint64_t val)
{
	struct mmu_update u = {
		.ptr = frame_of(table) * PAGE_SIZE + index * 8ul,
		.val = val,
	};

	return mmu_update(&u, 1);
}

static uint64_t table_entry(const void *table)
{
	return frame_of(table) * PAGE_SIZE | FLAGS_TABLE;
}

static void window_init(void)
{
	static bool done;

	if (done)
		return;
	window[0][0] = table_entry(window[1]);
	window[1][0] = table_entry(window[2]);
	for (unsigned int i = 0; i < 3; i++)
		pv_protect(window[i], FLAGS_PAGE & ~PTE_RW);
	done = !set_entry((const void *)start_info->pt_base, 1,
			  table_entry(window[0]));
}

void *window_slot(unsigned int slot)
{
	return (void *)(WINDOW_BASE + slot * PAGE_SIZE);
}

void *window_map(unsigned int slot, uint64_t frame, unsigned long flags)
{
	window_init();
	pv_map(window_slot(slot), frame * PAGE_SIZE | flags | PTE_A);
	return window_slot(slot);
}

void window_unmap(unsigned int slot)
{
	window_init();
	pv_map(window_slot(slot), 0);
}

long pv_user_tables(void)
{
	static bool done;
	long rc;

	if (done)
		return 0;
	memcpy(user_l4, (const void *)start_info->pt_base, sizeof(user_l4));
	for (unsigned int i = FIRST_XEN_SLOT; i <= LAST_XEN_SLOT; i++)
		user_l4[i] = 0;
	rc = pv_protect(user_l4, FLAGS_PAGE & ~PTE_RW);
	if (!rc)
		rc = pv_mmuext(MMUEXT_PIN_L4_TABLE, frame_of(user_l4));
	if (!rc)
		rc = pv_mmuext(MMUEXT_NEW_USER_BASEPTR, frame_of(user_l4));
	done = !rc;
	return rc;
}

struct grant_entry_v1 *grant_table(void)
{
	static xen_pfn_t frames[GRANT_FRAMES];
	static bool mapped;
	struct gnttab_setup_table s = {.dom = DOMID_SELF,
				       .nr_frames = GRANT_FRAMES};

	if (!mapped) {
		set_xen_guest_handle(s.frame_list, frames);
		if (grant_table_op(GNTTABOP_setup_table, &s, 1) || s.status)
			return NULL;
		for (unsigned int i = 0; i < GRANT_FRAMES; i++)
			if (pv_map(grant_frames[i],
				   frames[i] * PAGE_SIZE | FLAGS_PAGE))
				return NULL;
		mapped = true;
	}
	return (struct grant_entry_v1 *)grant_frames;
}
