/* SPDX-License-Identifier: MIT */
/*
 * Entries of page tables: what one may map, and changing one of a table that is
 * in force.
 *
 * The guest's kernel runs in ring 3 as its processes do, so every mapping is
 * the user's to the processor; the kernel's are out of its processes' reach
 * because those run on tables of their own.
 */
#include "pv/isolate.h"

#include "console/printk.h"
#include "cpu/acpi.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

/* Bit 8 would keep a mapping over our flushes. */
#define L1_DISALLOWED PTE_G

/* Registers that are ours: the interrupt controllers'. */
static bool is_ours(mfn_t mfn)
{
	if (mfn_eq(mfn, maddr_to_mfn(acpi_info.lapic_addr)))
		return true;
	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++)
		if (mfn_eq(mfn, maddr_to_mfn(acpi_info.ioapic[i].addr)))
			return true;
	return false;
}

/* No RAM: a device's, for who owns the devices. */
static int get_device(const struct domain *d, mfn_t mfn)
{
	if (!d->privileged || is_ours(mfn) ||
	    mfn_x(mfn) >> (cpu_features.phys_bits - PAGE_SHIFT))
		return -EINVAL;
	return 0;
}

static inline int get_ram(domid_t owner, mfn_t mfn, bool write)
{
	if (likely(get_page_and_type(mfn, owner,
				     write ? FRAME_WRITABLE : FRAME_NONE)))
		return 0;
	/* Shared info and such have one type for good. */
	if (write && frame_type(mfn) == FRAME_SHARED && get_page(mfn, owner))
		return 0;
	return -EINVAL;
}

static __attribute__((noinline)) int get_other(struct domain *d, uint64_t pte)
{
	mfn_t mfn = pte_mfn(pte);

	if (!mfn_valid(mfn))
		return get_device(d, mfn);
	/* What the firmware left below 1 MiB is who has the devices'. */
	if (d->privileged && frame_owner(mfn) == DOMID_IO)
		return get_ram(DOMID_IO, mfn, pte & PTE_RW);
	return -EINVAL;
}

int pv_refuse_entry(const struct domain *d, unsigned int level, uint64_t pte)
{
	mfn_t mfn = pte_mfn(pte);

	printk(XENLOG_GUEST XENLOG_DEBUG
	       "d%u: level %u entry %016lx refused: frame of d%u, type %u, "
	       "%u uses\n",
	       d->id, level, pte, frame_owner(mfn), frame_type(mfn),
	       frame_type_count(mfn));
	return -EINVAL;
}

int pv_l1_get(struct domain *d, domid_t owner, uint64_t *pte)
{
	if (!(*pte & PTE_P))
		return 0;
	if (unlikely(*pte & (L1_DISALLOWED | PTE_CACHE)) &&
	    ((*pte & L1_DISALLOWED) || !d->privileged))
		return pv_refuse_entry(d, 1, *pte);
	if (get_ram(owner, pte_mfn(*pte), *pte & PTE_RW) && get_other(d, *pte))
		return pv_refuse_entry(d, 1, *pte);
	*pte |= PTE_US;
	return 0;
}

/* w: the frame's word. FRAME_SHARED is for good, the rest does not matter. */
static inline void put_mapped(uint64_t pte, uint64_t w)
{
	if ((pte & PTE_RW) && word_type(w) != FRAME_SHARED)
		put_writable_page(pte_mfn(pte));
	else
		put_page(pte_mfn(pte));
}

void pv_put_mapped(uint64_t pte)
{
	put_mapped(pte, frame_word(pte_mfn(pte)));
}

/*
 * A frame that nobody owns any more, or another domain's, goes with its last
 * reference, which may be this one: nobody may know the mapping then.
 * By one that was not accessed nobody does, if all is forgotten that was noted
 * (the mark may have been there before).
 */
void pv_l1_put(struct domain *d, uint64_t pte)
{
	uint64_t w;

	if (!(pte & PTE_P))
		return;
	w = frame_word(pte_mfn(pte));
	if (w == FRAME_HOLE)
		return;
	if (unlikely(!(w & FRAME_ALLOCATED) || word_owner(w) != d->id) &&
	    ((pte & PTE_A) || pv_is_stale(d)))
		pv_put_late(d, pte);
	else
		put_mapped(pte, w);
}

/* *old is what stood there. The processor may set accessed and dirty at any
 * time. False: something else stood there than is expected. */
static bool write_entry(const struct pv_change *c, uint64_t *e, uint64_t val,
			uint64_t *old)
{
	if (c->expect) {
		*old = *c->expect;
		return atomic_cas(e, old, val);
	}
	if (!c->keep_ad) {
		*old = atomic_xchg(e, val);
		return true;
	}
	*old = READ_ONCE(*e);
	while (!atomic_cas(e, old, val | (*old & (PTE_A | PTE_D))))
		;
	return true;
}

/* The same frame, and no more right to it than before. */
static bool is_same(uint64_t old, uint64_t new)
{
	const uint64_t watched = PTE_P | PTE_ADDR | PTE_CACHE | PTE_G;

	return (new &PTE_P) && !((old ^ new) & watched) &&
	       !((old ^ new) & new &PTE_RW);
}

/* A processor marks an entry as accessed before it remembers what that maps
 * (Intel SDM Vol. 3, "Details of TLB Use"): most grants that a device alone has
 * used are in no TLB. */
static inline void note_changed(struct domain *d, uint64_t old)
{
	if ((old & (PTE_P | PTE_A)) == (PTE_P | PTE_A))
		pv_note_stale(d);
}

void pv_l1_changed(struct domain *d, uint64_t old)
{
	note_changed(d, old);
}

/* The entry is new now, which is_same(), and so is its mark, unless kept. */
static inline void rights_changed(const struct pv_change *c, uint64_t old,
				  uint64_t new)
{
	uint64_t lost = old & ~new, watched = PTE_RW;

	/* Without the mark nobody would know later that it is remembered. */
	if (!c->keep_ad)
		watched |= PTE_A;
	if ((lost & watched) || ((old ^ new) & PTE_NX))
		note_changed(c->d, old);
	if (lost & PTE_RW) {
		mfn_t mfn = pte_mfn(old);

		if (!mfn_valid(mfn) || frame_type(mfn) == FRAME_SHARED)
			return;
		/* Its owner may make it a table now. */
		if (frame_owner(mfn) != c->d->id)
			pv_flush_stale(c->d);
		put_page_type(mfn);
	}
}

int pv_change_l1(const struct pv_change *c, uint64_t *e, uint64_t new)
{
	uint64_t old = READ_ONCE(*e);
	int rc;

	if (is_same(old, new)) {
		if (!write_entry(c, e, new | PTE_US, &old))
			return -EAGAIN;
		rights_changed(c, old, new);
		return 0;
	}
	rc = pv_l1_get(c->d, c->owner, &new);
	if (rc)
		return rc;
	if (!write_entry(c, e, new, &old)) {
		pv_l1_put(c->d, new);
		return -EAGAIN;
	}
	if (old & PTE_P) {
		note_changed(c->d, old);
		pv_l1_put(c->d, old);
	}
	return 0;
}

static bool is_self(mfn_t table, uint64_t pte)
{
	return (pte & PTE_P) && mfn_eq(pte_mfn(pte), table);
}

static int get_below(const struct pv_change *c, mfn_t table, unsigned int level,
		     uint64_t new)
{
	int rc;

	if (!(new &PTE_P))
		return 0;
	if (new &UPPER_DISALLOWED)
		return pv_refuse_entry(c->d, level, new);
	if (is_self(table, new))
		return !pv_may_be_linear(level) || (new &PTE_RW)
			       ? pv_refuse_entry(c->d, level, new)
			       : 0;
	rc = pv_table_get(c->d, c->w, pte_mfn(new), level - 1);
	return rc == -EINVAL ? pv_refuse_entry(c->d, level, new) : rc;
}

static int change_upper(const struct pv_change *c, mfn_t table,
			unsigned int level, uint64_t *e, uint64_t new)
{
	uint64_t old = READ_ONCE(*e);
	int rc;

	if (new &PTE_P)
		new |= PTE_US;
	if (is_same(old, new) && !is_self(table, new) &&
	    !(new &UPPER_DISALLOWED)) {
		write_entry(c, e, new, &old);
		if ((old ^ new) & (PTE_RW | PTE_NX))
			pv_note_stale(c->d);
		return 0;
	}
	rc = get_below(c, table, level, new);
	if (rc)
		return rc;
	write_entry(c, e, new, &old);
	if (!(old & PTE_P))
		return 0;
	pv_note_stale(c->d);
	return is_self(table, old)
		       ? 0
		       : pv_table_put(c->d, c->w, pte_mfn(old), level - 1);
}

int pv_change_entry(const struct pv_change *c, mfn_t table, unsigned int level,
		    unsigned int index, uint64_t val)
{
	uint64_t *e = (uint64_t *)mfn_to_virt(table) + index;
	int rc;

	if (level == 1)
		return pv_change_l1(c, e, val);
	if (!pv_guest_slot(level, index))
		return -EINVAL;
	rc = change_upper(c, table, level, e, val);
	if (unlikely(level == 4 && pv_is_isolated(c->d)))
		pv_isolate_entry(c->d, table, index);
	return rc;
}
