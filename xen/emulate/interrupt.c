/* SPDX-License-Identifier: MIT */
/*
 * Interrupts and exceptions that are delivered here, and the instructions that
 * make them: in real mode, and in protected mode outside long mode to the same
 * ring, an inner one, or a task. Intel SDM Vol. 3, "Interrupt and Exception
 * Handling"; "8086 Emulation". Not known: leaving virtual-8086 mode.
 */
#include "emulate/state.h"

struct delivery {
	uint8_t vector;
	bool soft; /* an instruction's: a gate's DPL counts */
	bool has_error;
	uint32_t error;
	uint64_t from; /* where the handler goes back to */
};

/* The error code of what is wrong with the gate or what it names. */
static uint32_t idt_error(const struct delivery *d)
{
	return d->vector * 8U + 2 + !d->soft;
}

static uint32_t sel_error(const struct delivery *d, uint16_t sel)
{
	return (sel & 0xfffcU) + !d->soft;
}

static void real(struct state *s, const struct delivery *d)
{
	uint64_t sp = s->e->gpr[RSP], entry = 0;
	struct emu_segment idt, old;
	struct emu_found cs;

	s->e->sys->get_seg(s->e->ctx, EMU_IDTR, &idt);
	if (d->vector * 4U + 3 > idt.limit) {
		emu_raise_error(s, GP, idt_error(d));
		return;
	}
	if (!s->e->sys->table(s->e->ctx, idt.base + d->vector * 4U, 4, false,
			      &entry)) {
		s->fault = true;
		return;
	}
	s->size = 2;
	s->e->sys->get_seg(s->e->ctx, INSN_CS, &old);
	emu_find_real(s, (uint16_t)(entry >> 16), entry & 0xffff, &cs);
	emu_push(s, &sp, s->e->rflags);
	emu_push(s, &sp, old.sel);
	emu_push(s, &sp, d->from);
	emu_put_segment(s, INSN_CS, &cs);
	emu_set_sp(s, sp);
	emu_put_flags(s, FLAG_IF | FLAG_TF | FLAG_AC, 0);
	s->next = entry & 0xffff;
}

/* Of protected mode: where the handler is. */
struct handler {
	struct emu_found cs;
	uint64_t rip;
	unsigned int bytes; /* of an element of the frame */
	bool traps;         /* IF stays */
	bool task;
	uint16_t tss;
};

static bool read_gate(struct state *s, const struct delivery *d, uint64_t *gate)
{
	struct emu_segment idt;

	s->e->sys->get_seg(s->e->ctx, EMU_IDTR, &idt);
	if (d->vector * 8U + 7 > idt.limit) {
		emu_raise_error(s, GP, idt_error(d));
		return false;
	}
	*gate = 0;
	if (!s->e->sys->table(s->e->ctx, idt.base + d->vector * 8U, 8, false,
			      gate))
		s->fault = true;
	return !s->fault;
}

/* The code that a gate names, for a ring that is ours or an inner one. */
static void find_code(struct state *s, const struct delivery *d, uint16_t sel,
		      struct handler *h)
{
	uint64_t raw[2];

	if (!(sel & ~3U)) {
		emu_raise_error(s, GP, !d->soft);
		return;
	}
	if (!emu_descriptor(s, sel, &h->cs, raw, false))
		return;
	if ((h->cs.g.attr & (EMU_SEG_S | TYPE_CODE)) !=
		    (EMU_SEG_S | TYPE_CODE) ||
	    seg_dpl(&h->cs.g) > emu_cpu(s)->cpl)
		emu_raise_error(s, GP, sel_error(d, sel));
	else if (!(h->cs.g.attr & EMU_SEG_P))
		emu_raise_error(s, NP, sel_error(d, sel));
	else if (h->rip > h->cs.g.limit)
		emu_raise_error(s, GP, !d->soft);
}

static void find_handler(struct state *s, const struct delivery *d,
			 struct handler *h)
{
	unsigned int type;
	uint64_t gate;

	if (!read_gate(s, d, &gate))
		return;
	type = gate >> 40 & 31;
	h->task = type == 5;
	h->tss = (uint16_t)(gate >> 16);
	if (type != 5 && (type & ~9U) != 6)
		emu_raise_error(s, GP, idt_error(d));
	else if (d->soft && (gate >> 45 & 3) < emu_cpu(s)->cpl)
		emu_raise_error(s, GP, idt_error(d));
	else if (!(gate >> 47 & 1))
		emu_raise_error(s, NP, idt_error(d));
	if (s->fault || h->task)
		return;
	h->bytes = type & 8 ? 4 : 2;
	h->traps = type & 1;
	h->rip = (gate & 0xffff) | (type & 8 ? gate >> 48 << 16 : 0);
	find_code(s, d, gate >> 16 & 0xffff, h);
}

/* On the stack that is there. */
static void push_frame(struct state *s, const struct delivery *d, uint64_t *sp)
{
	struct emu_segment cs;

	s->e->sys->get_seg(s->e->ctx, INSN_CS, &cs);
	emu_push(s, sp, s->e->rflags);
	emu_push(s, sp, cs.sel);
	emu_push(s, sp, d->from);
	if (d->has_error)
		emu_push(s, sp, d->error);
}

static bool switch_task(struct state *s, const struct delivery *d, uint16_t tss)
{
	const struct emu_task task = {
		.how = EMU_TASK_GATE,
		.sel = tss,
		.external = !d->soft,
		.has_error = d->has_error,
		.error = d->error,
		.next = d->from,
	};

	return emu_switch_task(s, &task);
}

/* False: it would leave virtual-8086 mode. */
static bool protected(struct state *s, const struct delivery *d)
{
	struct emu_stack stack = {.there = false};
	struct handler h = {.rip = 0};
	uint64_t sp = s->e->gpr[RSP];
	unsigned int dpl;
	bool inner;

	if (emu_long_mode(s) || s->e->rflags & FLAG_VM)
		return false;
	find_handler(s, d, &h);
	if (s->fault)
		return true;
	if (h.task)
		return switch_task(s, d, h.tss);
	dpl = seg_dpl(&h.cs.g);
	inner = !(h.cs.g.attr & TYPE_CONFORMING) && dpl < emu_cpu(s)->cpl;
	h.cs.g.sel = (uint16_t)((h.cs.g.sel & ~3U) |
				(inner ? dpl : emu_cpu(s)->cpl));
	s->size = h.bytes;
	if (inner && emu_inner_stack(s, dpl, !d->soft, &stack)) {
		emu_swap_stack(s, &stack);
		sp = s->e->gpr[RSP];
		emu_push(s, &sp, stack.ss.g.sel);
		emu_push(s, &sp, stack.sp);
	}
	push_frame(s, d, &sp);
	if (s->fault && stack.there)
		emu_swap_stack(s, &stack);
	emu_put_segment(s, INSN_CS, &h.cs);
	emu_set_sp(s, sp);
	emu_put_flags(s,
		      FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM |
			      (h.traps ? 0 : FLAG_IF),
		      0);
	s->next = h.rip;
	return true;
}

static bool deliver(struct state *s, const struct delivery *d)
{
	if (emu_cpu(s)->cr0 & 1)
		return protected(s, d);
	real(s, d);
	return true;
}

bool emu_interrupts(struct state *s)
{
	struct delivery d = {.soft = true, .from = s->next};

	if (!s->e->sys || s->i->map != MAP_ONE)
		return false;
	switch (s->i->opcode) {
	case 0xcc:
		d.vector = BREAKPOINT;
		break;
	case 0xcd:
		d.vector = (uint8_t)s->i->imm;
		break;
	case 0xce:
		if (!(s->e->rflags & FLAG_OF))
			return true;
		d.vector = OVERFLOW;
		break;
	case 0xf1:
		d.vector = DB;
		d.soft = false;
		break;
	default:
		return false;
	}
	return deliver(s, &d);
}

enum emulate_result emulate_event(struct emulator *e, unsigned int mode,
				  const struct emu_event *event)
{
	const struct insn none = {
		.mode = (uint8_t)mode,
		.address_bytes = (uint8_t)(mode / 8),
		.seg = INSN_NO_SEG,
	};
	struct state s = {.e = e, .i = &none, .next = e->rip};
	struct delivery d = {
		.vector = event->vector,
		.has_error = event->has_error,
		.error = event->error,
		.from = e->rip,
	};
	uint64_t rflags = e->rflags;

	if (!deliver(&s, &d))
		return EMULATE_UNKNOWN;
	if (s.fault) {
		e->rflags = rflags;
		return EMULATE_FAULT;
	}
	e->rip = s.next;
	return EMULATE_DONE;
}
