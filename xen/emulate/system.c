/* SPDX-License-Identifier: MIT */
/*
 * System instructions: control registers, descriptor tables, the task and LDT
 * registers, MSRs, HLT and their like; of x87 what a program finds out with
 * whether there is one. Intel SDM Vol. 2, the instructions' pages; Vol. 3,
 * "Privileged Instructions".
 */
#include "emulate/state.h"

#define CR0_PE BIT(0)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)

void emu_note_result(struct state *s, enum emulate_result r)
{
	s->fault |= r == EMULATE_FAULT;
	s->unknown |= r == EMULATE_UNKNOWN;
}

/* #GP(0) outside ring 0; virtual-8086 mode is ring 3. */
static bool privileged(struct state *s)
{
	if (!s->fault && (s->e->rflags & FLAG_VM || emu_cpu(s)->cpl))
		emu_raise_error(s, GP, 0);
	return !s->fault;
}

static void access_cr(struct state *s, unsigned int cr, bool write,
		      uint64_t *val)
{
	if (!s->fault)
		emu_note_result(s, s->e->sys->cr(s->e->ctx, cr, write, val));
}

/* 0f 20, 0f 22. */
static void move_cr(struct state *s)
{
	unsigned int cr = s->i->reg;
	uint64_t val;

	if (cr == 1 || (cr > 4 && cr != 8)) {
		emu_raise(s, UD);
		return;
	}
	if (!privileged(s))
		return;
	s->size = s->i->mode == 64 ? 8 : 4;
	val = emu_reg(s, s->i->rm);
	access_cr(s, cr, s->i->opcode & 2, &val);
	if (!s->fault && !(s->i->opcode & 2))
		emu_set_reg(s, s->i->rm, val);
}

/* SMSW: a register takes as much as the operand size has, memory 16 bits. */
static void store_msw(struct state *s)
{
	uint64_t val = emu_cpu(s)->cr0;

	if (s->i->mod != 3)
		s->size = 2;
	emu_set_rm(s, val);
}

/* It sets PE, and never clears it. */
static void load_msw(struct state *s)
{
	uint64_t val;

	if (!privileged(s))
		return;
	s->size = 2;
	val = emu_rm(s) & 15;
	val |= emu_cpu(s)->cr0 & ~14UL;
	access_cr(s, 0, true, &val);
}

static void clear_ts(struct state *s)
{
	uint64_t val;

	if (!privileged(s))
		return;
	val = emu_cpu(s)->cr0 & ~CR0_TS;
	access_cr(s, 0, true, &val);
}

/* SGDT, SIDT: limit and base. */
static void store_table(struct state *s, unsigned int table)
{
	unsigned int bytes = s->i->mode == 64 ? 8 : 4;
	struct emu_segment g;

	s->e->sys->get_seg(s->e->ctx, table, &g);
	emu_store(s, s->seg, s->off, 2, g.limit & 0xffff);
	emu_store(s, s->seg, s->off + 2, bytes, g.base);
}

/* LGDT, LIDT: with 16-bit operands the base has 24 bits. */
static void load_table(struct state *s, unsigned int table)
{
	unsigned int bytes = s->i->mode == 64 ? 8 : 4;
	struct emu_segment g = {0};

	if (!privileged(s))
		return;
	g.limit = (uint32_t)emu_load(s, s->seg, s->off, 2);
	g.base = emu_load(s, s->seg, s->off + 2, bytes);
	if (s->i->mode != 64 && s->i->operand_bytes == 2)
		g.base &= 0xffffff;
	if (!s->fault && !emu_is_canonical(g.base) && bytes == 8)
		emu_raise_error(s, GP, 0);
	if (!s->fault)
		s->e->sys->set_seg(s->e->ctx, table, &g);
}

static void special(struct state *s, enum emu_special what)
{
	if (!s->fault)
		emu_note_result(s, s->e->sys->special(s->e->ctx, what));
}

static void privileged_special(struct state *s, enum emu_special what)
{
	if (privileged(s))
		special(s, what);
}

/* 0f 01. What is in mod 3 beyond SMSW and LMSW are others' extensions. */
static bool group7(struct state *s)
{
	unsigned int op = s->i->reg & 7;

	if (op == 4)
		store_msw(s);
	else if (op == 6)
		load_msw(s);
	else if (s->i->mod == 3 || op == 5)
		return false;
	else if (op == 7)
		privileged_special(s, EMU_INVLPG);
	else if (op & 2)
		load_table(s, op & 1 ? EMU_IDTR : EMU_GDTR);
	else
		store_table(s, op & 1 ? EMU_IDTR : EMU_GDTR);
	return true;
}

/* LLDT, LTR. A TSS becomes busy; null is good for LLDT, which then has none. */
static void load_system(struct state *s, unsigned int reg)
{
	bool tss = reg == EMU_TR, wide = emu_long_mode(s);
	struct emu_found f = {.mark = 0};
	uint64_t raw[2] = {0, 0}, busy;
	struct emu_segment gdt;
	unsigned int type;
	uint16_t sel;

	if (!privileged(s))
		return;
	s->size = 2;
	sel = (uint16_t)emu_rm(s);
	if (s->fault)
		return;
	f.g.sel = sel;
	if (!(sel & ~3U)) {
		if (tss)
			emu_raise_error(s, GP, 0);
		else
			s->e->sys->set_seg(s->e->ctx, reg, &f.g);
		return;
	}
	if (sel & 4) {
		emu_bad_selector(s, GP, sel);
		return;
	}
	if (!emu_descriptor(s, sel, &f, raw, wide))
		return;
	type = f.g.attr & (EMU_SEG_S | 15);
	if (tss ? type != 9 && (type != 1 || wide) : type != 2)
		emu_bad_selector(s, GP, sel);
	else if (!(f.g.attr & EMU_SEG_P))
		emu_bad_selector(s, NP, sel);
	if (s->fault)
		return;
	if (wide)
		f.g.base |= raw[1] << 32;
	if (tss) {
		f.g.attr |= 2;
		busy = f.g.attr & 0xff;
		s->e->sys->get_seg(s->e->ctx, EMU_GDTR, &gdt);
		s->fault = !s->e->sys->table(
			s->e->ctx, gdt.base + (sel & ~7U) + 5, 1, true, &busy);
	}
	if (!s->fault)
		s->e->sys->set_seg(s->e->ctx, reg, &f.g);
}

/* 0f 00: of memory always 16 bits. */
static bool group6(struct state *s)
{
	unsigned int op = s->i->reg & 7, reg = op & 1 ? EMU_TR : EMU_LDTR;
	struct emu_segment g;

	if (op > 3)
		return false; /* VERR, VERW */
	if (!emu_protected(s)) {
		emu_raise(s, UD);
		return true;
	}
	if (op & 2) {
		load_system(s, reg);
		return true;
	}
	s->e->sys->get_seg(s->e->ctx, reg, &g);
	if (s->i->mod != 3)
		s->size = 2;
	emu_set_rm(s, g.sel);
	return true;
}

static void fpu(struct state *s, enum emu_fpu op)
{
	uint64_t cr0 = emu_cpu(s)->cr0;
	bool stores = op == EMU_FNSTSW || op == EMU_FNSTCW;
	uint16_t val = 0;

	if (cr0 & (CR0_EM | CR0_TS)) {
		emu_raise(s, NM);
		return;
	}
	s->size = 2;
	if (op == EMU_FLDCW)
		val = (uint16_t)emu_rm(s);
	if (!s->fault)
		emu_note_result(s, s->e->sys->fpu(s->e->ctx, op, &val));
	if (s->i->opcode == 0xdf) /* FNSTSW AX */
		emu_set_reg(s, RAX, val);
	else if (stores)
		emu_set_rm(s, val);
}

/* WAIT waits for nobody, but with MP and TS. */
static void wait(struct state *s)
{
	if ((emu_cpu(s)->cr0 & (BIT(1) | CR0_TS)) == (BIT(1) | CR0_TS))
		emu_raise(s, NM);
	else if (!s->fault)
		emu_note_result(s, s->e->sys->fpu(s->e->ctx, EMU_FWAIT,
						  &(uint16_t){0}));
}

static bool x87(struct state *s)
{
	unsigned int op = s->i->opcode << 8 | s->i->modrm;
	bool memory = s->i->mod != 3;
	unsigned int digit = s->i->reg & 7;

	if (op == 0xdbe3)
		fpu(s, EMU_FNINIT);
	else if (op == 0xdbe2)
		fpu(s, EMU_FNCLEX);
	else if (op == 0xdfe0 || (s->i->opcode == 0xdd && memory && digit == 7))
		fpu(s, EMU_FNSTSW);
	else if (s->i->opcode == 0xd9 && memory && digit == 7)
		fpu(s, EMU_FNSTCW);
	else if (s->i->opcode == 0xd9 && memory && digit == 5)
		fpu(s, EMU_FLDCW);
	else
		return false;
	return true;
}

static bool one_byte(struct state *s)
{
	uint8_t op = s->i->opcode;

	if (op == 0xf4 && s->e->sys->special)
		privileged_special(s, EMU_HLT);
	else if (op == 0x9b && s->e->sys->fpu)
		wait(s);
	else if (op >= 0xd8 && op <= 0xdf && s->e->sys->fpu)
		return x87(s);
	else
		return false;
	return true;
}

static bool special_one(struct state *s)
{
	switch (s->i->opcode) {
	case 0x08:
	case 0x09:
		privileged_special(s, EMU_CACHE);
		return true;
	case 0x30:
		privileged_special(s, EMU_WRMSR);
		return true;
	case 0x31:
		special(s, EMU_RDTSC);
		return true;
	case 0x32:
		privileged_special(s, EMU_RDMSR);
		return true;
	case 0xa2:
		special(s, EMU_CPUID);
		return true;
	default:
		return false;
	}
}

bool emu_system(struct state *s)
{
	const struct emu_system *sys = s->e->sys;

	if (!sys)
		return false;
	if (s->i->map == MAP_ONE)
		return one_byte(s);
	if (s->i->map != MAP_0F)
		return false;
	if (sys->special && special_one(s))
		return true;
	if (!sys->cr)
		return false;
	switch (s->i->opcode) {
	case 0x00:
		return group6(s);
	case 0x01:
		return group7(s);
	case 0x06:
		clear_ts(s);
		return true;
	case 0x20:
	case 0x22:
		move_cr(s);
		return true;
	default:
		return false;
	}
}
