/* SPDX-License-Identifier: MIT */
/*
 * Guest virtual to guest physical, and the copies that rest on it. The guest's
 * tables are read through the p2m without a lock; pages of RAM that were looked
 * up are remembered until something leaves the p2m.
 */
#include "hvm/guest_walk.h"

#include "domain/log_dirty.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define PTE_PRESENT  BIT(0)
#define PTE_WRITE    BIT(1)
#define PTE_USER     BIT(2)
#define PTE_ACCESSED BIT(5)
#define PTE_DIRTY    BIT(6)
#define PTE_LARGE    BIT(7)
#define PTE_NX       BIT(63)
#define PTE_ADDR     GENMASK(51, 12)

#define CR4_PSE  BIT(4)
#define CR4_SMEP BIT(20)

#define ERROR_PRESENT BIT(0)

/* No page number has them: a tag is never that of an empty slot. */
#define WALK_TAG       BIT(62)
#define WALK_TAG_WRITE BIT(63)

static void *gfn_virt_slow(struct vcpu *v, gfn_t gfn, bool write)
{
	struct p2m_cache *c = &hvm_vcpu(v)->p2m_cache;
	uint64_t generation = READ_ONCE(v->domain->p2m.ram_left);
	enum p2m_type type;
	void *page;
	mfn_t mfn;

	/* The generation is read first: what is looked up may be newer. */
	smp_rmb();
	mfn = p2m_access(&v->domain->p2m, gfn, &type);
	if (!p2m_is_readable(type) || (write && !p2m_is_writable(type)))
		return NULL;
	page = mfn_to_virt(mfn);
	if (write && type == P2M_RAM_LOGDIRTY)
		log_dirty_note(v->domain, gfn);
	if (type == P2M_RAM_RW) {
		unsigned int slot = gfn_x(gfn) % P2M_CACHE;

		if (c->generation != generation) {
			memset(c->e, 0, sizeof(c->e));
			c->generation = generation;
		}
		c->e[slot].tag = gfn_x(gfn) + 1;
		c->e[slot].page = page;
	}
	return page;
}

/* The page if it is RAM and was looked up lately. */
static inline void *known_ram(const struct vcpu *v, gfn_t gfn)
{
	const struct p2m_cache *c = &hvm_vcpu(v)->p2m_cache;
	unsigned int slot = gfn_x(gfn) % P2M_CACHE;

	if (unlikely(c->e[slot].tag != gfn_x(gfn) + 1 ||
		     c->generation != READ_ONCE(v->domain->p2m.ram_left)))
		return NULL;
	return c->e[slot].page;
}

static inline void *gfn_virt(struct vcpu *v, gfn_t gfn, bool write)
{
	void *page = known_ram(v, gfn);

	return likely(page) ? page : gfn_virt_slow(v, gfn, write);
}

static __attribute__((noinline)) void *own_page_slow(struct vcpu *v, gfn_t gfn)
{
	return gfn_virt_slow(v, gfn, true) ? known_ram(v, gfn) : NULL;
}

HOT void *hvm_own_page(struct vcpu *v, gfn_t gfn)
{
	void *page = known_ram(v, gfn);

	return likely(page) ? page : own_page_slow(v, gfn);
}

HOT void *hvm_gfn_virt(struct vcpu *v, gfn_t gfn, bool write)
{
	return gfn_virt(v, gfn, write);
}

/*
 * What gfn_virt() gives and a remembered walk holds is a pointer without a
 * reference. It is good while interrupts stay off from before the look until
 * the last access: whoever takes a page out of the p2m clears the entry, counts
 * it if it was RAM (nothing else is remembered), and frees the frame only after
 * p2m_flush(), which waits until each CPU that runs a vCPU of the domain has
 * taken an interrupt. A look before that interrupt is over with its access when
 * the CPU takes it; one after it sees the new count and the cleared entry.
 */

/* The table that pte is in, at that address, if the guest may write to it: it
 * may as well be in a ROM, or in what another domain lets it only read. */
static bool may_set_bits(struct vcpu *v, uint64_t table, const void *pte)
{
	const void *page = gfn_virt(v, gpa_to_gfn(table), true);

	return page == (const void *)((uintptr_t)pte & PAGE_MASK);
}

/* Sets bits in an entry of that table which was read as old; nothing if it
 * changed since. */
static inline void set_entry_bits(struct vcpu *v, uint64_t table, uint64_t *pte,
				  uint64_t old, uint64_t bits)
{
	if (unlikely((old & bits) != bits) && may_set_bits(v, table, pte))
		atomic_cas(pte, &old, old | bits);
}

static void set_entry_bits_32(struct vcpu *v, uint64_t table, uint32_t *pte,
			      uint32_t old, uint32_t bits)
{
	if ((old & bits) != bits && may_set_bits(v, table, pte))
		atomic_cas(pte, &old, old | bits);
}

/* The permissions that an access needs are all in rights, or a page fault. */
static inline bool allowed(const struct walk_regs *r, uint64_t rights, bool nx,
			   uint32_t access)
{
	bool user = access & WALK_USER;

	if (user && !(rights & PTE_USER))
		return false;
	if ((access & WALK_WRITE) && !(rights & PTE_WRITE) &&
	    (user || (r->cr0 & X86_CR0_WP)))
		return false;
	if (!(access & WALK_FETCH))
		return true;
	return !(nx && (r->efer & EFER_NXE)) &&
	       !(!user && (rights & PTE_USER) && (r->cr4 & CR4_SMEP));
}

static uint32_t fault_code(const struct walk_regs *r, uint32_t access,
			   bool present)
{
	if (!(r->efer & EFER_NXE) && !(r->cr4 & CR4_SMEP))
		access &= ~(uint32_t)WALK_FETCH;
	return access | (present ? ERROR_PRESENT : 0);
}

/* Four levels, or the three of PAE when the top one's entry is given. */
static inline bool walk_long(struct vcpu *v, const struct walk_regs *r,
			     uint64_t table, unsigned int level, uint64_t gva,
			     uint32_t access, gpa_t *gpa, uint32_t *error)
{
	uint64_t rights = PTE_WRITE | PTE_USER, nx = 0, e, *page, *pte, bits;
	unsigned int shift;

	for (;; level--) {
		shift = 12 + 9 * (level - 1);
		page = gfn_virt(v, gpa_to_gfn(table), false);
		if (unlikely(!page))
			goto absent;
		pte = &page[(gva >> shift) & 511];
		e = READ_ONCE(*pte);
		if (!(e & PTE_PRESENT))
			goto absent;
		rights &= e;
		nx |= e & PTE_NX;
		if (level == 1 || ((e & PTE_LARGE) && level <= 3))
			break;
		set_entry_bits(v, table, pte, e, PTE_ACCESSED);
		table = e & PTE_ADDR;
	}
	if (unlikely(!allowed(r, rights, nx, access))) {
		*error = fault_code(r, access, true);
		return false;
	}
	bits = PTE_ACCESSED | (access & WALK_WRITE ? PTE_DIRTY : 0);
	set_entry_bits(v, table, pte, e, bits);
	bits = BIT(shift) - 1;
	*gpa = (e & PTE_ADDR & ~bits) | (gva & bits);
	return true;
absent:
	*error = fault_code(r, access, false);
	return false;
}

/* PAE: four entries at CR3, without permissions. */
static bool walk_pae(struct vcpu *v, const struct walk_regs *r, uint64_t gva,
		     uint32_t access, gpa_t *gpa, uint32_t *error)
{
	char *page = hvm_gfn_virt(v, gpa_to_gfn(r->cr3 & 0xffffffffUL), false);
	uint64_t e = 0;

	if (page)
		e = *(uint64_t *)(page + (r->cr3 & 0xfe0) + (gva >> 30) * 8);
	if (!(e & PTE_PRESENT)) {
		*error = fault_code(r, access, false);
		return false;
	}
	return walk_long(v, r, e & PTE_ADDR, 2, gva, access, gpa, error);
}

static bool walk_32(struct vcpu *v, const struct walk_regs *r, uint64_t gva,
		    uint32_t access, gpa_t *gpa, uint32_t *error)
{
	uint64_t table = r->cr3 & 0xfffff000, rights = PTE_WRITE | PTE_USER;
	unsigned int shift = 22;
	uint32_t e, *pte;

	for (;; shift = 12) {
		pte = hvm_gfn_virt(v, gpa_to_gfn(table), false);
		if (pte)
			pte += (gva >> shift) & 1023;
		e = pte ? READ_ONCE(*pte) : 0;
		if (!(e & PTE_PRESENT)) {
			*error = fault_code(r, access, false);
			return false;
		}
		rights &= e;
		if (shift == 12 || ((e & PTE_LARGE) && (r->cr4 & CR4_PSE)))
			break;
		set_entry_bits_32(v, table, pte, e, PTE_ACCESSED);
		table = e & 0xfffff000;
	}
	if (!allowed(r, rights, false, access)) {
		*error = fault_code(r, access, true);
		return false;
	}
	set_entry_bits_32(v, table, pte, e,
			  PTE_ACCESSED | (access & WALK_WRITE ? PTE_DIRTY : 0));
	*gpa = (e & ~((1UL << shift) - 1)) | (gva & ((1UL << shift) - 1));
	if (shift == 22) /* PSE-36 */
		*gpa = (e & 0xffc00000) | (uint64_t)(e & 0x1fe000) << 19 |
		       (gva & 0x3fffff);
	return true;
}

static inline bool walk_with(struct vcpu *v, const struct walk_regs *r,
			     uint64_t gva, uint32_t access, gpa_t *gpa,
			     uint32_t *error)
{
	if (likely(r->efer & EFER_LMA)) {
		/* Not canonical: no translation. */
		if (unlikely((uint64_t)((int64_t)(gva << 16) >> 16) != gva)) {
			*error = 0;
			return false;
		}
		return walk_long(v, r, r->cr3 & PTE_ADDR, 4, gva, access, gpa,
				 error);
	}
	gva = (uint32_t)gva;
	if (!(r->cr0 & X86_CR0_PG)) {
		*gpa = gva;
		return true;
	}
	if (r->cr4 & X86_CR4_PAE)
		return walk_pae(v, r, gva, access, gpa, error);
	return walk_32(v, r, gva, access, gpa, error);
}

bool guest_walk(struct vcpu *v, uint64_t gva, uint32_t access, gpa_t *gpa,
		uint32_t *error)
{
	struct walk_regs r;
	unsigned long flags;
	bool good;

	hvm_ops->get_paging(v, &r);
	flags = local_irq_save();
	good = walk_with(v, &r, gva, access, gpa, error);
	local_irq_restore(flags);
	return good;
}

static inline uint64_t walk_tag(uint64_t va, bool write)
{
	return va >> 12 | (write ? WALK_TAG_WRITE : WALK_TAG);
}

static inline struct known_walk *walk_slot(struct vcpu *v, uint64_t tag)
{
	/* Reading and writing the same page have a slot each. */
	return &hvm_vcpu(v)->walks.e[(tag ^ tag >> 3 ^ tag >> 61) % WALK_CACHE];
}

/* That walk was remembered, and nothing on the way has changed: w->page. */
static inline bool walk_holds(struct vcpu *v, const struct known_walk *w,
			      uint64_t tag, uint64_t cr3)
{
	if (unlikely(w->tag != tag || w->cr3 != cr3 ||
		     w->generation != READ_ONCE(v->domain->p2m.ram_left)))
		return false;
#pragma GCC unroll 4
	for (unsigned int i = 0; i < 4; i++)
		if (unlikely(READ_ONCE(*w->entry[i].at) != w->entry[i].was))
			return false;
	return true;
}

/*
 * The entries of a walk that has just been done. Every right and bit must be
 * there in each, so that neither CR0.WP nor a bit to set plays a part; what is
 * unusual is not remembered.
 */
static bool note_entries(struct vcpu *v, struct known_walk *w, uint64_t cr3,
			 uint64_t gva, uint64_t need, gpa_t *gpa)
{
	uint64_t e = cr3, *table, low = 0;

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int shift = 39 - 9 * i;

		if (low) {
			w->entry[i] = w->entry[i - 1];
			continue;
		}
		table = hvm_own_page(v, gpa_to_gfn(e & PTE_ADDR));
		if (!table)
			return false;
		w->entry[i].at = &table[(gva >> shift) % 512];
		w->entry[i].was = e = READ_ONCE(*w->entry[i].at);
		if ((e & need) != need)
			return false;
		if (i == 3 || (i && (e & PTE_LARGE)))
			low = BIT(shift) - 1;
	}
	*gpa = (e & PTE_ADDR & ~low) | (gva & low);
	return true;
}

/* A walk in kernel mode, which has just been done for a copy. */
static void remember_walk(struct vcpu *v, uint64_t va, uint64_t tag,
			  uint64_t cr3)
{
	struct known_walk *w = walk_slot(v, tag);
	bool write = tag & WALK_TAG_WRITE;
	uint64_t need = PTE_PRESENT | PTE_ACCESSED | (write ? PTE_WRITE : 0);
	gpa_t gpa;

	w->tag = 0;
	w->generation = READ_ONCE(v->domain->p2m.ram_left);
	smp_rmb();
	if (!note_entries(v, w, cr3, va, need, &gpa))
		return;
	if (write && !(w->entry[3].was & PTE_DIRTY))
		return;
	w->page = hvm_own_page(v, gpa_to_gfn(gpa));
	if (!w->page)
		return;
	w->cr3 = cr3;
	w->tag = tag;
}

/* Hypercalls' structures are a few words; each is read once. */
static inline void copy_short(void *dst, const void *src, size_t n)
{
	uint64_t *d = dst;
	const volatile uint64_t *s = src;

	switch (n) {
	case 40:
		d[4] = s[4];
		__fallthrough;
	case 32:
		d[3] = s[3];
		__fallthrough;
	case 24:
		d[2] = s[2];
		__fallthrough;
	case 16:
		d[1] = s[1];
		__fallthrough;
	case 8:
		d[0] = s[0];
		break;
	case 4:
		*(uint32_t *)dst = *(const volatile uint32_t *)src;
		break;
	case 2:
		*(uint16_t *)dst = *(const volatile uint16_t *)src;
		break;
	default:
		memcpy(dst, src, n);
	}
}

/* Within a page. */
static bool copy_part(struct vcpu *v, const struct walk_regs *r, void *buf,
		      uint64_t va, size_t n, uint32_t access)
{
	unsigned long flags = local_irq_save();
	char *page = NULL;
	uint32_t error;
	gpa_t gpa;

	if (walk_with(v, r, va, access, &gpa, &error))
		page = gfn_virt(v, gpa_to_gfn(gpa), access & WALK_WRITE);
	if (page && (access & WALK_WRITE))
		memcpy(page + (va & ~PAGE_MASK), buf, n);
	else if (page)
		memcpy(buf, page + (va & ~PAGE_MASK), n);
	local_irq_restore(flags);
	return page;
}

static int copy_slow(struct vcpu *v, void *buf, uint64_t va, size_t len,
		     uint32_t access)
{
	struct walk_regs r;
	char *p = buf;

	hvm_ops->get_paging(v, &r);
	if (r.user)
		access |= WALK_USER;
	while (len) {
		size_t n = min(len, PAGE_SIZE - (va & ~PAGE_MASK));

		if (!copy_part(v, &r, p, va, n, access))
			return -EFAULT;
		va += n;
		p += n;
		len -= n;
	}
	return 0;
}

static inline bool in_one_page(uint64_t va, size_t len)
{
	return va % PAGE_SIZE + len <= PAGE_SIZE;
}

/* By a walk, which is remembered if it is of the usual kind. */
static __attribute__((noinline)) int
copy_walking(struct vcpu *v, void *buf, uint64_t va, size_t len, bool write)
{
	uint64_t cr3 = hvm_vcpu(v)->call_cr3;
	int err = copy_slow(v, buf, va, len, write ? WALK_WRITE : 0);
	unsigned long flags;

	if (err || !len || !in_one_page(va, len) || cr3 == NO_KERNEL_CR3)
		return err;
	flags = local_irq_save();
	remember_walk(v, va, walk_tag(va, write), cr3);
	local_irq_restore(flags);
	return 0;
}

static inline int copy_guest(struct vcpu *v, void *buf, uint64_t va, size_t len,
			     bool write)
{
	uint64_t cr3 = hvm_vcpu(v)->call_cr3, tag = walk_tag(va, write);
	const struct known_walk *w = walk_slot(v, tag);
	unsigned long flags = local_irq_save();

	if (unlikely(!walk_holds(v, w, tag, cr3) || !in_one_page(va, len))) {
		local_irq_restore(flags);
		return copy_walking(v, buf, va, len, write);
	}
	if (write)
		copy_short(w->page + va % PAGE_SIZE, buf, len);
	else
		copy_short(buf, w->page + va % PAGE_SIZE, len);
	local_irq_restore(flags);
	return 0;
}

HOT int hvm_copy_to_guest(struct vcpu *v, uint64_t va, const void *src,
			  size_t len)
{
	return copy_guest(v, (void *)(uintptr_t)src, va, len, true);
}

HOT int hvm_copy_from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len)
{
	return copy_guest(v, dst, va, len, false);
}

unsigned int hvm_fetch(struct vcpu *v, uint64_t va, uint8_t *buf,
		       unsigned int n)
{
	unsigned int first = (unsigned int)(PAGE_SIZE - (va & ~PAGE_MASK));

	if (n <= first || copy_slow(v, buf, va, n, WALK_FETCH)) {
		first = min(first, n);
		return copy_slow(v, buf, va, first, WALK_FETCH) ? 0 : first;
	}
	return n;
}
