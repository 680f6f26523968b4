/* SPDX-License-Identifier: MIT */
/*
 * Emulated memory: the instruction that touched it is fetched, decoded and
 * executed here, with its other operands in the guest's real memory.
 */
#include "hvm/portio.h"

#include "console/printk.h"
#include "emulate/emulate.h"
#include "hvm/dev/vlapic.h"
#include "hvm/guest_walk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

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

static bool is_lapic(const struct vlapic *l, gpa_t gpa)
{
	return (gpa & PAGE_MASK) == (l->base & PAGE_MASK) &&
	       (l->base & APIC_BASE_ENABLE) && !vlapic_x2apic(l);
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

/* One access to emulated memory that nothing backs reads all ones. */
static void access_mmio(struct vcpu *v, gpa_t gpa, unsigned int size,
			bool write, uint64_t *val)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	const struct mmio *m;

	if (is_lapic(l, gpa)) {
		access_lapic(l, gpa, size, write, val);
		return;
	}
	m = find(v->domain, gpa);
	if (m)
		m->fn(v, gpa, size, write, val, m->data);
	else if (!write)
		*val = ~0UL;
}

/*
 * Emulator callbacks. An operand that is RAM is copied, one that is not goes to
 * its handler; a page fault is the guest's.
 */
static bool translate(struct vcpu *v, uint64_t va, uint32_t access, gpa_t *gpa)
{
	uint32_t error;

	if (hvm_ops->cpl(v) == 3)
		access |= WALK_USER;
	if (guest_walk(v, va, access, gpa, &error))
		return true;
	hvm_ops->set_creg(v, CR2, va);
	hvm_ops->inject_exception(v, 14, true, error);
	return false;
}

static bool access_memory(struct vcpu *v, uint64_t va, unsigned int size,
			  bool write, uint64_t *val)
{
	uint32_t access = write ? WALK_WRITE : 0;
	gpa_t gpa;
	char *page;

	if (!translate(v, va, access, &gpa))
		return false;
	if ((va & ~PAGE_MASK) + size > PAGE_SIZE) {
		/* Across pages: RAM only. */
		int rc = write ? hvm_copy_to_guest(v, va, val, size)
			       : hvm_copy_from_guest(v, val, va, size);

		if (rc)
			hvm_inject_gp(v);
		return rc == 0;
	}
	page = is_lapic(hvm_vcpu(v)->lapic, gpa) ||
			       mmio_is_trapped(v->domain, gpa)
		       ? NULL
		       : hvm_gfn_virt(v, gpa_to_gfn(gpa), write);
	if (!page)
		access_mmio(v, gpa, size, write, val);
	else if (write)
		memcpy(page + (gpa & ~PAGE_MASK), val, size);
	else
		memcpy(val, page + (gpa & ~PAGE_MASK), size);
	return true;
}

static bool read_memory(void *ctx, uint64_t va, unsigned int size,
			uint64_t *val)
{
	*val = 0;
	return access_memory(ctx, va, size, false, val);
}

static bool write_memory(void *ctx, uint64_t va, unsigned int size,
			 uint64_t val)
{
	return access_memory(ctx, va, size, true, &val);
}

static uint64_t seg_base(void *ctx, unsigned int seg)
{
	struct hvm_segment g;

	/* INSN_ES … are in the order of SEG_ES … */
	hvm_ops->get_seg(ctx, (enum hvm_seg)seg, &g);
	return g.base;
}

static uint64_t linear_rip(struct vcpu *v, unsigned int mode)
{
	struct hvm_segment cs;

	if (mode == 64)
		return v->regs.rip;
	hvm_ops->get_seg(v, SEG_CS, &cs);
	return (uint32_t)(cs.base + v->regs.rip);
}

static enum verdict not_emulated(struct vcpu *v, gpa_t gpa,
				 const uint8_t *bytes, unsigned int n)
{
	domain_crash(v->domain,
		     "v%u: cannot emulate the access to %#lx at %#lx (%u "
		     "bytes: %02x %02x %02x %02x %02x %02x)",
		     v->id, gpa, v->regs.rip, n, bytes[0], bytes[1], bytes[2],
		     bytes[3], bytes[4], bytes[5]);
	hvm_ops->dump(v);
	return VERDICT_RESUME;
}

enum verdict hvm_mmio(struct vcpu *v, gpa_t gpa, const struct vmexit *x)
{
	struct emulator e = {
		.gpr = &v->regs.rax,
		.rip = v->regs.rip,
		.rflags = v->regs.rflags,
		.seg_base = seg_base,
		.read = read_memory,
		.write = write_memory,
		.ctx = v,
	};
	uint8_t bytes[INSN_MAX] = {0};
	struct insn insn;
	unsigned int n, mode;

	if (x->npf.fetch || x->npf.in_table)
		return not_emulated(v, gpa, bytes, 0);
	mode = hvm_ops->code_bits(v);
	n = hvm_fetch(v, linear_rip(v, mode), bytes, sizeof(bytes));
	if (!insn_decode(&insn, bytes, n, mode))
		return not_emulated(v, gpa, bytes, n);
	switch (emulate(&e, &insn)) {
	case EMULATE_DONE:
		v->regs.rip = e.rip;
		v->regs.rflags = e.rflags;
		return VERDICT_RESUME;
	case EMULATE_AGAIN:
	case EMULATE_FAULT:
		return VERDICT_RESUME;
	default:
		return not_emulated(v, gpa, bytes, n);
	}
}
