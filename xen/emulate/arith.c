/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic and its flags: sums and logic, shifts and rotates, conditions,
 * double-width compare and exchange. Flags that the manuals leave undefined
 * stay as they were.
 */
#include "emulate/state.h"

static void set_flags(struct state *s, uint64_t set)
{
	if (!s->fault)
		s->e->rflags = (s->e->rflags & ~FLAGS_ARITH) | set;
}

uint64_t emu_result_flags(uint64_t r, unsigned int size)
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

/* A sum or difference r, with what each bit carried or borrowed. */
static uint64_t take_sum(struct state *s, uint64_t r, uint64_t carries,
			 uint64_t overflows)
{
	uint64_t f = emu_result_flags(r, s->size);
	unsigned int top = s->size * 8 - 1;

	f |= (carries >> top) & 1 ? FLAG_CF : 0;
	f |= (carries >> 3) & 1 ? FLAG_AF : 0;
	f |= (overflows >> top) & 1 ? FLAG_OF : 0;
	set_flags(s, f);
	return r;
}

static uint64_t alu_add(struct state *s, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t r = (a + b + c) & size_mask(s->size);

	return take_sum(s, r, (a & b) | ((a | b) & ~r), (a ^ r) & (b ^ r));
}

static uint64_t alu_sub(struct state *s, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t r = (a - b - c) & size_mask(s->size);

	return take_sum(s, r, (~a & b) | ((~a | b) & r), (a ^ b) & (a ^ r));
}

uint64_t emu_alu(struct state *s, enum alu op, uint64_t a, uint64_t b)
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
	set_flags(s, emu_result_flags(a, s->size));
	return a;
}

uint64_t emu_negate(struct state *s, uint64_t v)
{
	return alu_sub(s, 0, v, 0);
}

/* INC, DEC, which leave the carry alone. */
uint64_t emu_count(struct state *s, uint64_t v, bool down)
{
	uint64_t carry = s->e->rflags & FLAG_CF;

	v = down ? alu_sub(s, v, 1, 0) : alu_add(s, v, 1, 0);
	if (!s->fault)
		s->e->rflags = (s->e->rflags & ~FLAG_CF) | carry;
	return v;
}

void emu_put_flags(struct state *s, uint64_t which, uint64_t val)
{
	if (!s->fault)
		s->e->rflags = (s->e->rflags & ~which) | (val & which);
}

/* One place at a time: counts are small, and each step is the manual's. */
static uint64_t rotate(uint64_t v, unsigned int bits, unsigned int op,
		       unsigned int n, uint64_t *carry)
{
	while (n--) {
		uint64_t top = v >> (bits - 1) & 1, low = v & 1;

		switch (op) {
		case 0: /* ROL */
			v = v << 1 | top;
			*carry = top;
			break;
		case 1: /* ROR */
			v = (v & size_mask(bits / 8)) >> 1 | low << (bits - 1);
			*carry = low;
			break;
		case 2: /* RCL */
			v = v << 1 | *carry;
			*carry = top;
			break;
		default: /* RCR */
			v = (v & size_mask(bits / 8)) >> 1 |
			    *carry << (bits - 1);
			*carry = low;
			break;
		}
		v &= size_mask(bits / 8);
	}
	return v;
}

static uint64_t shift(struct state *s, uint64_t v, unsigned int op,
		      unsigned int n)
{
	unsigned int bits = s->size * 8;
	uint64_t r = v, carry = s->e->rflags & FLAG_CF, of;
	bool rotates = op < 4;

	n &= s->size == 8 ? 63 : 31;
	if (!n)
		return v;
	if (rotates) {
		r = rotate(v, bits, op, n, &carry);
	} else if (op == 5) { /* SHR */
		carry = n <= bits ? v >> (n - 1) & 1 : 0;
		r = n < bits ? v >> n : 0;
	} else if (op == 7) { /* SAR */
		int64_t x = (int64_t)sign_extend(v, s->size);
		unsigned int m = n < 63 ? n : 63;

		carry = (uint64_t)(x >> (m - 1)) & 1;
		r = (uint64_t)(x >> m);
	} else { /* SHL */
		carry = n <= bits ? v >> (bits - n) & 1 : 0;
		r = n < bits ? v << n : 0;
	}
	r &= size_mask(s->size);
	/* OF: by one place, what the manuals say; else undefined. */
	if (op == 0 || op == 2 || op == 4 || op == 6)
		of = (r >> (bits - 1) & 1) ^ carry;
	else if (op == 1 || op == 3)
		of = (r >> (bits - 1) ^ r >> (bits - 2)) & 1;
	else
		of = op == 5 ? v >> (bits - 1) & 1 : 0;
	emu_put_flags(s, FLAG_CF, carry ? FLAG_CF : 0);
	if (n == 1)
		emu_put_flags(s, FLAG_OF, of ? FLAG_OF : 0);
	if (!rotates)
		emu_put_flags(s, FLAG_ZF | FLAG_SF | FLAG_PF,
			      emu_result_flags(r, s->size));
	return r;
}

/* SHLD, SHRD: places come in from a register. */
static uint64_t shift_double(struct state *s, uint64_t v, uint64_t in,
			     bool right, unsigned int n)
{
	unsigned int bits = s->size * 8;
	uint64_t r, carry;

	n &= s->size == 8 ? 63 : 31;
	if (!n || n > bits) /* undefined for 16 bits beyond that */
		return v;
	if (right) {
		carry = v >> (n - 1) & 1;
		r = n == bits ? in : v >> n | in << (bits - n);
	} else {
		carry = v >> (bits - n) & 1;
		r = n == bits ? in : v << n | in >> (bits - n);
	}
	r &= size_mask(s->size);
	emu_put_flags(s, FLAG_CF | FLAG_ZF | FLAG_SF | FLAG_PF,
		      emu_result_flags(r, s->size) | (carry ? FLAG_CF : 0));
	if (n == 1)
		emu_put_flags(s, FLAG_OF,
			      (r ^ v) >> (bits - 1) & 1 ? FLAG_OF : 0);
	return r;
}

/* The condition of SETcc, CMOVcc: the opcode's low four bits. */
bool emu_holds(uint64_t f, unsigned int cc)
{
	bool sf_of = !(f & FLAG_SF) != !(f & FLAG_OF), r;

	switch (cc >> 1) {
	case 0:
		r = f & FLAG_OF;
		break;
	case 1:
		r = f & FLAG_CF;
		break;
	case 2:
		r = f & FLAG_ZF;
		break;
	case 3:
		r = f & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		r = f & FLAG_SF;
		break;
	case 5:
		r = f & FLAG_PF;
		break;
	case 6:
		r = sf_of;
		break;
	default:
		r = sf_of || (f & FLAG_ZF);
		break;
	}
	return r != (cc & 1);
}

/* CMPXCHG8B, CMPXCHG16B. The memory is written in any case, as the bus is. */
static void exchange_double(struct state *s)
{
	unsigned int n = s->i->operand_bytes == 8 ? 8 : 4;
	uint64_t low = emu_load(s, s->seg, s->off, n);
	uint64_t high = emu_load(s, s->seg, s->off + n, n), m = size_mask(n);
	uint64_t *gpr = s->e->gpr;
	bool equal = low == (gpr[RAX] & m) && high == (gpr[RDX] & m);

	emu_store(s, s->seg, s->off, n, equal ? gpr[RBX] : low);
	emu_store(s, s->seg, s->off + n, n, equal ? gpr[RCX] : high);
	if (!s->fault && !equal) {
		gpr[RAX] = low;
		gpr[RDX] = high;
	}
	emu_put_flags(s, FLAG_ZF, equal ? FLAG_ZF : 0);
}

static void load_bytes_swapped(struct state *s)
{
	uint64_t v = __builtin_bswap64(emu_rm(s)) >> (64 - s->size * 8);

	if (!s->fault)
		emu_set_reg(s, s->i->reg, v);
}

static bool one_byte(struct state *s)
{
	unsigned int op = s->i->reg & 7;

	switch (s->i->opcode) {
	case 0xc0:
	case 0xc1:
		emu_set_rm(s, shift(s, emu_rm(s), op, s->i->imm & 0xff));
		return true;
	case 0xd0:
	case 0xd1:
		emu_set_rm(s, shift(s, emu_rm(s), op, 1));
		return true;
	case 0xd2:
	case 0xd3:
		emu_set_rm(s, shift(s, emu_rm(s), op, s->e->gpr[RCX] & 0xff));
		return true;
	default:
		return false;
	}
}

static bool two_byte(struct state *s)
{
	uint8_t op = s->i->opcode;
	uint64_t v;

	switch (op) {
	case 0x40 ... 0x4f: /* CMOVcc: it reads in any case */
		v = emu_rm(s);
		if (!s->fault)
			emu_set_reg(s, s->i->reg,
				    emu_holds(s->e->rflags, op & 15)
					    ? v
					    : emu_reg(s, s->i->reg));
		return true;
	case 0x90 ... 0x9f: /* SETcc */
		s->size = 1;
		emu_set_rm(s, emu_holds(s->e->rflags, op & 15));
		return true;
	case 0xa4:
	case 0xac:
		emu_set_rm(s, shift_double(s, emu_rm(s), emu_reg(s, s->i->reg),
					   op & 8, s->i->imm & 0xff));
		return true;
	case 0xa5:
	case 0xad:
		emu_set_rm(s, shift_double(s, emu_rm(s), emu_reg(s, s->i->reg),
					   op & 8, s->e->gpr[RCX] & 0xff));
		return true;
	case 0xc7:
		if ((s->i->reg & 7) != 1 || s->i->mod == 3)
			return false;
		exchange_double(s);
		return true;
	default:
		return false;
	}
}

bool emu_arith(struct state *s)
{
	if (s->i->vex)
		return false;
	switch (s->i->map) {
	case MAP_ONE:
		return one_byte(s);
	case MAP_0F:
		return two_byte(s);
	case MAP_0F38: /* MOVBE; with f2 the opcodes are CRC32's */
		if ((s->i->opcode & 0xfe) != 0xf0 || s->i->repne ||
		    s->i->mod == 3)
			return false;
		if (s->i->opcode & 1)
			emu_store(s, s->seg, s->off, s->size,
				  __builtin_bswap64(emu_reg(s, s->i->reg)) >>
					  (64 - s->size * 8));
		else
			load_bytes_swapped(s);
		return true;
	default:
		return false;
	}
}
