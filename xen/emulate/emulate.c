/* SPDX-License-Identifier: MIT */
/*
 * The emulator: operands, moves, logic, bits. Each group of opcodes is a
 * function that says whether it knew the instruction; a failing memory access
 * sets fault and the rest does nothing.
 */
#include "emulate/state.h"

/* AH, CH, DH, BH: encodings 4 to 7 of bytes without REX. */
static bool is_high_byte(const struct state *s, unsigned int reg)
{
	return s->size == 1 && !s->i->rex && reg >= 4 && reg < 8;
}

uint64_t emu_reg(const struct state *s, unsigned int reg)
{
	if (is_high_byte(s, reg))
		return (s->e->gpr[reg - 4] >> 8) & 0xff;
	return s->e->gpr[reg] & size_mask(s->size);
}

void emu_set_reg(struct state *s, unsigned int reg, uint64_t v)
{
	uint64_t *gpr = s->e->gpr;

	if (is_high_byte(s, reg))
		gpr[reg - 4] = (gpr[reg - 4] & ~0xff00UL) | (v & 0xff) << 8;
	else
		put_low(&gpr[reg], s->size, v);
}

static uint64_t segment_base(const struct state *s, unsigned int seg)
{
	if (s->i->mode == 64 && seg != INSN_FS && seg != INSN_GS)
		return 0;
	return s->e->seg_base(s->e->ctx, seg);
}

static uint64_t linear(const struct state *s, unsigned int seg, uint64_t offset)
{
	uint64_t a = segment_base(s, seg) + offset;

	return s->i->mode == 64 ? a : (uint32_t)a;
}

const struct emu_cpu *emu_cpu(struct state *s)
{
	if (!s->has_cpu && s->e->sys)
		s->e->sys->cpu(s->e->ctx, &s->cpu);
	s->has_cpu = true;
	return &s->cpu;
}

bool emu_protected(struct state *s)
{
	return emu_cpu(s)->cr0 & BIT(0) && !(s->e->rflags & FLAG_VM);
}

bool emu_long_mode(struct state *s)
{
	return emu_cpu(s)->efer & BIT(10);
}

static void raise(struct state *s, unsigned int vector, bool has_error,
		  uint32_t error)
{
	if (s->fault)
		return;
	s->fault = true;
	if (s->e->sys)
		s->e->sys->raise(s->e->ctx, vector, has_error, error);
	else
		s->unknown = true;
}

void emu_raise(struct state *s, unsigned int vector)
{
	raise(s, vector, false, 0);
}

void emu_raise_error(struct state *s, unsigned int vector, uint32_t error)
{
	raise(s, vector, true, error);
}

static uint64_t modrm16(const struct insn *i, const uint64_t *gpr,
			unsigned int *seg)
{
	static const int8_t base[] = {RBX, RBX, RBP, RBP, -1, -1, RBP, RBX};
	static const int8_t index[] = {RSI, RDI, RSI, RDI, RSI, RDI, -1, -1};
	uint64_t a = (uint64_t)(int64_t)i->disp;

	if (i->mod == 0 && i->rm == 6)
		return a;
	if (base[i->rm] == RBP)
		*seg = INSN_SS;
	if (base[i->rm] >= 0)
		a += gpr[base[i->rm]];
	if (index[i->rm] >= 0)
		a += gpr[index[i->rm]];
	return a;
}

static uint64_t modrm32(const struct state *s, unsigned int *seg)
{
	const struct insn *i = s->i;
	const uint64_t *gpr = s->e->gpr;
	uint64_t a = (uint64_t)(int64_t)i->disp;

	if (!i->has_sib) {
		if (i->mod == 0 && (i->rm & 7) == 5)
			return i->mode == 64 ? a + s->e->rip + i->length : a;
		if (i->rm == RBP && i->mod)
			*seg = INSN_SS;
		return a + gpr[i->rm];
	}
	if (i->index != RSP)
		a += gpr[i->index] << i->scale;
	if (i->mod == 0 && (i->base & 7) == 5)
		return a;
	if (i->base == RSP || i->base == RBP)
		*seg = INSN_SS;
	return a + gpr[i->base];
}

void emu_find_operand(struct state *s)
{
	unsigned int seg = INSN_DS;
	uint64_t offset;

	if (!s->i->has_modrm || s->i->mod == 3)
		return;
	offset = s->i->address_bytes == 2 ? modrm16(s->i, s->e->gpr, &seg)
					  : modrm32(s, &seg);
	if (s->i->seg != INSN_NO_SEG)
		seg = s->i->seg;
	s->seg = seg;
	s->off = offset & address_mask(s->i);
}

uint64_t emu_load(struct state *s, unsigned int seg, uint64_t off,
		  unsigned int size)
{
	uint64_t v = 0;

	if (s->fault || !emu_may_access(s, seg, off, size, false))
		return 0;
	if (!s->e->read(s->e->ctx, linear(s, seg, off), size, &v))
		s->fault = true;
	return v & size_mask(size);
}

void emu_store(struct state *s, unsigned int seg, uint64_t off,
	       unsigned int size, uint64_t v)
{
	if (s->fault || !emu_may_access(s, seg, off, size, true))
		return;
	if (!s->e->write(s->e->ctx, linear(s, seg, off), size,
			 v & size_mask(size)))
		s->fault = true;
}

uint64_t emu_rm(struct state *s)
{
	if (s->i->mod == 3)
		return emu_reg(s, s->i->rm);
	return emu_load(s, s->seg, s->off, s->size);
}

void emu_set_rm(struct state *s, uint64_t v)
{
	if (s->i->mod == 3)
		emu_set_reg(s, s->i->rm, v);
	else
		emu_store(s, s->seg, s->off, s->size, v);
}

/* 00 to 3b: r/m, r and r, r/m. */
static void do_alu(struct state *s)
{
	enum alu op = (s->i->opcode >> 3) & 7;
	uint64_t rm = emu_rm(s), reg = emu_reg(s, s->i->reg), r;

	if (s->i->opcode & 2) {
		r = emu_alu(s, op, reg, rm);
		if (op != CMP && !s->fault)
			emu_set_reg(s, s->i->reg, r);
	} else {
		r = emu_alu(s, op, rm, reg);
		if (op != CMP)
			emu_set_rm(s, r);
	}
}

/* 80 to 83. */
static void do_group1(struct state *s)
{
	enum alu op = s->i->reg & 7;
	uint64_t r = emu_alu(s, op, emu_rm(s), s->i->imm);

	if (op != CMP)
		emu_set_rm(s, r);
}

/* f6, f7: TEST, NOT, NEG. */
static bool do_group3(struct state *s)
{
	uint64_t v;

	if ((s->i->reg & 7) > 3)
		return false;
	v = emu_rm(s);
	switch (s->i->reg & 7) {
	case 0:
	case 1:
		emu_alu(s, AND, v, s->i->imm);
		return true;
	case 2:
		emu_set_rm(s, ~v);
		return true;
	default:
		emu_set_rm(s, emu_negate(s, v));
		return true;
	}
}

/* fe, ff: INC, DEC, which leave the carry alone. */
static bool do_group4(struct state *s)
{
	uint64_t v;

	if ((s->i->reg & 7) > 1)
		return false;
	v = emu_rm(s);
	emu_set_rm(s, emu_count(s, v, s->i->reg & 1));
	return true;
}

static void do_xchg(struct state *s)
{
	uint64_t v = emu_rm(s);

	emu_set_rm(s, emu_reg(s, s->i->reg));
	if (!s->fault)
		emu_set_reg(s, s->i->reg, v);
}

static void do_cmpxchg(struct state *s)
{
	uint64_t v = emu_rm(s), a = emu_reg(s, RAX);

	emu_alu(s, CMP, a, v);
	if (s->fault)
		return;
	if (a == v)
		emu_set_rm(s, emu_reg(s, s->i->reg));
	else
		emu_set_reg(s, RAX, v);
}

static void do_xadd(struct state *s)
{
	uint64_t v = emu_rm(s);

	emu_set_rm(s, emu_alu(s, ADD, v, emu_reg(s, s->i->reg)));
	if (!s->fault)
		emu_set_reg(s, s->i->reg, v);
}

/* BT, BTS, BTR, BTC; a bit number in a register may lie outside the operand. */
static void do_bit(struct state *s, unsigned int op, uint64_t bit, bool far)
{
	unsigned int width = s->size * 8;
	uint64_t v, mask;

	if (far && s->i->mod != 3) {
		int64_t n = (int64_t)sign_extend(bit, s->size);

		s->off += (uint64_t)(n >> (s->size == 8   ? 6
					   : s->size == 4 ? 5
							  : 4)) *
			  s->size;
		s->off &= address_mask(s->i);
	}
	mask = BIT(bit % width);
	v = emu_rm(s);
	if (s->fault)
		return;
	s->e->rflags &= ~FLAG_CF;
	if (v & mask)
		s->e->rflags |= FLAG_CF;
	if (op == 1)
		emu_set_rm(s, v | mask);
	else if (op == 2)
		emu_set_rm(s, v & ~mask);
	else if (op == 3)
		emu_set_rm(s, v ^ mask);
}

/* MOVZX, MOVSX, MOVSXD: a smaller source. */
static void do_extend(struct state *s, unsigned int from, bool sign)
{
	unsigned int to = s->size;
	uint64_t v;

	s->size = from;
	v = emu_rm(s);
	s->size = to;
	if (!s->fault)
		emu_set_reg(s, s->i->reg, sign ? sign_extend(v, from) : v);
}

/* a0 to a3: the address is in the instruction. */
static void do_moffs(struct state *s)
{
	unsigned int seg = s->i->seg != INSN_NO_SEG ? s->i->seg : INSN_DS;
	uint64_t off = s->i->imm & address_mask(s->i), v;

	if (s->i->opcode & 2) {
		emu_store(s, seg, off, s->size, emu_reg(s, RAX));
		return;
	}
	v = emu_load(s, seg, off, s->size);
	if (!s->fault)
		emu_set_reg(s, RAX, v);
}

static void do_load(struct state *s)
{
	uint64_t v = emu_rm(s);

	if (!s->fault)
		emu_set_reg(s, s->i->reg, v);
}

static bool one_byte(struct state *s)
{
	uint8_t op = s->i->opcode;

	if (op < 0x40 && (op & 7) < 4) {
		do_alu(s);
		return true;
	}
	switch (op) {
	case 0x63:
		if (s->i->mode != 64) /* ARPL */
			return false;
		do_extend(s, 4, true);
		return true;
	case 0x80 ... 0x83:
		do_group1(s);
		return true;
	case 0x84:
	case 0x85:
		emu_alu(s, AND, emu_rm(s), emu_reg(s, s->i->reg));
		return true;
	case 0x86:
	case 0x87:
		do_xchg(s);
		return true;
	case 0x88:
	case 0x89:
		emu_set_rm(s, emu_reg(s, s->i->reg));
		return true;
	case 0x8a:
	case 0x8b:
		do_load(s);
		return true;
	case 0xa0 ... 0xa3:
		do_moffs(s);
		return true;
	case 0xc6:
	case 0xc7:
		emu_set_rm(s, s->i->imm);
		return (s->i->reg & 7) == 0;
	case 0xf6:
	case 0xf7:
		return do_group3(s);
	case 0xfe:
	case 0xff:
		return do_group4(s);
	default:
		return false;
	}
}

static bool two_byte(struct state *s)
{
	switch (s->i->opcode) {
	case 0xa3: /* BT, BTS, BTR, BTC r/m, r */
	case 0xab:
	case 0xb3:
	case 0xbb:
		do_bit(s, (s->i->opcode >> 3) & 3, emu_reg(s, s->i->reg), true);
		return true;
	case 0xba:
		do_bit(s, s->i->reg & 3, s->i->imm & 0xff, false);
		return s->i->reg & 4;
	case 0xb0:
	case 0xb1:
		do_cmpxchg(s);
		return true;
	case 0xb6:
	case 0xb7:
		do_extend(s, s->i->opcode & 1 ? 2 : 1, false);
		return true;
	case 0xbe:
	case 0xbf:
		do_extend(s, s->i->opcode & 1 ? 2 : 1, true);
		return true;
	case 0xc0:
	case 0xc1:
		do_xadd(s);
		return true;
	case 0xc3: /* MOVNTI */
		emu_set_rm(s, emu_reg(s, s->i->reg));
		return true;
	default:
		return false;
	}
}

/* Opcodes whose lowest bit chooses between bytes and full-size operands. */
static bool has_byte_form(const struct insn *i)
{
	if (i->map != MAP_ONE)
		return i->map == MAP_0F &&
		       (i->opcode == 0xb0 || i->opcode == 0xc0);
	switch (i->opcode) {
	case 0x00 ... 0x3f:
		return (i->opcode & 7) < 6;
	case 0x80 ... 0x8b:
	case 0xa0 ... 0xaf:
	case 0xc0:
	case 0xc6:
	case 0xd0 ... 0xd3:
	case 0xf6:
	case 0xfe:
		return true;
	default:
		return false;
	}
}

static bool is_byte(const struct insn *i)
{
	if (i->map == MAP_ONE && (i->opcode & 0xf8) == 0xb0)
		return true; /* MOV r8, imm8 */
	return has_byte_form(i) && !(i->opcode & 1);
}

/* Anything that would be undone by not knowing it is asked first. */
static bool is_known(const struct insn *i)
{
	if (i->map == MAP_ONE && (i->opcode & 0xfe) == 0xc6 && i->reg & 7)
		return false;
	if (i->map == MAP_0F && i->opcode == 0xba && !(i->reg & 4))
		return false;
	return true;
}

static bool do_one(struct state *s)
{
	if (emu_vector(s))
		return true;
	if (s->i->vex || s->i->map > MAP_0F38)
		return false;
	if (s->i->map == MAP_ONE ? one_byte(s)
				 : s->i->map == MAP_0F && two_byte(s))
		return true;
	return emu_arith(s) || emu_product(s) || emu_plain(s) || emu_stack(s) ||
	       emu_flow(s) || emu_segments(s) || emu_far(s) || emu_port(s) ||
	       emu_interrupts(s) || emu_system(s);
}

enum emulate_result emulate(struct emulator *e, const struct insn *i)
{
	struct state s = {.e = e, .i = i, .size = i->operand_bytes};
	uint64_t rflags = e->rflags;
	bool known;

	if (!is_known(i))
		return EMULATE_UNKNOWN;
	if (is_byte(i))
		s.size = 1;
	s.next = e->rip + i->length;
	if (emu_is_string(i)) {
		enum emulate_result r = emu_string(&s);

		if (r == EMULATE_DONE)
			e->rip = s.next;
		return s.unknown ? EMULATE_UNKNOWN : r;
	}
	emu_find_operand(&s);
	known = do_one(&s);
	if (!known || s.fault)
		e->rflags = rflags; /* set before the result was stored */
	if (!known || s.unknown)
		return EMULATE_UNKNOWN;
	if (s.fault)
		return EMULATE_FAULT;
	e->rip = s.next;
	return EMULATE_DONE;
}
