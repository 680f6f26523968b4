/* SPDX-License-Identifier: MIT */
/* A processor with 128 KiB of memory and descriptor tables, for the emulator's
 * tests in 16 and 32 bits. */
#ifndef OSTLER_TESTS_UNIT_EMULATE_WORLD_H
#define OSTLER_TESTS_UNIT_EMULATE_WORLD_H

#include "emulate/emulate.h"
#include "harness.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };
enum { DE = 0, UD = 6, NP = 11, SS = 12, GP = 13 };
#define NONE 255

static struct {
	uint8_t ram[0x20000];
	uint64_t gpr[16];
	struct emu_segment seg[10];
	struct emu_cpu cpu;
	unsigned int vector, error, shadows;
	uint64_t cr[16];
	unsigned int specials; /* those that were executed */
	struct emu_io io;
	enum emu_fpu fpu;
	uint16_t fpu_word;
	struct emulator e;
} m;

#define GDT          0x1000
#define LDT          0x1200
#define RAM(type, a) (*(type *)(m.ram + (a)))

static bool mem(uint64_t addr, unsigned int size, void *val, bool write)
{
	if (addr > sizeof(m.ram) - size)
		return false;
	if (write)
		memcpy(m.ram + addr, val, size);
	else
		memcpy(val, m.ram + addr, size);
	return true;
}
#include "emulate_memory.h"
static uint64_t base_of(void *ctx, unsigned int seg)
{
	(void)ctx;
	return m.seg[seg].base;
}
static void get_cpu(void *ctx, struct emu_cpu *c)
{
	(void)ctx;
	*c = m.cpu;
}
static void get_seg(void *ctx, unsigned int seg, struct emu_segment *g)
{
	(void)ctx;
	*g = m.seg[seg];
}
static void set_seg(void *ctx, unsigned int seg, const struct emu_segment *g)
{
	(void)ctx;
	m.seg[seg] = *g;
	if (seg == INSN_SS && m.cpu.cr0 & 1)
		m.cpu.cpl = g->attr >> 5 & 3;
}
static bool table(void *ctx, uint64_t addr, unsigned int size, bool write,
		  uint64_t *val)
{
	(void)ctx;
	return mem(addr, size, val, write);
}
static void raised(void *ctx, unsigned int vector, bool has_error,
		   uint32_t error)
{
	(void)ctx;
	m.vector = vector;
	m.error = has_error ? error : 0;
}
static void shadow(void *ctx)
{
	(void)ctx;
	m.shadows++;
}
/* CR0 is the processor's; LMSW and CLTS go there, too. */
static enum emulate_result cr(void *ctx, unsigned int n, bool write,
			      uint64_t *val)
{
	(void)ctx;
	if (write)
		m.cr[n] = *val;
	else
		*val = n ? m.cr[n] : m.cpu.cr0;
	if (write && n == 0)
		m.cpu.cr0 = *val;
	return EMULATE_DONE;
}
static enum emulate_result special(void *ctx, enum emu_special what)
{
	(void)ctx;
	m.specials |= 1U << what;
	return EMULATE_DONE;
}
static enum emulate_result port(void *ctx, const struct emu_io *io)
{
	(void)ctx;
	m.io = *io;
	return EMULATE_DONE;
}
static enum emulate_result fpu(void *ctx, enum emu_fpu op, uint16_t *val)
{
	(void)ctx;
	m.fpu = op;
	if (op == EMU_FLDCW)
		m.fpu_word = *val;
	else if (op == EMU_FNSTCW || op == EMU_FNSTSW)
		*val = m.fpu_word;
	return EMULATE_DONE;
}
static const struct emu_system sys = {
	.cpu = get_cpu,
	.get_seg = get_seg,
	.set_seg = set_seg,
	.table = table,
	.raise = raised,
	.shadow = shadow,
	.cr = cr,
	.special = special,
	.io = port,
	.fpu = fpu,
};

static void attach(void)
{
	m.vector = NONE;
	m.error = 0;
	m.e.gpr = m.gpr;
	m.e.seg_base = base_of;
	m.e.read = mem_read;
	m.e.write = mem_write;
	m.e.sys = &sys;
}

static enum emulate_result run(unsigned int mode, const uint8_t *bytes)
{
	struct insn i;

	attach();
	if (!insn_decode(&i, bytes, 15, mode))
		return EMULATE_UNKNOWN;
	return emulate(&m.e, &i);
}
#define CODE(...)                                                              \
	(const uint8_t[16])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define DONE(mode, ...) CHECK_EQ(run(mode, CODE(__VA_ARGS__)), EMULATE_DONE)
/* It raises a vector with an error code, and RIP stays. */
#define RAISES(mode, vec, err, ...)                                            \
	do {                                                                   \
		uint64_t at_ = m.e.rip;                                        \
		CHECK_EQ(run(mode, CODE(__VA_ARGS__)), EMULATE_FAULT);         \
		CHECK_EQ(m.vector, vec);                                       \
		CHECK_EQ(m.error, err);                                        \
		CHECK_EQ(m.e.rip, at_);                                        \
	} while (0)

static void real_mode(void)
{
	memset(&m, 0, sizeof(m));
	m.cpu.cr0 = 0x10;
	for (unsigned int n = 0; n < 6; n++)
		m.seg[n] = (struct emu_segment){.attr = 0x93, .limit = 0xffff};
	m.gpr[RSP] = 0xabcd1000;
	m.e.rip = 0x100;
	m.e.rflags = 2;
}

/* Selectors of the table that protected mode has here. */
enum {
	CODE0 = 0x08,
	DATA0 = 0x10,
	CODE3 = 0x1b,
	DATA3 = 0x23,
	ABSENT = 0x28,   /* data */
	CODE_XO = 0x30,  /* may not be read */
	CONFORMS = 0x38, /* code, ring 0 */
	READ_ONLY = 0x40,
	DOWN = 0x48, /* above 0xfff */
	GATE = 0x50, /* to CODE0:4567 */
	TSS = 0x58,
	CODE_ABSENT = 0x60,
	IN_LDT = 0x04,
};

static void protected_mode(unsigned int cpl)
{
	static const uint64_t gdt[] = {
		0,
		0x00cf9b000000ffff,
		0x00cf93000000ffff,
		0x00cffb000000ffff,
		0x00cff3000000ffff,
		0x00cf13000000ffff,
		0x00cf99000000ffff,
		0x00cf9f000000ffff,
		0x00cf91000000ffff,
		0x0040960000000fff,
		0x00008c0000084567,
		0x0000890030000067,
		0x00cf1b000000ffff,
	};

	memset(&m, 0, sizeof(m));
	m.cpu.cr0 = 0x11;
	m.cpu.cpl = cpl;
	memcpy(m.ram + GDT, gdt, sizeof(gdt));
	RAM(uint64_t, LDT) = 0x0040920a0000000f; /* 16 bytes at a0000 */
	m.seg[EMU_GDTR].base = GDT;
	m.seg[EMU_GDTR].limit = sizeof(gdt) - 1;
	for (unsigned int n = 0; n < 6; n++)
		m.seg[n] = (struct emu_segment){
			.sel = cpl ? DATA3 : DATA0,
			.attr = 0xc93 | cpl << 5,
			.limit = 0xffffffff,
		};
	m.seg[INSN_CS].sel = cpl ? CODE3 : CODE0;
	m.seg[INSN_CS].attr |= 8;
	m.gpr[RSP] = 0x8000;
	m.e.rip = 0x100;
	m.e.rflags = 2;
}

#define FAR32(op, sel) op, 0x67, 0x45, 0, 0, (sel)&0xff, (sel) >> 8

#endif
