/* SPDX-License-Identifier: MIT */
/*
 * String instructions, a part at a time: after some elements interrupts may
 * come in.
 */
#include "emulate/state.h"

static void advance(struct state *s, unsigned int reg)
{
	uint64_t *r = &s->e->gpr[reg];
	uint64_t step = s->e->rflags & FLAG_DF ? -(uint64_t)s->size : s->size;

	put_low(r, s->i->address_bytes, *r + step);
}

static uint64_t element(struct state *s, unsigned int seg, unsigned int reg)
{
	return emu_load(s, seg, s->e->gpr[reg] & address_mask(s->i), s->size);
}

/* a4 MOVS, a6 CMPS, aa STOS, ac LODS, ae SCAS: once. */
static void string_once(struct state *s)
{
	unsigned int op = s->i->opcode & 0xfe;
	unsigned int seg = s->i->seg != INSN_NO_SEG ? s->i->seg : INSN_DS;
	bool from_rax = op == 0xaa || op == 0xae;
	uint64_t v = from_rax ? emu_reg(s, RAX) : element(s, seg, RSI);

	if (op == 0xa6 || op == 0xae) {
		uint64_t di = element(s, INSN_ES, RDI);

		emu_alu(s, CMP, v, di);
	} else if (op != 0xac) {
		emu_store(s, INSN_ES, s->e->gpr[RDI] & address_mask(s->i),
			  s->size, v);
	}
	if (s->fault)
		return;
	if (op == 0xac)
		emu_set_reg(s, RAX, v);
	else
		advance(s, RDI);
	if (!from_rax)
		advance(s, RSI);
}

#define STRING_BATCH 64 /* then interrupts may come in */

/* CMPS and SCAS go on while the elements are equal, or are not. */
static bool is_found(const struct state *s)
{
	unsigned int op = s->i->opcode & 0xfe;

	if (op != 0xa6 && op != 0xae)
		return false;
	return !(s->e->rflags & FLAG_ZF) != s->i->repne;
}

enum emulate_result emu_string(struct state *s)
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
		put_low(rcx, s->i->address_bytes, *rcx - 1);
		if (s->e->step)
			s->e->step(s->e->ctx);
		if (is_found(s))
			break;
	}
	return EMULATE_DONE;
}

bool emu_is_string(const struct insn *i)
{
	uint8_t op = i->opcode & 0xfe;

	return i->map == MAP_ONE &&
	       ((op >= 0xa4 && op <= 0xa6) || (op >= 0xaa && op <= 0xae));
}
