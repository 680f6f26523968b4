/* SPDX-License-Identifier: MIT */
/*
 * x86 instructions from bytes: length and operands. No state, no memory: usable
 * on the host. AMD APM Vol. 3, "Instruction Encoding".
 */
#ifndef OSTLER_EMULATE_DECODE_H
#define OSTLER_EMULATE_DECODE_H

#include "lib/types.h"

#define INSN_MAX    15
#define VEX_L_OTHER 2 /* EVEX's and XOP's is somewhere else */

enum insn_map {
	MAP_ONE, /* one-byte opcodes */
	MAP_0F,
	MAP_0F38,
	MAP_0F3A,
	MAP_OTHER, /* XOP's and EVEX's own */
};

enum insn_seg {
	INSN_ES,
	INSN_CS,
	INSN_SS,
	INSN_DS,
	INSN_FS,
	INSN_GS,
	INSN_NO_SEG,
};

struct insn {
	uint8_t length;
	uint8_t map; /* enum insn_map */
	uint8_t opcode;
	uint8_t mode; /* 16, 32, 64 */

	bool lock, rep, repne; /* f0, f3, f2 */
	bool opsize, addrsize; /* 66, 67 */
	bool vex;              /* VEX, EVEX or XOP */
	uint8_t vex_l, vvvv;   /* length and third operand */
	uint8_t pp;            /* none, 66, f3, f2: where it is no more than
				  a part of the opcode */
	uint8_t seg;           /* override, or INSN_NO_SEG */
	uint8_t rex;           /* 0: none */

	uint8_t operand_bytes; /* 2, 4 or 8: of a full-size operand */
	uint8_t address_bytes; /* 2, 4 or 8 */

	bool has_modrm, has_sib;
	uint8_t modrm, sib;
	uint8_t mod, reg, rm;       /* reg and rm with REX's bits */
	uint8_t base, index, scale; /* of sib, with REX's bits */
	int32_t disp;
	uint8_t disp_bytes;
	uint64_t imm; /* sign-extended; a moffs is here, too */
	uint8_t imm_bytes;
};

/* False: not an instruction, or n bytes are not all of it. */
bool insn_decode(struct insn *i, const uint8_t *bytes, unsigned int n,
		 unsigned int mode);

#endif
