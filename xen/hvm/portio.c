/* SPDX-License-Identifier: MIT */
/*
 * Port I/O that exits: ranges with a handler, then device models; ports that
 * nobody claims read as all ones and swallow what is written, as on an empty
 * bus.
 */
#include "hvm/portio.h"

#include "emulate/decode.h"
#include "hvm/guest_walk.h"
#include "hvm/dm.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#include <xen/hvm/ioreq.h>

#define HOT __attribute__((section(".text.hot")))

struct portio {
	struct portio *next;
	unsigned int first, n;
	portio_fn *fn;
	portio_claims *claims; /* NULL: always */
	void *data;
};

/* At creation only: readers take no lock. */
int portio_register_some(struct domain *d, unsigned int first, unsigned int n,
			 portio_claims *claims, portio_fn *fn, void *data)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct portio *p = xnew(struct portio);

	if (!p)
		return -ENOMEM;
	*p = (struct portio){hd->ports, first, n, fn, claims, data};
	hd->ports = p;
	hvm_ops->allow_port(d, first, n, false);
	return 0;
}

int portio_register(struct domain *d, unsigned int first, unsigned int n,
		    portio_fn *fn, void *data)
{
	return portio_register_some(d, first, n, NULL, fn, data);
}

#define PCI_ADDRESS 0xcf8

/* False: it waits for a device model. */
static __attribute__((noinline)) bool ask_model(struct vcpu *v,
						unsigned int port,
						unsigned int size, bool write,
						uint32_t *val)
{
	uint64_t data = *val;

	if (write && port == PCI_ADDRESS && size == 4)
		WRITE_ONCE(hvm_domain(v->domain)->pci_cf8, *val);
	switch (hvm_dm_access(v, IOREQ_TYPE_PIO, port, size, write, &data)) {
	case DM_WAIT:
		return false;
	case DM_DONE:
		if (!write)
			*val = (uint32_t)data;
		return true;
	case DM_NOBODY:
		break;
	}
	if (!write)
		*val = ~0U;
	return true;
}

/* Whose it is, among our devices. */
static inline const struct portio *find(const struct hvm_domain *hd,
					unsigned int port)
{
	const struct portio *p = hd->ports;

	while (p && port - p->first >= p->n)
		p = p->next;
	return p;
}

/* A device of ours, a device model's, or nobody's: then it reads as ones. */
static bool do_port(struct vcpu *v, unsigned int port, unsigned int size,
		    bool write, uint32_t *val)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	const struct portio *p = find(hd, port);

	if (p && (!p->claims || p->claims(port, size, write, *val, p->data))) {
		p->fn(v, port, size, write, val, p->data);
		return true;
	}
	if (hd->has_servers)
		return ask_model(v, port, size, write, val);
	if (!write)
		*val = ~0U;
	return true;
}

static bool is_ours(const struct domain *d, unsigned int port)
{
	return find(hvm_domain(d), port);
}

/* INS or OUTS at work. */
struct string_op {
	struct vcpu *v;
	const struct vmexit *x;
	uint64_t base, mask; /* of the memory operand; of its register */
	bool in, rep, down;
	uint8_t size;
};

static inline uint64_t *pointer(const struct string_op *s)
{
	return s->in ? &s->v->regs.rdi : &s->v->regs.rsi;
}

static uint64_t operand(const struct string_op *s)
{
	uint64_t va = s->base + (*pointer(s) & s->mask);

	return s->mask >> 32 ? va : (uint32_t)va;
}

/* n elements are done: RSI or RDI goes on, RCX counts. */
static void advance(const struct string_op *s, uint32_t n)
{
	uint64_t *reg = pointer(s), *rcx = &s->v->regs.rcx;
	uint64_t keep = s->mask == 0xffff ? ~s->mask : 0;
	uint64_t by = (uint64_t)n * s->size;

	*reg = (*reg & keep) | ((s->down ? *reg - by : *reg + by) & s->mask);
	if (s->rep)
		*rcx = (*rcx & keep) | ((*rcx - n) & s->mask);
	hvm_io_step(s->v);
}

/* How many elements lie in the page of the first, at most all. */
static uint32_t in_page(const struct string_op *s, uint64_t va)
{
	uint64_t offset = va & ~PAGE_MASK, left = s->v->regs.rcx & s->mask;
	uint64_t n = s->down ? offset / s->size + 1
			     : (PAGE_SIZE - offset) / s->size;

	if (offset + s->size > PAGE_SIZE) /* the first one lies in two */
		return 1;
	return (uint32_t)min(n, left);
}

/* Many at once to a device model, which reaches the memory itself. False: one
 * by one, please. */
static bool batch(const struct string_op *s, uint64_t va, bool *wait)
{
	const struct vmexit *x = s->x;
	uint32_t n = in_page(s, va);
	gpa_t gpa;

	if (n < 2 || is_ours(s->v->domain, x->io.port) ||
	    x->io.port >> 2 == 0xcfc >> 2)
		return false;
	if (!hvm_translate(s->v, va, s->in ? WALK_WRITE : 0, &gpa)) {
		*wait = true; /* for its page fault */
		return true;
	}
	if (!hvm_gfn_virt(s->v, gpa_to_gfn(gpa), s->in))
		return false;
	switch (hvm_dm_string(s->v, IOREQ_TYPE_PIO, x->io.port, s->size, !s->in,
			      &n, gpa, s->down)) {
	case DM_WAIT:
		*wait = true;
		return true;
	case DM_DONE:
		advance(s, n);
		return true;
	default:
		return false;
	}
}

/* INS: what a device has given is not asked for again, so its place is looked
 * at before. False: a page fault. */
static bool can_take(const struct string_op *s, uint64_t va)
{
	uint64_t last = va + s->size - 1;
	gpa_t gpa;

	return hvm_translate(s->v, va, WALK_WRITE, &gpa) &&
	       (va >> 12 == last >> 12 ||
		hvm_translate(s->v, last & PAGE_MASK, WALK_WRITE, &gpa));
}

/* False: it waits, or has a fault to take. */
static bool one_string(const struct string_op *s)
{
	const struct vmexit *x = s->x;
	uint64_t va = operand(s), data = 0;
	bool wait = false;
	uint32_t val = 0;

	if (s->rep && batch(s, va, &wait))
		return !wait;
	if (!s->in && !hvm_access_memory(s->v, va, s->size, false, &data))
		return false;
	if (s->in && !can_take(s, va))
		return false;
	val = (uint32_t)data;
	if (!do_port(s->v, x->io.port, s->size, !s->in, &val))
		return false;
	data = val;
	if (s->in && !hvm_access_memory(s->v, va, s->size, true, &data))
		return false;
	advance(s, 1);
	return true;
}

#define STRING_BATCH 32

/* What the exit does not say (QEMU's TCG never does) is in the instruction. */
static bool decode_string(struct vcpu *v, struct string_op *s)
{
	unsigned int mode = hvm_ops->code_bits(v);
	uint8_t bytes[INSN_MAX];
	struct hvm_segment seg = {.base = 0};
	struct insn i;
	enum hvm_seg which;

	if (!hvm_decode(v, &i, bytes))
		return false;
	which = s->in                  ? SEG_ES
		: i.seg == INSN_NO_SEG ? SEG_DS
				       : (enum hvm_seg)i.seg;
	if (mode != 64 || which == SEG_FS || which == SEG_GS)
		hvm_ops->get_seg(v, which, &seg);
	s->base = seg.base;
	s->mask = i.address_bytes == 8 ? ~0UL : BIT(i.address_bytes * 8) - 1;
	return true;
}

static __attribute__((noinline)) enum verdict string_io(struct vcpu *v,
							const struct vmexit *x)
{
	struct string_op s = {
		.v = v,
		.x = x,
		.in = x->io.in,
		.rep = x->io.rep,
		.down = v->regs.rflags & BIT(10),
		.size = x->io.size,
	};

	if (!decode_string(v, &s))
		return VERDICT_RESUME;
	for (unsigned int n = 0; n < STRING_BATCH; n++) {
		if (s.rep && !(v->regs.rcx & s.mask))
			return VERDICT_SKIP;
		if (!one_string(&s))
			return VERDICT_RESUME;
		if (!s.rep)
			return VERDICT_SKIP;
	}
	return VERDICT_RESUME;
}

HOT enum verdict hvm_port_insn(struct vcpu *v, const struct vmexit *x)
{
	/* What of RAX stays; all 64 bits change where 32 do. */
	uint64_t keep = x->io.size == 4 ? 0 : ~0UL << x->io.size * 8;
	uint32_t val = (uint32_t)(v->regs.rax & ~keep);

	if (unlikely(x->io.string))
		return string_io(v, x);
	if (unlikely(!do_port(v, x->io.port, x->io.size, !x->io.in, &val)))
		return VERDICT_RESUME;
	if (!x->io.in)
		return VERDICT_SKIP;
	v->regs.rax = (v->regs.rax & keep) | (val & ~keep);
	return VERDICT_SKIP;
}

static HOT __attribute__((noinline)) enum verdict
somebodys(struct vcpu *v, const struct vmexit *x)
{
	enum verdict r = hvm_port_insn(v, x);

	hvm_io_end(v, x);
	return r;
}

/* A kernel that looks for devices mostly finds none. */
HOT enum verdict hvm_portio(struct vcpu *v, const struct vmexit *x)
{
	const struct hvm_domain *hd = hvm_domain(v->domain);

	if (x->io.string || hd->has_servers || find(hd, x->io.port))
		return somebodys(v, x);
	if (x->io.in)
		v->regs.rax = x->io.size == 4
				      ? ~0U
				      : v->regs.rax | (BIT(x->io.size * 8) - 1);
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
