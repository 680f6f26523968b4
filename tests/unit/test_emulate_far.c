/* SPDX-License-Identifier: MIT */
/*
 * The emulator in 16 and 32 bits: segments, far transfers, limits, and what
 * each of them raises, on descriptor tables of the test's own. What 64-bit
 * code at ring 3 does of it, test_native compares with a processor; this is by
 * the manuals.
 */
#include "emulate_world.h"

static void real_transfers(void)
{
	real_mode();
	DONE(16, 0xea, 5, 0, 0xc0, 7); /* jmp 7c0:5 */
	CHECK_EQ(m.e.rip, 5);
	CHECK_EQ(m.seg[INSN_CS].sel, 0x7c0);
	CHECK_EQ(m.seg[INSN_CS].base, 0x7c00);
	DONE(16, 0x9a, 0x34, 0x12, 0, 1); /* call 100:1234 and back */
	CHECK_EQ(m.gpr[RSP], 0xabcd0ffc);
	CHECK_EQ(RAM(uint16_t, 0xffc), 10);
	CHECK_EQ(RAM(uint16_t, 0xffe), 0x7c0);
	CHECK_EQ(m.e.rip, 0x1234);
	DONE(16, 0xcb);
	CHECK_EQ(m.e.rip, 10);
	CHECK_EQ(m.seg[INSN_CS].base, 0x7c00);
	CHECK_EQ(m.gpr[RSP], 0xabcd1000);
	/* with 66 the offset has 32 bits, and may be beyond the limit */
	RAISES(16, GP, 0, 0x66, 0xea, 0, 0, 1, 0, 0, 1);
	CHECK_EQ(m.seg[INSN_CS].sel, 0x7c0);
	/* jmp far [400] */
	RAM(uint16_t, 0x400) = 0x77;
	RAM(uint16_t, 0x402) = 0x200;
	DONE(16, 0xff, 0x2e, 0, 4);
	CHECK_EQ(m.e.rip, 0x77);
	CHECK_EQ(m.seg[INSN_CS].base, 0x2000);
	/* an interrupt's return: IP, CS, FLAGS; the upper half stays */
	m.e.rflags |= BIT(18);
	RAM(uint16_t, 0x1000) = 0x42;
	RAM(uint16_t, 0x1002) = 0x7c0;
	RAM(uint16_t, 0x1004) = 0x3ed7;
	DONE(16, 0xcf);
	CHECK_EQ(m.e.rip, 0x42);
	CHECK_EQ(m.e.rflags, 0x3ed7 | BIT(18));
	CHECK_EQ(m.gpr[RSP], 0xabcd1006);
	/* near: IP has 16 bits */
	m.e.rip = 0xfff0;
	DONE(16, 0xe9, 0x20, 0);
	CHECK_EQ(m.e.rip, 0x13);
}

static void real_segments(void)
{
	real_mode();
	m.gpr[RAX] = 0x1234;
	m.seg[INSN_DS].limit = 0xffffffff; /* as left by protected mode */
	DONE(16, 0x8e, 0xd8);              /* mov ds, ax */
	CHECK_EQ(m.seg[INSN_DS].base, 0x12340);
	CHECK_EQ(m.seg[INSN_DS].limit, 0xffffffff);
	CHECK_EQ(m.shadows, 0);
	DONE(16, 0x8e, 0xd0); /* mov ss, ax: no interrupt before SP */
	CHECK_EQ(m.shadows, 1);
	m.seg[INSN_SS].base = 0;
	RAISES(16, UD, 0, 0x8e, 0xc8); /* mov cs, ax */
	RAISES(16, UD, 0, 0x8e, 0xf0);
	DONE(16, 0x1e); /* push ds; pop es */
	DONE(16, 0x07);
	CHECK_EQ(m.seg[INSN_ES].base, 0x12340);
	CHECK_EQ(m.gpr[RSP], 0xabcd1000);
	/* les bx, [ss:600] */
	RAM(uint32_t, 0x600) = 0x00204321;
	DONE(16, 0x36, 0xc4, 0x1e, 0, 6);
	CHECK_EQ(m.gpr[RBX], 0x4321);
	CHECK_EQ(m.seg[INSN_ES].base, 0x200);
	RAISES(16, UD, 0, 0xc4, 0xc3);
	/* a word over the segment's end, on the stack too */
	m.gpr[RBX] = 0xffff;
	RAISES(16, GP, 0, 0x26, 0x8b, 0x07);
	m.gpr[RSP] = 1;
	RAISES(16, SS, 0, 0x50);
	CHECK_EQ(m.gpr[RSP], 1);
	m.gpr[RSP] = 0; /* it wraps */
	DONE(16, 0x50);
	CHECK_EQ(m.gpr[RSP], 0xfffe);
}

static void all_registers(void)
{
	real_mode();
	for (unsigned int n = 0; n < 8; n++)
		if (n != RSP)
			m.gpr[n] = 0x11110000 + n;
	DONE(16, 0x60);
	CHECK_EQ(m.gpr[RSP], 0xabcd0ff0);
	CHECK_EQ(RAM(uint16_t, 0xff6), 0x1000); /* SP as it was */
	CHECK_EQ(RAM(uint16_t, 0xffe), RAX);
	for (unsigned int n = 0; n < 8; n++)
		if (n != RSP)
			m.gpr[n] = 0x22222222;
	DONE(16, 0x61);
	CHECK_EQ(m.gpr[RDI], 0x22220007);
	CHECK_EQ(m.gpr[RSP], 0xabcd1000);
	DONE(16, 0x66, 0x60);
	CHECK_EQ(m.gpr[RSP], 0xabcd0fe0);
	CHECK_EQ(RAM(uint32_t, 0xffc), m.gpr[RAX]);
}

/* mov ds, ax and mov ss, ax, at both rings. */
static void protected_loads(void)
{
	static const struct {
		uint16_t sel;
		uint8_t ds0, ds3, ss0; /* what they raise */
	} loads[] = {
		{DATA0, NONE, GP, NONE},   {DATA3, NONE, NONE, GP},
		{CODE0, NONE, GP, GP},     {ABSENT, NP, GP, SS},
		{CODE_XO, GP, GP, GP},     {CONFORMS, NONE, NONE, GP},
		{READ_ONLY, NONE, GP, GP}, {DOWN, NONE, GP, NONE},
		{GATE, GP, GP, GP},        {TSS, GP, GP, GP},
		{0, NONE, NONE, GP},       {3, NONE, NONE, GP},
		{0x68, GP, GP, GP},        {IN_LDT, GP, GP, GP},
		{DATA0 | 1, GP, GP, GP},
	};

	for (unsigned int n = 0; n < 3 * ARRAY_SIZE(loads); n++) {
		unsigned int k = n / 3, way = n % 3;
		uint8_t want = way == 0   ? loads[k].ds0
			       : way == 1 ? loads[k].ds3
					  : loads[k].ss0;
		uint16_t sel = loads[k].sel;
		unsigned int seg = way == 2 ? INSN_SS : INSN_DS;
		enum emulate_result r;

		protected_mode(way == 1 ? 3 : 0);
		m.gpr[RAX] = sel;
		r = run(32, CODE(0x8e, way == 2 ? 0xd0 : 0xd8));
		if (r != (want == NONE ? EMULATE_DONE : EMULATE_FAULT) ||
		    m.vector != want ||
		    m.error != (want == NONE ? 0 : sel & 0xfffcU) ||
		    (want == NONE) != (m.seg[seg].sel == sel)) {
			printf("# %#x, way %u: %u, %u(%#x)\n", sel, way, r,
			       m.vector, m.error);
			test_failures++;
		}
	}
	/* An LDT, and a descriptor that was not accessed before. */
	protected_mode(0);
	m.seg[EMU_LDTR] = (struct emu_segment){0x70, 0x82, 7, LDT};
	m.gpr[RAX] = IN_LDT;
	DONE(32, 0x8e, 0xc0);
	CHECK_EQ(m.seg[INSN_ES].base, 0xa0000);
	CHECK_EQ(m.seg[INSN_ES].limit, 15);
	CHECK_EQ(m.ram[LDT + 5], 0x93);
	m.gpr[RAX] = IN_LDT | 8;
	RAISES(32, GP, IN_LDT | 8, 0x8e, 0xc0);
}

static void protected_accesses(void)
{
	protected_mode(0);
	m.gpr[RBX] = 0x2000;
	DONE(32, 0x8b, 0x03);
	m.gpr[RAX] = READ_ONLY;
	DONE(32, 0x8e, 0xd8);
	DONE(32, 0x8b, 0x03);
	RAISES(32, GP, 0, 0x89, 0x03);
	RAISES(32, GP, 0, 0x2e, 0x89, 0x03); /* code is not written */
	m.gpr[RAX] = DOWN;
	DONE(32, 0x8e, 0xd8);
	DONE(32, 0x8b, 0x03);
	m.gpr[RBX] = 0xfff;
	RAISES(32, GP, 0, 0x8a, 0x03);
	m.gpr[RAX] = 0; /* null: loaded, not used */
	DONE(32, 0x8e, 0xd8);
	RAISES(32, GP, 0, 0x8b, 0x03);
}

static void protected_transfers(void)
{
	protected_mode(0);
	DONE(32, FAR32(0x9a, CODE0));
	CHECK_EQ(m.e.rip, 0x4567);
	CHECK_EQ(RAM(uint32_t, 0x7ff8), 0x107);
	CHECK_EQ(RAM(uint16_t, 0x7ffc), CODE0);
	DONE(32, 0xca, 8, 0); /* retf 8 */
	CHECK_EQ(m.e.rip, 0x107);
	CHECK_EQ(m.gpr[RSP], 0x8008);
	DONE(32, FAR32(0xea, CONFORMS));
	CHECK_EQ(m.seg[INSN_CS].sel, CONFORMS);
	m.e.rip = 0x100;
	DONE(32, FAR32(0xea, GATE));
	CHECK_EQ(m.seg[INSN_CS].sel, CODE0);
	CHECK_EQ(m.e.rip, 0x4567);
	RAISES(32, GP, 0, FAR32(0xea, 0));
	RAISES(32, GP, DATA0, FAR32(0xea, DATA0));
	RAISES(32, GP, CODE3 & ~3, FAR32(0xea, CODE3));
	RAISES(32, NP, CODE_ABSENT, FAR32(0xea, CODE_ABSENT));
	RAISES(32, GP, 0x68, FAR32(0x9a, 0x68));
	RAISES(32, UD, 0, 0xff, 0xe8); /* jmp far eax */
	CHECK_EQ(m.gpr[RSP], 0x8008);
	/* ring 3: its own code, conforming code, not ring 0's */
	protected_mode(3);
	DONE(32, FAR32(0xea, CONFORMS));
	CHECK_EQ(m.seg[INSN_CS].sel, CONFORMS | 3);
	DONE(32, FAR32(0xea, CODE3));
	RAISES(32, GP, CODE0, FAR32(0xea, CODE0));
	RAISES(32, GP, GATE, FAR32(0x9a, GATE));
}

static void put_return(const uint32_t *v, unsigned int n)
{
	memcpy(m.ram + 0x8000, v, n * 4);
}

/* To ring 3: its stack, no data of ring 0, no flags of ring 0's. */
static void outer_returns(void)
{
	protected_mode(0);
	m.seg[INSN_FS].attr |= 3 << 5;
	put_return((const uint32_t[]){0x555, CODE3, 0, 0x9000, DATA3}, 5);
	DONE(32, 0xca, 4, 0);
	CHECK_EQ(m.e.rip, 0x555);
	CHECK_EQ(m.cpu.cpl, 3);
	CHECK_EQ(m.gpr[RSP], 0x9004);
	CHECK_EQ(m.seg[INSN_SS].sel, DATA3);
	CHECK_EQ(m.seg[INSN_DS].sel, 0);
	CHECK_EQ(m.seg[INSN_DS].attr, 0);
	CHECK_EQ(m.seg[INSN_FS].sel, DATA0); /* it was ring 3's */
	protected_mode(0);
	put_return((const uint32_t[]){0x555, CODE3, 0x246202, 0x9000, DATA3},
		   5);
	DONE(32, 0xcf);
	CHECK_EQ(m.cpu.cpl, 3);
	CHECK_EQ(m.e.rflags, 0x246202);
	/* ring 3 changes neither IF nor IOPL */
	m.gpr[RSP] = 0x8000;
	m.e.rflags = 0x202;
	put_return((const uint32_t[]){0x666, CODE3, 0x3002}, 3);
	DONE(32, 0xcf);
	CHECK_EQ(m.e.rflags, 0x202);
	m.gpr[RSP] = 0x8000;
	put_return((const uint32_t[]){0x666, CODE0, 2}, 3);
	RAISES(32, GP, CODE0, 0xcf); /* not inwards */
	protected_mode(0);
	put_return((const uint32_t[]){0x555, CODE3, 2, 0x9000, DATA0}, 5);
	RAISES(32, GP, DATA0, 0xcf); /* not with that stack */
	CHECK_EQ(m.seg[INSN_CS].sel, CODE0);
	/* virtual-8086 mode: not known */
	put_return((const uint32_t[]){0x555, CODE3, 0x20002, 0x9000, DATA3}, 5);
	CHECK_EQ(run(32, CODE(0xcf)), EMULATE_UNKNOWN);
}

#define CF 1
#define AF 0x10

/* Intel SDM Vol. 2: the examples of DAA, DAS, AAA, AAM, AAD and their kin. */
static void decimals(void)
{
	static const struct {
		uint8_t op, imm;
		uint16_t ax, result;
		unsigned int flags, after; /* CF, AF */
	} sums[] = {
		{0x27, 0, 0xae, 0x14, 0, CF | AF},
		{0x27, 0, 0x2e, 0x34, 0, AF},
		{0x27, 0, 0x45, 0x45, 0, 0},
		{0x27, 0, 0x45, 0xa5, CF, CF},
		{0x2f, 0, 0xee, 0x88, AF | CF, AF | CF},
		{0x2f, 0, 0x1b, 0x15, 0, AF},
		{0x37, 0, 0x000b, 0x0101, 0, CF | AF},
		{0x37, 0, 0x0205, 0x0205, 0, 0},
		{0x3f, 0, 0x02fd, 0x0107, AF, CF | AF},
		{0xd4, 10, 0x0053, 0x0803, 0, 0},
		{0xd4, 16, 0x00a7, 0x0a07, 0, 0},
		{0xd5, 10, 0x0803, 0x0053, 0, 0},
	};

	real_mode();
	for (unsigned int n = 0; n < ARRAY_SIZE(sums); n++) {
		m.gpr[RAX] = 0x77770000 | sums[n].ax;
		m.e.rflags = 2 | sums[n].flags;
		CHECK_EQ(run(16, CODE(sums[n].op, sums[n].imm)), EMULATE_DONE);
		CHECK_EQ(m.gpr[RAX], 0x77770000 | sums[n].result);
		if (sums[n].op < 0xd0)
			CHECK_EQ(m.e.rflags & (CF | AF), sums[n].after);
	}
	RAISES(16, DE, 0, 0xd4, 0);
	/* a quotient that does not fit leaves all as it was */
	m.gpr[RAX] = 0x100;
	m.gpr[RBX] = 1;
	RAISES(16, DE, 0, 0xf6, 0xf3);
	CHECK_EQ(m.gpr[RAX], 0x100);
}

/* The flag instructions at ring 3 and in real mode. */
static void interrupt_flag(void)
{
	real_mode();
	DONE(16, 0xfb);
	CHECK_EQ(m.e.rflags, 0x202);
	CHECK_EQ(m.shadows, 1);
	DONE(16, 0xfa);
	CHECK_EQ(m.e.rflags, 2);
	protected_mode(3);
	RAISES(32, GP, 0, 0xfb);
	m.e.rflags |= 0x3000;
	DONE(32, 0xfb);
	CHECK_EQ(m.e.rflags, 0x3202);
}

static uint64_t seed = 88172645463325252;
static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Any bytes, anywhere: what is not done has changed nothing. */
static void one_of_any(void)
{
	static const unsigned int modes[] = {16, 32, 32, 64};
	unsigned int way = random64() & 3;
	struct emu_segment segs[10];
	uint64_t gpr[16], rip, rflags;
	enum emulate_result r;
	uint8_t bytes[16];

	for (unsigned int n = 0; n < 16; n++)
		bytes[n] = (uint8_t)random64();
	if (way == 0)
		real_mode();
	else
		protected_mode(way == 2 ? 3 : 0);
	if (way == 3)
		m.cpu.efer = 0xd01;
	for (unsigned int n = 0; n < 16; n++)
		m.gpr[n] = random64() >> (random64() & 63);
	for (unsigned int n = 0x4000; n < 0x8100; n += 8)
		RAM(uint64_t, n) = random64() >> (random64() & 63);
	if (random64() & 1)
		m.gpr[RSP] = 0x4000 + (random64() & 0x3fff);
	memcpy(gpr, m.gpr, sizeof(gpr));
	memcpy(segs, m.seg, sizeof(segs));
	rip = m.e.rip;
	rflags = m.e.rflags;
	r = run(modes[way], bytes);
	if (r != EMULATE_FAULT && r != EMULATE_UNKNOWN)
		return;
	for (unsigned int n = 0; n < 4; n++) /* a repeated string went on */
		if ((bytes[n] & 0xfe) == 0xf2)
			return;
	CHECK(m.e.rip == rip && m.e.rflags == rflags);
	CHECK(!memcmp(gpr, m.gpr, sizeof(gpr)));
	CHECK(!memcmp(segs, m.seg, sizeof(segs)));
	if (test_failures) {
		printf("# way %u:", way);
		for (unsigned int n = 0; n < 15; n++)
			printf(" %02x", bytes[n]);
		printf("\n");
	}
}

static void any_bytes(void)
{
	for (unsigned int n = 0; n < 30000 && !test_failures; n++)
		one_of_any();
}

int main(void)
{
	static const struct test_case cases[] = {
		{"real mode: transfers", real_transfers},
		{"real mode: segments and limits", real_segments},
		{"all registers", all_registers},
		{"protected mode: loads", protected_loads},
		{"protected mode: accesses", protected_accesses},
		{"protected mode: transfers", protected_transfers},
		{"protected mode: returns outwards", outer_returns},
		{"decimal digits, quotients", decimals},
		{"the interrupt flag", interrupt_flag},
		{"any bytes", any_bytes},
	};

	return RUN_CASES(cases);
}
