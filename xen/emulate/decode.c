/* SPDX-License-Identifier: MIT */
/*
 * The decoder: prefixes, opcode, ModRM, SIB, displacement, immediate, in the
 * order in which they stand. Two tables say what follows an opcode.
 */
#include "emulate/decode.h"

/* What follows an opcode. */
enum {
	M = 1,   /* ModRM */
	B = 2,   /* immediate byte */
	W = 4,   /* immediate word */
	Z = 8,   /* immediate of 2 or 4 bytes, by operand size */
	V = 16,  /* … of up to 8 (MOV r, imm) */
	O = 32,  /* an offset of the address size */
	P = 64,  /* a far pointer: offset and selector */
	X = 128, /* no such opcode (in 64-bit mode: see invalid64) */
};
#define D  Z /* a relative jump: 4 bytes in 64-bit mode, else like Z */
#define MB (M | B)
#define MZ (M | Z)

static const uint8_t one_byte[256] = {
	/* clang-format off */
	/* 00 */ M, M, M, M, B, Z, 0, 0, M, M, M, M, B, Z, 0, 0,
	/* 10 */ M, M, M, M, B, Z, 0, 0, M, M, M, M, B, Z, 0, 0,
	/* 20 */ M, M, M, M, B, Z, 0, 0, M, M, M, M, B, Z, 0, 0,
	/* 30 */ M, M, M, M, B, Z, 0, 0, M, M, M, M, B, Z, 0, 0,
	/* 40 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 50 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 60 */ 0, 0, M, M, 0, 0, 0, 0, Z, MZ, B, MB, 0, 0, 0, 0,
	/* 70 */ B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	/* 80 */ MB, MZ, MB, MB, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 90 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, P, 0, 0, 0, 0, 0,
	/* a0 */ O, O, O, O, 0, 0, 0, 0, B, Z, 0, 0, 0, 0, 0, 0,
	/* b0 */ B, B, B, B, B, B, B, B, V, V, V, V, V, V, V, V,
	/* c0 */ MB, MB, W, 0, M, M, MB, MZ, W | B, 0, W, 0, 0, B, 0, 0,
	/* d0 */ M, M, M, M, B, B, 0, 0, M, M, M, M, M, M, M, M,
	/* e0 */ B, B, B, B, B, B, B, B, D, D, P, B, 0, 0, 0, 0,
	/* f0 */ 0, 0, 0, 0, 0, 0, M, M, 0, 0, 0, 0, 0, 0, M, M,
	/* clang-format on */
};

static const uint8_t two_byte[256] = {
	/* clang-format off */
	/* 00 */ M, M, M, M, X, 0, 0, 0, 0, 0, X, 0, X, M, 0, MB,
	/* 10 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 20 */ M, M, M, M, X, X, X, X, M, M, M, M, M, M, M, M,
	/* 30 */ 0, 0, 0, 0, 0, 0, X, 0, X, X, X, X, X, X, X, X,
	/* 40 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 50 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 60 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 70 */ MB, MB, MB, MB, M, M, M, 0, M, M, X, X, M, M, M, M,
	/* 80 */ D, D, D, D, D, D, D, D, D, D, D, D, D, D, D, D,
	/* 90 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* a0 */ 0, 0, 0, M, MB, M, X, X, 0, 0, 0, M, MB, M, M, M,
	/* b0 */ M, M, M, M, M, M, M, M, M, M, MB, M, M, M, M, M,
	/* c0 */ M, M, MB, M, MB, MB, MB, M, 0, 0, 0, 0, 0, 0, 0, 0,
	/* d0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* e0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* f0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* clang-format on */
};

/* One-byte opcodes that 64-bit mode has not. */
static bool invalid64(uint8_t op)
{
	switch (op) {
	case 0x06:
	case 0x07:
	case 0x0e:
	case 0x16:
	case 0x17:
	case 0x1e:
	case 0x1f:
	case 0x27:
	case 0x2f:
	case 0x37:
	case 0x3f:
	case 0x60:
	case 0x61:
	case 0x82:
	case 0x9a:
	case 0xce:
	case 0xd4:
	case 0xd5:
	case 0xd6:
	case 0xea:
		return true;
	default:
		return false;
	}
}

struct cursor {
	const uint8_t *p;
	unsigned int n, at;
	bool bad;
};

static uint8_t take(struct cursor *c)
{
	if (c->at >= c->n || c->at >= INSN_MAX) {
		c->bad = true;
		return 0;
	}
	return c->p[c->at++];
}

static uint8_t peek(const struct cursor *c)
{
	return c->at < c->n ? c->p[c->at] : 0;
}

/* Little-endian, sign-extended. */
static uint64_t take_number(struct cursor *c, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)take(c) << (8 * i);
	if (!bytes || bytes >= 8)
		return v;
	return (uint64_t)((int64_t)(v << (64 - 8 * bytes)) >> (64 - 8 * bytes));
}

static bool is_prefix(struct insn *i, uint8_t b)
{
	switch (b) {
	case 0x26:
		i->seg = INSN_ES;
		return true;
	case 0x2e:
		i->seg = INSN_CS;
		return true;
	case 0x36:
		i->seg = INSN_SS;
		return true;
	case 0x3e:
		i->seg = INSN_DS;
		return true;
	case 0x64:
		i->seg = INSN_FS;
		return true;
	case 0x65:
		i->seg = INSN_GS;
		return true;
	case 0x66:
		i->opsize = true;
		return true;
	case 0x67:
		i->addrsize = true;
		return true;
	case 0xf0:
		i->lock = true;
		return true;
	case 0xf2:
		i->repne = true;
		i->rep = false;
		return true;
	case 0xf3:
		i->rep = true;
		i->repne = false;
		return true;
	default:
		return false;
	}
}

/* REX counts only right before the opcode. */
static uint8_t take_prefixes(struct insn *i, struct cursor *c)
{
	for (;;) {
		uint8_t b = take(c);

		if (c->bad)
			return 0;
		if (is_prefix(i, b)) {
			i->rex = 0;
		} else if (i->mode == 64 && (b & 0xf0) == 0x40) {
			i->rex = b;
		} else {
			return b;
		}
	}
}

static void set_sizes(struct insn *i)
{
	bool wide = i->mode != 16;

	if (i->mode == 64 && (i->rex & 8))
		i->operand_bytes = 8;
	else
		i->operand_bytes = wide != i->opsize ? 4 : 2;
	if (i->mode == 64)
		i->address_bytes = i->addrsize ? 4 : 8;
	else
		i->address_bytes = wide != i->addrsize ? 4 : 2;
}

static void displacement(struct insn *i, struct cursor *c, unsigned int bytes)
{
	i->disp_bytes = (uint8_t)bytes;
	i->disp = (int32_t)take_number(c, bytes);
}

static void take_modrm16(struct insn *i, struct cursor *c)
{
	if (i->mod == 1)
		displacement(i, c, 1);
	else if (i->mod == 2 || (i->mod == 0 && i->rm == 6))
		displacement(i, c, 2);
}

static void take_modrm(struct insn *i, struct cursor *c)
{
	uint8_t low;

	i->has_modrm = true;
	i->modrm = take(c);
	i->mod = i->modrm >> 6;
	i->reg = ((i->modrm >> 3) & 7) | (i->rex & 4 ? 8 : 0);
	/* MOV to and from control and debug registers has no memory form. */
	if (i->map == MAP_0F && !i->vex && (i->opcode & 0xfc) == 0x20)
		i->mod = 3;
	i->rm = low = i->modrm & 7;
	if (i->mod == 3 || i->address_bytes != 2)
		i->rm |= i->rex & 1 ? 8 : 0;
	if (i->mod == 3)
		return;
	if (i->address_bytes == 2) {
		take_modrm16(i, c);
		return;
	}
	if (low == 4) {
		i->has_sib = true;
		i->sib = take(c);
		i->scale = i->sib >> 6;
		i->index = ((i->sib >> 3) & 7) | (i->rex & 2 ? 8 : 0);
		low = i->sib & 7;
		i->base = low | (i->rex & 1 ? 8 : 0);
	}
	if (i->mod == 1)
		displacement(i, c, 1);
	else if (i->mod == 2 || (i->mod == 0 && low == 5))
		displacement(i, c, 4);
}

static void immediate(struct insn *i, struct cursor *c, unsigned int bytes)
{
	uint64_t v = take_number(c, bytes);

	/* ENTER has two immediates, a far pointer as well. */
	if (i->imm_bytes && i->imm_bytes < 8)
		v = (i->imm & (BIT(i->imm_bytes * 8) - 1)) |
		    v << (i->imm_bytes * 8);
	i->imm = v;
	i->imm_bytes += (uint8_t)bytes;
}

static void take_immediates(struct insn *i, struct cursor *c, uint8_t what)
{
	unsigned int z = i->operand_bytes == 2 ? 2 : 4;

	if (what & W)
		immediate(i, c, 2);
	if (what & B)
		immediate(i, c, 1);
	if (what & Z)
		immediate(i, c, z);
	if (what & V)
		immediate(i, c, i->operand_bytes);
	if (what & O)
		immediate(i, c, i->address_bytes);
	if (what & P) {
		immediate(i, c, z);
		immediate(i, c, 2);
	}
}

/* A near jump or call keeps four bytes of offset in 64-bit mode. */
static bool is_near_jump(const struct insn *i)
{
	if (i->map == MAP_ONE)
		return i->opcode == 0xe8 || i->opcode == 0xe9;
	return i->map == MAP_0F && (i->opcode & 0xf0) == 0x80;
}

/* TEST is the only one of group 3 with an immediate. */
static uint8_t group3(const struct insn *i)
{
	if (i->map != MAP_ONE || (i->opcode & 0xfe) != 0xf6 ||
	    ((i->modrm >> 3) & 7) > 1)
		return 0;
	return i->opcode == 0xf6 ? B : Z;
}

static bool lookup(struct insn *i, struct cursor *c, uint8_t b, uint8_t *what)
{
	if (b != 0x0f) {
		i->map = MAP_ONE;
		i->opcode = b;
		*what = one_byte[b];
		return i->mode != 64 || !invalid64(b);
	}
	b = take(c);
	if (b == 0x38 || b == 0x3a) {
		i->map = b == 0x38 ? MAP_0F38 : MAP_0F3A;
		i->opcode = take(c);
		*what = b == 0x38 ? M : MB;
		return true;
	}
	i->map = MAP_0F;
	i->opcode = b;
	*what = two_byte[b];
	return *what != X;
}

/* VEX, XOP, EVEX: the prefix holds REX's bits (inverted) and the map. */
static bool is_vex(const struct insn *i, const struct cursor *c, uint8_t b)
{
	uint8_t next = peek(c);

	if (b == 0x8f) /* XOP: else POP */
		return (next & 0x1f) >= 8 &&
		       (i->mode == 64 || (next & 0xc0) == 0xc0);
	if (b != 0xc4 && b != 0xc5 && b != 0x62)
		return false;
	/* Else LDS, LES, BOUND, whose ModRM names memory. */
	return i->mode == 64 || (i->mode == 32 && (next & 0xc0) == 0xc0);
}

static bool take_vex(struct insn *i, struct cursor *c, uint8_t b, uint8_t *what)
{
	uint8_t first = take(c), map = 1, last = first;

	if (i->rex || i->opsize || i->rep || i->repne || i->lock)
		return false;
	i->vex = true;
	i->rex = 0x40 | (first & 0x80 ? 0 : 4);
	if (b != 0xc5) {
		map = first & (b == 0x62 ? 7 : 0x1f);
		i->rex |= (first & 0x40 ? 0 : 2) | (first & 0x20 ? 0 : 1);
		last = take(c);
		if (last & 0x80)
			i->rex |= 8;
	}
	i->pp = last & 3;
	i->vvvv = ~last >> 3 & (i->mode == 64 ? 15 : 7);
	i->vex_l = b == 0xc4 || b == 0xc5 ? last >> 2 & 1 : VEX_L_OTHER;
	if (b == 0x62)
		take(c);
	i->opcode = take(c);
	i->map = MAP_OTHER;
	*what = M;
	if (b == 0x8f) {
		/* Map 8 has an immediate byte, map 10 four. */
		*what = map == 8 ? MB : map == 10 ? M | Z : M;
		return map <= 10;
	}
	if (map == 1) {
		i->map = MAP_0F;
		*what = two_byte[i->opcode];
		if (i->opcode == 0x77)
			*what = 0;
		return *what != X;
	}
	if (map == 2 || map == 3)
		i->map = map == 2 ? MAP_0F38 : MAP_0F3A;
	if (map == 3)
		*what = MB;
	return map >= 1 && map <= 6 && map != 4;
}

bool insn_decode(struct insn *i, const uint8_t *bytes, unsigned int n,
		 unsigned int mode)
{
	struct cursor c = {.p = bytes, .n = n};
	uint8_t b, what;
	bool ok;

	*i = (struct insn){.mode = (uint8_t)mode, .seg = INSN_NO_SEG};
	b = take_prefixes(i, &c);
	if (c.bad)
		return false;
	ok = is_vex(i, &c, b) ? take_vex(i, &c, b, &what)
			      : lookup(i, &c, b, &what);
	if (!i->vex)
		i->pp = (uint8_t)(i->repne ? 3 : i->rep ? 2 : i->opsize);
	if (!ok || c.bad)
		return false;
	set_sizes(i);
	if (i->vex && i->map == MAP_OTHER)
		i->operand_bytes = 4;
	if (what & M)
		take_modrm(i, &c);
	what |= group3(i);
	if (is_near_jump(i) && mode == 64)
		i->operand_bytes = 4;
	take_immediates(i, &c, what);
	i->length = (uint8_t)c.at;
	return !c.bad;
}
