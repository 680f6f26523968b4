/* SPDX-License-Identifier: MIT */
/*
 * Far control transfer: JMP, CALL, RET and IRET with a new CS. Intel SDM
 * Vol. 2, the instructions' pages; Vol. 3, "Privilege Level Checking When
 * Transferring Program Control Between Code Segments". Not known here:
 * virtual-8086 mode's ends.
 */
#include "emulate/state.h"

/* Where it goes on. */
struct target {
	struct emu_found cs;
	uint64_t rip;
	bool inner;          /* through a gate, on that ring's stack … */
	unsigned int params; /* … with so many elements of this one */
	bool is_task;        /* … or it is another task: its TSS */
	uint16_t task;
};

void emu_find_real(struct state *s, uint16_t sel, uint64_t rip,
		   struct emu_found *cs)
{
	s->e->sys->get_seg(s->e->ctx, INSN_CS, &cs->g);
	cs->mark = 0;
	cs->g.sel = sel;
	cs->g.base = (uint64_t)sel << 4;
	if (rip > cs->g.limit)
		emu_raise_error(s, GP, 0);
}

static void find_real(struct state *s, uint16_t sel, struct target *t)
{
	emu_find_real(s, sel, t->rip, &t->cs);
}

/* A descriptor as code to go on with at cpl. */
static void check_code(struct state *s, struct target *t, unsigned int cpl)
{
	struct emu_segment *g = &t->cs.g;
	unsigned int rpl = g->sel & 3, dpl = seg_dpl(g);
	bool wide = emu_long_mode(s) && g->attr & EMU_SEG_L;
	bool good = (g->attr & (EMU_SEG_S | TYPE_CODE)) ==
		    (EMU_SEG_S | TYPE_CODE);

	if (g->attr & TYPE_CONFORMING)
		good = good && dpl <= cpl;
	else
		good = good && rpl <= cpl && dpl == cpl;
	if (!good || (wide && g->attr & EMU_SEG_D))
		emu_bad_selector(s, GP, g->sel);
	else if (!(g->attr & EMU_SEG_P))
		emu_bad_selector(s, NP, g->sel);
	else if (wide ? !emu_is_canonical(t->rip) : t->rip > g->limit)
		emu_raise_error(s, GP, 0);
	g->sel = (uint16_t)((g->sel & ~3U) | cpl);
}

/* A call gate leads to code of an inner ring. */
static void check_inner(struct state *s, struct target *t)
{
	struct emu_segment *g = &t->cs.g;
	bool wide = emu_long_mode(s);

	if (!(g->attr & EMU_SEG_P))
		emu_bad_selector(s, NP, g->sel);
	else if (wide ? !emu_is_canonical(t->rip) : t->rip > g->limit)
		emu_raise_error(s, GP, 0);
	g->sel = (uint16_t)((g->sel & ~3U) | seg_dpl(g));
	t->inner = true;
}

/* A call gate: types 4 (16 bits) and 12 (32 bits; in long mode 64). */
static void through_gate(struct state *s, struct target *t,
			 const uint64_t raw[2], bool call)
{
	const struct emu_segment gate = t->cs.g;
	unsigned int cpl = emu_cpu(s)->cpl, type = gate.attr & 15;
	uint16_t sel = (uint16_t)(raw[0] >> 16 & 0xfffc);
	uint64_t d[2];

	bool task = !emu_long_mode(s) && (type == 1 || type == 5 || type == 9);

	if (!task && type != 12 && (type != 4 || emu_long_mode(s))) {
		emu_bad_selector(s, GP, gate.sel);
		return;
	}
	if (seg_dpl(&gate) < cpl || (gate.sel & 3U) > seg_dpl(&gate)) {
		emu_bad_selector(s, GP, gate.sel);
		return;
	}
	if (!(gate.attr & EMU_SEG_P)) {
		emu_bad_selector(s, NP, gate.sel);
		return;
	}
	if (task) {
		t->task = type == 5 ? (uint16_t)(raw[0] >> 16) : gate.sel;
		t->is_task = true;
		return;
	}
	t->rip = (raw[0] & 0xffff) | (raw[0] >> 48 << 16);
	s->size = type == 4 ? 2 : 4;
	if (type == 4)
		t->rip &= 0xffff;
	if (emu_long_mode(s)) {
		t->rip = (uint32_t)t->rip | raw[1] << 32;
		s->size = 8;
	}
	if (!sel) {
		emu_raise_error(s, GP, 0);
		return;
	}
	if (!emu_descriptor(s, sel, &t->cs, d, false))
		return;
	t->params = emu_long_mode(s) ? 0 : raw[0] >> 32 & 31;
	if (emu_long_mode(s) &&
	    (t->cs.g.attr & (EMU_SEG_L | EMU_SEG_D)) != EMU_SEG_L)
		emu_bad_selector(s, GP, sel);
	/* To an inner ring a JMP may not, and CALL changes the stack. */
	else if (call &&
		 (t->cs.g.attr & (EMU_SEG_S | TYPE_CODE | TYPE_CONFORMING)) ==
			 (EMU_SEG_S | TYPE_CODE) &&
		 seg_dpl(&t->cs.g) < cpl)
		check_inner(s, t);
	else
		check_code(s, t, cpl);
}

/* Of a JMP or CALL, to sel:t->rip. */
static void find_target(struct state *s, uint16_t sel, struct target *t,
			bool call)
{
	uint64_t raw[2];

	if (s->fault)
		return;
	if (!emu_protected(s)) {
		find_real(s, sel, t);
		return;
	}
	if (!(sel & ~3U)) {
		emu_raise_error(s, GP, 0);
		return;
	}
	if (!emu_descriptor(s, sel, &t->cs, raw, false))
		return;
	if (t->cs.g.attr & EMU_SEG_S) {
		check_code(s, t, emu_cpu(s)->cpl);
		return;
	}
	if (emu_long_mode(s) && (t->cs.g.attr & 15) == 12 &&
	    !emu_descriptor(s, sel, &t->cs, raw, true))
		return;
	through_gate(s, t, raw, call);
}

static void go(struct state *s, struct target *t)
{
	emu_put_segment(s, INSN_CS, &t->cs);
	if (!s->fault)
		s->next = t->rip;
}

/* CALL to an inner ring: its stack has ours, and the parameters. */
static void call_inner(struct state *s, struct target *t, uint64_t from)
{
	struct emu_stack stack;
	struct emu_segment cs;
	uint64_t param[32], sp;

	for (unsigned int n = 0; n < t->params; n++)
		param[n] = emu_peek(s, n);
	s->e->sys->get_seg(s->e->ctx, INSN_CS, &cs);
	if (s->fault || !emu_inner_stack(s, t->cs.g.sel & 3, 0, &stack))
		return;
	emu_swap_stack(s, &stack);
	sp = s->e->gpr[RSP];
	emu_push(s, &sp, stack.ss.g.sel);
	emu_push(s, &sp, stack.sp);
	for (unsigned int n = t->params; n-- > 0;)
		emu_push(s, &sp, param[n]);
	emu_push(s, &sp, cs.sel);
	emu_push(s, &sp, from);
	go(s, t);
	if (s->fault)
		emu_swap_stack(s, &stack);
	emu_set_sp(s, sp);
}

static bool transfer(struct state *s, uint16_t sel, uint64_t off, bool call)
{
	uint64_t sp = s->e->gpr[RSP], from = s->next;
	struct target t = {.rip = off};
	struct emu_segment cs;

	struct emu_task task = {
		.how = call ? EMU_TASK_CALL : EMU_TASK_JMP,
		.next = s->next,
	};

	find_target(s, sel, &t, call);
	task.sel = t.task;
	if (t.is_task && !s->fault)
		return emu_switch_task(s, &task);
	if (s->fault)
		return true;
	if (t.inner) {
		call_inner(s, &t, from);
		return true;
	}
	if (call) {
		s->e->sys->get_seg(s->e->ctx, INSN_CS, &cs);
		emu_push(s, &sp, cs.sel);
		emu_push(s, &sp, from);
	}
	go(s, &t);
	if (call)
		emu_set_sp(s, sp);
	return true;
}

/* ea, 9a: offset and selector in the instruction. */
static bool direct(struct state *s)
{
	unsigned int bits = s->size * 8;

	return transfer(s, (uint16_t)(s->i->imm >> bits),
			s->i->imm & size_mask(s->size), s->i->opcode == 0x9a);
}

static bool indirect(struct state *s)
{
	uint64_t off;
	uint16_t sel;

	sel = emu_far_pointer(s, &off);
	return transfer(s, sel, off, (s->i->reg & 7) == 3);
}

/* Of a RET or IRET. */
static void find_return(struct state *s, uint16_t sel, struct target *t)
{
	uint64_t raw[2];

	if (s->fault)
		return;
	if (!emu_protected(s)) {
		find_real(s, sel, t);
	} else if (!(sel & ~3U)) {
		emu_raise_error(s, GP, 0);
	} else if (emu_descriptor(s, sel, &t->cs, raw, false)) {
		if ((sel & 3U) < emu_cpu(s)->cpl)
			emu_bad_selector(s, GP, sel);
		else
			check_code(s, t, sel & 3);
	}
}

/* A ring further out may not go on with data segments of ours. */
static void drop_inner(struct state *s, unsigned int cpl)
{
	static const uint8_t data[] = {INSN_ES, INSN_DS, INSN_FS, INSN_GS};

	for (unsigned int n = 0; n < ARRAY_SIZE(data); n++) {
		struct emu_found none = {.mark = 0};
		struct emu_segment g;
		bool conforms;

		s->e->sys->get_seg(s->e->ctx, data[n], &g);
		conforms = (g.attr & (TYPE_CODE | TYPE_CONFORMING)) ==
			   (TYPE_CODE | TYPE_CONFORMING);
		if (seg_dpl(&g) < cpl && !conforms)
			emu_put_segment(s, data[n], &none);
	}
}

/* To ring cpl, or (64-bit IRET) with a stack in any case: its pointer is
 * element n, and more bytes above. */
static void put_outer(struct state *s, struct target *t, unsigned int n,
		      uint64_t more)
{
	unsigned int cpl = t->cs.g.sel & 3, inner = emu_cpu(s)->cpl;
	uint64_t sp, ss;
	struct emu_found f;

	s->e->gpr[RSP] += more;
	sp = emu_peek(s, n);
	ss = emu_peek(s, n + 1);
	s->e->gpr[RSP] -= more;
	/* Null is good for where 64 bits go on. */
	if (!(ss & ~3U) && !(t->cs.g.attr & EMU_SEG_L))
		emu_raise_error(s, GP, 0);
	if (!emu_find_data(s, INSN_SS, (uint16_t)ss, cpl, &f))
		return;
	go(s, t);
	emu_put_segment(s, INSN_SS, &f);
	/* The new stack is as wide as the new SS says. */
	if (t->cs.g.attr & EMU_SEG_L && emu_long_mode(s))
		put_low(&s->e->gpr[RSP], 8, sp + more);
	else
		put_low(&s->e->gpr[RSP], f.g.attr & EMU_SEG_D ? 4 : 2,
			sp + more);
	if (cpl > inner)
		drop_inner(s, cpl);
}

static void ret(struct state *s)
{
	uint64_t more = s->i->opcode == 0xca ? s->i->imm & 0xffff : 0;
	struct target t = {.rip = emu_peek(s, 0)};
	uint16_t sel = (uint16_t)emu_peek(s, 1);

	find_return(s, sel, &t);
	if (s->fault)
		return;
	if (emu_protected(s) && (sel & 3U) != emu_cpu(s)->cpl) {
		put_outer(s, &t, 2, more);
		return;
	}
	go(s, &t);
	emu_set_sp(s, s->e->gpr[RSP] + 2UL * s->size + more);
}

/* To the task that the current one's TSS names. */
static bool iret_task(struct state *s)
{
	struct emu_task task = {.how = EMU_TASK_IRET, .next = s->next};
	struct emu_segment tr;
	uint64_t sel = 0;

	s->e->sys->get_seg(s->e->ctx, EMU_TR, &tr);
	if (!s->e->sys->table(s->e->ctx, tr.base, 2, false, &sel)) {
		s->fault = true;
		return true;
	}
	task.sel = (uint16_t)sel;
	return emu_switch_task(s, &task);
}

static bool iret(struct state *s)
{
	struct target t = {.rip = 0};
	uint64_t f, which;
	uint16_t sel;

	if (emu_protected(s) && s->e->rflags & FLAG_NT) {
		if (!emu_long_mode(s))
			return iret_task(s);
		emu_raise_error(s, GP, 0);
	}
	t.rip = emu_peek(s, 0);
	sel = (uint16_t)emu_peek(s, 1);
	f = emu_peek(s, 2);
	if (s->i->mode == 64)
		emu_peek(s, 4); /* all of it is there first */
	if (s->e->rflags & FLAG_VM || (f & FLAG_VM && emu_protected(s) &&
				       s->size > 2 && !emu_long_mode(s)))
		return false;
	find_return(s, sel, &t);
	if (s->fault)
		return true;
	which = emu_flags_writable(s) | (s->size > 2 ? FLAG_RF : 0);
	if (s->i->mode == 64 ||
	    (emu_protected(s) && (sel & 3U) != emu_cpu(s)->cpl)) {
		put_outer(s, &t, 3, 0);
	} else {
		go(s, &t);
		emu_set_sp(s, s->e->gpr[RSP] + 3UL * s->size);
	}
	emu_put_flags(s, which, f);
	return true;
}

bool emu_far(struct state *s)
{
	if (!s->e->sys || s->i->map != MAP_ONE)
		return false;
	switch (s->i->opcode) {
	case 0x9a:
	case 0xea:
		return direct(s);
	case 0xca:
	case 0xcb:
		ret(s);
		return true;
	case 0xcf:
		return iret(s);
	case 0xff:
		return ((s->i->reg & 7) == 3 || (s->i->reg & 7) == 5) &&
		       indirect(s);
	default:
		return false;
	}
}
