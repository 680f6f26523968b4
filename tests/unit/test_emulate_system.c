/* SPDX-License-Identifier: MIT */
/*
 * System instructions, ports, interrupts, inner rings and tasks in 16 and 32
 * bits, by the manuals: what real mode consists of where it is emulated, and
 * what no processor does for a guest (tasks).
 */
#include "emulate_world.h"

#define IDT    0x1400
#define TSS_A  0x2000
#define TSS_B  0x2100
#define SEL_A  0x68
#define SEL_B  0x70
#define GATE_B 0x78 /* a task gate */
#define GATE_0                                                                 \
	0x80 /* a call gate to ring 0 with two parameters, for ring 3          \
	      */
#define NT BIT(14)

static void control_registers(void)
{
	real_mode();
	m.gpr[RAX] = 0xaaaa000000000011;
	DONE(16, 0x0f, 0x22, 0xc0); /* mov cr0, eax */
	CHECK_EQ(m.cpu.cr0, 0x11);
	m.cr[3] = 0x12345000;
	DONE(16, 0x0f, 0x20, 0xdb); /* mov ebx, cr3 */
	CHECK_EQ(m.gpr[RBX], 0x12345000);
	RAISES(16, UD, 0, 0x0f, 0x20, 0xc8); /* cr1 */
	RAISES(16, UD, 0, 0x0f, 0x22, 0xe8); /* cr5 */
	/* LMSW sets PE, and never clears it */
	real_mode();
	m.gpr[RAX] = 0xfff9;
	DONE(16, 0x0f, 0x01, 0xf0);
	CHECK_EQ(m.cpu.cr0, 0x19);
	m.gpr[RAX] = 0;
	DONE(16, 0x0f, 0x01, 0xf0);
	CHECK_EQ(m.cpu.cr0, 0x11);
	m.cpu.cr0 |= 8;
	DONE(16, 0x0f, 0x06); /* clts */
	CHECK_EQ(m.cpu.cr0, 0x11);
	m.gpr[RAX] = 0xffffffff;
	m.cpu.cr0 = 0x80000011;
	DONE(32, 0x0f, 0x01, 0xe0); /* smsw eax: all of it */
	CHECK_EQ(m.gpr[RAX], 0x80000011);
	RAM(uint32_t, 0x500) = 0xffffffff;
	m.cpu.cr0 = 0x10;
	DONE(16, 0x0f, 0x01, 0x26, 0, 5); /* smsw [500] */
	CHECK_EQ(RAM(uint32_t, 0x500), 0xffff0010);
	protected_mode(3);
	RAISES(32, GP, 0, 0x0f, 0x20, 0xc0);
	RAISES(32, GP, 0, 0x0f, 0x22, 0xc0);
	RAISES(32, GP, 0, 0x0f, 0x06);
	RAISES(32, GP, 0, 0x0f, 0x01, 0xf0);
	RAISES(32, GP, 0, 0xf4);
	DONE(32, 0x0f, 0x01, 0xe0);
	CHECK_EQ(m.gpr[RAX], 0x11);
}

static void tables(void)
{
	real_mode();
	RAM(uint16_t, 0x606) = 0x3ff;
	RAM(uint32_t, 0x608) = 0x87654321;
	DONE(16, 0x0f, 0x01, 0x1e, 6, 6); /* lidt: 24 bits of base */
	CHECK_EQ(m.seg[EMU_IDTR].base, 0x654321);
	CHECK_EQ(m.seg[EMU_IDTR].limit, 0x3ff);
	DONE(16, 0x66, 0x0f, 0x01, 0x16, 6, 6); /* lgdt */
	CHECK_EQ(m.seg[EMU_GDTR].base, 0x87654321);
	DONE(16, 0x0f, 0x01, 0x06, 6, 7); /* sgdt */
	CHECK_EQ(RAM(uint16_t, 0x706), 0x3ff);
	CHECK_EQ(RAM(uint32_t, 0x708), 0x87654321);
	RAISES(16, UD, 0, 0x0f, 0x00, 0xd0); /* lldt ax: none in real mode */
	protected_mode(0);
	m.gpr[RAX] = TSS;
	DONE(32, 0x0f, 0x00, 0xd8); /* ltr ax */
	CHECK_EQ(m.seg[EMU_TR].base, 0x3000);
	CHECK_EQ(m.seg[EMU_TR].attr & 0xff, 0x8b);
	CHECK_EQ(m.ram[GDT + TSS + 5], 0x8b);
	RAISES(32, GP, TSS, 0x0f, 0x00, 0xd8); /* busy */
	DONE(32, 0x0f, 0x00, 0xcb);            /* str ebx */
	CHECK_EQ(m.gpr[RBX], TSS);
	RAISES(32, GP, TSS, 0x0f, 0x00, 0xd0); /* no LDT */
	m.gpr[RAX] = 0;
	DONE(32, 0x0f, 0x00, 0xd0); /* lldt: none */
	CHECK(!(m.seg[EMU_LDTR].attr & EMU_SEG_P));
	RAISES(32, GP, 0, 0x0f, 0x00, 0xd8);
	protected_mode(3);
	RAISES(32, GP, 0, 0x0f, 0x01, 0x15, 0, 6, 0, 0);
	RAISES(32, GP, 0, 0x0f, 0x00, 0xd8);
}

static void specials(void)
{
	real_mode();
	DONE(16, 0x0f, 0xa2);
	DONE(16, 0x0f, 0x32);
	DONE(16, 0x0f, 0x30);
	DONE(16, 0x0f, 0x31);
	DONE(16, 0xf4);
	DONE(16, 0x0f, 0x09);
	CHECK_EQ(m.specials, BIT(EMU_CPUID) | BIT(EMU_RDMSR) | BIT(EMU_WRMSR) |
				     BIT(EMU_RDTSC) | BIT(EMU_HLT) |
				     BIT(EMU_CACHE));
	CHECK_EQ(m.e.rip, 0x10b);
	protected_mode(3);
	DONE(32, 0x0f, 0xa2);
	RAISES(32, GP, 0, 0x0f, 0x32);
	RAISES(32, GP, 0, 0x0f, 0x08);
	RAISES(32, GP, 0, 0x0f, 0x01, 0x38);
}

static void x87(void)
{
	real_mode();
	DONE(16, 0xdb, 0xe3);
	CHECK_EQ(m.fpu, EMU_FNINIT);
	m.fpu_word = 0x37f;
	DONE(16, 0xd9, 0x3e, 0, 5); /* fnstcw [500] */
	CHECK_EQ(RAM(uint16_t, 0x500), 0x37f);
	m.fpu_word = 0x1234;
	m.gpr[RAX] = 0x77770000;
	DONE(16, 0xdf, 0xe0); /* fnstsw ax */
	CHECK_EQ(m.gpr[RAX], 0x77771234);
	DONE(16, 0xdd, 0x3e, 2, 5); /* fnstsw [502] */
	CHECK_EQ(RAM(uint16_t, 0x502), 0x1234);
	DONE(16, 0xd9, 0x2e, 0, 5); /* fldcw [500] */
	CHECK_EQ(m.fpu_word, 0x37f);
	DONE(16, 0x9b);
	m.cpu.cr0 |= 4; /* EM */
	RAISES(16, 7, 0, 0xdb, 0xe3);
	DONE(16, 0x9b);
	m.cpu.cr0 = 0x1a; /* MP, TS */
	RAISES(16, 7, 0, 0x9b);
}

static void ports(void)
{
	real_mode();
	m.gpr[RDX] = 0xabcd03f8;
	DONE(16, 0xec); /* in al, dx */
	CHECK(m.io.in && m.io.port == 0x3f8 && m.io.size == 1);
	DONE(16, 0xe7, 0x71); /* out 71, ax */
	CHECK(!m.io.in && m.io.port == 0x71 && m.io.size == 2);
	DONE(16, 0x66, 0xed);
	CHECK(m.io.size == 4 && !m.io.string);
	DONE(16, 0xf3, 0x6d); /* rep insw */
	CHECK(m.io.in && m.io.string && m.io.rep && m.io.size == 2);
	/* ring 3: by IOPL or the bitmap */
	protected_mode(3);
	m.gpr[RDX] = 0x3f9;
	RAISES(32, GP, 0, 0xec);
	m.e.rflags |= 0x3000;
	DONE(32, 0xec);
	m.e.rflags = 2;
	m.seg[EMU_TR] = (struct emu_segment){TSS, 0x8b, 0x1067, 0x3000};
	RAM(uint16_t, 0x3000 + 102) = 0x68;
	memset(m.ram + 0x3068, 0xff, 0x1000);
	RAISES(32, GP, 0, 0xec);
	m.ram[0x3068 + 0x3f8 / 8] = 0xfd;
	DONE(32, 0xec);
	RAISES(32, GP, 0, 0x66, 0xed); /* a second port */
	m.seg[EMU_TR].limit = 0x68 + 0x3f8 / 8;
	RAISES(32, GP, 0, 0xec); /* two bytes are read */
}

static enum emulate_result event(unsigned int mode, const struct emu_event *e)
{
	attach();
	return emulate_event(&m.e, mode, e);
}

static void real_interrupts(void)
{
	const struct emu_event nmi = {.vector = 2};

	real_mode();
	m.seg[EMU_IDTR].limit = 0x3ff;
	m.seg[INSN_CS].sel = 0x7c0;
	m.seg[INSN_CS].base = 0x7c00;
	RAM(uint32_t, 0x40) = 0xf0001234; /* INT 10 */
	m.e.rflags = 0x40302;
	DONE(16, 0xcd, 0x10);
	CHECK_EQ(m.e.rip, 0x1234);
	CHECK_EQ(m.seg[INSN_CS].base, 0xf0000);
	CHECK_EQ(m.e.rflags, 2);
	CHECK_EQ(m.gpr[RSP], 0xabcd0ffa);
	CHECK_EQ(RAM(uint16_t, 0xffa), 0x102);
	CHECK_EQ(RAM(uint16_t, 0xffc), 0x7c0);
	CHECK_EQ(RAM(uint16_t, 0xffe), 0x302);
	DONE(16, 0xcf);
	CHECK_EQ(m.e.rip, 0x102);
	CHECK_EQ(m.e.rflags, 0x302);
	DONE(16, 0xce); /* INTO without OF */
	CHECK_EQ(m.e.rip, 0x103);
	/* from outside: at the next instruction */
	RAM(uint32_t, 8) = 0xf0002222;
	CHECK_EQ(event(16, &nmi), EMULATE_DONE);
	CHECK_EQ(m.e.rip, 0x2222);
	CHECK_EQ(RAM(uint16_t, 0xffa), 0x103);
	m.seg[EMU_IDTR].limit = 0x3f;
	RAISES(16, GP, 0x82, 0xcd, 0x10);
	CHECK_EQ(m.gpr[RSP], 0xabcd0ffa);
}

/* Rings 0 and 3, an IDT, two tasks, of which the first is the current one. */
static void with_tasks(unsigned int cpl)
{
	protected_mode(cpl);
	RAM(uint64_t, GDT + SEL_A) = 0x00008b0000000067 | TSS_A << 16;
	RAM(uint64_t, GDT + SEL_B) = 0x0000890000000067 | TSS_B << 16;
	RAM(uint64_t, GDT + GATE_B) = 0x0000e50000000000 | SEL_B << 16;
	RAM(uint64_t, GDT + GATE_0) = 0x0000ec0200084567;
	m.seg[EMU_GDTR].limit = GATE_0 + 7;
	m.seg[EMU_IDTR] = (struct emu_segment){.base = IDT, .limit = 0x1ff};
	m.seg[EMU_TR] = (struct emu_segment){SEL_A, 0x8b, 0x67, TSS_A};
	RAM(uint32_t, TSS_A + 4) = 0x7000; /* ring 0's stack */
	RAM(uint16_t, TSS_A + 8) = DATA0;
	RAM(uint32_t, TSS_B + 0x20) = 0x777;
	RAM(uint32_t, TSS_B + 0x24) = 2;
	RAM(uint32_t, TSS_B + 0x28) = 0xa;
	RAM(uint32_t, TSS_B + 0x38) = 0x6000;
	for (unsigned int n = 0; n < 6; n++)
		RAM(uint16_t, TSS_B + 0x48 + 4 * n) = n == INSN_CS ? CODE0
								   : DATA0;
	RAM(uint64_t, IDT + 0x20 * 8) = 0x0000ee0000084568; /* interrupt */
	RAM(uint64_t, IDT + 0x21 * 8) = 0x00008f0000084569; /* trap, ring 0's */
	RAM(uint64_t, IDT + 0x22 * 8) = 0x0000e50000000000 | SEL_B << 16;
	RAM(uint64_t, IDT + 0x23 * 8) = 0x00006e0000084568; /* absent */
}

static void protected_interrupts(void)
{
	const struct emu_event fault = {13, true, 0x1234};

	with_tasks(0);
	m.e.rflags |= 0x200;
	DONE(32, 0xcd, 0x21);
	CHECK_EQ(m.e.rip, 0x4569);
	CHECK_EQ(m.e.rflags, 0x202);
	CHECK_EQ(m.gpr[RSP], 0x7ff4);
	CHECK_EQ(RAM(uint32_t, 0x7ff4), 0x102);
	CHECK_EQ(RAM(uint32_t, 0x7ffc), 0x202);
	DONE(32, 0xcd, 0x20);
	CHECK_EQ(m.e.rflags, 2);
	RAM(uint64_t, IDT + 13 * 8) = 0x00008e0000084567;
	m.e.rip = 0x500;
	CHECK_EQ(event(32, &fault), EMULATE_DONE);
	CHECK_EQ(m.e.rip, 0x4567);
	CHECK_EQ(RAM(uint32_t, m.gpr[RSP]), 0x1234);
	CHECK_EQ(RAM(uint32_t, m.gpr[RSP] + 4), 0x500);
	/* from ring 3: ring 0's stack has the other */
	with_tasks(3);
	RAISES(32, GP, 0x21 * 8 + 2, 0xcd, 0x21);
	RAISES(32, NP, 0x23 * 8 + 2, 0xcd, 0x23);
	RAISES(32, GP, 0x24 * 8 + 2, 0xcd, 0x24);
	RAISES(32, GP, 0x40 * 8 + 2, 0xcd, 0x40);
	DONE(32, 0xcd, 0x20);
	CHECK_EQ(m.cpu.cpl, 0);
	CHECK_EQ(m.gpr[RSP], 0x6fec);
	CHECK_EQ(RAM(uint32_t, 0x6fec), 0x102);
	CHECK_EQ(RAM(uint32_t, 0x6ff0), CODE3);
	CHECK_EQ(RAM(uint32_t, 0x6ff8), 0x8000);
	CHECK_EQ(RAM(uint32_t, 0x6ffc), DATA3);
	DONE(32, 0xcf); /* and back */
	CHECK_EQ(m.cpu.cpl, 3);
	CHECK_EQ(m.gpr[RSP], 0x8000);
	/* a stack that is none */
	RAM(uint16_t, TSS_A + 8) = DATA3;
	RAISES(32, 10, DATA3 & ~3, 0xcd, 0x20);
	CHECK_EQ(m.cpu.cpl, 3);
	CHECK_EQ(m.gpr[RSP], 0x8000);
	m.seg[EMU_TR].limit = 7;
	RAISES(32, 10, SEL_A, 0xcd, 0x20);
}

static void inner_calls(void)
{
	with_tasks(3);
	RAM(uint32_t, 0x8000) = 0x11;
	RAM(uint32_t, 0x8004) = 0x22;
	DONE(32, FAR32(0x9a, GATE_0));
	CHECK_EQ(m.e.rip, 0x4567);
	CHECK_EQ(m.cpu.cpl, 0);
	CHECK_EQ(m.seg[INSN_CS].sel, CODE0);
	CHECK_EQ(m.gpr[RSP], 0x6fe8);
	CHECK_EQ(RAM(uint32_t, 0x6fe8), 0x107);
	CHECK_EQ(RAM(uint32_t, 0x6fec), CODE3);
	CHECK_EQ(RAM(uint32_t, 0x6ff0), 0x11);
	CHECK_EQ(RAM(uint32_t, 0x6ff4), 0x22);
	CHECK_EQ(RAM(uint32_t, 0x6ff8), 0x8000);
	CHECK_EQ(RAM(uint32_t, 0x6ffc), DATA3);
	DONE(32, 0xca, 8, 0);
	CHECK_EQ(m.cpu.cpl, 3);
	CHECK_EQ(m.gpr[RSP], 0x8008);
	RAISES(32, GP, CODE0, FAR32(0xea, GATE_0)); /* a JMP may not */
}

static void tasks(void)
{
	with_tasks(0);
	m.gpr[RBX] = 0xb;
	m.cr[3] = 1;
	DONE(32, FAR32(0x9a, SEL_B));
	CHECK_EQ(m.e.rip, 0x777);
	CHECK_EQ(m.e.rflags, 2 | NT);
	CHECK_EQ(m.gpr[RAX], 0xa);
	CHECK_EQ(m.gpr[RSP], 0x6000);
	CHECK_EQ(m.seg[EMU_TR].sel, SEL_B);
	CHECK_EQ(RAM(uint16_t, TSS_B), SEL_A);
	CHECK_EQ(RAM(uint32_t, TSS_A + 0x20), 0x107);
	CHECK_EQ(RAM(uint32_t, TSS_A + 0x34), 0xb);
	CHECK_EQ(RAM(uint16_t, TSS_A + 0x4c), CODE0);
	CHECK_EQ(m.ram[GDT + SEL_A + 5], 0x8b);
	CHECK_EQ(m.ram[GDT + SEL_B + 5], 0x8b);
	CHECK_EQ(m.cpu.cr0, 0x19); /* TS */
	CHECK_EQ(m.cr[3], 1);      /* no paging: not another one */
	m.gpr[RAX] = 0xaa;
	DONE(32, 0xcf); /* back, by IRET */
	CHECK_EQ(m.e.rip, 0x107);
	CHECK_EQ(m.e.rflags, 2);
	CHECK_EQ(m.gpr[RBX], 0xb);
	CHECK_EQ(m.gpr[RAX], 0);
	CHECK_EQ(m.ram[GDT + SEL_B + 5], 0x89);
	CHECK_EQ(RAM(uint32_t, TSS_B + 0x20), 0x778);
	CHECK_EQ(RAM(uint32_t, TSS_B + 0x28), 0xaa);
	CHECK_EQ(RAM(uint32_t, TSS_B + 0x24), 2);
	DONE(32, FAR32(0xea, GATE_B)); /* jmp, through a gate */
	CHECK_EQ(m.e.rflags, 2);
	CHECK_EQ(m.ram[GDT + SEL_A + 5], 0x89);
	CHECK_EQ(m.ram[GDT + SEL_B + 5], 0x8b);
	RAISES(32, GP, SEL_B, FAR32(0xea, SEL_B)); /* busy */
	with_tasks(3);
	RAISES(32, GP, SEL_B, FAR32(0x9a, SEL_B));
}

/* An exception whose handler is a task: its error code is on that stack. */
static void task_gates(void)
{
	const struct emu_event fault = {0x22, true, 0x4321};

	with_tasks(0);
	m.e.rip = 0x500;
	CHECK_EQ(event(32, &fault), EMULATE_DONE);
	CHECK_EQ(m.e.rip, 0x777);
	CHECK_EQ(m.gpr[RSP], 0x5ffc);
	CHECK_EQ(RAM(uint32_t, 0x5ffc), 0x4321);
	CHECK_EQ(RAM(uint32_t, TSS_A + 0x20), 0x500);
	with_tasks(0);
	DONE(32, 0xcd, 0x22);
	CHECK_EQ(RAM(uint32_t, TSS_A + 0x20), 0x102);
	CHECK_EQ(m.gpr[RSP], 0x6000);
}

/* The old task's exceptions leave all as it was; the new one's are at its first
 * instruction. */
static void bad_tasks(void)
{
	with_tasks(0);
	m.ram[GDT + SEL_B + 5] = 9;
	RAISES(32, NP, SEL_B, FAR32(0x9a, SEL_B));
	with_tasks(0);
	m.ram[GDT + SEL_B] = 0x66;
	RAISES(32, 10, SEL_B, FAR32(0x9a, SEL_B));
	with_tasks(0);
	m.e.rflags |= NT;
	RAM(uint16_t, TSS_A) = SEL_B; /* not busy */
	RAISES(32, 10, SEL_B, 0xcf);
	CHECK_EQ(m.seg[EMU_TR].sel, SEL_A);
	with_tasks(0);
	RAM(uint16_t, TSS_B + 0x50) = READ_ONLY; /* SS */
	DONE(32, FAR32(0x9a, SEL_B));
	CHECK_EQ(m.vector, 10);
	CHECK_EQ(m.error, READ_ONLY);
	CHECK_EQ(m.e.rip, 0x777);
	with_tasks(0);
	RAM(uint16_t, TSS_B + 0x54) = ABSENT; /* DS */
	DONE(32, FAR32(0x9a, SEL_B));
	CHECK_EQ(m.vector, NP);
	CHECK_EQ(m.error, ABSENT);
	CHECK_EQ(m.seg[INSN_DS].attr, 0);
	with_tasks(0);
	RAM(uint16_t, TSS_B + 0x60) = DATA0; /* LDT */
	DONE(32, FAR32(0x9a, SEL_B));
	CHECK_EQ(m.vector, 10);
	CHECK_EQ(m.error, DATA0);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"control registers", control_registers},
		{"tables, TR, LDTR", tables},
		{"CPUID, MSRs, HLT", specials},
		{"is there an FPU?", x87},
		{"ports", ports},
		{"real mode: interrupts", real_interrupts},
		{"protected mode: interrupts", protected_interrupts},
		{"call gates inwards", inner_calls},
		{"tasks", tasks},
		{"task gates", task_gates},
		{"tasks that cannot be", bad_tasks},
	};

	return RUN_CASES(cases);
}
