/* SPDX-License-Identifier: MIT */
/*
 * REP MOVS between a device model's memory and RAM: many elements in one
 * request, as far as both operands stay in their pages. Firmware copies whole
 * ROMs that way; element by element each would be a round trip.
 */
#include "hvm/portio.h"

#include "emulate/decode.h"
#include "hvm/dm.h"
#include "hvm/guest_walk.h"

#include <xen/hvm/ioreq.h>

struct movs {
	struct vcpu *v;
	const struct insn *i;
	uint64_t mask; /* of RSI, RDI and RCX */
	unsigned int size;
	bool down;
};

static uint64_t operand(const struct movs *m, enum hvm_seg s, uint64_t reg)
{
	struct hvm_segment g = {.base = 0};

	if (m->i->mode != 64 || s == SEG_FS || s == SEG_GS)
		hvm_ops->get_seg(m->v, s, &g);
	return m->i->mode == 64 ? g.base + (reg & m->mask)
				: (uint32_t)(g.base + (reg & m->mask));
}

/* Elements from va on that lie in its page; 0: not even one. */
static uint64_t in_page(const struct movs *m, uint64_t va)
{
	uint64_t offset = va & ~PAGE_MASK;

	if (offset + m->size > PAGE_SIZE)
		return 0;
	return m->down ? offset / m->size + 1 : (PAGE_SIZE - offset) / m->size;
}

static void advance(const struct movs *m, uint64_t *reg, uint64_t by)
{
	uint64_t keep = m->mask == 0xffff ? ~m->mask : 0;

	*reg = (*reg & keep) | ((*reg + by) & m->mask);
}

static void commit(const struct movs *m, uint32_t n)
{
	struct guest_regs *r = &m->v->regs;
	uint64_t by = (uint64_t)n * m->size;

	advance(m, &r->rsi, m->down ? -by : by);
	advance(m, &r->rdi, m->down ? -by : by);
	advance(m, &r->rcx, -(uint64_t)n);
	hvm_io_step(m->v);
	if (!(r->rcx & m->mask))
		r->rip += m->i->length;
}

/* src and dst are linear; to_device says which one the model has. */
static bool move(const struct movs *m, uint64_t src, uint64_t dst,
		 bool to_device)
{
	uint64_t n = min(in_page(m, src), in_page(m, dst));
	gpa_t from, to, ram, device;
	uint32_t count;

	count = (uint32_t)min(n, m->v->regs.rcx & m->mask);
	if (count < 2)
		return false;
	if (!hvm_translate(m->v, src, 0, &from) ||
	    !hvm_translate(m->v, dst, WALK_WRITE, &to))
		return true; /* a page fault is on its way */
	ram = to_device ? from : to;
	device = to_device ? to : from;
	if (!hvm_gfn_virt(m->v, gpa_to_gfn(ram), !to_device) ||
	    mmio_is_trapped(m->v->domain, ram) ||
	    mmio_is_trapped(m->v->domain, device))
		return false;
	switch (hvm_dm_string(m->v, IOREQ_TYPE_COPY, device, m->size, to_device,
			      &count, ram, m->down)) {
	case DM_DONE:
		commit(m, count);
		return true;
	case DM_WAIT:
		return true;
	default:
		return false;
	}
}

bool hvm_mmio_movs(struct vcpu *v, const struct insn *i, bool write)
{
	struct movs m = {
		.v = v,
		.i = i,
		.mask = i->address_bytes == 8 ? ~0UL
					      : BIT(i->address_bytes * 8) - 1,
		.size = i->opcode == 0xa4 ? 1 : i->operand_bytes,
		.down = v->regs.rflags & BIT(10),
	};
	enum hvm_seg seg = i->seg == INSN_NO_SEG ? SEG_DS
						 : (enum hvm_seg)i->seg;

	if (i->map != MAP_ONE || (i->opcode | 1) != 0xa5 ||
	    !(i->rep || i->repne))
		return false;
	return move(&m, operand(&m, seg, v->regs.rsi),
		    operand(&m, SEG_ES, v->regs.rdi), write);
}
