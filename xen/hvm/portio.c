/* SPDX-License-Identifier: MIT */
/*
 * Port I/O that exits: ranges with a handler; ports that nobody claims read as
 * all ones and swallow what is written, as on an empty bus.
 */
#include "hvm/portio.h"

#include "hvm/guest_walk.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#define HOT __attribute__((section(".text.hot")))

struct portio {
	struct portio *next;
	unsigned int first, n;
	portio_fn *fn;
	void *data;
};

/* At creation only: readers take no lock. */
int portio_register(struct domain *d, unsigned int first, unsigned int n,
		    portio_fn *fn, void *data)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct portio *p = xnew(struct portio);

	if (!p)
		return -ENOMEM;
	*p = (struct portio){hd->ports, first, n, fn, data};
	hd->ports = p;
	hvm_ops->allow_port(d, first, n, false);
	return 0;
}

static HOT void do_port(struct vcpu *v, unsigned int port, unsigned int size,
			bool write, uint32_t *val)
{
	for (const struct portio *p = hvm_domain(v->domain)->ports; p;
	     p = p->next) {
		if (port >= p->first && port - p->first < p->n) {
			p->fn(v, port, size, write, val, p->data);
			return;
		}
	}
	if (!write)
		*val = ~0U;
}

/* RSI or RDI goes on by an element. */
static void advance(struct vcpu *v, uint64_t *reg, unsigned int size,
		    unsigned int addr_size)
{
	uint64_t mask = addr_size >= 8 ? ~0UL : BIT(addr_size * 8) - 1;
	uint64_t next =
		*reg + (v->regs.rflags & BIT(10) ? -(uint64_t)size : size);

	*reg = addr_size == 2 ? (*reg & ~mask) | (next & mask) : next & mask;
}

static bool one_string(struct vcpu *v, const struct vmexit *x, uint64_t base)
{
	uint64_t *reg = x->io.in ? &v->regs.rdi : &v->regs.rsi;
	uint64_t mask = x->io.addr_size >= 8 ? ~0UL
					     : BIT(x->io.addr_size * 8) - 1;
	uint64_t va = base + (*reg & mask);
	uint32_t val = 0;

	if (x->io.in) {
		do_port(v, x->io.port, x->io.size, false, &val);
		if (hvm_copy_to_guest(v, va, &val, x->io.size))
			return false;
	} else {
		if (hvm_copy_from_guest(v, &val, va, x->io.size))
			return false;
		do_port(v, x->io.port, x->io.size, true, &val);
	}
	advance(v, reg, x->io.size, x->io.addr_size);
	return true;
}

#define STRING_BATCH 32

/* What a vendor does not say follows from the code segment (an address-size
 * prefix cannot be seen then: QEMU's TCG never tells). */
static uint8_t default_addr_size(struct vcpu *v)
{
	struct hvm_segment cs;

	hvm_ops->get_seg(v, SEG_CS, &cs);
	if (cs.attr & SEG_ATTR_L && hvm_ops->get_creg(v, EFER) & EFER_LMA)
		return 8;
	return cs.attr & SEG_ATTR_D ? 4 : 2;
}

/* INS, OUTS. A page fault on the way is the guest's to handle: it is told that
 * its memory is not there. */
static enum verdict string_io(struct vcpu *v, const struct vmexit *x)
{
	uint64_t mask = x->io.addr_size >= 8 ? ~0UL
					     : BIT(x->io.addr_size * 8) - 1;
	struct hvm_segment seg = {.base = 0};

	if (!(hvm_ops->get_creg(v, EFER) & EFER_LMA))
		hvm_ops->get_seg(v, x->io.in ? SEG_ES : SEG_DS, &seg);
	for (unsigned int n = 0; n < STRING_BATCH; n++) {
		if (x->io.rep && !(v->regs.rcx & mask))
			return VERDICT_SKIP;
		if (!one_string(v, x, seg.base)) {
			uint64_t reg = x->io.in ? v->regs.rdi : v->regs.rsi;

			hvm_ops->set_creg(v, CR2, seg.base + reg);
			hvm_ops->inject_exception(v, 14, true,
						  x->io.in ? WALK_WRITE : 0);
			return VERDICT_RESUME;
		}
		if (!x->io.rep)
			return VERDICT_SKIP;
		v->regs.rcx = (v->regs.rcx & ~mask) |
			      ((v->regs.rcx - 1) & mask);
	}
	return VERDICT_RESUME;
}

HOT enum verdict hvm_portio(struct vcpu *v, const struct vmexit *x)
{
	unsigned int bits = x->io.size * 8;
	uint32_t mask = bits == 32 ? ~0U : (1U << bits) - 1;
	uint32_t val = (uint32_t)v->regs.rax & mask;

	if (unlikely(x->io.string)) {
		struct vmexit y = *x;

		if (!y.io.addr_size)
			y.io.addr_size = default_addr_size(v);
		return string_io(v, &y);
	}
	do_port(v, x->io.port, x->io.size, !x->io.in, &val);
	if (!x->io.in)
		return VERDICT_SKIP;
	if (bits == 32)
		v->regs.rax = val;
	else
		v->regs.rax = (v->regs.rax & ~(uint64_t)mask) | (val & mask);
	return VERDICT_SKIP;
}

void hvm_io_free(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	while (hd->ports) {
		struct portio *next = hd->ports->next;

		xfree(hd->ports);
		hd->ports = next;
	}
	mmio_free(d);
}
