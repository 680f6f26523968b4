/* SPDX-License-Identifier: MIT */
/*
 * The stack: PUSH, POP, frames, flags. Its pointer is as wide as SS says, its
 * elements as the operands. Intel SDM Vol. 1, "Stack Behavior in 64-Bit Mode",
 * "Address-Size Attributes for Stack".
 */
#include "emulate/state.h"

void emu_stack_size(struct state *s)
{
	if (s->i->mode == 64 && s->size != 2)
		s->size = 8;
}

static unsigned int pointer_bytes(struct state *s)
{
	struct emu_segment ss;

	if (s->i->mode == 64 || !s->e->sys)
		return s->i->mode / 8;
	s->e->sys->get_seg(s->e->ctx, INSN_SS, &ss);
	return ss.attr & EMU_SEG_D ? 4 : 2;
}

/* *sp is the register's value; only its lower part counts. */
void emu_push(struct state *s, uint64_t *sp, uint64_t v)
{
	unsigned int bytes = pointer_bytes(s);

	put_low(sp, bytes, *sp - s->size);
	emu_store(s, INSN_SS, *sp & size_mask(bytes), s->size, v);
}

static uint64_t load_at(struct state *s, uint64_t sp)
{
	return emu_load(s, INSN_SS, sp & size_mask(pointer_bytes(s)), s->size);
}

uint64_t emu_peek(struct state *s, unsigned int n)
{
	return load_at(s, s->e->gpr[RSP] + (uint64_t)n * s->size);
}

void emu_set_sp(struct state *s, uint64_t sp)
{
	if (!s->fault)
		put_low(&s->e->gpr[RSP], pointer_bytes(s), sp);
}

static void push_one(struct state *s, uint64_t v)
{
	uint64_t sp = s->e->gpr[RSP];

	emu_push(s, &sp, v);
	emu_set_sp(s, sp);
}

static unsigned int low_reg(const struct insn *i)
{
	return (i->opcode & 7) | (i->rex & 1 ? 8 : 0);
}

/* RSP itself is what was popped. */
static void pop_reg(struct state *s, unsigned int reg)
{
	uint64_t v = emu_peek(s, 0);

	if (s->fault)
		return;
	emu_set_sp(s, s->e->gpr[RSP] + s->size);
	emu_set_reg(s, reg, v);
}

/* 8f: POP; the address is made with what SP is after it. */
static bool pop_rm(struct state *s)
{
	uint64_t sp = s->e->gpr[RSP], v;

	if (s->i->reg & 7)
		return false;
	if (s->i->mod == 3) {
		pop_reg(s, s->i->rm);
		return true;
	}
	v = emu_peek(s, 0);
	emu_set_sp(s, sp + s->size);
	emu_find_operand(s);
	emu_set_rm(s, v);
	if (s->fault)
		s->e->gpr[RSP] = sp;
	return true;
}

static void push_all(struct state *s)
{
	uint64_t sp = s->e->gpr[RSP];

	for (unsigned int n = 0; n < 8; n++)
		emu_push(s, &sp, s->e->gpr[n]);
	emu_set_sp(s, sp);
}

static void pop_all(struct state *s)
{
	uint64_t v[8];

	for (unsigned int n = 0; n < 8; n++)
		v[7 - n] = emu_peek(s, n);
	if (s->fault)
		return;
	for (unsigned int n = 0; n < 8; n++)
		if (n != RSP)
			emu_set_reg(s, n, v[n]);
	emu_set_sp(s, s->e->gpr[RSP] + 8UL * s->size);
}

/* ENTER: a frame, with the frames around it if it is told their number. */
static void enter(struct state *s)
{
	uint64_t alloc = s->i->imm & 0xffff, level = s->i->imm >> 16 & 31;
	uint64_t sp = s->e->gpr[RSP], bp = s->e->gpr[RBP], frame, v;
	unsigned int bytes = pointer_bytes(s);

	emu_push(s, &sp, bp);
	frame = sp;
	for (uint64_t n = 1; n < level; n++) {
		bp -= s->size;
		v = load_at(s, bp);
		emu_push(s, &sp, v);
	}
	if (level)
		emu_push(s, &sp, frame);
	put_low(&sp, bytes, sp - alloc);
	if (s->fault)
		return;
	put_low(&s->e->gpr[RBP], s->i->mode == 64 ? 8 : s->size, frame);
	emu_set_sp(s, sp);
}

static void leave(struct state *s)
{
	uint64_t bp = s->e->gpr[RBP], v = load_at(s, bp);

	emu_set_sp(s, bp + s->size);
	if (!s->fault)
		emu_set_reg(s, RBP, v);
}

uint64_t emu_flags_writable(struct state *s)
{
	uint64_t f = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
	unsigned int iopl = (s->e->rflags & FLAG_IOPL) >> 12;

	if (s->size > 2)
		f |= FLAG_AC | FLAG_ID;
	if (!emu_protected(s))
		return f | FLAG_IF | (s->e->rflags & FLAG_VM ? 0 : FLAG_IOPL);
	if (emu_cpu(s)->cpl <= iopl)
		f |= FLAG_IF;
	return f | (emu_cpu(s)->cpl ? 0 : FLAG_IOPL);
}

/* PUSHF, POPF (without CR4.VME). */
static bool flags(struct state *s, bool pop)
{
	uint64_t v, f = s->e->rflags;

	if (!s->e->sys)
		return false;
	if (f & FLAG_VM && (f & FLAG_IOPL) != FLAG_IOPL) {
		emu_raise_error(s, GP, 0);
		return true;
	}
	if (!pop) {
		push_one(s, f & ~(FLAG_VM | FLAG_RF));
		return true;
	}
	v = emu_peek(s, 0);
	emu_set_sp(s, s->e->gpr[RSP] + s->size);
	emu_put_flags(s, emu_flags_writable(s) | FLAG_RF, v & ~FLAG_RF);
	return true;
}

static bool group5(struct state *s)
{
	uint64_t v;

	if ((s->i->reg & 7) != 6)
		return false;
	v = emu_rm(s);
	push_one(s, v);
	return true;
}

static bool is_ours(uint8_t op)
{
	switch (op) {
	case 0x50 ... 0x61:
	case 0x68:
	case 0x6a:
	case 0x8f:
	case 0x9c:
	case 0x9d:
	case 0xc8:
	case 0xc9:
	case 0xff:
		return true;
	default:
		return false;
	}
}

static bool one_byte(struct state *s)
{
	switch (s->i->opcode) {
	case 0x60:
		push_all(s);
		return true;
	case 0x61:
		pop_all(s);
		return true;
	case 0x68:
	case 0x6a:
		push_one(s, s->i->imm);
		return true;
	case 0x8f:
		return pop_rm(s);
	case 0x9c:
	case 0x9d:
		return flags(s, s->i->opcode & 1);
	case 0xc8:
		enter(s);
		return true;
	case 0xc9:
		leave(s);
		return true;
	case 0xff:
		return group5(s);
	default: /* 50 to 5f */
		if (s->i->opcode & 8)
			pop_reg(s, low_reg(s->i));
		else
			push_one(s, s->e->gpr[low_reg(s->i)]);
		return true;
	}
}

bool emu_stack(struct state *s)
{
	unsigned int size = s->size;
	bool known;

	if (s->i->map != MAP_ONE || !is_ours(s->i->opcode))
		return false;
	emu_stack_size(s);
	known = one_byte(s);
	if (!known)
		s->size = size;
	return known;
}
