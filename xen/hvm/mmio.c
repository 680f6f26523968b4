/* SPDX-License-Identifier: MIT */
/*
 * Emulated memory: the instruction that touched it is fetched, decoded and
 * executed here, with its other operands in the guest's real memory.
 */
#include "hvm/portio.h"

#include "console/printk.h"
#include "emulate/emulate.h"
#include "hvm/debug.h"
#include "hvm/dev/vlapic.h"
#include "hvm/guest_walk.h"
#include "hvm/dm.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

#include <xen/hvm/ioreq.h>

#define HOT __attribute__((section(".text.hot")))

struct mmio {
	struct mmio *next;
	gpa_t first;
	uint64_t n;
	mmio_fn *fn;
	void *data;
};

/* Entries are added at the front and never freed while the domain lives, so
 * that readers need no lock; n = 0 takes one out of use. */
int mmio_register(struct domain *d, gpa_t first, uint64_t n, mmio_fn *fn,
		  void *data)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct mmio *m = xnew(struct mmio);

	if (!m)
		return -ENOMEM;
	*m = (struct mmio){hd->mmio, first, n, fn, data};
	smp_wmb();
	WRITE_ONCE(hd->mmio, m);
	return 0;
}

void mmio_unregister(struct domain *d, gpa_t first)
{
	for (struct mmio *m = hvm_domain(d)->mmio; m; m = m->next)
		if (m->first == first)
			WRITE_ONCE(m->n, 0);
}

void mmio_free(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	while (hd->mmio) {
		struct mmio *next = hd->mmio->next;

		xfree(hd->mmio);
		hd->mmio = next;
	}
}

static const struct mmio *find(struct domain *d, gpa_t gpa)
{
	for (const struct mmio *m = READ_ONCE(hvm_domain(d)->mmio); m;
	     m = m->next)
		if (gpa >= m->first && gpa - m->first < READ_ONCE(m->n))
			return m;
	return NULL;
}

/* By page: a page with a trapped byte is trapped. */
bool mmio_is_trapped(struct domain *d, gpa_t gpa)
{
	gpa &= PAGE_MASK;
	for (const struct mmio *m = READ_ONCE(hvm_domain(d)->mmio); m;
	     m = m->next)
		if (READ_ONCE(m->n) && gpa + PAGE_SIZE > m->first &&
		    gpa < m->first + m->n)
			return true;
	return false;
}

/* AMD APM Vol. 2, "APIC Registers": 32 bits at offsets of 16. */
static void access_lapic(struct vlapic *l, gpa_t gpa, unsigned int size,
			 bool write, uint64_t *val)
{
	unsigned int offset = gpa & ~PAGE_MASK, reg = offset >> 4;
	unsigned int shift = (offset & 3) * 8;

	if (reg >= 64 || (offset & 0xc)) {
		if (!write)
			*val = 0;
	} else if (write) {
		if (size == 4)
			vlapic_write(l, reg, (uint32_t)*val);
	} else {
		*val = vlapic_read(l, reg) >> shift;
	}
}

/* One access to emulated memory; what nothing backs reads as ones. False: it
 * waits for a device model. */
static bool access_mmio(struct vcpu *v, gpa_t gpa, unsigned int size,
			bool write, uint64_t *val)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	const struct mmio *m;

	if (vlapic_is_at(l, gpa)) {
		access_lapic(l, gpa, size, write, val);
		return true;
	}
	m = find(v->domain, gpa);
	if (m) {
		m->fn(v, gpa, size, write, val, m->data);
		return true;
	}
	switch (hvm_dm_access(v, IOREQ_TYPE_COPY, gpa, size, write, val)) {
	case DM_WAIT:
		return false;
	case DM_DONE:
		return true;
	case DM_NOBODY:
		break;
	}
	if (!write)
		*val = ~0UL;
	return true;
}

static bool translate(struct vcpu *v, uint64_t va, uint32_t access, gpa_t *gpa)
{
	uint32_t error;

	if (guest_walk(v, va, access, gpa, &error))
		return true;
	/* An address that is not canonical has no page. */
	if ((uint64_t)((int64_t)(va << 16) >> 16) != va &&
	    (hvm_ops->get_creg(v, EFER) & EFER_LMA)) {
		hvm_inject_gp(v);
		return false;
	}
	hvm_ops->set_creg(v, CR2, va);
	hvm_ops->inject_exception(v, 14, true, error);
	return false;
}

static uint32_t as_ring(struct vcpu *v)
{
	return hvm_ops->cpl(v) == 3 ? WALK_USER : 0;
}

bool hvm_translate(struct vcpu *v, uint64_t va, uint32_t access, gpa_t *gpa)
{
	return translate(v, va, access | as_ring(v), gpa);
}

/* A part of an operand that lies in one page. */
static bool access_gpa(struct vcpu *v, gpa_t gpa, unsigned int size, bool write,
		       uint64_t *val)
{
	unsigned long flags;
	char *page;

	if (vlapic_is_at(hvm_vcpu(v)->lapic, gpa) ||
	    mmio_is_trapped(v->domain, gpa))
		return access_mmio(v, gpa, size, write, val);
	/* The page stays while interrupts are off: hvm/guest_walk.c. */
	flags = local_irq_save();
	page = hvm_gfn_virt(v, gpa_to_gfn(gpa), write);
	if (page && write)
		memcpy(page + (gpa & ~PAGE_MASK), val, size);
	else if (page)
		memcpy(val, page + (gpa & ~PAGE_MASK), size);
	local_irq_restore(flags);
	return page || access_mmio(v, gpa, size, write, val);
}

/* Both pages are there before anything is done to the first. A device sees
 * the halves as bytes: no size divides every cut. */
static bool access_across(struct vcpu *v, uint64_t va, unsigned int size,
			  uint32_t access, uint64_t *val)
{
	unsigned int head = PAGE_SIZE - (va & ~PAGE_MASK);
	bool write = access & WALK_WRITE;
	gpa_t gpa[2];

	if (!translate(v, va, access, &gpa[0]) ||
	    !translate(v, va + head, access, &gpa[1]))
		return false;
	for (unsigned int i = 0; i < size; i++) {
		gpa_t at = i < head ? gpa[0] + i : gpa[1] + (i - head);
		uint64_t byte = *val >> i * 8 & 0xff;

		if (!access_gpa(v, at, 1, write, &byte))
			return false;
		if (!write)
			*val |= (byte & 0xff) << i * 8;
	}
	return true;
}

static bool access_va(struct vcpu *v, uint64_t va, unsigned int size,
		      uint32_t access, uint64_t *val)
{
	gpa_t gpa;

	if ((va & ~PAGE_MASK) + size > PAGE_SIZE)
		return access_across(v, va, size, access, val);
	return translate(v, va, access, &gpa) &&
	       access_gpa(v, gpa, size, access & WALK_WRITE, val);
}

bool hvm_access_memory(struct vcpu *v, uint64_t va, unsigned int size,
		       bool write, uint64_t *val)
{
	return access_va(v, va, size, (write ? WALK_WRITE : 0) | as_ring(v),
			 val);
}

bool hvm_access_table(struct vcpu *v, uint64_t va, unsigned int size,
		      bool write, uint64_t *val)
{
	return access_va(v, va, size, write ? WALK_WRITE : 0, val);
}

/* bytes: zeros where nothing could be read. */
static enum verdict not_emulated(struct vcpu *v, gpa_t gpa,
				 const uint8_t *bytes)
{
	domain_crash(v->domain,
		     "v%u: cannot emulate the access to %#lx at %#lx (bytes: "
		     "%02x %02x %02x %02x %02x %02x %02x %02x)",
		     v->id, gpa, v->regs.rip, bytes[0], bytes[1], bytes[2],
		     bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
	hvm_ops->dump(v);
	return VERDICT_RESUME;
}

static HOT struct lapic_insn *lapic_insn(struct vcpu *v)
{
	return &hvm_vcpu(v)->lapic_insns[(v->regs.rip ^ v->regs.rip >> 5) %
					 LAPIC_INSNS];
}

/* The moves between memory and a register (moffs: EAX), and mov $imm, mem. */
static bool is_plain_move(const struct insn *i)
{
	switch (i->opcode) {
	case 0x89:
	case 0x8b:
		return i->mod != 3;
	case 0xa1:
	case 0xa3:
		return true;
	case 0xc7:
		return i->mod != 3 && !(i->reg & 7);
	default:
		return false;
	}
}

/* Kernel code stays what it is. */
static void remember(struct vcpu *v, const struct insn *i)
{
	struct lapic_insn *e = lapic_insn(v);
	struct walk_regs r;

	hvm_ops->get_paging(v, &r);
	if (i->mode != 64 || r.user || i->map != MAP_ONE ||
	    i->operand_bytes != 4 || i->lock || i->rep || i->repne ||
	    !is_plain_move(i))
		return;
	*e = (struct lapic_insn){
		.rip = v->regs.rip,
		.cr3 = r.cr3,
		.length = i->length,
		.reg = i->reg,
		.write = i->opcode != 0x8b && i->opcode != 0xa1,
		.has_imm = i->opcode == 0xc7,
		.imm = (uint32_t)i->imm,
	};
}

/* An instruction that is known accesses the local APIC, at gpa. */
static HOT bool lapic_again(struct vcpu *v, gpa_t gpa, const struct vmexit *x)
{
	const struct lapic_insn *e = lapic_insn(v);
	struct hvm_vcpu *hv = hvm_vcpu(v);
	uint64_t *gpr = &v->regs.rax;
	uint64_t val = 0;

	if (e->rip != v->regs.rip || !e->rip || e->write != x->npf.write ||
	    x->npf.fetch || x->npf.in_table)
		return false;
	if (hvm_ops->kernel_bits(v) != 64 || e->cr3 != hv->call_cr3 ||
	    (v->regs.rflags & X86_EFLAGS_TF))
		return false;
	if (e->write)
		val = e->has_imm ? e->imm : (uint32_t)gpr[e->reg];
	access_lapic(hv->lapic, gpa, 4, e->write, &val);
	if (!e->write)
		gpr[e->reg] = (uint32_t)val;
	v->regs.rip += e->length;
	return true;
}

static enum verdict do_mmio(struct vcpu *v, gpa_t gpa, const struct vmexit *x)
{
	bool steps = v->regs.rflags & X86_EFLAGS_TF;
	uint8_t bytes[INSN_MAX] = {0};
	struct insn insn;

	if (x->npf.fetch || x->npf.in_table || !hvm_decode(v, &insn, bytes))
		return not_emulated(v, gpa, bytes);
	if (vlapic_is_at(hvm_vcpu(v)->lapic, gpa))
		remember(v, &insn);
	else if (!steps && hvm_mmio_movs(v, &insn, x->npf.write))
		return VERDICT_RESUME;
	switch (hvm_emulate(v, &insn)) {
	case EMULATE_UNKNOWN:
		return not_emulated(v, gpa, bytes);
	case EMULATE_DONE:
		/* It was the one after STI or MOV SS, if there was one. */
		hvm_ops->end_shadow(v);
		if (steps)
			hvm_trap_step(v);
		return VERDICT_RESUME;
	default:
		return VERDICT_RESUME;
	}
}

enum verdict hvm_mmio(struct vcpu *v, gpa_t gpa, const struct vmexit *x)
{
	enum verdict r = do_mmio(v, gpa, x);

	hvm_io_end(v, x);
	return r;
}

HOT enum verdict hvm_lapic_mmio(struct vcpu *v, gpa_t gpa,
				const struct vmexit *x)
{
	return likely(lapic_again(v, gpa, x)) ? VERDICT_RESUME
					      : hvm_mmio(v, gpa, x);
}
