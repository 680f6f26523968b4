/* SPDX-License-Identifier: MIT */
/*
 * Segments: what descriptors a guest may have, where the processor finds them,
 * and the bases of FS and GS.
 *
 * Each CPU has a window of two times 16 pages for the GDT and the LDT of the
 * vCPU that is loaded. Page 14 of the GDT is ours (cpu/traps.h); the others are
 * the guest's frames, or a page of null descriptors.
 */
#include "pv/pv.h"

#include "cpu/msr.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"
#include "mem/map.h"
#include "pv/entry.h"
#include "pv/isolate.h"

#define WINDOW_PAGES 32
#define LDT_PAGE     16
#define SEL_LDT      0xe050
#define LEAF         (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_KERNEL_GS_BASE 0xc0000102
/* TF, IF, DF, IOPL, NT, RF, AC: what must not reach us. */
#define SYSCALL_MASK 0x57700UL

struct window {
	uint64_t va;     /* of the GDT's page 0 */
	uint64_t *pte;   /* of the 32 pages */
	uint64_t *shown; /* the same in isolated tables, if there are any */
};
static DEFINE_PER_CPU(struct window, window);
static void *null_page;

/* Fields of a descriptor's upper half. */
#define DESC_PRESENT BIT(47)
#define DESC_DPL     (3UL << 45)
#define DESC_SYSTEM  BIT(44)
#define DESC_TYPE    (15UL << 40)
#define DESC_CODE    BIT(43)
#define DESC_CONFORM BIT(42)

/*
 * Code and data segments for ring 3 (an RPL or DPL below becomes that). Gates
 * and system segments are not for guests: one that is there is made absent,
 * but for null ones, which are all right.
 */
bool pv_descriptor_ok(uint64_t *desc)
{
	uint64_t d = *desc;

	if (!(d & DESC_PRESENT))
		return true;
	if (!(d & DESC_SYSTEM))
		return false;
	/* Ring 0 has no segments of a guest's: 3, with conforming code out. */
	if ((d & DESC_CODE) && (d & DESC_CONFORM))
		return false;
	if ((d & DESC_DPL) != DESC_DPL)
		*desc = d | DESC_DPL;
	return true;
}

uint16_t pv_fix_selector(uint16_t sel)
{
	return sel < GDT_RESERVED_BYTE || (sel & 4) ? sel | 3
	       : (sel | 3) == SEL_GUEST_CS32        ? SEL_GUEST_CS32
						    : SEL_GUEST_CS64;
}

static void set_syscall_msrs(const struct pv_entries *e)
{
	wrmsr(MSR_STAR,
	      (uint64_t)SEL_HYPER_CS << 32 | (uint64_t)SEL_GUEST_CS32 << 48);
	wrmsr(MSR_LSTAR, (uint64_t)e->syscall);
	wrmsr(MSR_CSTAR, (uint64_t)e->compat_syscall);
	wrmsr(MSR_SFMASK, SYSCALL_MASK);
	/* AMD's processors have no SYSENTER in long mode; one that has it all
	 * the same must not find what a hardware container left. */
	if (cpu_features.vendor != CPU_INTEL) {
		wrmsr(MSR_SYSENTER_CS, 0);
		return;
	}
	wrmsr(MSR_SYSENTER_CS, SEL_HYPER_CS);
	wrmsr(MSR_SYSENTER_ESP, (uint64_t)this_cpu(tss).ist[0]);
	wrmsr(MSR_SYSENTER_EIP, (uint64_t)e->sysenter);
}

static void load_gdt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __packed gdtr = {GDT_RESERVED_BYTE + PAGE_SIZE - 1,
			   this_cpu(window).va};

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
}

static void put_window(unsigned int page, mfn_t mfn)
{
	struct window *w = &this_cpu(window);
	uint64_t e = mfn_eq(mfn, INVALID_MFN)
			     ? virt_to_maddr(null_page) | (LEAF & ~PTE_RW)
			     : mfn_to_maddr(mfn) | LEAF;

	if (w->pte[page] == e)
		return;
	w->pte[page] = e;
	if (w->shown)
		w->shown[page] = e;
	invlpg((void *)(w->va + page * PAGE_SIZE));
}

static void load_ldt(const struct pv_mm_vcpu *m)
{
	uint64_t *gdt = this_cpu(gdt_page);
	uint64_t base = this_cpu(window).va + LDT_PAGE * PAGE_SIZE;
	uint64_t limit = m->ldt_entries * 8UL - 1;
	uint16_t sel = m->ldt_entries ? SEL_LDT : 0;

	gdt[(SEL_LDT - GDT_RESERVED_BYTE) / 8] =
		(limit & 0xffff) | (base & 0xffffff) << 16 | 0x82UL << 40 |
		((base >> 24) & 0xff) << 56;
	gdt[(SEL_LDT - GDT_RESERVED_BYTE) / 8 + 1] = base >> 32;
	__asm__ volatile("lldt %w0" : : "r"((uint32_t)sel));
}

void pv_load_descriptors(struct vcpu *v)
{
	const struct pv_mm_vcpu *m = v_mm(v);

	for (unsigned int i = 0; i < GDT_FRAMES; i++)
		put_window(i, m->gdt[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(m->ldt); i++)
		put_window(LDT_PAGE + i, m->ldt[i]);
	load_gdt();
	load_ldt(m);
}

static void drop(mfn_t *list, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		mfn_t mfn = list[i];

		list[i] = INVALID_MFN;
		if (!mfn_eq(mfn, INVALID_MFN))
			pv_segdesc_put(mfn);
	}
}

void pv_release_descriptors(struct vcpu *v)
{
	struct pv_mm_vcpu *m = v_mm(v);

	drop(m->gdt, GDT_FRAMES);
	drop(m->ldt, ARRAY_SIZE(m->ldt));
	m->gdt_entries = m->ldt_entries = 0;
}

/* The new frames are in place, and the CPU knows, before the old ones go. */
static void replace(struct vcpu *v, mfn_t *list, const mfn_t *new,
		    unsigned int n)
{
	mfn_t old[16];

	memcpy(old, list, n * sizeof(mfn_t));
	memcpy(list, new, n * sizeof(mfn_t));
	if (v == current) {
		unsigned long flags = local_irq_save();

		pv_load_descriptors(v);
		local_irq_restore(flags);
	}
	drop(old, n);
}

int pv_set_gdt_frames(struct vcpu *v, const uint64_t *frames,
		      unsigned int entries)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	mfn_t new[GDT_FRAMES];
	int rc = 0;

	if (entries > GDT_FRAMES * 512)
		return -EINVAL;
	for (unsigned int i = 0; i < GDT_FRAMES; i++)
		new[i] = INVALID_MFN;
	spin_lock(&mm->lock);
	for (unsigned int i = 0; !rc && i * 512 < entries; i++) {
		rc = pv_segdesc_get(v->domain, _mfn(frames[i]));
		if (!rc)
			new[i] = _mfn(frames[i]);
	}
	if (rc) {
		drop(new, GDT_FRAMES);
	} else {
		replace(v, v_mm(v)->gdt, new, GDT_FRAMES);
		v_mm(v)->gdt_entries = entries;
	}
	spin_unlock(&mm->lock);
	return rc;
}

/* The frame that a page of the LDT is in, if it can be one. */
static mfn_t ldt_frame(struct vcpu *v, uint64_t va)
{
	unsigned int index;
	mfn_t table, mfn;
	uint64_t e;

	if (!pv_walk(v, va, 1, &table, &index))
		return INVALID_MFN;
	e = ((uint64_t *)mfn_to_virt(table))[index];
	mfn = pte_mfn(e);
	if (!(e & PTE_P) || !mfn_valid(mfn) || pv_segdesc_get(v->domain, mfn))
		return INVALID_MFN;
	return mfn;
}

int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int entries)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	struct pv_mm_vcpu *m = v_mm(v);
	mfn_t new[16];

	if (entries > 8192 ||
	    (entries && ((base & ~PAGE_MASK) || !pv_is_canonical(base))))
		return -EINVAL;
	spin_lock(&mm->lock);
	for (unsigned int i = 0; i < 16; i++)
		new[i] = i * 512 < entries ? ldt_frame(v, base + i * PAGE_SIZE)
					   : INVALID_MFN;
	m->ldt_base = base;
	m->ldt_entries = entries;
	replace(v, m->ldt, new, 16);
	spin_unlock(&mm->lock);
	return 0;
}

uint64_t pv_get_gs_base(struct vcpu *v, bool other)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (other)
		return pv->seg.gs_base_other;
	return pv->loaded ? rdmsr(MSR_KERNEL_GS_BASE) : pv->seg.gs_base;
}

void pv_set_gs_base(struct vcpu *v, uint64_t base, bool other)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (other)
		pv->seg.gs_base_other = base;
	else if (pv->loaded)
		wrmsr(MSR_KERNEL_GS_BASE, base);
	else
		pv->seg.gs_base = base;
}

void pv_swap_gs(struct vcpu *v)
{
	uint64_t other = pv_get_gs_base(v, true);

	pv_set_gs_base(v, pv_get_gs_base(v, false), true);
	pv_set_gs_base(v, other, false);
}

/* A selector that the guest's tables do not have becomes 0. True: it is there.
 */
#define LOAD_SELECTOR(reg, sel)                                                \
	({                                                                     \
		uint32_t none_ = 0;                                            \
		__asm__ volatile("1: movl %1, %%" reg "\n\t"                   \
				 "jmp 3f\n"                                    \
				 "2: movl %0, %%" reg "\n\t"                   \
				 "incl %0\n"                                   \
				 "3:\n" EX_TABLE("1b", "2b")                   \
				 : "+&r"(none_)                                \
				 : "r"((uint32_t)(sel)));                      \
		!none_;                                                        \
	})

/* GS's selector: loading it makes a base, so ours is put back after it. */
static bool load_gs_selector(uint16_t sel)
{
	uint64_t own = rdmsr(MSR_GS_BASE);
	bool there = LOAD_SELECTOR("gs", sel);

	wrmsr(MSR_GS_BASE, own);
	return there;
}

/* The user's, behind what the kernel has: its base follows as "other". */
void pv_set_gs_selector(struct vcpu *v, uint16_t sel)
{
	unsigned long flags = local_irq_save();
	uint64_t kernel = rdmsr(MSR_KERNEL_GS_BASE);

	load_gs_selector(sel ? sel | 3 : 0);
	(void)v;
	wrmsr(MSR_KERNEL_GS_BASE, kernel);
	local_irq_restore(flags);
}

/* Interrupts off: nobody looks for per-CPU data in between. */
void pv_load_segments(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	const struct pv_segments *s = &pv->seg;
	bool ds = LOAD_SELECTOR("ds", s->ds), es = LOAD_SELECTOR("es", s->es);
	bool fs = LOAD_SELECTOR("fs", s->fs), gs = load_gs_selector(s->gs);

	pv->segments_lost = !(ds && es && fs && gs);
	set_syscall_msrs(pv_entries_of(
		v->domain)); /* a hardware container may have had its own */
	wrmsr(MSR_FS_BASE, s->fs_base);
	wrmsr(MSR_KERNEL_GS_BASE, s->gs_base);
}

void pv_save_segments(struct vcpu *v)
{
	struct pv_segments *s = &pv_vcpu(v)->seg;

	__asm__ volatile("movw %%ds, %0" : "=m"(s->ds));
	__asm__ volatile("movw %%es, %0" : "=m"(s->es));
	__asm__ volatile("movw %%fs, %0" : "=m"(s->fs));
	__asm__ volatile("movw %%gs, %0" : "=m"(s->gs));
	s->fs_base = rdmsr(MSR_FS_BASE);
	s->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

/* The level 1 entries of the window, which map_range() made. */
static uint64_t *window_entries(uint64_t va)
{
	uint64_t *t = maddr_to_virt(host_cr3);

	for (unsigned int shift = 39; shift > 12; shift -= 9)
		t = maddr_to_virt(t[(va >> shift) & 511] & PTE_ADDR);
	return &t[(va >> 12) & 511];
}

/* On each CPU: its window, with our page of the GDT in it. */
int pv_segments_init_cpu(void)
{
	struct window *w = &this_cpu(window);

	if (!null_page)
		null_page = alloc_page_virt(ALLOC_ZERO);
	if (!null_page)
		return -ENOMEM;
	w->va = map_window(WINDOW_PAGES, virt_to_maddr(null_page));
	if (!w->va)
		return -ENOMEM;
	w->pte = window_entries(w->va);
	w->pte[GDT_FRAMES] = virt_to_maddr(this_cpu(gdt_page)) | LEAF;
	invlpg((void *)(w->va + GDT_FRAMES * PAGE_SIZE));
	if (!pv_may_isolate())
		return 0;
	w->shown = pv_isolate_show(w->va, WINDOW_PAGES);
	return w->shown ? 0 : -ENOMEM;
}
