/* SPDX-License-Identifier: MIT */
/* What the emulator's parts share: one instruction being executed. */
#ifndef OSTLER_EMULATE_STATE_H
#define OSTLER_EMULATE_STATE_H

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
	bool fault;        /* a memory access failed: nothing more is done */
};

static inline uint64_t size_mask(unsigned int size)
{
	return size >= 8 ? ~0UL : BIT(size * 8) - 1;
}

static inline uint64_t sign_extend(uint64_t v, unsigned int size)
{
	unsigned int shift = 64 - size * 8;

	return (uint64_t)((int64_t)(v << shift) >> shift);
}

static inline uint64_t address_mask(const struct insn *i)
{
	return size_mask(i->address_bytes);
}

/* The low bytes of a register: four clear the upper half, fewer leave the rest
 * as it is. */
static inline void put_low(uint64_t *r, unsigned int bytes, uint64_t v)
{
	uint64_t m = size_mask(bytes);

	*r = (bytes < 4 ? *r & ~m : 0) | (v & m);
}

/* emulate.c: operands of s->size; r/m is a register or memory. */
uint64_t emu_reg(const struct state *s, unsigned int reg);
void emu_set_reg(struct state *s, unsigned int reg, uint64_t v);
uint64_t emu_linear(const struct state *s, unsigned int seg, uint64_t offset);
uint64_t emu_load(struct state *s, uint64_t addr, unsigned int size);
void emu_store(struct state *s, uint64_t addr, unsigned int size, uint64_t v);
uint64_t emu_rm(struct state *s);
void emu_set_rm(struct state *s, uint64_t v);

/* arith.c: the flags of what is done go into e->rflags. */
enum alu { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };
uint64_t emu_alu(struct state *s, enum alu op, uint64_t a, uint64_t b);
uint64_t emu_negate(struct state *s, uint64_t v);
uint64_t emu_count(struct state *s, uint64_t v, bool down); /* INC, DEC */
/* Shifts and rotates, wide products, conditions; false: none of them. */
bool emu_arith(struct state *s);

/* string.c: MOVS, STOS, LODS, CMPS, SCAS. */
bool emu_is_string(const struct insn *i);
enum emulate_result emu_string(struct state *s);

/* vector.c: moves between XMM and YMM registers and memory. */
bool emu_vector(struct state *s);

#endif
