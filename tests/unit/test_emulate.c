/* SPDX-License-Identifier: MIT */
/*
 * The instruction decoder and the emulator, on encodings as an assembler makes
 * them: lengths in all modes, operands, results in registers and in a small
 * memory.
 */
#include "emulate/emulate.h"
#include "harness.h"

struct encoding {
	const char *what;
	unsigned int mode;
	unsigned int length; /* 0: must be refused */
	uint8_t bytes[16];
};

static const struct encoding encodings[] = {
	{"vmmcall", 64, 3, {0x0f, 0x01, 0xd9}},
	{"rdtsc", 64, 2, {0x0f, 0x31}},
	{"rdtscp", 64, 3, {0x0f, 0x01, 0xf9}},
	{"cpuid", 64, 2, {0x0f, 0xa2}},
	{"prefixed cpuid", 64, 5, {0x2e, 0x66, 0x48, 0x0f, 0xa2}},
	{"hlt", 64, 1, {0xf4}},
	{"rdmsr", 64, 2, {0x0f, 0x32}},
	{"in al, dx", 64, 1, {0xec}},
	{"in eax, imm8", 64, 2, {0xe5, 0x80}},
	{"xsetbv", 64, 3, {0x0f, 0x01, 0xd1}},
	{"mov cr0, rax", 64, 3, {0x0f, 0x22, 0xc0}},
	{"mov cr8, r9", 64, 4, {0x45, 0x0f, 0x22, 0xc1}},
	{"mov cr0, mod 0: no memory", 64, 3, {0x0f, 0x22, 0x05}},
	{"mov [rax], ecx", 64, 2, {0x89, 0x08}},
	{"mov [rip+d32], eax", 64, 6, {0x89, 0x05, 1, 2, 3, 4}},
	{"mov [rsp+d8], eax", 64, 4, {0x89, 0x44, 0x24, 0x10}},
	{"mov [rbp*2+d32], eax", 64, 7, {0x89, 0x04, 0x6d, 1, 2, 3, 4}},
	{"movl imm32, [rax]", 64, 6, {0xc7, 0x00, 1, 2, 3, 4}},
	{"movq imm32, [rax]", 64, 7, {0x48, 0xc7, 0x00, 1, 2, 3, 4}},
	{"movw imm16, [rax]", 64, 5, {0x66, 0xc7, 0x00, 1, 2}},
	{"mov imm64, rax", 64, 10, {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}},
	{"mov imm32, eax", 64, 5, {0xb8, 1, 2, 3, 4}},
	{"mov moffs64", 64, 9, {0xa1, 1, 2, 3, 4, 5, 6, 7, 8}},
	{"mov moffs, 67", 64, 6, {0x67, 0xa1, 1, 2, 3, 4}},
	{"mov moffs32", 32, 5, {0xa1, 1, 2, 3, 4}},
	{"mov [bx+si], ax", 16, 2, {0x89, 0x00}},
	{"mov [d16], ax", 16, 4, {0x89, 0x06, 1, 2}},
	{"mov [bp+d16], ax", 16, 4, {0x89, 0x86, 1, 2}},
	{"mov [eax], ax in 16", 16, 3, {0x67, 0x89, 0x00}},
	{"enter", 64, 4, {0xc8, 1, 2, 3}},
	{"test imm8", 64, 3, {0xf6, 0x00, 1}},
	{"not", 64, 2, {0xf6, 0x10}},
	{"test imm32", 64, 6, {0xf7, 0x00, 1, 2, 3, 4}},
	{"jmp rel32 with 66", 64, 6, {0x66, 0xe9, 1, 2, 3, 4}},
	{"jcc rel32", 64, 6, {0x0f, 0x84, 1, 2, 3, 4}},
	{"jmp far 32", 32, 7, {0xea, 1, 2, 3, 4, 5, 6}},
	{"les in 32", 32, 2, {0xc4, 0x00}},
	{"vzeroupper", 64, 3, {0xc5, 0xf8, 0x77}},
	{"vpalignr", 64, 6, {0xc4, 0xe3, 0x7d, 0x0f, 0xc1, 4}},
	{"vmovdqu64 evex", 64, 6, {0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x00}},
	{"movbe", 64, 4, {0x0f, 0x38, 0xf0, 0x00}},
	{"pshufd imm", 64, 5, {0x66, 0x0f, 0x70, 0xc0, 1}},
	{"bt imm8", 64, 4, {0x0f, 0xba, 0x20, 3}},
	{"rep movs", 64, 3, {0xf3, 0x48, 0xa5}},
	{"push es in 64", 64, 0, {0x06}},
	{"push es in 32", 32, 1, {0x06}},
	{"only prefixes",
	 64,
	 0,
	 {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	  0x66, 0x66, 0x66, 0x66, 0x90}},
};

static void lengths(void)
{
	for (size_t n = 0; n < ARRAY_SIZE(encodings); n++) {
		const struct encoding *e = &encodings[n];
		struct insn i;
		bool ok = insn_decode(&i, e->bytes, 15, e->mode);

		if (ok != (e->length != 0) || (ok && i.length != e->length)) {
			printf("# %s: %s, length %u\n", e->what,
			       ok ? "decoded" : "refused", i.length);
			test_failures++;
		}
	}
}

/* An instruction whose end is missing is refused, at every cut. */
static void truncation(void)
{
	for (size_t n = 0; n < ARRAY_SIZE(encodings); n++) {
		const struct encoding *e = &encodings[n];

		for (unsigned int cut = 0; cut < e->length; cut++) {
			struct insn i;

			CHECK(!insn_decode(&i, e->bytes, cut, e->mode));
		}
	}
}

static struct {
	uint8_t ram[4096];
	uint64_t gpr[16];
	unsigned int reads, writes;
	uint64_t fault_at; /* an address that faults; 0: none */
} machine;

static bool mem_access(uint64_t addr, unsigned int size, void *val, bool write)
{
	if (machine.fault_at && addr == machine.fault_at)
		return false;
	if (addr > sizeof(machine.ram) - size)
		return false;
	if (write)
		memcpy(machine.ram + addr, val, size);
	else
		memcpy(val, machine.ram + addr, size);
	return true;
}

static bool mem_read(void *ctx, uint64_t addr, unsigned int size, uint64_t *val)
{
	(void)ctx;
	machine.reads++;
	*val = 0;
	return mem_access(addr, size, val, false);
}

static bool mem_write(void *ctx, uint64_t addr, unsigned int size, uint64_t val)
{
	(void)ctx;
	machine.writes++;
	return mem_access(addr, size, &val, true);
}

static uint64_t base_of(void *ctx, unsigned int seg)
{
	(void)ctx;
	return seg == INSN_GS ? 0x100 : 0;
}

static enum emulate_result run(struct emulator *e, const uint8_t *bytes,
			       unsigned int mode)
{
	struct insn i;

	*e = (struct emulator){.gpr = machine.gpr,
			       .rip = 0x7000,
			       .rflags = e->rflags,
			       .seg_base = base_of,
			       .read = mem_read,
			       .write = mem_write};
	if (!insn_decode(&i, bytes, 15, mode))
		return EMULATE_UNKNOWN;
	return emulate(e, &i);
}

#define CODE(...)                                                              \
	(const uint8_t[16])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define MEM32(a) (*(uint32_t *)(machine.ram + (a)))
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void fresh(void)
{
	memset(&machine, 0, sizeof(machine));
}

static void moves(void)
{
	struct emulator e = {.rflags = 2};

	fresh();
	machine.gpr[RAX] = 0x200;
	machine.gpr[RCX] = 0x1122334455667788;
	CHECK_EQ(run(&e, CODE(0x89, 0x08), 64), EMULATE_DONE);
	CHECK_EQ(e.rip, 0x7002);
	CHECK_EQ(MEM32(0x200), 0x55667788);
	CHECK_EQ(MEM32(0x204), 0);
	CHECK_EQ(run(&e, CODE(0x48, 0x89, 0x48, 8), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x20c), 0x11223344);
	/* a load of 32 bits clears the upper half, one of 16 does not */
	machine.gpr[RDX] = ~0UL;
	CHECK_EQ(run(&e, CODE(0x8b, 0x10), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RDX], 0x55667788);
	machine.gpr[RDX] = ~0UL;
	CHECK_EQ(run(&e, CODE(0x66, 0x8b, 0x10), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RDX], (long long)0xffffffffffff7788);
	/* mov [rax], ch: a high byte; with REX it is bpl */
	CHECK_EQ(run(&e, CODE(0x88, 0x28), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x200), 0x55667777);
	/* movzx, movsx of bytes */
	MEM32(0x200) = 0x80;
	CHECK_EQ(run(&e, CODE(0x0f, 0xb6, 0x10), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RDX], 0x80);
	CHECK_EQ(run(&e, CODE(0x48, 0x0f, 0xbe, 0x10), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RDX], (long long)0xffffffffffffff80);
	/* movl $imm, gs:[rax] */
	CHECK_EQ(run(&e, CODE(0x65, 0xc7, 0x00, 1, 2, 3, 4), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x300), 0x04030201);
	CHECK_EQ(e.rip, 0x7007);
}

#define CF    1
#define ZF    0x40
#define SF    0x80
#define OF    0x800
#define ARITH (CF | ZF | SF | OF)

static void arithmetic(void)
{
	struct emulator e = {.rflags = 2};

	fresh();
	machine.gpr[RAX] = 0x200;
	machine.gpr[RCX] = 1;
	MEM32(0x200) = 0xffffffff;
	CHECK_EQ(run(&e, CODE(0x01, 0x08), 64), EMULATE_DONE); /* add */
	CHECK_EQ(MEM32(0x200), 0);
	CHECK_EQ(e.rflags & ARITH, CF | ZF);
	CHECK_EQ(run(&e, CODE(0x29, 0x08), 64), EMULATE_DONE); /* sub */
	CHECK_EQ(MEM32(0x200), 0xffffffff);
	CHECK_EQ(e.rflags & ARITH, CF | SF);
	MEM32(0x200) = 0x7fffffff;
	CHECK_EQ(run(&e, CODE(0xff, 0x00), 64),
		 EMULATE_DONE); /* inc: CF stays */
	CHECK_EQ(e.rflags & ARITH, CF | SF | OF);
	/* cmp [rax], ecx writes nothing */
	machine.writes = 0;
	CHECK_EQ(run(&e, CODE(0x39, 0x08), 64), EMULATE_DONE);
	CHECK_EQ(machine.writes, 0);
	/* or [rax], imm8 sign-extended; and; test */
	MEM32(0x200) = 0;
	CHECK_EQ(run(&e, CODE(0x83, 0x08, 0xf0), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x200), 0xfffffff0);
	CHECK_EQ(run(&e, CODE(0x81, 0x20, 0xf0, 0, 0, 0), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x200), 0xf0);
	CHECK_EQ(run(&e, CODE(0xf7, 0x00, 0x0f, 0, 0, 0), 64), EMULATE_DONE);
	CHECK_EQ(e.rflags & ARITH, ZF);
	/* xchg, cmpxchg */
	CHECK_EQ(run(&e, CODE(0x87, 0x08), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RCX], 0xf0);
	CHECK_EQ(MEM32(0x200), 1);
	machine.gpr[RBX] = 0x200;
	machine.gpr[RAX] = 1;
	CHECK_EQ(run(&e, CODE(0xf0, 0x0f, 0xb1, 0x0b), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x200), 0xf0);
	CHECK(e.rflags & ZF);
	CHECK_EQ(run(&e, CODE(0xf0, 0x0f, 0xb1, 0x0b), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RAX], 0xf0);
	CHECK(!(e.rflags & ZF));
}

static void bits(void)
{
	struct emulator e = {.rflags = 2};

	fresh();
	machine.gpr[RAX] = 0x200;
	machine.gpr[RCX] = 37; /* in the next word */
	CHECK_EQ(run(&e, CODE(0x0f, 0xab, 0x08), 64), EMULATE_DONE); /* bts */
	CHECK_EQ(MEM32(0x204), 1 << 5);
	CHECK(!(e.rflags & CF));
	machine.gpr[RCX] = (uint64_t)-1; /* in the one before */
	CHECK_EQ(run(&e, CODE(0x0f, 0xab, 0x08), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x1fc), 0x80000000);
	CHECK_EQ(run(&e, CODE(0x0f, 0xba, 0x70, 4, 5), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x204), 0);
	CHECK(e.rflags & CF);
}

static void strings(void)
{
	struct emulator e = {.rflags = 2};

	fresh();
	machine.gpr[RAX] = 0xab;
	machine.gpr[RDI] = 0x400;
	machine.gpr[RCX] = 100;
	/* in batches, so that interrupts can come in */
	CHECK_EQ(run(&e, CODE(0xf3, 0xaa), 64), EMULATE_AGAIN);
	CHECK_EQ(e.rip, 0x7000);
	CHECK_EQ(machine.gpr[RCX], 36);
	CHECK_EQ(run(&e, CODE(0xf3, 0xaa), 64), EMULATE_DONE);
	CHECK_EQ(e.rip, 0x7002);
	CHECK_EQ(machine.gpr[RDI], 0x464);
	CHECK_EQ(machine.ram[0x463], 0xab);
	CHECK_EQ(machine.ram[0x464], 0);
	machine.gpr[RSI] = 0x460;
	machine.gpr[RDI] = 0x500;
	CHECK_EQ(run(&e, CODE(0xa5), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x500), 0xabababab);
	CHECK_EQ(machine.gpr[RSI], 0x464);
	/* backwards */
	e.rflags |= 1 << 10;
	CHECK_EQ(run(&e, CODE(0xa4), 64), EMULATE_DONE);
	CHECK_EQ(machine.gpr[RDI], 0x503);
}

static void refusals(void)
{
	struct emulator e = {.rflags = 2};

	fresh();
	machine.gpr[RAX] = machine.fault_at = 0x200;
	machine.gpr[RCX] = 5;
	CHECK_EQ(run(&e, CODE(0x8b, 0x08), 64), EMULATE_FAULT);
	CHECK_EQ(machine.gpr[RCX], 5);
	CHECK_EQ(e.rip, 0x7000);
	/* FLD, a far CALL, AVX where there are no such registers: not known,
	 * nothing touched */
	machine.reads = machine.writes = 0;
	CHECK_EQ(run(&e, CODE(0xd9, 0x00), 64), EMULATE_UNKNOWN);
	CHECK_EQ(run(&e, CODE(0xff, 0x18), 64), EMULATE_UNKNOWN);
	CHECK_EQ(run(&e, CODE(0xc5, 0xfa, 0x6f, 0x00), 64), EMULATE_UNKNOWN);
	CHECK_EQ(machine.reads + machine.writes, 0);
}

static void address_forms(void)
{
	struct emulator e = {.rflags = 2};

	fresh();
	/* rip-relative: after the instruction; it lies at 0x7000 */
	CHECK_EQ(run(&e, CODE(0xc7, 0x05, 0xf6, 0x92, 0xff, 0xff, 1, 0, 0, 0),
		     64),
		 EMULATE_DONE);
	CHECK_EQ(MEM32(0x300), 1);
	/* [rbx + rsi * 4 + 8] */
	machine.gpr[RBX] = 0x100;
	machine.gpr[RSI] = 0x40;
	CHECK_EQ(run(&e, CODE(0xc7, 0x44, 0xb3, 8, 2, 0, 0, 0), 64),
		 EMULATE_DONE);
	CHECK_EQ(MEM32(0x208), 2);
	/* r8 as base; 32-bit address wraps */
	machine.gpr[8] = 0x320;
	CHECK_EQ(run(&e, CODE(0x41, 0xc7, 0x00, 3, 0, 0, 0), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x320), 3);
	machine.gpr[RBX] = 0xffffffff00000340;
	CHECK_EQ(run(&e, CODE(0x67, 0xc7, 0x03, 4, 0, 0, 0), 64), EMULATE_DONE);
	CHECK_EQ(MEM32(0x340), 4);
	/* 16-bit: [bx + si + 1] */
	machine.gpr[RBX] = 0x100;
	CHECK_EQ(run(&e, CODE(0xc6, 0x40, 1, 5), 16), EMULATE_DONE);
	CHECK_EQ(machine.ram[0x141], 5);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"lengths", lengths},
		{"truncated instructions", truncation},
		{"moves", moves},
		{"arithmetic", arithmetic},
		{"bit operations", bits},
		{"strings", strings},
		{"what is refused", refusals},
		{"addresses", address_forms},
	};

	return RUN_CASES(cases);
}
