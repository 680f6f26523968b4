/* SPDX-License-Identifier: MIT */
/* Page tables of paravirtual domains, and walks through any domain's. */
#include "private.h"

#include <xen/hvm/save.h>

int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num,
			  xen_pfn_t *arr)
{
	struct xen_domctl op = DOMCTL(getpageframeinfo3, dom);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, arr, num * sizeof(*arr), SAFE_BOTH))
		return -1;
	op.u.getpageframeinfo3.num = num;
	set_xen_guest_handle_raw(op.u.getpageframeinfo3.array, s.p);
	rc = do_domctl_retry_fault(xch, &op);
	safe_put(xch, &s);
	return rc;
}

struct xc_mmu *xc_alloc_mmu_updates(xc_interface *xch, unsigned int subject)
{
	struct xc_mmu *mmu = calloc(1, sizeof(*mmu));

	(void)xch;
	if (mmu)
		mmu->subject = subject;
	return mmu;
}

/* Returns 1, not -1, when the hypervisor refuses: callers test for zero. */
int xc_flush_mmu_updates(xc_interface *xch, struct xc_mmu *mmu)
{
	struct safe s;
	int rc;

	if (mmu->idx == 0)
		return 0;
	if (safe_get(xch, &s, mmu->updates,
		     (size_t)mmu->idx * sizeof(mmu->updates[0]), SAFE_BOTH))
		return 1;
	rc = xencall4(xch->xcall, __HYPERVISOR_mmu_update,
		      (uint64_t)(uintptr_t)s.p, (uint64_t)mmu->idx, 0,
		      mmu->subject);
	safe_put(xch, &s);
	mmu->idx = 0;
	return rc < 0;
}

int xc_add_mmu_update(xc_interface *xch, struct xc_mmu *mmu,
		      unsigned long long ptr, unsigned long long val)
{
	mmu->updates[mmu->idx].ptr = ptr;
	mmu->updates[mmu->idx].val = val;
	if (++mmu->idx == MAX_MMU_UPDATES)
		return xc_flush_mmu_updates(xch, mmu);
	return 0;
}

/* ---- Walks ---- */

enum {
	CR0_PG_BIT = 31,
	CR4_PAE_BIT = 5,
	EFER_LMA_BIT = 10,
	PTE_PRESENT = 1,
	PTE_LARGE = 0x80,
};

struct walk {
	uint64_t table; /* physical address of the top table */
	unsigned int levels;
	bool off; /* paging is off: virtual is physical */
};

static int hvm_walk(xc_interface *xch, uint32_t dom, int vcpu, struct walk *w)
{
	struct hvm_hw_cpu cpu;

	if (xc_domain_hvm_getcontext_partial(xch, dom, HVM_SAVE_CODE(CPU),
					     (uint16_t)vcpu, &cpu, sizeof(cpu)))
		return -1;
	w->off = !(cpu.cr0 >> CR0_PG_BIT & 1);
	if (cpu.msr_efer >> EFER_LMA_BIT & 1)
		w->levels = 4;
	else
		w->levels = cpu.cr4 >> CR4_PAE_BIT & 1 ? 3 : 2;
	w->table = cpu.cr3 & (w->levels == 3 ? ~0x1full : ~0xfffull);
	return 0;
}

static int pv_walk(xc_interface *xch, uint32_t dom, int vcpu, struct walk *w)
{
	vcpu_guest_context_any_t ctx;
	unsigned int width;

	if (xc_vcpu_getcontext(xch, dom, (uint32_t)vcpu, &ctx) ||
	    xc_domain_get_guest_width(xch, dom, &width))
		return -1;
	w->off = false;
	w->levels = width == 8 ? 4 : 3;
	if (width == 8)
		w->table = (uint64_t)xen_cr3_to_pfn_x86_64(ctx.x64.ctrlreg[3])
			   << PAGE_SHIFT;
	else
		w->table = (uint64_t)xen_cr3_to_pfn_x86_32(ctx.x32.ctrlreg[3])
			   << PAGE_SHIFT;
	return 0;
}

static int read_entry(xc_interface *xch, uint32_t dom, uint64_t at, size_t size,
		      uint64_t *entry)
{
	char *page = xc_map_foreign_range(xch, dom, PAGE_SIZE, PROT_READ,
					  at >> PAGE_SHIFT);

	if (!page)
		return -1;
	*entry = 0;
	memcpy(entry, page + (at & (PAGE_SIZE - 1)), size);
	munmap(page, PAGE_SIZE);
	return 0;
}

unsigned long xc_translate_foreign_address(xc_interface *xch, uint32_t dom,
					   int vcpu, unsigned long long virt)
{
	xc_dominfo_t info;
	struct walk w;
	unsigned int bits;
	uint64_t table;
	size_t size;

	if (xc_domain_getinfo(xch, dom, 1, &info) != 1 || info.domid != dom)
		return 0;
	if (info.hvm ? hvm_walk(xch, dom, vcpu, &w)
		     : pv_walk(xch, dom, vcpu, &w))
		return 0;
	if (w.off)
		return virt >> PAGE_SHIFT;

	size = w.levels == 2 ? 4 : 8;
	bits = w.levels == 2 ? 10 : 9;
	table = w.table;
	for (unsigned int level = w.levels; level > 0; level--) {
		unsigned int shift = PAGE_SHIFT + bits * (level - 1);
		/* The top table of 32-bit PAE has four entries only. */
		uint64_t mask = w.levels == 3 && level == 3 ? 3
							    : (1u << bits) - 1;
		uint64_t pte, low = (1ull << shift) - 1;

		if (read_entry(xch, dom, table + (virt >> shift & mask) * size,
			       size, &pte))
			return 0;
		if (!(pte & PTE_PRESENT)) {
			errno = EADDRNOTAVAIL;
			return 0;
		}
		table = pte & 0x000ffffffffff000ull;
		if ((level == 2 || (level == 3 && w.levels == 4)) &&
		    (pte & PTE_LARGE))
			return ((table & ~low) | (virt & low)) >> PAGE_SHIFT;
	}
	return table >> PAGE_SHIFT;
}
