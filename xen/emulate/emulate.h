/* SPDX-License-Identifier: MIT */
/*
 * Executes one instruction that touches emulated memory: moves, arithmetic,
 * bit operations, strings, vector moves. Memory is reached through callbacks
 * only, so the same code runs in host tests.
 */
#ifndef OSTLER_EMULATE_EMULATE_H
#define OSTLER_EMULATE_EMULATE_H

#include "emulate/decode.h"

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
	void *ctx;
};

enum emulate_result {
	EMULATE_DONE,    /* registers and RIP are as after it */
	EMULATE_AGAIN,   /* a part of a repeated one: RIP stays */
	EMULATE_FAULT,   /* a callback said so; nothing changed since */
	EMULATE_UNKNOWN, /* not an instruction that is known here */
};

enum emulate_result emulate(struct emulator *e, const struct insn *i);

#endif
