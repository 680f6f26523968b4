/* SPDX-License-Identifier: MIT */
/* test_native's instructions: their encodings, and what they want. */
#ifndef OSTLER_UNIT_NATIVE_FORMS_H
#define OSTLER_UNIT_NATIVE_FORMS_H

#define CF    0x1U
#define PF    0x4U
#define AF    0x10U
#define ZF    0x40U
#define SF    0x80U
#define OF    0x800U
#define ARITH (CF | PF | AF | ZF | SF | OF)
#define DF    0x400U

enum {
	BYTES = 1,      /* bytes only */
	BOTH = 2,       /* the opcode's lowest bit: bytes or the full size */
	VECTOR = 4,     /* reg is an XMM register */
	VEX = 8,        /* … with VEX, L as it comes */
	STACK = 16,     /* RSP must be somewhere */
	STRING = 32,    /* no ModRM */
	NOT_66 = 64,    /* no operand size prefix */
	NOT_W = 128,    /* no REX.W */
	ALIGNED = 256,  /* to 16 */
	COUNT = 512,    /* CL and immediates small */
	PLAIN = 1024,   /* no ModRM: no more than the opcode and an immediate */
	LOW_REG = 2048, /* … whose low bits are a register */
	NEAR = 4096,    /* it may go somewhere else in the page */
	FULL = 8192,    /* 64 bits in any case, or none */
	SMALL_A = 16384,   /* RAX and RDX small, for a quotient that fits */
	SELECTORS = 32768, /* the stack or RAX holds selectors, good and bad */
	FAR = 65536,       /* the stack holds where to go */
};

struct form {
	const char *name;
	uint8_t prefix, map, opcode;
	int8_t digit; /* in reg; -1: any register */
	uint8_t imm;  /* bytes; 4: as large as the operands, but no 8 */
	uint32_t undefined;
	unsigned int how;
};

static const struct form forms[] = {
	{"add", 0, 0, 0x00, -1, 0, 0, BOTH},
	{"or", 0, 0, 0x08, -1, 0, AF, BOTH},
	{"adc", 0, 0, 0x10, -1, 0, 0, BOTH},
	{"sbb r,", 0, 0, 0x1a, -1, 0, 0, BOTH},
	{"and", 0, 0, 0x20, -1, 0, AF, BOTH},
	{"sub r,", 0, 0, 0x2a, -1, 0, 0, BOTH},
	{"xor", 0, 0, 0x30, -1, 0, AF, BOTH},
	{"cmp", 0, 0, 0x38, -1, 0, 0, BOTH},
	{"adc imm", 0, 0, 0x81, 2, 4, 0, 0},
	{"cmp imm8", 0, 0, 0x83, 7, 1, 0, 0},
	{"xor imm", 0, 0, 0x80, 6, 1, AF, BYTES},
	{"test", 0, 0, 0x84, -1, 0, AF, BOTH},
	{"xchg", 0, 0, 0x86, -1, 0, 0, BOTH},
	{"mov", 0, 0, 0x88, -1, 0, 0, BOTH},
	{"mov r,", 0, 0, 0x8a, -1, 0, 0, BOTH},
	{"mov imm", 0, 0, 0xc7, 0, 4, 0, 0},
	{"movsxd", 0, 0, 0x63, -1, 0, 0, NOT_66},
	{"test imm", 0, 0, 0xf7, 0, 4, AF, 0},
	{"not", 0, 0, 0xf6, 2, 0, 0, BOTH},
	{"neg", 0, 0, 0xf6, 3, 0, 0, BOTH},
	{"mul", 0, 0, 0xf6, 4, 0, SF | ZF | AF | PF, BOTH},
	{"imul", 0, 0, 0xf6, 5, 0, SF | ZF | AF | PF, BOTH},
	{"imul r,", 0, 1, 0xaf, -1, 0, SF | ZF | AF | PF, 0},
	{"imul imm", 0, 0, 0x69, -1, 4, SF | ZF | AF | PF, 0},
	{"imul imm8", 0, 0, 0x6b, -1, 1, SF | ZF | AF | PF, 0},
	{"div", 0, 0, 0xf6, 6, 0, ARITH, BOTH | SMALL_A},
	{"idiv", 0, 0, 0xf6, 7, 0, ARITH, BOTH | SMALL_A},
	{"lea", 0, 0, 0x8d, -1, 0, 0, 0},
	{"bsf", 0, 1, 0xbc, -1, 0, ARITH & ~ZF, 0},
	{"bsr", 0, 1, 0xbd, -1, 0, ARITH & ~ZF, 0},
	{"nop r/m", 0, 1, 0x1f, 0, 0, 0, 0},
	{"and imm", 0, 0, 0x24, 0, 4, AF, PLAIN | BOTH},
	{"sbb imm", 0, 0, 0x1c, 0, 4, 0, PLAIN | BOTH},
	{"test al", 0, 0, 0xa8, 0, 4, AF, PLAIN | BOTH},
	{"cbw", 0, 0, 0x98, 0, 0, 0, PLAIN},
	{"cwd", 0, 0, 0x99, 0, 0, 0, PLAIN},
	{"sahf", 0, 0, 0x9e, 0, 0, 0, PLAIN},
	{"lahf", 0, 0, 0x9f, 0, 0, 0, PLAIN},
	{"cmc", 0, 0, 0xf5, 0, 0, 0, PLAIN},
	{"clc", 0, 0, 0xf8, 0, 0, 0, PLAIN},
	{"stc", 0, 0, 0xf9, 0, 0, 0, PLAIN},
	{"cld", 0, 0, 0xfc, 0, 0, 0, PLAIN},
	{"std", 0, 0, 0xfd, 0, 0, 0, PLAIN},
	{"cli", 0, 0, 0xfa, 0, 0, 0, PLAIN},
	{"xlat", 0, 0, 0xd7, 0, 0, 0, PLAIN | STACK},
	{"xchg rax", 0, 0, 0x90, 0, 0, 0, PLAIN | LOW_REG},
	{"mov imm8", 0, 0, 0xb0, 0, 1, 0, PLAIN | LOW_REG | NOT_66},
	{"mov imm", 0, 0, 0xb8, 0, 8, 0, PLAIN | LOW_REG},
	{"bswap", 0, 1, 0xc8, 0, 0, 0, PLAIN | LOW_REG | NOT_66},
	{"push r", 0, 0, 0x50, 0, 0, 0, PLAIN | LOW_REG | STACK | FULL},
	{"pop r", 0, 0, 0x58, 0, 0, 0, PLAIN | LOW_REG | STACK | FULL},
	{"push imm8", 0, 0, 0x6a, 0, 1, 0, PLAIN | STACK | FULL},
	{"push imm", 0, 0, 0x68, 0, 4, 0, PLAIN | STACK | FULL},
	{"pushf", 0, 0, 0x9c, 0, 0, 0, PLAIN | STACK | FULL},
	{"popf", 0, 0, 0x9d, 0, 0, 0, PLAIN | STACK | FULL | FAR},
	{"enter", 0, 0, 0xc8, 0, 3, 0, PLAIN | STACK | FULL | NOT_66},
	{"leave", 0, 0, 0xc9, 0, 0, 0, PLAIN | STACK | FULL},
	{"call r/m", 0, 0, 0xff, 2, 0, 0, STACK | NEAR | NOT_W | NOT_66},
	{"jmp r/m", 0, 0, 0xff, 4, 0, 0, STACK | NEAR | NOT_W | NOT_66},
	{"call", 0, 0, 0xe8, 0, 4, 0, PLAIN | STACK | NEAR | NOT_66},
	{"jmp", 0, 0, 0xe9, 0, 4, 0, PLAIN | NEAR | NOT_66},
	{"jmp short", 0, 0, 0xeb, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"ret", 0, 0, 0xc3, 0, 0, 0, PLAIN | STACK | NEAR | NOT_66},
	{"ret imm", 0, 0, 0xc2, 0, 2, 0, PLAIN | STACK | NEAR | NOT_66},
	{"loopne", 0, 0, 0xe0, 0, 1, 0, PLAIN | COUNT | NEAR | NOT_66},
	{"loope", 0, 0, 0xe1, 0, 1, 0, PLAIN | COUNT | NEAR | NOT_66},
	{"loop", 0, 0, 0xe2, 0, 1, 0, PLAIN | COUNT | NEAR | NOT_66},
	{"jrcxz", 0, 0, 0xe3, 0, 1, 0, PLAIN | COUNT | NEAR | NOT_66},
	{"jo", 0, 0, 0x70, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"jc", 0, 0, 0x72, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"jnz", 0, 0, 0x75, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"jbe", 0, 0, 0x76, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"jp", 0, 0, 0x7a, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"jl", 0, 0, 0x7c, 0, 1, 0, PLAIN | NEAR | NOT_66},
	{"jg near", 0, 1, 0x8f, 0, 4, 0, PLAIN | NEAR | NOT_66},
	{"jns near", 0, 1, 0x89, 0, 4, 0, PLAIN | NEAR | NOT_66},
	{"mov r, sreg", 0, 0, 0x8c, -1, 0, 0, SELECTORS},
	{"mov ds,", 0, 0, 0x8e, 3, 0, 0, SELECTORS},
	{"mov es,", 0, 0, 0x8e, 0, 0, 0, SELECTORS},
	{"mov ss,", 0, 0, 0x8e, 2, 0, 0, SELECTORS},
	{"mov cs,", 0, 0, 0x8e, 1, 0, 0, SELECTORS},
	{"lss", 0, 1, 0xb2, -1, 0, 0, SELECTORS | NOT_W},
	{"call far", 0, 0, 0xff, 3, 0, 0, SELECTORS | STACK | NOT_W | NOT_66},
	{"jmp far", 0, 0, 0xff, 5, 0, 0, SELECTORS | STACK | NOT_W | NOT_66},
	{"retf", 0, 0, 0xcb, 0, 0, 0, PLAIN | STACK | FAR | NOT_66},
	{"retf imm", 0, 0, 0xca, 0, 2, 0, PLAIN | STACK | FAR | NOT_66},
	{"iret", 0, 0, 0xcf, 0, 0, 0, PLAIN | STACK | FAR | NOT_66},
	{"inc", 0, 0, 0xfe, 0, 0, 0, BOTH},
	{"dec", 0, 0, 0xfe, 1, 0, 0, BOTH},
	{"rol 1", 0, 0, 0xd0, 0, 0, 0, BOTH},
	{"ror 1", 0, 0, 0xd0, 1, 0, 0, BOTH},
	{"rcl 1", 0, 0, 0xd0, 2, 0, 0, BOTH},
	{"rcr 1", 0, 0, 0xd0, 3, 0, 0, BOTH},
	{"shl 1", 0, 0, 0xd0, 4, 0, AF, BOTH},
	{"shr 1", 0, 0, 0xd0, 5, 0, AF, BOTH},
	{"sar 1", 0, 0, 0xd0, 7, 0, AF, BOTH},
	{"rol imm", 0, 0, 0xc0, 0, 1, OF, BOTH},
	{"ror cl", 0, 0, 0xd2, 1, 0, OF, BOTH},
	{"rcl cl", 0, 0, 0xd2, 2, 0, OF, BOTH},
	{"rcr imm", 0, 0, 0xc0, 3, 1, OF, BOTH},
	{"shl cl", 0, 0, 0xd2, 4, 0, OF | AF, BOTH | COUNT},
	{"shr imm", 0, 0, 0xc0, 5, 1, OF | AF, BOTH | COUNT},
	{"sar cl", 0, 0, 0xd2, 7, 0, OF | AF, BOTH},
	{"shld imm", 0, 1, 0xa4, -1, 1, OF | AF, COUNT},
	{"shld cl", 0, 1, 0xa5, -1, 0, OF | AF, COUNT},
	{"shrd imm", 0, 1, 0xac, -1, 1, OF | AF, COUNT},
	{"shrd cl", 0, 1, 0xad, -1, 0, OF | AF, COUNT},
	{"bt imm", 0, 1, 0xba, 4, 1, OF | SF | AF | PF, 0},
	{"bts imm", 0, 1, 0xba, 5, 1, OF | SF | AF | PF, 0},
	{"btr imm", 0, 1, 0xba, 6, 1, OF | SF | AF | PF, 0},
	{"btc imm", 0, 1, 0xba, 7, 1, OF | SF | AF | PF, 0},
	{"movzx8", 0, 1, 0xb6, -1, 0, 0, 0},
	{"movzx16", 0, 1, 0xb7, -1, 0, 0, 0},
	{"movsx8", 0, 1, 0xbe, -1, 0, 0, 0},
	{"movsx16", 0, 1, 0xbf, -1, 0, 0, 0},
	{"cmpxchg", 0, 1, 0xb0, -1, 0, 0, BOTH},
	{"xadd", 0, 1, 0xc0, -1, 0, 0, BOTH},
	{"movnti", 0, 1, 0xc3, -1, 0, 0, NOT_66},
	{"cmpxchg8b", 0, 1, 0xc7, 1, 0, 0, NOT_66 | ALIGNED},
	{"movbe r,", 0, 2, 0xf0, -1, 0, 0, 0},
	{"movbe", 0, 2, 0xf1, -1, 0, 0, 0},
	{"push", 0, 0, 0xff, 6, 0, 0, STACK | NOT_W},
	{"pop", 0, 0, 0x8f, 0, 0, 0, STACK | NOT_W},
	{"movs", 0, 0, 0xa4, 0, 0, 0, BOTH | STRING},
	{"cmps", 0, 0, 0xa6, 0, 0, 0, BOTH | STRING},
	{"stos", 0, 0, 0xaa, 0, 0, 0, BOTH | STRING},
	{"lods", 0, 0, 0xac, 0, 0, 0, BOTH | STRING},
	{"scas", 0, 0, 0xae, 0, 0, 0, BOTH | STRING},
	{"rep movs", 0xf3, 0, 0xa4, 0, 0, 0, BOTH | STRING},
	{"repe cmps", 0xf3, 0, 0xa6, 0, 0, 0, BOTH | STRING},
	{"repne cmps", 0xf2, 0, 0xa6, 0, 0, 0, BOTH | STRING},
	{"rep stos", 0xf3, 0, 0xaa, 0, 0, 0, BOTH | STRING},
	{"rep lods", 0xf3, 0, 0xac, 0, 0, 0, BOTH | STRING},
	{"repne scas", 0xf2, 0, 0xae, 0, 0, 0, BOTH | STRING},
	{"hlt", 0, 0, 0xf4, 0, 0, 0, PLAIN},
	{"in", 0, 0, 0xec, 0, 0, 0, PLAIN},
	{"in imm", 0, 0, 0xe5, 0, 1, 0, PLAIN},
	{"out", 0, 0, 0xef, 0, 0, 0, PLAIN},
	{"ins", 0, 0, 0x6d, 0, 0, 0, PLAIN},
	{"outs", 0, 0, 0x6e, 0, 0, 0, PLAIN},
	{"clts", 0, 1, 0x06, 0, 0, 0, PLAIN},
	{"invd", 0, 1, 0x08, 0, 0, 0, PLAIN},
	{"wbinvd", 0, 1, 0x09, 0, 0, 0, PLAIN | NOT_66},
	{"wrmsr", 0, 1, 0x30, 0, 0, 0, PLAIN},
	{"rdmsr", 0, 1, 0x32, 0, 0, 0, PLAIN},
	{"lldt", 0, 1, 0x00, 2, 0, 0, 0},
	{"ltr", 0, 1, 0x00, 3, 0, 0, 0},
	{"lmsw", 0, 1, 0x01, 6, 0, 0, 0},
	{"movups x,", 0, 1, 0x10, -1, 0, 0, VECTOR},
	{"movups", 0, 1, 0x11, -1, 0, 0, VECTOR},
	{"movupd", 0x66, 1, 0x11, -1, 0, 0, VECTOR},
	{"movss x,", 0xf3, 1, 0x10, -1, 0, 0, VECTOR},
	{"movss", 0xf3, 1, 0x11, -1, 0, 0, VECTOR},
	{"movsd x,", 0xf2, 1, 0x10, -1, 0, 0, VECTOR},
	{"movsd", 0xf2, 1, 0x11, -1, 0, 0, VECTOR},
	{"movlps x,", 0, 1, 0x12, -1, 0, 0, VECTOR},
	{"movlps", 0, 1, 0x13, -1, 0, 0, VECTOR},
	{"movhpd x,", 0x66, 1, 0x16, -1, 0, 0, VECTOR},
	{"movhps", 0, 1, 0x17, -1, 0, 0, VECTOR},
	{"movaps x,", 0, 1, 0x28, -1, 0, 0, VECTOR | ALIGNED},
	{"movapd", 0x66, 1, 0x29, -1, 0, 0, VECTOR | ALIGNED},
	{"movntps", 0, 1, 0x2b, -1, 0, 0, VECTOR | ALIGNED},
	{"movd x,", 0x66, 1, 0x6e, -1, 0, 0, VECTOR},
	{"movd", 0x66, 1, 0x7e, -1, 0, 0, VECTOR},
	{"movq x,", 0xf3, 1, 0x7e, -1, 0, 0, VECTOR},
	{"movq", 0x66, 1, 0xd6, -1, 0, 0, VECTOR},
	{"movdqa x,", 0x66, 1, 0x6f, -1, 0, 0, VECTOR | ALIGNED},
	{"movdqu", 0xf3, 1, 0x7f, -1, 0, 0, VECTOR},
	{"movntdq", 0x66, 1, 0xe7, -1, 0, 0, VECTOR | ALIGNED},
	{"lddqu x,", 0xf2, 1, 0xf0, -1, 0, 0, VECTOR},
	{"movntdqa x,", 0x66, 2, 0x2a, -1, 0, 0, VECTOR | ALIGNED},
	{"vmovups x,", 0, 1, 0x10, -1, 0, 0, VECTOR | VEX},
	{"vmovdqu", 0xf3, 1, 0x7f, -1, 0, 0, VECTOR | VEX},
	{"vmovsd", 0xf2, 1, 0x11, -1, 0, 0, VECTOR | VEX},
	{"vmovhps x,", 0, 1, 0x16, -1, 0, 0, VECTOR | VEX},
	{"vmovlpd x,", 0x66, 1, 0x12, -1, 0, 0, VECTOR | VEX},
	{"vmovd x,", 0x66, 1, 0x6e, -1, 0, 0, VECTOR | VEX},
};

#endif
