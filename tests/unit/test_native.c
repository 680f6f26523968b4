/* SPDX-License-Identifier: MIT */
/*
 * The emulator against this machine's processor: each instruction with random
 * operands runs natively, from a page of its own and with registers that a
 * signal handler puts in place, and in the emulator on a copy of the memory.
 * Registers, flags that the manuals define, vector registers, memory and
 * whether it faulted must be the same.
 */
#define _GNU_SOURCE /* REG_RAX and on */
#include "emulate/emulate.h"
#include "harness.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#define AREA      0x10000000UL /* two pages of memory, nothing around them */
#define AREA_SIZE 8192UL
#define CODE      0x20000000UL
#define XMMS      (CODE + 2048) /* before, and after at + 256 */

#define CF    0x1U
#define PF    0x4U
#define AF    0x10U
#define ZF    0x40U
#define SF    0x80U
#define OF    0x800U
#define ARITH (CF | PF | AF | ZF | SF | OF)
#define DF    0x400U

enum {
	BYTES = 1,     /* bytes only */
	BOTH = 2,      /* the opcode's lowest bit: bytes or the full size */
	VECTOR = 4,    /* reg is an XMM register */
	VEX = 8,       /* … with VEX, L as it comes */
	STACK = 16,    /* RSP must be somewhere */
	STRING = 32,   /* no ModRM */
	NOT_66 = 64,   /* no operand size prefix */
	NOT_W = 128,   /* no REX.W */
	ALIGNED = 256, /* to 16 */
	COUNT = 512,   /* CL and immediates small */
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

struct regs {
	uint64_t gpr[16], rip, rflags;
	uint64_t xmm[16][2];
	int signal; /* that ended it: SIGTRAP if all is well */
};

static uint64_t seed = 88172645463325252;
static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* The processor. */

static const int order[] = {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static struct regs *native;
static greg_t saved[NGREG];

static void put_in(int sig, siginfo_t *info, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;

	(void)sig;
	(void)info;
	memcpy(saved, g, sizeof(saved));
	for (unsigned int i = 0; i < 16; i++)
		g[order[i]] = (greg_t)native->gpr[i];
	g[REG_RIP] = (greg_t)native->rip;
	g[REG_EFL] = (greg_t)native->rflags;
}

static void take_out(int sig, siginfo_t *info, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;

	(void)info;
	for (unsigned int i = 0; i < 16; i++)
		native->gpr[i] = (uint64_t)g[order[i]];
	native->rip = (uint64_t)g[REG_RIP];
	native->rflags = (uint64_t)g[REG_EFL];
	native->signal = sig;
	memcpy(g, saved, sizeof(saved));
}

static void setup(void)
{
	static const int ends[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	static char stack[65536];
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction in = {.sa_sigaction = put_in,
			       .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction out = {.sa_sigaction = take_out,
				.sa_flags = SA_SIGINFO | SA_ONSTACK};
	int rw = PROT_READ | PROT_WRITE,
	    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	sigaltstack(&ss, NULL);
	sigaction(SIGUSR1, &in, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++)
		sigaction(ends[i], &out, NULL);
	if (mmap((void *)AREA, AREA_SIZE, rw, flags, -1, 0) != (void *)AREA ||
	    mmap((void *)CODE, 4096, rw | PROT_EXEC, flags, -1, 0) !=
		    (void *)CODE) {
		perror("mmap");
		exit(1);
	}
}

/* movups [XMMS + at + 16 n], the register n or the other way. */
static unsigned char *move_all(unsigned char *p, uint8_t opcode, uint32_t at)
{
	for (uint32_t n = 0; n < 16; n++) {
		uint32_t addr = (uint32_t)XMMS + at + n * 16;

		if (n >= 8)
			*p++ = 0x44;
		*p++ = 0x0f;
		*p++ = opcode;
		*p++ = (uint8_t)((n & 7) << 3 | 4);
		*p++ = 0x25;
		memcpy(p, &addr, 4);
		p += 4;
	}
	return p;
}

static void run_native(struct regs *r, const uint8_t *insn, unsigned int n,
		       bool vectors)
{
	unsigned char *p = (unsigned char *)CODE;

	if (vectors) {
		memcpy((void *)XMMS, r->xmm, sizeof(r->xmm));
		memcpy((void *)(XMMS + 256), r->xmm, sizeof(r->xmm));
		p = move_all(p, 0x10, 0);
	}
	r->rip = vectors ? CODE : (uintptr_t)p;
	memcpy(p, insn, n);
	p += n;
	if (vectors)
		p = move_all(p, 0x11, 256);
	*p = 0xcc;
	native = r;
	raise(SIGUSR1);
	if (vectors)
		memcpy(r->xmm, (void *)(XMMS + 256), sizeof(r->xmm));
}

/* The emulator. */

static uint8_t copy[AREA_SIZE];

static bool mem(uint64_t addr, unsigned int size, void *val, bool write)
{
	if (addr < AREA || addr - AREA > AREA_SIZE - size)
		return false;
	if (write)
		memcpy(copy + (addr - AREA), val, size);
	else
		memcpy(val, copy + (addr - AREA), size);
	return true;
}
static bool mem_read(void *ctx, uint64_t addr, unsigned int size, uint64_t *val)
{
	(void)ctx;
	*val = 0;
	return mem(addr, size, val, false);
}
static bool mem_write(void *ctx, uint64_t addr, unsigned int size, uint64_t val)
{
	(void)ctx;
	return mem(addr, size, &val, true);
}
static uint64_t base_of(void *ctx, unsigned int seg)
{
	(void)ctx;
	(void)seg;
	return 0;
}
static void vector(void *ctx, unsigned int reg, uint64_t v[4], bool write)
{
	struct regs *r = ctx;

	if (write)
		memcpy(r->xmm[reg], v, 16);
	else
		memcpy(v, r->xmm[reg], 16);
}

static enum emulate_result run_emulated(struct regs *r, const struct insn *i)
{
	struct emulator e = {
		.gpr = r->gpr,
		.rip = r->rip,
		.rflags = r->rflags,
		.seg_base = base_of,
		.read = mem_read,
		.write = mem_write,
		.vector = vector,
		.ctx = r,
	};
	enum emulate_result result;

	do {
		result = emulate(&e, i);
	} while (result == EMULATE_AGAIN);
	r->rip = e.rip;
	r->rflags = e.rflags;
	return result;
}

/* One of each. */

static unsigned int put_vex(uint8_t *p, const struct form *f, uint8_t rex)
{
	uint8_t pp = f->prefix == 0x66   ? 1
		     : f->prefix == 0xf3 ? 2
		     : f->prefix == 0xf2 ? 3
					 : 0;
	bool merges = f->opcode == 0x12 || f->opcode == 0x16;
	bool whole = f->opcode == 0x10 && !pp;
	uint8_t vvvv = merges ? random64() & 15 : 0;

	p[0] = 0xc4;
	p[1] = (uint8_t)((~rex & 7) << 5 | f->map);
	p[2] = (uint8_t)((~vvvv & 15) << 3 | pp);
	if (whole && random64() & 1)
		p[2] |= 4; /* the upper half is not looked at */
	p[3] = f->opcode;
	return 4;
}

/* [base + index * scale + disp32], as the registers then must be. */
static unsigned int put_operand(uint8_t *p, struct regs *r, uint8_t reg,
				uint8_t base, uint8_t index, uint8_t scale,
				uint64_t addr, bool small)
{
	uint64_t mask = small ? UINT32_MAX : UINT64_MAX, b;
	int32_t disp = (int32_t)random64() >> 8;
	unsigned int n = 0;

	b = addr - (uint64_t)(int64_t)disp;
	if (index != 4) {
		r->gpr[index] = random64() & 0xff;
		b -= r->gpr[index] << scale;
	}
	r->gpr[base] = (b & mask) | (small ? random64() << 32 : 0);
	if (index != 4 || (base & 7) == 4) {
		p[n++] = (uint8_t)(0x84 | (reg & 7) << 3);
		p[n++] = (uint8_t)(scale << 6 | (index & 7) << 3 | (base & 7));
	} else {
		p[n++] = (uint8_t)(0x80 | (reg & 7) << 3 | (base & 7));
	}
	memcpy(p + n, &disp, 4);
	return n + 4;
}

static uint64_t place(const struct form *f)
{
	uint64_t at = random64() % (AREA_SIZE - 512) + 256;

	if (!(random64() & 15)) /* over the end, perhaps */
		at = AREA_SIZE - random64() % 40;
	if (f->how & (ALIGNED | VEX))
		at &= ~15UL;
	return AREA + at;
}

static unsigned int make(const struct form *f, struct regs *r, uint8_t *p)
{
	uint8_t reg = f->digit >= 0 ? (uint8_t)f->digit : random64() & 15;
	uint8_t base = random64() & 15, index = random64() & 15, rex;
	bool wide = !(f->how & (NOT_W | BYTES | STRING)) && random64() & 1;
	bool small = !(random64() & 7), op66, low;
	unsigned int n = 0;
	uint8_t opcode = f->opcode;

	while (base == 4 || base == (reg & 15) || base < 4)
		base = random64() & 15;
	while (index == base || index == reg || (index < 4))
		index = random64() & 1 ? 4 : random64() & 15;
	if (f->how & STACK)
		index = 4;
	if (f->how & STRING)
		wide = random64() & 1;
	low = f->how & BYTES || (f->how & BOTH && random64() & 1);
	if (f->how & BOTH && !low)
		opcode |= 1;
	op66 = !(f->how & (NOT_66 | VECTOR)) && !(random64() & 3);
	if (op66)
		wide = false;
	if (f->how & VECTOR && f->opcode != 0x6e && f->opcode != 0x7e)
		wide = false;
	if (f->how & VEX)
		wide = false;
	if (small)
		p[n++] = 0x67;
	if (op66)
		p[n++] = 0x66;
	if (f->prefix && !(f->how & VEX))
		p[n++] = f->prefix;
	rex = (uint8_t)((wide ? 8 : 0) | (reg & 8 ? 4 : 0) |
			(index != 4 && index & 8 ? 2 : 0) | (base & 8 ? 1 : 0));
	if (f->how & STRING)
		rex &= 8;
	if (f->how & VEX) {
		n += put_vex(p + n, f, rex);
	} else {
		if (rex || random64() & 1)
			p[n++] = 0x40 | rex;
		if (f->map)
			p[n++] = 0x0f;
		if (f->map == 2)
			p[n++] = 0x38;
		p[n++] = opcode;
	}
	if (f->how & COUNT)
		r->gpr[1] = random64() & 7;
	if (f->how & STRING) {
		r->gpr[1] = random64() % 100;
		r->gpr[6] = AREA + 2048 + random64() % 2048;
		r->gpr[7] = AREA + 2048 + random64() % 2048;
		if (!(random64() & 15))
			r->gpr[7] = AREA + AREA_SIZE - random64() % 64;
	} else {
		n += put_operand(p + n, r, reg, base, index, random64() & 3,
				 place(f), small);
	}
	if (f->how & STACK)
		r->gpr[4] = AREA + 4096 + (random64() & 0xff8);
	if (f->imm) {
		uint64_t v = f->how & COUNT ? random64() & 7 : random64();
		unsigned int bytes = f->imm == 4 && op66 ? 2 : f->imm;

		memcpy(p + n, &v, bytes);
		n += bytes;
	}
	return n;
}

static void show(const struct form *f, const uint8_t *p, unsigned int n,
		 const char *what, unsigned long a, unsigned long b)
{
	printf("# %s:", f->name);
	for (unsigned int i = 0; i < n; i++)
		printf(" %02x", p[i]);
	printf(": %s %#lx, not %#lx\n", what, a, b);
	test_failures++;
}

static void compare(const struct form *f, const uint8_t *p, unsigned int n,
		    const struct regs *e, const struct regs *r, bool fault)
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	uint64_t flags = ARITH & ~f->undefined;

	for (unsigned int i = 0; i < 16; i++)
		if (e->gpr[i] != r->gpr[i])
			show(f, p, n, names[i], e->gpr[i], r->gpr[i]);
	if (!fault && (e->rflags & flags) != (r->rflags & flags))
		show(f, p, n, "flags", e->rflags & flags, r->rflags & flags);
	for (unsigned int i = 0; !fault && i < 16; i++)
		for (unsigned int k = 0; k < 2; k++)
			if (e->xmm[i][k] != r->xmm[i][k])
				show(f, p, n, "xmm", e->xmm[i][k],
				     r->xmm[i][k]);
	if ((!fault || !(f->how & VECTOR)) &&
	    memcmp(copy, (void *)AREA, AREA_SIZE)) {
		unsigned int i = 0;

		while (copy[i] == ((uint8_t *)AREA)[i])
			i++;
		show(f, p, n, "memory", copy[i], ((uint8_t *)AREA)[i]);
	}
}

static void one(const struct form *f)
{
	uint8_t insn[24];
	struct regs r, e;
	struct insn i;
	enum emulate_result result;
	unsigned int n;
	bool fault;

	for (unsigned int k = 0; k < 16; k++) {
		r.gpr[k] = random64();
		r.xmm[k][0] = random64();
		r.xmm[k][1] = random64();
	}
	for (unsigned int k = 0; k < AREA_SIZE; k += 8)
		*(uint64_t *)(AREA + k) = random64() & random64();
	r.gpr[4] >>= 17; /* the kernel returns to no other stack */
	r.rflags = 0x202 | (random64() & (ARITH | (f->how & STRING ? DF : 0)));
	n = make(f, &r, insn);
	memcpy(copy, (void *)AREA, AREA_SIZE);
	e = r;
	e.rip = CODE;
	run_native(&r, insn, n, f->how & VECTOR);
	fault = r.signal != SIGTRAP;
	if (fault && r.signal != SIGSEGV && r.signal != SIGBUS) {
		show(f, insn, n, "signal", 0, (unsigned long)r.signal);
		return;
	}
	if (!insn_decode(&i, insn, n, 64) || i.length != n) {
		show(f, insn, n, "length", i.length, n);
		return;
	}
	result = run_emulated(&e, &i);
	if (result != (fault ? EMULATE_FAULT : EMULATE_DONE)) {
		show(f, insn, n, "result", result, fault);
		return;
	}
	compare(f, insn, n, &e, &r, fault);
}

static bool have(const struct form *f)
{
	if (f->how & VEX)
		return __builtin_cpu_supports("avx");
	if (f->map == 2 && f->opcode >= 0xf0) {
		uint32_t a = 1, b, c = 0, d;

		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		return c & BIT(22); /* MOVBE */
	}
	return f->map != 2 || __builtin_cpu_supports("sse4.1");
}

static void all(unsigned int flag, unsigned int times)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(forms); n++) {
		int before = test_failures;

		if ((forms[n].how & (VECTOR | STRING)) != flag ||
		    !have(&forms[n]))
			continue;
		for (unsigned int k = 0;
		     k < times && test_failures < before + 3; k++)
			one(&forms[n]);
	}
}

static void integers(void)
{
	all(0, 400);
}
static void strings(void)
{
	all(STRING, 400);
}
static void vectors(void)
{
	all(VECTOR, 200);
}

static const struct test_case cases[] = {
	{"integers", integers},
	{"strings", strings},
	{"vectors", vectors},
};

int main(void)
{
	setup();
	return run_cases(cases, ARRAY_SIZE(cases));
}
