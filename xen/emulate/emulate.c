/* SPDX-License-Identifier: MIT */
/*
 * The emulator. Each group of opcodes is a function that says whether it knew
 * the instruction; a failing memory access sets fault and the rest does
 * nothing.
 */
#include "emulate/emulate.h"

#define FLAG_CF     BIT(0)
#define FLAG_PF     BIT(2)
#define FLAG_AF     BIT(4)
#define FLAG_ZF     BIT(6)
#define FLAG_SF     BIT(7)
#define FLAG_DF     BIT(10)
#define FLAG_OF     BIT(11)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

struct state {
	struct emulator *e;
	const struct insn *i;
	unsigned int size; /* of the operands */
	uint64_t addr;     /* of the memory operand */
	bool fault;
};

static uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~0UL : BIT(size * 8) - 1;
}

static uint64_t sign_extend(uint64_t v, unsigned int size)
{
	unsigned int shift = 64 - size * 8;

	return (uint64_t)((int64_t)(v << shift) >> shift);
}

/* AH, CH, DH, BH: encodings 4 to 7 of bytes without REX. */
static bool is_high_byte(const struct state *s, unsigned int reg)
{
	return s->size == 1 && !s->i->rex && reg >= 4 && reg < 8;
}

static uint64_t get_reg(const struct state *s, unsigned int reg)
{
	if (is_high_byte(s, reg))
		return (s->e->gpr[reg - 4] >> 8) & 0xff;
	return s->e->gpr[reg] & size_mask(s->size);
}

/* A write of four bytes clears the upper half; smaller ones leave the rest. */
static void set_reg(struct state *s, unsigned int reg, uint64_t v)
{
	uint64_t *r = &s->e->gpr[reg];

	if (is_high_byte(s, reg)) {
		r = &s->e->gpr[reg - 4];
		*r = (*r & ~0xff00UL) | (v & 0xff) << 8;
	} else if (s->size >= 4) {
		*r = v & size_mask(s->size);
	} else {
		*r = (*r & ~size_mask(s->size)) | (v & size_mask(s->size));
	}
}

static uint64_t address_mask(const struct insn *i)
{
	return size_mask(i->address_bytes);
}

static uint64_t segment_base(const struct state *s, unsigned int seg)
{
	if (s->i->mode == 64 && seg != INSN_FS && seg != INSN_GS)
		return 0;
	return s->e->seg_base(s->e->ctx, seg);
}

static uint64_t linear(const struct state *s, unsigned int seg, uint64_t offset)
{
	uint64_t a = segment_base(s, seg) + (offset & address_mask(s->i));

	return s->i->mode == 64 ? a : (uint32_t)a;
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

static void find_operand(struct state *s)
{
	unsigned int seg = INSN_DS;
	uint64_t offset;

	if (!s->i->has_modrm || s->i->mod == 3)
		return;
	offset = s->i->address_bytes == 2 ? modrm16(s->i, s->e->gpr, &seg)
					  : modrm32(s, &seg);
	if (s->i->seg != INSN_NO_SEG)
		seg = s->i->seg;
	s->addr = linear(s, seg, offset);
}

static uint64_t load(struct state *s, uint64_t addr, unsigned int size)
{
	uint64_t v = 0;

	if (!s->fault && !s->e->read(s->e->ctx, addr, size, &v))
		s->fault = true;
	return v & size_mask(size);
}

static void store(struct state *s, uint64_t addr, unsigned int size, uint64_t v)
{
	if (!s->fault &&
	    !s->e->write(s->e->ctx, addr, size, v & size_mask(size)))
		s->fault = true;
}

static uint64_t get_rm(struct state *s)
{
	if (s->i->mod == 3)
		return get_reg(s, s->i->rm);
	return load(s, s->addr, s->size);
}

static void set_rm(struct state *s, uint64_t v)
{
	if (s->i->mod == 3)
		set_reg(s, s->i->rm, v);
	else
		store(s, s->addr, s->size, v);
}

static void set_flags(struct state *s, uint64_t set)
{
	if (!s->fault)
		s->e->rflags = (s->e->rflags & ~FLAGS_ARITH) | set;
}

static uint64_t result_flags(uint64_t r, unsigned int size)
{
	uint64_t f = 0;

	r &= size_mask(size);
	if (!r)
		f |= FLAG_ZF;
	if (r >> (size * 8 - 1))
		f |= FLAG_SF;
	if (!__builtin_parity((unsigned int)(r & 0xff)))
		f |= FLAG_PF;
	return f;
}

enum alu { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };

static uint64_t alu_add(struct state *s, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t m = size_mask(s->size), r = (a + b + c) & m;
	uint64_t f = result_flags(r, s->size);
	uint64_t carries = (a & b) | ((a | b) & ~r);
	unsigned int top = s->size * 8 - 1;

	f |= (carries >> top) & 1 ? FLAG_CF : 0;
	f |= (carries >> 3) & 1 ? FLAG_AF : 0;
	f |= (((a ^ r) & (b ^ r)) >> top) & 1 ? FLAG_OF : 0;
	set_flags(s, f);
	return r;
}

static uint64_t alu_sub(struct state *s, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t m = size_mask(s->size), r = (a - b - c) & m;
	uint64_t f = result_flags(r, s->size);
	uint64_t borrows = (~a & b) | ((~a | b) & r);
	unsigned int top = s->size * 8 - 1;

	f |= (borrows >> top) & 1 ? FLAG_CF : 0;
	f |= (borrows >> 3) & 1 ? FLAG_AF : 0;
	f |= (((a ^ b) & (a ^ r)) >> top) & 1 ? FLAG_OF : 0;
	set_flags(s, f);
	return r;
}

static uint64_t alu(struct state *s, enum alu op, uint64_t a, uint64_t b)
{
	uint64_t carry = s->e->rflags & FLAG_CF;

	b &= size_mask(s->size);
	switch (op) {
	case ADD:
		return alu_add(s, a, b, 0);
	case ADC:
		return alu_add(s, a, b, carry);
	case SBB:
		return alu_sub(s, a, b, carry);
	case SUB:
	case CMP:
		return alu_sub(s, a, b, 0);
	case OR:
		a |= b;
		break;
	case AND:
		a &= b;
		break;
	case XOR:
		a ^= b;
		break;
	}
	set_flags(s, result_flags(a, s->size));
	return a;
}

/* 00 to 3b: r/m, r and r, r/m. */
static void do_alu(struct state *s)
{
	enum alu op = (s->i->opcode >> 3) & 7;
	uint64_t rm = get_rm(s), reg = get_reg(s, s->i->reg), r;

	if (s->i->opcode & 2) {
		r = alu(s, op, reg, rm);
		if (op != CMP && !s->fault)
			set_reg(s, s->i->reg, r);
	} else {
		r = alu(s, op, rm, reg);
		if (op != CMP)
			set_rm(s, r);
	}
}

/* 80 to 83. */
static void do_group1(struct state *s)
{
	enum alu op = s->i->reg & 7;
	uint64_t r = alu(s, op, get_rm(s), s->i->imm);

	if (op != CMP)
		set_rm(s, r);
}

/* f6, f7: TEST, NOT, NEG. */
static bool do_group3(struct state *s)
{
	uint64_t v = get_rm(s);

	switch (s->i->reg & 7) {
	case 0:
	case 1:
		alu(s, AND, v, s->i->imm);
		return true;
	case 2:
		set_rm(s, ~v);
		return true;
	case 3:
		set_rm(s, alu_sub(s, 0, v, 0));
		return true;
	default:
		return false;
	}
}

/* fe, ff: INC, DEC, which leave the carry alone. */
static bool do_group4(struct state *s)
{
	uint64_t carry = s->e->rflags & FLAG_CF, v;

	if ((s->i->reg & 7) > 1)
		return false;
	v = get_rm(s);
	v = s->i->reg & 1 ? alu_sub(s, v, 1, 0) : alu_add(s, v, 1, 0);
	if (!s->fault)
		s->e->rflags = (s->e->rflags & ~FLAG_CF) | carry;
	set_rm(s, v);
	return true;
}

static void do_xchg(struct state *s)
{
	uint64_t v = get_rm(s);

	set_rm(s, get_reg(s, s->i->reg));
	if (!s->fault)
		set_reg(s, s->i->reg, v);
}

static void do_cmpxchg(struct state *s)
{
	uint64_t v = get_rm(s), a = get_reg(s, RAX);

	alu(s, CMP, a, v);
	if (s->fault)
		return;
	if (a == v)
		set_rm(s, get_reg(s, s->i->reg));
	else
		set_reg(s, RAX, v);
}

static void do_xadd(struct state *s)
{
	uint64_t v = get_rm(s);

	set_rm(s, alu(s, ADD, v, get_reg(s, s->i->reg)));
	if (!s->fault)
		set_reg(s, s->i->reg, v);
}

/* BT, BTS, BTR, BTC; a bit number in a register may lie outside the operand. */
static void do_bit(struct state *s, unsigned int op, uint64_t bit, bool far)
{
	unsigned int width = s->size * 8;
	uint64_t v, mask;

	if (far && s->i->mod != 3) {
		int64_t n = (int64_t)sign_extend(bit, s->size);

		s->addr += (uint64_t)(n >> (s->size == 8   ? 6
					    : s->size == 4 ? 5
							   : 4)) *
			   s->size;
	}
	mask = BIT(bit % width);
	v = get_rm(s);
	if (s->fault)
		return;
	s->e->rflags &= ~FLAG_CF;
	if (v & mask)
		s->e->rflags |= FLAG_CF;
	if (op == 1)
		set_rm(s, v | mask);
	else if (op == 2)
		set_rm(s, v & ~mask);
	else if (op == 3)
		set_rm(s, v ^ mask);
}

/* MOVZX, MOVSX, MOVSXD: a smaller source. */
static void do_extend(struct state *s, unsigned int from, bool sign)
{
	unsigned int to = s->size;
	uint64_t v;

	s->size = from;
	v = get_rm(s);
	s->size = to;
	if (!s->fault)
		set_reg(s, s->i->reg, sign ? sign_extend(v, from) : v);
}

static void advance(struct state *s, unsigned int reg)
{
	uint64_t m = address_mask(s->i), *r = &s->e->gpr[reg];
	uint64_t step = s->e->rflags & FLAG_DF ? -(uint64_t)s->size : s->size;
	uint64_t v = (*r + step) & m;

	*r = s->i->address_bytes == 2 ? (*r & ~m) | v : v;
}

/* a4 MOVS, aa STOS, ac LODS: once. */
static void string_once(struct state *s)
{
	unsigned int op = s->i->opcode & 0xfe;
	unsigned int seg = s->i->seg != INSN_NO_SEG ? s->i->seg : INSN_DS;
	uint64_t v = op == 0xaa
			     ? get_reg(s, RAX)
			     : load(s, linear(s, seg, s->e->gpr[RSI]), s->size);

	if (op != 0xac)
		store(s, linear(s, INSN_ES, s->e->gpr[RDI]), s->size, v);
	if (s->fault)
		return;
	if (op == 0xac)
		set_reg(s, RAX, v);
	else
		advance(s, RDI);
	if (op != 0xaa)
		advance(s, RSI);
}

#define STRING_BATCH 64 /* then interrupts may come in */

static enum emulate_result do_string(struct state *s)
{
	uint64_t m = address_mask(s->i), *rcx = &s->e->gpr[RCX];

	if (!s->i->rep && !s->i->repne) {
		string_once(s);
		return s->fault ? EMULATE_FAULT : EMULATE_DONE;
	}
	for (unsigned int n = 0; *rcx & m; n++) {
		if (n == STRING_BATCH)
			return EMULATE_AGAIN;
		string_once(s);
		if (s->fault)
			return EMULATE_FAULT;
		*rcx = s->i->address_bytes == 2 ? (*rcx & ~m) | ((*rcx - 1) & m)
						: (*rcx - 1) & m;
	}
	return EMULATE_DONE;
}

/* a0 to a3: the address is in the instruction. */
static void do_moffs(struct state *s)
{
	unsigned int seg = s->i->seg != INSN_NO_SEG ? s->i->seg : INSN_DS;
	uint64_t addr = linear(s, seg, s->i->imm), v;

	if (s->i->opcode & 2) {
		store(s, addr, s->size, get_reg(s, RAX));
		return;
	}
	v = load(s, addr, s->size);
	if (!s->fault)
		set_reg(s, RAX, v);
}

static void do_load(struct state *s)
{
	uint64_t v = get_rm(s);

	if (!s->fault)
		set_reg(s, s->i->reg, v);
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
		do_extend(s, 4, true);
		return s->i->mode == 64;
	case 0x80 ... 0x83:
		do_group1(s);
		return true;
	case 0x84:
	case 0x85:
		alu(s, AND, get_rm(s), get_reg(s, s->i->reg));
		return true;
	case 0x86:
	case 0x87:
		do_xchg(s);
		return true;
	case 0x88:
	case 0x89:
		set_rm(s, get_reg(s, s->i->reg));
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
		set_rm(s, s->i->imm);
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
		do_bit(s, (s->i->opcode >> 3) & 3, get_reg(s, s->i->reg), true);
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
		set_rm(s, get_reg(s, s->i->reg));
		return true;
	default:
		return false;
	}
}

/* Opcodes whose lowest bit chooses between bytes and full-size operands. */
static bool has_byte_form(const struct insn *i)
{
	if (i->map == MAP_ONE)
		return i->opcode != 0x63;
	return i->opcode == 0xb0 || i->opcode == 0xc0;
}

/* Anything that would be undone by not knowing it is asked first. */
static bool is_known(const struct insn *i)
{
	if (i->vex || i->map > MAP_0F)
		return false;
	if (i->map == MAP_ONE && i->opcode == 0xc7 && (i->reg & 7))
		return false;
	if (i->map == MAP_0F && i->opcode == 0xba && !(i->reg & 4))
		return false;
	return true;
}

static bool is_string(const struct insn *i)
{
	uint8_t op = i->opcode & 0xfe;

	return i->map == MAP_ONE && (op == 0xa4 || op == 0xaa || op == 0xac);
}

enum emulate_result emulate(struct emulator *e, const struct insn *i)
{
	struct state s = {.e = e, .i = i, .size = i->operand_bytes};
	bool known;

	if (!is_known(i))
		return EMULATE_UNKNOWN;
	if (has_byte_form(i) && !(i->opcode & 1))
		s.size = 1;
	if (is_string(i)) {
		enum emulate_result r = do_string(&s);

		if (r == EMULATE_DONE)
			e->rip += i->length;
		return r;
	}
	find_operand(&s);
	known = i->map == MAP_ONE ? one_byte(&s) : two_byte(&s);
	if (s.fault)
		return EMULATE_FAULT;
	if (!known)
		return EMULATE_UNKNOWN;
	e->rip += i->length;
	return EMULATE_DONE;
}
