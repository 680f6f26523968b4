/* SPDX-License-Identifier: MIT */
/*
 * Segments: what an access must hold to, descriptors, loads of the registers
 * other than CS. Intel SDM Vol. 3, "Protection"; AMD APM Vol. 2, "Segmented
 * Virtual Memory".
 */
#include "emulate/state.h"

void emu_bad_selector(struct state *s, unsigned int vector, uint16_t sel)
{
	uint32_t error = sel & 0xfffcU;

	if (s->in_task) {
		vector = vector == GP ? TS : vector;
		error += s->task_external;
	}
	emu_raise_error(s, vector, error);
}

static bool may_be_done(const struct emu_segment *g, bool write)
{
	if (!(g->attr & EMU_SEG_P))
		return false;
	if (g->attr & TYPE_CODE)
		return !write && g->attr & TYPE_WRITABLE;
	return !write || g->attr & TYPE_WRITABLE;
}

static bool is_within(const struct emu_segment *g, uint64_t off,
		      unsigned int size)
{
	uint64_t last = off + size - 1;

	if ((g->attr & (TYPE_CODE | TYPE_CONFORMING)) == TYPE_CONFORMING)
		return off > g->limit && /* expands down */
		       last <= (g->attr & EMU_SEG_D ? UINT32_MAX : 0xffff);
	return last <= g->limit;
}

bool emu_may_access(struct state *s, unsigned int seg, uint64_t off,
		    unsigned int size, bool write)
{
	struct emu_segment g = {0};
	bool good;

	if (!s->e->sys)
		return true;
	if (s->i->mode == 64) {
		if (seg == INSN_FS || seg == INSN_GS)
			off += s->e->seg_base(s->e->ctx, seg);
		good = emu_is_canonical(off) &&
		       emu_is_canonical(off + size - 1);
	} else {
		s->e->sys->get_seg(s->e->ctx, seg, &g);
		good = is_within(&g, off, size) &&
		       (!emu_protected(s) || may_be_done(&g, write));
	}
	if (!good)
		emu_raise_error(s, seg == INSN_SS ? SS : GP, 0);
	return good;
}

static bool read_table(struct state *s, uint64_t addr, uint64_t *val)
{
	*val = 0;
	if (!s->e->sys->table(s->e->ctx, addr, 8, false, val))
		s->fault = true;
	return !s->fault;
}

bool emu_descriptor(struct state *s, uint16_t sel, struct emu_found *f,
		    uint64_t raw[2], bool high)
{
	unsigned int last = (sel | 7U) + (high ? 8 : 0);
	struct emu_segment t;
	uint64_t at, d;

	s->e->sys->get_seg(s->e->ctx, sel & 4 ? EMU_LDTR : EMU_GDTR, &t);
	if ((sel & 4 && !(t.attr & EMU_SEG_P)) || last > t.limit) {
		emu_bad_selector(s, GP, sel);
		return false;
	}
	at = t.base + (sel & 0xfff8);
	if (!read_table(s, at, &raw[0]) ||
	    (high && !read_table(s, at + 8, &raw[1])))
		return false;
	d = raw[0];
	f->g = (struct emu_segment){
		.sel = sel,
		.attr = (uint16_t)((d >> 40 & 0xff) | (d >> 52 & 15) << 8),
		.limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000)),
		.base = (d >> 16 & 0xffffff) | (d >> 56) << 24,
	};
	if (f->g.attr & EMU_SEG_G)
		f->g.limit = f->g.limit << 12 | 0xfff;
	f->mark = f->g.attr & TYPE_ACCESSED ? 0 : at + 5;
	return true;
}

/* Null: good for all but SS, and for that outside ring 3 of 64-bit mode. */
static bool find_null(struct state *s, unsigned int seg, uint16_t sel,
		      unsigned int cpl, struct emu_found *f)
{
	if (seg == INSN_SS &&
	    (s->i->mode != 64 || cpl == 3 || (sel & 3U) != cpl)) {
		emu_raise_error(s, GP, 0);
		return false;
	}
	*f = (struct emu_found){.g = {.sel = sel}};
	if (seg == INSN_SS)
		f->g.attr = (uint16_t)(cpl << 5); /* the CPL stays there */
	return true;
}

static bool suits_stack(const struct emu_segment *g, unsigned int cpl)
{
	return g->attr & EMU_SEG_S && !(g->attr & TYPE_CODE) &&
	       g->attr & TYPE_WRITABLE && (g->sel & 3U) == cpl &&
	       seg_dpl(g) == cpl;
}

static bool suits_data(const struct emu_segment *g, unsigned int cpl)
{
	unsigned int rpl = g->sel & 3;

	if (!(g->attr & EMU_SEG_S) ||
	    (g->attr & (TYPE_CODE | TYPE_WRITABLE)) == TYPE_CODE)
		return false;
	if (g->attr & TYPE_CODE && g->attr & TYPE_CONFORMING)
		return true;
	return rpl <= seg_dpl(g) && cpl <= seg_dpl(g);
}

bool emu_find_data(struct state *s, unsigned int seg, uint16_t sel,
		   unsigned int cpl, struct emu_found *f)
{
	bool stack = seg == INSN_SS;
	uint64_t raw[2];

	if (s->fault)
		return false;
	if (!(sel & ~3U))
		return find_null(s, seg, sel, cpl, f);
	if (!emu_descriptor(s, sel, f, raw, false))
		return false;
	if (stack ? !suits_stack(&f->g, cpl) : !suits_data(&f->g, cpl))
		emu_bad_selector(s, GP, sel);
	else if (!(f->g.attr & EMU_SEG_P))
		emu_bad_selector(s, stack ? SS : NP, sel);
	return !s->fault;
}

void emu_put_segment(struct state *s, unsigned int seg, struct emu_found *f)
{
	uint64_t type;

	if (s->fault)
		return;
	if (f->mark) {
		f->g.attr |= TYPE_ACCESSED;
		type = f->g.attr & 0xff;
		if (!s->e->sys->table(s->e->ctx, f->mark, 1, true, &type)) {
			s->fault = true;
			return;
		}
	}
	s->e->sys->set_seg(s->e->ctx, seg, &f->g);
}

/* In real mode a load changes the base only: the limit is what it was
 * ("Real-Address Mode Operation"). */
static void load_real(struct state *s, unsigned int seg, uint16_t sel,
		      struct emu_found *f)
{
	f->mark = 0;
	s->e->sys->get_seg(s->e->ctx, seg, &f->g);
	f->g.sel = sel;
	f->g.base = (uint64_t)sel << 4;
	if (!(f->g.attr & EMU_SEG_P)) {
		f->g.attr = EMU_SEG_P | EMU_SEG_S | TYPE_WRITABLE |
			    TYPE_ACCESSED;
		f->g.limit = 0xffff;
	}
}

static bool find(struct state *s, unsigned int seg, uint16_t sel,
		 struct emu_found *f)
{
	if (s->fault)
		return false;
	if (emu_protected(s))
		return emu_find_data(s, seg, sel, emu_cpu(s)->cpl, f);
	load_real(s, seg, sel, f);
	return true;
}

/* After SS changed, RSP is about to. */
static void put(struct state *s, unsigned int seg, struct emu_found *f)
{
	emu_put_segment(s, seg, f);
	if (seg == INSN_SS && !s->fault && s->e->sys->shadow)
		s->e->sys->shadow(s->e->ctx);
}

/* 8e: MOV Sreg, r/m16. */
static void move_to(struct state *s)
{
	unsigned int seg = s->i->reg & 7;
	struct emu_found f;

	s->size = 2;
	if (seg == INSN_CS || seg > INSN_GS)
		emu_raise(s, UD);
	else if (find(s, seg, (uint16_t)emu_rm(s), &f))
		put(s, seg, &f);
}

/* 8c: to memory always 16 bits, to a register all of it. */
static void move_from(struct state *s)
{
	unsigned int seg = s->i->reg & 7;
	struct emu_segment g;

	if (seg > INSN_GS) {
		emu_raise(s, UD);
		return;
	}
	s->e->sys->get_seg(s->e->ctx, seg, &g);
	if (s->i->mod != 3)
		s->size = 2;
	emu_set_rm(s, g.sel);
}

static void push(struct state *s, unsigned int seg)
{
	uint64_t sp = s->e->gpr[RSP];
	struct emu_segment g;

	emu_stack_size(s);
	s->e->sys->get_seg(s->e->ctx, seg, &g);
	emu_push(s, &sp, g.sel);
	emu_set_sp(s, sp);
}

static void pop(struct state *s, unsigned int seg)
{
	uint64_t sp = s->e->gpr[RSP];
	struct emu_found f;

	emu_stack_size(s);
	sp += s->size;
	if (!find(s, seg, (uint16_t)emu_peek(s, 0), &f))
		return;
	put(s, seg, &f);
	emu_set_sp(s, sp);
}

uint16_t emu_far_pointer(struct state *s, uint64_t *off)
{
	*off = 0;
	if (s->i->mod == 3) {
		emu_raise(s, UD);
		return 0;
	}
	*off = emu_load(s, s->seg, s->off, s->size);
	return (uint16_t)emu_load(s, s->seg, s->off + s->size, 2);
}

/* LDS and the others: a pointer from memory. */
static void load_pointer(struct state *s, unsigned int seg)
{
	struct emu_found f;
	uint64_t off;
	uint16_t sel = emu_far_pointer(s, &off);

	if (!find(s, seg, sel, &f))
		return;
	put(s, seg, &f);
	if (!s->fault)
		emu_set_reg(s, s->i->reg, off);
}

static bool one_byte(struct state *s)
{
	uint8_t op = s->i->opcode;

	switch (op) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
		push(s, op >> 3);
		return true;
	case 0x07:
	case 0x17:
	case 0x1f:
		pop(s, op >> 3);
		return true;
	case 0x8c:
		move_from(s);
		return true;
	case 0x8e:
		move_to(s);
		return true;
	case 0xc4:
	case 0xc5:
		load_pointer(s, op & 1 ? INSN_DS : INSN_ES);
		return true;
	default:
		return false;
	}
}

static bool two_byte(struct state *s)
{
	uint8_t op = s->i->opcode;

	switch (op) {
	case 0xa0:
	case 0xa8:
		push(s, op & 8 ? INSN_GS : INSN_FS);
		return true;
	case 0xa1:
	case 0xa9:
		pop(s, op & 8 ? INSN_GS : INSN_FS);
		return true;
	case 0xb2:
		load_pointer(s, INSN_SS);
		return true;
	case 0xb4:
	case 0xb5:
		load_pointer(s, op & 1 ? INSN_GS : INSN_FS);
		return true;
	default:
		return false;
	}
}

bool emu_segments(struct state *s)
{
	if (!s->e->sys)
		return false;
	if (s->i->map == MAP_ONE)
		return one_byte(s);
	return s->i->map == MAP_0F && two_byte(s);
}
