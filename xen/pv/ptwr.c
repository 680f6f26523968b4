/* SPDX-License-Identifier: MIT */
/*
 * Writable page tables, for guests that ask for them (vm_assist): a kernel
 * that stores into a level 1 table, which it has mapped read-only, faults; the
 * instruction is done for it, and its store is a change of an entry like any
 * other.
 */
#include "pv/pv.h"

#include "emulate/emulate.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/layout.h"

struct table_write {
	struct vcpu *v;
	uint64_t addr; /* the page that faulted */
	mfn_t table;
	bool was_read;
	uint64_t entry; /* what was there when the instruction read it */
	int rc;
};

static uint64_t *entry_at(const struct table_write *t, uint64_t addr)
{
	return (uint64_t *)mfn_to_virt(t->table) + (addr & ~PAGE_MASK) / 8;
}

/* Within one entry of the table. */
static bool in_table(const struct table_write *t, uint64_t addr,
		     unsigned int size)
{
	return (addr & PAGE_MASK) == (t->addr & PAGE_MASK) &&
	       (addr & 7) + size <= 8;
}

static bool read_back(void *ctx, uint64_t addr, unsigned int size,
		      uint64_t *val)
{
	struct table_write *t = ctx;

	*val = 0;
	if (!in_table(t, addr, size))
		return !pv_copy_from_guest(t->v, val, addr, size);
	t->was_read = true;
	t->entry = READ_ONCE(*entry_at(t, addr));
	memcpy(val, (char *)&t->entry + (addr & 7), size);
	return true;
}

/* An entry or a part of it. One that was read must still be what it was: the
 * processor may have noted an access meanwhile. */
static bool write_through(void *ctx, uint64_t addr, unsigned int size,
			  uint64_t val)
{
	struct table_write *t = ctx;
	struct pv_change c = {
		.d = t->v->domain,
		.owner = t->v->domain->id,
		.w = &v_mm(t->v)->work,
	};
	uint64_t entry;

	t->rc = -EINVAL;
	if (!in_table(t, addr, size))
		return false;
	entry = t->was_read ? t->entry : READ_ONCE(*entry_at(t, addr));
	memcpy((char *)&entry + (addr & 7), &val, size);
	c.expect = t->was_read ? &t->entry : NULL;
	t->rc = pv_change_entry(&c, t->table, 1,
				(addr & ~PAGE_MASK) / sizeof(uint64_t), entry);
	return !t->rc;
}

static uint64_t segment_base(void *ctx, unsigned int seg)
{
	struct table_write *t = ctx;

	if (seg == INSN_FS)
		return rdmsr(MSR_FS_BASE);
	if (seg == INSN_GS)
		return pv_get_gs_base(t->v, false);
	return 0;
}

/* The table that addr shows, if it is one of level 1; held. */
static bool find_table(struct vcpu *v, uint64_t addr, mfn_t *mfn)
{
	unsigned int index;
	mfn_t above;
	uint64_t e;

	if (!pv_walk(v, addr, 1, &above, &index))
		return false;
	e = ((uint64_t *)mfn_to_virt(above))[index];
	*mfn = pte_mfn(e);
	if ((e & (PTE_P | PTE_RW)) != PTE_P || !mfn_valid(*mfn) ||
	    !get_page(*mfn, v->domain->id))
		return false;
	if (pv_is_l1(mfn_to_frame(*mfn)->word))
		return true;
	put_page(*mfn);
	return false;
}

static bool emulate_store(struct table_write *t)
{
	struct guest_regs *r = &t->v->regs;
	uint8_t bytes[INSN_MAX];
	struct insn insn;
	struct emulator e = {
		.gpr = &r->rax,
		.rip = r->rip,
		.rflags = r->rflags,
		.seg_base = segment_base,
		.read = read_back,
		.write = write_through,
		.ctx = t,
	};
	size_t n = pv_fetch(r->rip, bytes, sizeof(bytes));

	if (!insn_decode(&insn, bytes, (unsigned int)n, 64))
		return false;
	switch (emulate(&e, &insn)) {
	case EMULATE_DONE:
		r->rip = e.rip;
		r->rflags = e.rflags;
		return true;
	case EMULATE_AGAIN:
		return true;
	case EMULATE_FAULT:
		return t->rc == -EAGAIN; /* executed again */
	default:
		return false;
	}
}

/* Who has the devices gets it unasked, as from Xen. */
static bool wants(const struct domain *d)
{
	return d->privileged ||
	       (READ_ONCE(d->vm_assist) & BIT(VMASST_TYPE_writable_pagetables));
}

bool pv_table_write(struct vcpu *v, uint64_t addr)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	struct table_write t = {.v = v, .addr = addr};
	bool done = false;

	if (!wants(v->domain))
		return false;
	spin_lock(&mm->lock);
	if (find_table(v, addr, &t.table)) {
		done = emulate_store(&t);
		put_page(t.table);
	}
	spin_unlock(&mm->lock);
	return done;
}
