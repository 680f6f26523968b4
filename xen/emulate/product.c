/* SPDX-License-Identifier: MIT */
/*
 * Products and quotients, and the adjustments of decimal digits that 64-bit
 * mode no longer has. Intel SDM Vol. 2, "MUL", "DIV", "IDIV", "DAA" …
 */
#include "emulate/state.h"

#define BITS(size) ((size)*8)
typedef unsigned __int128 wide;
typedef __int128 swide;

static swide as_signed(uint64_t v, unsigned int size)
{
	return (int64_t)sign_extend(v, size);
}

static uint64_t multiply(struct state *s, uint64_t a, uint64_t b)
{
	swide p = as_signed(a, s->size) * as_signed(b, s->size);
	uint64_t r = (uint64_t)p & size_mask(s->size);
	bool lost = p != as_signed(r, s->size);

	emu_put_flags(s, FLAG_CF | FLAG_OF, lost ? FLAG_CF | FLAG_OF : 0);
	return r;
}

static void multiply_into(struct state *s, uint64_t a, uint64_t b)
{
	uint64_t v = multiply(s, a, b);

	if (!s->fault)
		emu_set_reg(s, s->i->reg, v);
}

/* AX, DX:AX, EDX:EAX, RDX:RAX. */
static void put_double(struct state *s, uint64_t low, uint64_t high)
{
	if (s->size == 1) {
		put_low(&s->e->gpr[RAX], 2, (high & 0xff) << 8 | (low & 0xff));
		return;
	}
	emu_set_reg(s, RAX, low);
	emu_set_reg(s, RDX, high);
}

static wide get_double(const struct state *s)
{
	if (s->size == 1)
		return s->e->gpr[RAX] & 0xffff;
	return (wide)emu_reg(s, RDX) << BITS(s->size) | emu_reg(s, RAX);
}

/* MUL, IMUL of AL, AX, EAX, RAX: the product has twice the size. */
static void multiply_wide(struct state *s, bool sign)
{
	uint64_t b = emu_rm(s), a = emu_reg(s, RAX), low, high, expected;
	wide p = sign ? (wide)(as_signed(a, s->size) * as_signed(b, s->size))
		      : (wide)a * b;

	if (s->fault)
		return;
	low = (uint64_t)p & size_mask(s->size);
	high = (uint64_t)(p >> BITS(s->size)) & size_mask(s->size);
	expected = sign && low >> (BITS(s->size) - 1) ? size_mask(s->size) : 0;
	put_double(s, low, high);
	emu_put_flags(s, FLAG_CF | FLAG_OF,
		      high != expected ? FLAG_CF | FLAG_OF : 0);
}

/* a / b without the library that 128 bits would need: long division; the
 * quotient fits, since a's upper half is less than b. */
static uint64_t quotient(wide a, uint64_t b, unsigned int bits, uint64_t *rest)
{
	uint64_t q = 0;
	wide r = a >> bits;

	for (unsigned int n = bits; n--;) {
		r = r << 1 | (a >> n & 1);
		q <<= 1;
		if (r >= b) {
			r -= b;
			q |= 1;
		}
	}
	*rest = (uint64_t)r;
	return q;
}

static void divide(struct state *s)
{
	uint64_t b = emu_rm(s), q, r;
	wide a = get_double(s);

	if (s->fault)
		return;
	if (a >> BITS(s->size) >= b) {
		emu_raise(s, DE);
		return;
	}
	q = quotient(a, b, BITS(s->size), &r);
	put_double(s, q, r);
}

static void divide_signed(struct state *s)
{
	unsigned int bits = BITS(s->size);
	uint64_t b = emu_rm(s), top = BIT(bits - 1), q, r;
	wide a = get_double(s);
	bool minus_a = a >> (2 * bits - 1) & 1, minus_b = b & top, minus;

	if (s->fault)
		return;
	if (minus_a && bits < 64)
		a = -a & (((wide)1 << 2 * bits) - 1);
	else if (minus_a)
		a = -a;
	if (minus_b)
		b = -b & size_mask(s->size);
	if (a >> bits >= b) {
		emu_raise(s, DE);
		return;
	}
	q = quotient(a, b, bits, &r);
	minus = minus_a != minus_b;
	if (q > top - !minus) {
		emu_raise(s, DE);
		return;
	}
	put_double(s, minus ? -q : q, minus_a ? -r : r);
}

static void put_al(struct state *s, uint64_t al, uint64_t carries)
{
	put_low(&s->e->gpr[RAX], 1, al);
	emu_put_flags(s, FLAG_CF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_PF,
		      emu_result_flags(al, 1) | carries);
}

/* DAA, DAS. */
static void adjust_packed(struct state *s, bool down)
{
	uint64_t al = s->e->gpr[RAX] & 0xff, f = s->e->rflags, r = al, set = 0;

	if ((al & 15) > 9 || f & FLAG_AF) {
		r = down ? r - 6 : r + 6;
		set |= FLAG_AF |
		       (down && (f & FLAG_CF || al < 6) ? FLAG_CF : 0);
	}
	if (al > 0x99 || f & FLAG_CF) {
		r = down ? r - 0x60 : r + 0x60;
		set |= FLAG_CF;
	}
	put_al(s, r & 0xff, set);
}

/* AAA, AAS. */
static void adjust_unpacked(struct state *s, bool down)
{
	uint64_t ax = s->e->gpr[RAX] & 0xffff, set = 0;

	if ((ax & 15) > 9 || s->e->rflags & FLAG_AF) {
		ax = down ? ax - 0x106 : ax + 0x106;
		set = FLAG_AF | FLAG_CF;
	}
	put_low(&s->e->gpr[RAX], 2, ax & 0xff0f);
	emu_put_flags(s, FLAG_CF | FLAG_AF, set);
}

/* AAM, AAD, with any base. */
static void adjust_product(struct state *s, bool to)
{
	uint64_t base = s->i->imm & 0xff, ax = s->e->gpr[RAX] & 0xffff;

	if (to) {
		ax = ((ax >> 8) * base + ax) & 0xff;
	} else if (base) {
		ax = (ax & 0xff) / base << 8 | (ax & 0xff) % base;
	} else {
		emu_raise(s, DE);
		return;
	}
	put_low(&s->e->gpr[RAX], 2, ax);
	emu_put_flags(s, FLAG_ZF | FLAG_SF | FLAG_PF, emu_result_flags(ax, 1));
}

static bool group3(struct state *s)
{
	switch (s->i->reg & 7) {
	case 4:
	case 5:
		multiply_wide(s, s->i->reg & 1);
		return true;
	case 6:
		divide(s);
		return true;
	case 7:
		divide_signed(s);
		return true;
	default:
		return false;
	}
}

bool emu_product(struct state *s)
{
	uint8_t op = s->i->opcode;

	if (s->i->map == MAP_0F && op == 0xaf) {
		multiply_into(s, emu_reg(s, s->i->reg), emu_rm(s));
		return true;
	}
	if (s->i->map != MAP_ONE)
		return false;
	switch (op) {
	case 0x27:
	case 0x2f:
		adjust_packed(s, op == 0x2f);
		return true;
	case 0x37:
	case 0x3f:
		adjust_unpacked(s, op == 0x3f);
		return true;
	case 0x69: /* IMUL r, r/m, imm */
	case 0x6b:
		multiply_into(s, emu_rm(s), s->i->imm);
		return true;
	case 0xd4:
	case 0xd5:
		adjust_product(s, op == 0xd5);
		return true;
	case 0xf6:
	case 0xf7:
		return group3(s);
	default:
		return false;
	}
}
