/* SPDX-License-Identifier: MIT */
/*
 * A PV dom0: memory in the order in which the allocator gives it, and from its
 * kernel's end on the list of its frames, the start info, its first page
 * tables and a stack, all of which those tables map (public/xen.h,
 * start_info).
 */
#include "boot/dom0.h"

#include "console/printk.h"
#include "console/screen.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"
#include "pv/pv.h"

#include <xen/elfnote.h>

#define ENTRIES     512
#define FLAGS_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define FLAGS_LEAF  (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
/* What the ABI promises behind the stack. */
#define SPARE     (512UL << 10)
#define MAP_ALIGN (4UL << 20)
#define FLAG_IF   BIT(9)

/* Where things are in its address space, and in its memory. */
struct pv_layout {
	struct image_virt virt;
	uint64_t p2m, info, tables, stack, end;
	uint64_t nr_tables;
	uint64_t initrd_pfn;
	uint64_t *mfn; /* of each of its pages */
	uint64_t pages;
	unsigned int mfn_order;
};

static void *__init at(const struct pv_layout *l, uint64_t va)
{
	uint64_t pfn = (va - l->virt.base) >> PAGE_SHIFT;

	if (pfn >= l->pages)
		panic("dom0_mem=: too little for its kernel");
	return (char *)mfn_to_virt(_mfn(l->mfn[pfn])) + (va & ~PAGE_MASK);
}

static void __init own(struct dom0_build *b, struct pv_layout *l, mfn_t mfn,
		       unsigned int order)
{
	if (b->d->kind->own_frames(b->d, mfn, 1UL << order, l->pages))
		panic("dom0: no memory for its part of the M2P table");
	for (uint64_t i = 0; i < 1UL << order; i++)
		l->mfn[l->pages++] = mfn_x(mfn) + i;
}

static unsigned int __init order_within(uint64_t n, unsigned int order)
{
	while (1UL << order > n)
		order--;
	return order;
}

static void __init take_initrd(struct dom0_build *b, struct pv_layout *l)
{
	if (!b->initrd_size)
		return;
	if (!domain_charge(b->d, 1UL << b->initrd_order))
		panic("dom0_mem=: too little for its initial RAM disk");
	frame_assign(b->initrd_mfn, b->initrd_order, b->d->id);
	l->initrd_pfn = l->pages;
	own(b, l, b->initrd_mfn, b->initrd_order);
}

static void __init take_memory(struct dom0_build *b, struct pv_layout *l)
{
	uint64_t initrd = b->initrd_size ? 1UL << b->initrd_order : 0, n;
	unsigned int order = MAX_ORDER;
	struct domain *d = b->d;

	dom0_release_zone(b->bi);
	n = dom0_pages(free_page_count() + initrd);
	d->max_pages = max(n, d->max_pages);
	while (PAGE_SIZE << l->mfn_order < n * sizeof(*l->mfn))
		l->mfn_order++;
	l->mfn = mfn_to_virt(alloc_pages(l->mfn_order, 0));
	while (l->pages + initrd < n) {
		mfn_t mfn;

		order = order_within(n - l->pages - initrd, order);
		mfn = domain_alloc_pages(d, order, ALLOC_UNCLEARED);
		if (!mfn_eq(mfn, INVALID_MFN))
			own(b, l, mfn, order);
		else if (order)
			order--;
		else
			break;
	}
	take_initrd(b, l);
	printk("dom0: %lu MiB\n", l->pages >> (20 - PAGE_SHIFT));
}

/* How many tables of each level map [from, to), and one of level 4. */
static uint64_t __init tables_for(uint64_t from, uint64_t to)
{
	uint64_t n = 1;

	for (unsigned int shift = 39; shift >= 21; shift -= 9)
		n += ((to - 1) >> shift) - (from >> shift) + 1;
	return n;
}

static void __init lay_out(const struct dom0_build *b, struct pv_layout *l)
{
	l->p2m = ROUND_UP(l->virt.kend, PAGE_SIZE);
	l->info = l->p2m + ROUND_UP(l->pages * sizeof(*l->mfn), PAGE_SIZE);
	l->tables = l->info + PAGE_SIZE;
	l->end = l->tables;
	/* The tables map themselves, too. */
	do {
		l->nr_tables = tables_for(l->virt.base, l->end);
		l->stack = l->tables + l->nr_tables * PAGE_SIZE;
		l->end = ROUND_UP(l->stack + PAGE_SIZE + SPARE, MAP_ALIGN);
	} while (tables_for(l->virt.base, l->end) != l->nr_tables);
	if ((l->end - l->virt.base) >> PAGE_SHIFT >
	    l->pages - (b->initrd_size ? 1UL << b->initrd_order : 0))
		panic("dom0_mem=: too little for its kernel");
}

static int __init place_segment(void *ctx, const struct image_segment *seg)
{
	const struct pv_layout *l = ctx;
	uint64_t va = seg->paddr - l->virt.paddr_offset + l->virt.base;

	for (uint64_t done = 0; done < seg->memsz;) {
		uint64_t n = PAGE_SIZE - ((va + done) & ~PAGE_MASK);
		uint64_t data = done < seg->filesz ? seg->filesz - done : 0;
		char *to = at(l, va + done);

		n = min(n, seg->memsz - done);
		data = min(data, n);
		memcpy(to, (const char *)seg->data + done, data);
		memset(to + data, 0, n - data);
		done += n;
	}
	return 0;
}

/* The table that entry va has one level down, taken from *next when there is
 * none yet. */
static uint64_t *__init table_below(const struct pv_layout *l, uint64_t *table,
				    unsigned int shift, uint64_t va,
				    uint64_t *next)
{
	uint64_t *e = &table[(va >> shift) % ENTRIES], *to;

	if (*e)
		return maddr_to_virt(*e & PTE_ADDR);
	to = at(l, *next);
	memset(to, 0, PAGE_SIZE);
	*e = virt_to_maddr(to) | FLAGS_TABLE;
	*next += PAGE_SIZE;
	return to;
}

static void __init make_tables(const struct pv_layout *l)
{
	uint64_t next = l->tables + PAGE_SIZE;
	uint64_t *l4 = at(l, l->tables);

	memset(l4, 0, PAGE_SIZE);
	for (uint64_t va = l->virt.base; va != l->end; va += PAGE_SIZE) {
		uint64_t *t = table_below(l, l4, 39, va, &next);
		uint64_t flags = FLAGS_LEAF;

		/* Only the kernel has code, and tables are not written to. */
		if (va >= l->p2m)
			flags |= PTE_NX;
		if (va >= l->tables && va < l->stack)
			flags &= ~PTE_RW;

		t = table_below(l, t, 30, va, &next);
		t = table_below(l, t, 21, va, &next);
		t[(va >> PAGE_SHIFT) % ENTRIES] = virt_to_maddr(at(l, va)) |
						  flags;
	}
}

static void __init write_p2m(const struct pv_layout *l)
{
	for (uint64_t i = 0; i < l->pages; i++)
		*(uint64_t *)at(l, l->p2m + i * sizeof(uint64_t)) = l->mfn[i];
}

static void __init give_initrd(const struct dom0_build *b,
			       const struct pv_layout *l, struct start_info *s)
{
	if (!b->initrd_size)
		return;
	if (!image_has_note(&b->elf, XEN_ELFNOTE_MOD_START_PFN) ||
	    !b->elf.notes.mod_start_pfn) {
		printk(XENLOG_WARNING "dom0's kernel wants its initial RAM "
				      "disk mapped: it gets none\n");
		return;
	}
	s->mod_start = l->initrd_pfn;
	s->mod_len = b->initrd_size;
	s->flags |= SIF_MOD_START_PFN;
}

/* What it needs to know of the screen follows the start info. */
static void __init tell_of_screen(struct start_info *s)
{
	struct dom0_vga_console_info *info = (void *)(s + 1);

	if (!screen_info(info))
		return;
	s->console.dom0.info_off = sizeof(*s);
	s->console.dom0.info_size = sizeof(*info);
}

static void __init write_start_info(const struct dom0_build *b,
				    const struct pv_layout *l)
{
	const char *words = b->bi->module[0].words;
	struct start_info *s = at(l, l->info);

	memset(s, 0, PAGE_SIZE);
	memcpy(s->magic, "xen-3.0-x86_64", 15);
	s->nr_pages = l->pages;
	s->shared_info = virt_to_maddr(b->d->shared_info);
	s->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	s->pt_base = l->tables;
	s->nr_pt_frames = l->nr_tables;
	s->mfn_list = l->p2m;
	give_initrd(b, l, s);
	tell_of_screen(s);
	if (strlen(words) >= sizeof(s->cmd_line))
		panic("dom0's command line is too long (%lu bytes)",
		      strlen(words));
	memcpy(s->cmd_line, words, strlen(words));
}

static void __init fill_hypercall_page(const struct dom0_build *b,
				       const struct pv_layout *l)
{
	uint64_t va = b->elf.notes.hypercall_page;

	if (!image_has_note(&b->elf, XEN_ELFNOTE_HYPERCALL_PAGE))
		return;
	if ((va & ~PAGE_MASK) || va < l->virt.kstart || va >= l->virt.kend)
		panic("dom0's kernel: its hypercall page at %#lx lies outside "
		      "of it",
		      va);
	b->d->kind->hypercall_page(b->d, at(l, va));
}

static void __init set_entry(const struct dom0_build *b,
			     const struct pv_layout *l)
{
	struct vcpu_guest_context *c = xnew(struct vcpu_guest_context);
	struct vcpu *v = b->d->vcpu[0];
	int rc;

	if (!c)
		panic("dom0: no memory for its first vCPU's context");
	c->flags = VGCF_in_kernel | VGCF_online;
	c->user_regs.rip = l->virt.entry;
	c->user_regs.rsp = l->stack + PAGE_SIZE;
	c->user_regs.rsi = l->info;
	c->user_regs.rflags = FLAG_IF;
	c->user_regs.cs = FLAT_KERNEL_CS;
	c->user_regs.ss = FLAT_KERNEL_SS;
	c->kernel_ss = FLAT_KERNEL_SS;
	c->kernel_sp = l->stack + PAGE_SIZE;
	c->ctrlreg[3] = virt_to_maddr(at(l, l->tables));
	do
		rc = v->domain->kind->vcpu_set_context(v, c, sizeof(*c));
	while (rc == -ERESTART);
	if (!rc)
		rc = pv_pin_base(v);
	if (rc)
		panic("dom0: its first vCPU was refused (error %d)", -rc);
	v->initialised = true;
	xfree(c);
}

void __init dom0_build_pv(struct dom0_build *b)
{
	struct pv_layout l = {};
	const char *why = "";

	if (image_virt_layout(&b->elf, &l.virt, &why))
		panic("dom0's kernel: %s", why);
	take_memory(b, &l);
	lay_out(b, &l);
	image_load(&b->elf, place_segment, &l);
	free_pages(b->kernel_mfn, b->kernel_order);
	fill_hypercall_page(b, &l);
	write_p2m(&l);
	write_start_info(b, &l);
	make_tables(&l);
	set_entry(b, &l);
	free_pages(virt_to_mfn(l.mfn), l.mfn_order);
}
