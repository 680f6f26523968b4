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
#define FLAG_TF     BIT(8)
#define FLAG_IF     BIT(9)
#define FLAG_DF     BIT(10)
#define FLAG_OF     BIT(11)
#define FLAG_IOPL   (3UL << 12)
#define FLAG_NT     BIT(14)
#define FLAG_RF     BIT(16)
#define FLAG_VM     BIT(17)
#define FLAG_AC     BIT(18)
#define FLAG_ID     BIT(21)
#define FLAGS_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* Exceptions. */
enum {
	DE = 0,
	DB = 1,
	BREAKPOINT = 3,
	OVERFLOW = 4,
	BR = 5,
	UD = 6,
	NM = 7,
	TS = 10,
	NP = 11,
	SS = 12,
	GP = 13,
};

struct state {
	struct emulator *e;
	const struct insn *i;
	unsigned int size; /* of the operands */
	unsigned int seg;  /* of the memory operand */
	uint64_t off;      /* … in its segment */
	uint64_t next;     /* RIP after it */
	bool fault;        /* an access failed: nothing more is done */
	bool unknown;      /* … as nobody can be told of an exception */
	bool in_task;      /* segments of another task are being loaded */
	bool task_external;
	bool has_cpu;
	struct emu_cpu cpu; /* emu_cpu() */
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

/* emulate.c: operands of s->size; r/m is a register or memory. Offsets have
 * been cut to the size of addresses. */
uint64_t emu_reg(const struct state *s, unsigned int reg);
void emu_set_reg(struct state *s, unsigned int reg, uint64_t v);
uint64_t emu_load(struct state *s, unsigned int seg, uint64_t off,
		  unsigned int size);
void emu_store(struct state *s, unsigned int seg, uint64_t off,
	       unsigned int size, uint64_t v);
uint64_t emu_rm(struct state *s);
void emu_set_rm(struct state *s, uint64_t v);
void emu_find_operand(struct state *s);
/* The instruction raises an exception. */
void emu_raise(struct state *s, unsigned int vector);
void emu_raise_error(struct state *s, unsigned int vector, uint32_t error);
const struct emu_cpu *emu_cpu(struct state *s);
bool emu_protected(struct state *s); /* neither real nor virtual-8086 mode */
bool emu_long_mode(struct state *s); /* compatibility mode is, too */

/* arith.c: the flags of what is done go into e->rflags. */
enum alu { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };
uint64_t emu_alu(struct state *s, enum alu op, uint64_t a, uint64_t b);
uint64_t emu_negate(struct state *s, uint64_t v);
uint64_t emu_count(struct state *s, uint64_t v, bool down); /* INC, DEC */
void emu_put_flags(struct state *s, uint64_t which, uint64_t val);
uint64_t emu_result_flags(uint64_t r, unsigned int size); /* ZF, SF, PF */
bool emu_holds(uint64_t flags, unsigned int cc);
/* Shifts and rotates, conditions, double width; false: none of them. */
bool emu_arith(struct state *s);

/* product.c: products, quotients, decimal digits. */
bool emu_product(struct state *s);

/* plain.c: what needs registers and flags only. */
bool emu_plain(struct state *s);

/* stack.c: a stack as wide as SS says. Elements of s->size; peek() is the n-th
 * of them. emu_set_sp() comes last. */
void emu_stack_size(struct state *s); /* in 64 bits 8 bytes an element */
void emu_push(struct state *s, uint64_t *sp, uint64_t v);
uint64_t emu_peek(struct state *s, unsigned int n);
void emu_set_sp(struct state *s, uint64_t sp);
/* The flags that POPF and IRET may change. */
uint64_t emu_flags_writable(struct state *s);
bool emu_stack(struct state *s);

/* flow.c: near transfers. emu_jump() checks where it goes on. */
void emu_jump(struct state *s, uint64_t rip);
bool emu_is_canonical(uint64_t va);
bool emu_flow(struct state *s);

/*
 * segment.c. A descriptor that was found good for something: what the register
 * will be, and where its accessed bit is to be set (0: it is). All is checked
 * before anything is put in place.
 */
struct emu_found {
	struct emu_segment g;
	uint64_t mark;
};
#define TYPE_CODE       BIT(3)
#define TYPE_CONFORMING BIT(2) /* of code; of data: expands down */
#define TYPE_WRITABLE   BIT(1) /* of code: may be read */
#define TYPE_ACCESSED   BIT(0)
static inline unsigned int seg_dpl(const struct emu_segment *g)
{
	return (g->attr >> 5) & 3;
}
/* An exception whose error code is the selector's. */
void emu_bad_selector(struct state *s, unsigned int vector, uint16_t sel);
/* The operand, which must be in memory: an offset and (the result) a selector.
 */
uint16_t emu_far_pointer(struct state *s, uint64_t *off);
bool emu_may_access(struct state *s, unsigned int seg, uint64_t off,
		    unsigned int size, bool write);
/* sel's descriptor; high: the one after it, too (a gate of 16 bytes). */
bool emu_descriptor(struct state *s, uint16_t sel, struct emu_found *f,
		    uint64_t raw[2], bool high);
bool emu_find_data(struct state *s, unsigned int seg, uint16_t sel,
		   unsigned int cpl, struct emu_found *f);
void emu_put_segment(struct state *s, unsigned int seg, struct emu_found *f);
bool emu_segments(struct state *s);

/* far.c: far JMP, CALL, RET, IRET. */
bool emu_far(struct state *s);
/* From now on CS is sel in real or virtual-8086 mode; its limit stays. */
void emu_find_real(struct state *s, uint16_t sel, uint64_t rip,
		   struct emu_found *cs);

/* ring.c: ring cpl's stack, from the TSS; ext goes into error codes. Swapping
 * puts it in place, and the one before into it; again swaps back. */
struct emu_stack {
	struct emu_found ss;
	uint64_t sp;
	bool there;
};
bool emu_inner_stack(struct state *s, unsigned int cpl, uint32_t ext,
		     struct emu_stack *new);
void emu_swap_stack(struct state *s, struct emu_stack *stack);

/* interrupt.c: INT n, INT3, INTO, ICEBP. */
bool emu_interrupts(struct state *s);

/* task.c; false: not to be had. */
bool emu_switch_task(struct state *s, const struct emu_task *why);

/* system.c: control registers, tables, MSRs, HLT, the beginnings of x87. */
bool emu_system(struct state *s);
/* What a callback of struct emu_system said. */
void emu_note_result(struct state *s, enum emulate_result r);

/* port.c: IN, OUT, INS, OUTS. */
bool emu_port(struct state *s);

/* string.c: MOVS, STOS, LODS, CMPS, SCAS. */
bool emu_is_string(const struct insn *i);
enum emulate_result emu_string(struct state *s);

/* vector.c: moves between XMM and YMM registers and memory. */
bool emu_vector(struct state *s);

#endif
