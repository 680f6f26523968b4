/* SPDX-License-Identifier: MIT */
/*
 * Instructions that need no more than registers and flags: what stands between
 * the accesses in code that is emulated as a whole.
 */
#include "emulate/state.h"

static unsigned int low_reg(const struct insn *i)
{
	return (i->opcode & 7) | (i->rex & 1 ? 8 : 0);
}

static void accumulator_alu(struct state *s, enum alu op)
{
	uint64_t r = emu_alu(s, op, emu_reg(s, RAX), s->i->imm);

	if (op != CMP)
		emu_set_reg(s, RAX, r);
}

/* CBW, CWDE, CDQE: AX from AL and so on; CWD, CDQ, CQO: the sign into DX. */
static void widen(struct state *s, bool into_dx)
{
	uint64_t a = s->e->gpr[RAX];

	if (into_dx)
		emu_set_reg(s, RDX,
			    sign_extend(a, s->size) >> 63 ? UINT64_MAX : 0);
	else
		emu_set_reg(s, RAX, sign_extend(a, s->size / 2));
}

static void exchange(struct state *s)
{
	unsigned int n = low_reg(s->i);
	uint64_t v = emu_reg(s, n);

	if (!n)
		return; /* NOP, PAUSE: not even the upper half */
	emu_set_reg(s, n, emu_reg(s, RAX));
	emu_set_reg(s, RAX, v);
}

#define AH_FLAGS (FLAGS_ARITH & ~FLAG_OF)

/* LAHF, SAHF. */
static void flags_ah(struct state *s, bool store)
{
	uint64_t *a = &s->e->gpr[RAX], f = s->e->rflags;

	if (store)
		emu_put_flags(s, AH_FLAGS, *a >> 8);
	else
		*a = (*a & ~0xff00UL) | (f & AH_FLAGS) << 8 | BIT(9);
}

static void load_address(struct state *s)
{
	if (s->i->mod == 3)
		emu_raise(s, UD);
	else
		emu_set_reg(s, s->i->reg, s->off);
}

static void translate_byte(struct state *s)
{
	unsigned int seg = s->i->seg != INSN_NO_SEG ? s->i->seg : INSN_DS;
	uint64_t off = s->e->gpr[RBX] + (s->e->gpr[RAX] & 0xff), v;

	v = emu_load(s, seg, off & address_mask(s->i), 1);
	if (!s->fault)
		put_low(&s->e->gpr[RAX], 1, v);
}

/* CLI, STI (Intel SDM Vol. 2; without CR4.VME and PVI). */
static bool interrupts(struct state *s, bool on)
{
	const struct emu_cpu *c = emu_cpu(s);
	unsigned int iopl = (s->e->rflags & FLAG_IOPL) >> 12;

	if (!s->e->sys)
		return false;
	if (s->e->rflags & FLAG_VM ? iopl < 3
				   : emu_protected(s) && c->cpl > iopl) {
		emu_raise_error(s, GP, 0);
		return true;
	}
	if (on && !(s->e->rflags & FLAG_IF) && s->e->sys->shadow)
		s->e->sys->shadow(s->e->ctx);
	emu_put_flags(s, FLAG_IF, on ? FLAG_IF : 0);
	return true;
}

static bool by_range(struct state *s)
{
	uint8_t op = s->i->opcode;

	switch (op) {
	case 0x00 ... 0x3f:
		if ((op & 6) != 4)
			return false;
		accumulator_alu(s, op >> 3 & 7);
		return true;
	case 0x40 ... 0x4f: /* in 64-bit mode they are prefixes */
		emu_set_reg(s, op & 7,
			    emu_count(s, emu_reg(s, op & 7), op & 8));
		return true;
	case 0x90 ... 0x97:
		exchange(s);
		return true;
	case 0xb0 ... 0xbf:
		emu_set_reg(s, low_reg(s->i), s->i->imm);
		return true;
	default:
		return false;
	}
}

static bool one_byte(struct state *s)
{
	uint8_t op = s->i->opcode;

	switch (op) {
	case 0x8d:
		load_address(s);
		return true;
	case 0x98:
	case 0x99:
		widen(s, op & 1);
		return true;
	case 0x9e:
	case 0x9f:
		flags_ah(s, op == 0x9e);
		return true;
	case 0xa8:
	case 0xa9:
		emu_alu(s, AND, emu_reg(s, RAX), s->i->imm);
		return true;
	case 0xd7:
		translate_byte(s);
		return true;
	case 0xf5:
		s->e->rflags ^= FLAG_CF;
		return true;
	case 0xf8:
	case 0xf9:
		emu_put_flags(s, FLAG_CF, op & 1 ? FLAG_CF : 0);
		return true;
	case 0xfa:
	case 0xfb:
		return interrupts(s, op & 1);
	case 0xfc:
	case 0xfd:
		emu_put_flags(s, FLAG_DF, op & 1 ? FLAG_DF : 0);
		return true;
	default:
		return by_range(s);
	}
}

/* BSF, BSR; with f3 others, which not every processor has. */
static bool scan(struct state *s)
{
	uint64_t v;

	if (s->i->rep)
		return false;
	v = emu_rm(s);
	emu_put_flags(s, FLAG_ZF, v ? 0 : FLAG_ZF);
	if (v && !s->fault)
		emu_set_reg(s, s->i->reg,
			    s->i->opcode & 1
				    ? 63 - (unsigned int)__builtin_clzl(v)
				    : (unsigned int)__builtin_ctzl(v));
	return true;
}

static void swap_bytes(struct state *s)
{
	unsigned int n = low_reg(s->i);
	uint64_t v = __builtin_bswap64(emu_reg(s, n)) >> (64 - s->size * 8);

	emu_set_reg(s, n, v);
}

bool emu_plain(struct state *s)
{
	if (s->i->map == MAP_ONE)
		return one_byte(s);
	if (s->i->map != MAP_0F)
		return false;
	switch (s->i->opcode) {
	case 0x1f: /* NOP r/m */
		return true;
	case 0xbc:
	case 0xbd:
		return scan(s);
	case 0xc8 ... 0xcf:
		if (s->size == 2)
			return false; /* undefined */
		swap_bytes(s);
		return true;
	default:
		return false;
	}
}
