/* SPDX-License-Identifier: MIT */
/*
 * Near control transfer: jumps, calls, returns, loops. In 64-bit mode they are
 * 64 bits wide whatever a prefix says (Intel SDM Vol. 1, "Near Branches in
 * 64-Bit Mode"; on AMD's the prefix counts, and nobody uses it).
 */
#include "emulate/state.h"

bool emu_is_canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

void emu_jump(struct state *s, uint64_t rip)
{
	struct emu_segment cs;

	if (s->i->mode != 64)
		rip &= size_mask(s->size);
	if (s->e->sys && s->i->mode == 64 && !emu_is_canonical(rip)) {
		emu_raise_error(s, GP, 0);
	} else if (s->e->sys && s->i->mode != 64) {
		s->e->sys->get_seg(s->e->ctx, INSN_CS, &cs);
		if (rip > cs.limit)
			emu_raise_error(s, GP, 0);
	}
	if (!s->fault)
		s->next = rip;
}

static void relative(struct state *s)
{
	emu_jump(s, s->next + s->i->imm);
}

static void call(struct state *s, uint64_t to)
{
	uint64_t from = s->next, sp = s->e->gpr[RSP];

	emu_jump(s, to);
	emu_push(s, &sp, from);
	emu_set_sp(s, sp);
}

/* The immediate is more to drop. */
static void ret(struct state *s)
{
	uint64_t more = s->i->opcode == 0xc2 ? s->i->imm & 0xffff : 0;

	emu_jump(s, emu_peek(s, 0));
	emu_set_sp(s, s->e->gpr[RSP] + s->size + more);
}

/* LOOPNE, LOOPE, LOOP, JCXZ: the address size is the counter's. */
static void loop(struct state *s)
{
	unsigned int op = s->i->opcode & 3;
	uint64_t *rcx = &s->e->gpr[RCX], m = address_mask(s->i), n = *rcx & m;
	bool go;

	if (op == 3) {
		if (!n)
			relative(s);
		return;
	}
	n = (n - 1) & m;
	go = n != 0;
	if (op < 2)
		go = go && !(s->e->rflags & FLAG_ZF) == !op;
	if (go)
		relative(s);
	if (!s->fault)
		put_low(rcx, s->i->address_bytes, n);
}

static bool group5(struct state *s)
{
	unsigned int op = s->i->reg & 7;
	uint64_t to;

	if (op != 2 && op != 4)
		return false;
	to = emu_rm(s);
	if (op == 2)
		call(s, to);
	else
		emu_jump(s, to);
	return true;
}

static bool transfer(struct state *s)
{
	uint8_t op = s->i->opcode;

	switch (op) {
	case 0x70 ... 0x7f:
	case 0x80 ... 0x8f: /* after 0f */
		if (emu_holds(s->e->rflags, op & 15))
			relative(s);
		return true;
	case 0xc2:
	case 0xc3:
		ret(s);
		return true;
	case 0xe0 ... 0xe3:
		loop(s);
		return true;
	case 0xe8:
		call(s, s->next + s->i->imm);
		return true;
	case 0xe9:
	case 0xeb:
		relative(s);
		return true;
	default:
		return group5(s);
	}
}

static bool is_ours(const struct insn *i)
{
	if (i->map == MAP_0F)
		return (i->opcode & 0xf0) == 0x80;
	if (i->map != MAP_ONE)
		return false;
	switch (i->opcode) {
	case 0x70 ... 0x7f:
	case 0xc2:
	case 0xc3:
	case 0xe0 ... 0xe3:
	case 0xe8:
	case 0xe9:
	case 0xeb:
		return true;
	case 0xff:
		return (i->reg & 7) == 2 || (i->reg & 7) == 4;
	default:
		return false;
	}
}

bool emu_flow(struct state *s)
{
	if (!is_ours(s->i))
		return false;
	if (s->i->mode == 64)
		s->size = 8;
	return transfer(s);
}
