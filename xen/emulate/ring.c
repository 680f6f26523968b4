/* SPDX-License-Identifier: MIT */
/*
 * The stack of an inner ring, which a call gate or an interrupt goes to: from
 * the TSS. Intel SDM Vol. 3, "Stack Switching", "Stack Switching with Call
 * Gates in 64-Bit Mode".
 */
#include "emulate/state.h"

static bool is_wide(const struct emu_segment *tr)
{
	return (tr->attr & 15) >= 9; /* not a TSS of 16 bits */
}

/* [at, at + size) of the TSS. */
static uint64_t read_tss(struct state *s, const struct emu_segment *tr,
			 unsigned int at, unsigned int size, uint32_t ext)
{
	uint64_t val = 0;

	if (s->fault)
		return 0;
	if (!(tr->attr & EMU_SEG_P) || at + size - 1 > tr->limit)
		emu_raise_error(s, TS, (tr->sel & 0xfffcU) + ext);
	else if (!s->e->sys->table(s->e->ctx, tr->base + at, size, false, &val))
		s->fault = true;
	return val;
}

/* SS of a TSS: what is wrong with it is #TS, but not being present. */
static void find_ss(struct state *s, uint16_t sel, unsigned int cpl,
		    uint32_t ext, struct emu_found *f)
{
	uint32_t error = (sel & 0xfffcU) + ext;
	const struct emu_segment *g = &f->g;
	struct emu_segment t;
	uint64_t raw[2];

	if (s->fault)
		return;
	s->e->sys->get_seg(s->e->ctx, sel & 4 ? EMU_LDTR : EMU_GDTR, &t);
	if (!(sel & ~3U) || (sel & 4 && !(t.attr & EMU_SEG_P)) ||
	    (sel | 7U) > t.limit) {
		emu_raise_error(s, TS, error);
		return;
	}
	if (!emu_descriptor(s, sel, f, raw, false))
		return;
	if ((g->attr & (EMU_SEG_S | TYPE_CODE | TYPE_WRITABLE)) !=
		    (EMU_SEG_S | TYPE_WRITABLE) ||
	    (sel & 3U) != cpl || seg_dpl(g) != cpl)
		emu_raise_error(s, TS, error);
	else if (!(g->attr & EMU_SEG_P))
		emu_raise_error(s, SS, error);
}

bool emu_inner_stack(struct state *s, unsigned int cpl, uint32_t ext,
		     struct emu_stack *new)
{
	struct emu_segment tr;
	uint16_t sel;

	*new = (struct emu_stack){.there = false};
	s->e->sys->get_seg(s->e->ctx, EMU_TR, &tr);
	if (emu_long_mode(s)) {
		new->sp = read_tss(s, &tr, 4 + cpl * 8, 8, ext);
		/* Null, with the ring in it. */
		new->ss.g.sel = (uint16_t)cpl;
		new->ss.g.attr = (uint16_t)(cpl << 5);
		if (!s->fault && !emu_is_canonical(new->sp))
			emu_raise_error(s, SS, ext);
	} else if (is_wide(&tr)) {
		new->sp = read_tss(s, &tr, 4 + cpl * 8, 4, ext);
		sel = (uint16_t)read_tss(s, &tr, 8 + cpl * 8, 2, ext);
		find_ss(s, sel, cpl, ext, &new->ss);
	} else {
		new->sp = read_tss(s, &tr, 2 + cpl * 4, 2, ext);
		sel = (uint16_t)read_tss(s, &tr, 4 + cpl * 4, 2, ext);
		find_ss(s, sel, cpl, ext, &new->ss);
	}
	new->there = !s->fault;
	return new->there;
}

void emu_swap_stack(struct state *s, struct emu_stack *stack)
{
	struct emu_stack old = {.sp = s->e->gpr[RSP], .there = true};

	s->e->sys->get_seg(s->e->ctx, INSN_SS, &old.ss.g);
	if (stack->ss.mark)
		emu_put_segment(s, INSN_SS, &stack->ss);
	else
		s->e->sys->set_seg(s->e->ctx, INSN_SS, &stack->ss.g);
	s->e->gpr[RSP] = stack->sp;
	*stack = old;
}
