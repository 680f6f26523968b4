/* SPDX-License-Identifier: MIT */
/*
 * Executes one instruction that touches emulated memory, or that a processor
 * cannot execute in the mode its guest is in: moves, arithmetic, bits, strings,
 * vector moves, the stack, near and far control transfer, segment loads. Memory
 * and what else there is of the processor are reached through callbacks only,
 * so the same code runs in host tests.
 */
#ifndef OSTLER_EMULATE_EMULATE_H
#define OSTLER_EMULATE_EMULATE_H

#include "emulate/decode.h"

/* A segment register as the processor keeps it; attr: type, S, DPL, P, AVL, L,
 * D, G from bit 0 on. Without P it is unusable. */
struct emu_segment {
	uint16_t sel, attr;
	uint32_t limit;
	uint64_t base;
};
#define EMU_SEG_S BIT(4)
#define EMU_SEG_P BIT(7)
#define EMU_SEG_L BIT(9)
#define EMU_SEG_D BIT(10)
#define EMU_SEG_G BIT(11)

/* Tables, as segments after INSN_GS. */
enum { EMU_TR = 6, EMU_LDTR, EMU_GDTR, EMU_IDTR };

struct emu_cpu {
	uint64_t cr0, efer;
	unsigned int cpl;
};

/*
 * The rest of the processor. With it, accesses are checked against their
 * segments' limits and types, and what an instruction raises is raised.
 */
struct emu_system {
	void (*cpu)(void *ctx, struct emu_cpu *c);
	void (*get_seg)(void *ctx, unsigned int seg, struct emu_segment *g);
	/* The CPL is SS' DPL. */
	void (*set_seg)(void *ctx, unsigned int seg,
			const struct emu_segment *g);
	/* Memory of descriptor tables: read and written as by ring 0. */
	bool (*table)(void *ctx, uint64_t addr, unsigned int size, bool write,
		      uint64_t *val);
	void (*raise)(void *ctx, unsigned int vector, bool has_error,
		      uint32_t error);
	/* No interrupt before the next instruction is over; may be NULL. */
	void (*shadow)(void *ctx);
};

struct emulator {
	uint64_t *gpr; /* 16, by encoding */
	uint64_t rip, rflags;
	/* Linear base of a segment (INSN_ES …); in 64-bit mode FS and GS are
	 * asked for only. */
	uint64_t (*seg_base)(void *ctx, unsigned int seg);
	/* size 1, 2, 4 or 8 at a linear address. False: the access faulted,
	 * whoever was asked has seen to that. */
	bool (*read)(void *ctx, uint64_t addr, unsigned int size,
		     uint64_t *val);
	bool (*write)(void *ctx, uint64_t addr, unsigned int size,
		      uint64_t val);
	/* v[4] of XMM or YMM register reg, from or (write) into it; NULL:
	 * there are none. */
	void (*vector)(void *ctx, unsigned int reg, uint64_t v[4], bool write);
	/* After each iteration of a repeated instruction, its registers being
	 * in place; may be NULL. */
	void (*step)(void *ctx);
	/* NULL: no limits are looked at, and an instruction that needs one of
	 * these, or raises an exception, is not known. */
	const struct emu_system *sys;
	void *ctx;
};

enum emulate_result {
	EMULATE_DONE,    /* registers and RIP are as after it */
	EMULATE_AGAIN,   /* a part of a repeated one: RIP stays */
	EMULATE_FAULT,   /* a callback said so, or was told of an exception;
			    no register has changed */
	EMULATE_UNKNOWN, /* not an instruction that is known here */
};

enum emulate_result emulate(struct emulator *e, const struct insn *i);

#endif
