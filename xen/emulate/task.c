/* SPDX-License-Identifier: MIT */
/*
 * Switches to another task: by CALL, JMP and IRET, and through task gates.
 * Intel SDM Vol. 3, "Task Switching". Until the new task's state is in place an
 * exception is the old one's, and nothing has changed; from then on it is the
 * new one's. Not done: the debug trap that a TSS may ask for.
 */
#include "emulate/state.h"

#define CR0_PG   BIT(31)
#define CR0_TS   BIT(3)
#define TSS_CR3  0x1c
#define BUSY     BIT(1) /* of a TSS's type; 16 bits: 1, 3; 32: 9, 11 */
#define TYPE_32  BIT(3)
#define TYPE_TSS 1

/* Where a TSS has what; elements of size bytes. */
static const struct layout {
	uint8_t size, ip, flags, regs, segs, nr_segs, ldt, limit;
} layouts[] = {
	{2, 0x0e, 0x10, 0x12, 0x22, 4, 0x2a, 0x2b},
	{4, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 0x67},
};

static const struct layout *layout_of(const struct emu_segment *tss)
{
	return &layouts[!!(tss->attr & TYPE_32)];
}

struct task {
	const struct emu_task *why;
	struct emu_segment old, new;
	uint64_t old_descriptor, new_descriptor; /* of types: their addresses */
	/* The new one's. */
	uint64_t cr3, ip, flags, regs[8];
	uint16_t seg[6], ldt;
};

static uint64_t read(struct state *s, uint64_t addr, unsigned int size)
{
	uint64_t val = 0;

	if (!s->fault && !s->e->sys->table(s->e->ctx, addr, size, false, &val))
		s->fault = true;
	return val;
}

static void write(struct state *s, uint64_t addr, unsigned int size,
		  uint64_t val)
{
	if (!s->fault && !s->e->sys->table(s->e->ctx, addr, size, true, &val))
		s->fault = true;
}

/* It can be written: later nothing may fail. */
static void touch(struct state *s, uint64_t addr)
{
	write(s, addr, 1, read(s, addr, 1));
}

static void refuse(struct state *s, const struct task *t, unsigned int vector)
{
	emu_raise_error(s, vector, (t->why->sel & 0xfffcU) + t->why->external);
}

/* The new TSS: one that waits, for IRET one that is busy. */
static void find_new(struct state *s, struct task *t)
{
	unsigned int bad = t->why->how == EMU_TASK_IRET ? TS : GP, type;
	uint16_t sel = t->why->sel;
	struct emu_segment gdt;
	struct emu_found f;
	uint64_t raw[2];

	s->e->sys->get_seg(s->e->ctx, EMU_GDTR, &gdt);
	if (sel & 4 || !(sel & ~3U) || (sel | 7U) > gdt.limit) {
		refuse(s, t, bad);
		return;
	}
	if (!emu_descriptor(s, sel, &f, raw, false))
		return;
	t->new = f.g;
	t->new_descriptor = gdt.base + (sel & ~7U) + 5;
	type = f.g.attr & (EMU_SEG_S | 7);
	if (type != (bad == TS ? TYPE_TSS | BUSY : TYPE_TSS))
		refuse(s, t, bad);
	else if (!(f.g.attr & EMU_SEG_P))
		refuse(s, t, NP);
	else if (f.g.limit < layout_of(&f.g)->limit)
		refuse(s, t, TS);
}

static void find_old(struct state *s, struct task *t)
{
	struct emu_segment gdt;

	s->e->sys->get_seg(s->e->ctx, EMU_GDTR, &gdt);
	s->e->sys->get_seg(s->e->ctx, EMU_TR, &t->old);
	t->old_descriptor = gdt.base + (t->old.sel & ~7U) + 5;
}

static void read_new(struct state *s, struct task *t)
{
	const struct layout *l = layout_of(&t->new);
	uint64_t at = t->new.base;

	if (l->size == 4)
		t->cr3 = read(s, at + TSS_CR3, 4);
	t->ip = read(s, at + l->ip, l->size);
	t->flags = read(s, at + l->flags, l->size) | BIT(1);
	for (unsigned int n = 0; n < 8; n++)
		t->regs[n] = read(s, at + l->regs + n * l->size, l->size);
	for (unsigned int n = 0; n < l->nr_segs; n++)
		t->seg[n] = (uint16_t)read(s, at + l->segs + n * l->size, 2);
	t->ldt = (uint16_t)read(s, at + l->ldt, 2);
}

static bool leaves_for_good(const struct task *t)
{
	return t->why->how == EMU_TASK_JMP || t->why->how == EMU_TASK_IRET;
}

static bool is_nested(const struct task *t)
{
	return !leaves_for_good(t);
}

static void touch_all(struct state *s, const struct task *t)
{
	const struct layout *l = layout_of(&t->old);

	touch(s, t->old.base + l->ip);
	touch(s, t->old.base + l->segs + l->nr_segs * l->size - 1U);
	touch(s, t->new_descriptor);
	if (leaves_for_good(t))
		touch(s, t->old_descriptor);
	if (is_nested(t)) {
		touch(s, t->new.base);
		touch(s, t->new.base + 1);
	}
}

static void save_old(struct state *s, const struct task *t)
{
	const struct layout *l = layout_of(&t->old);
	uint64_t at = t->old.base, flags = s->e->rflags;
	struct emu_segment g;

	if (t->why->how == EMU_TASK_IRET)
		flags &= ~FLAG_NT;
	write(s, at + l->ip, l->size, t->why->next);
	write(s, at + l->flags, l->size, flags);
	for (unsigned int n = 0; n < 8; n++)
		write(s, at + l->regs + n * l->size, l->size, s->e->gpr[n]);
	for (unsigned int n = 0; n < l->nr_segs; n++) {
		s->e->sys->get_seg(s->e->ctx, n, &g);
		write(s, at + l->segs + n * l->size, 2, g.sel);
	}
}

static void set_busy(struct state *s, uint64_t descriptor, bool busy)
{
	uint64_t type = read(s, descriptor, 1) & ~BUSY;

	write(s, descriptor, 1, busy ? type | BUSY : type);
}

/* Selectors without descriptors yet: not usable, with the ring in CS and SS. */
static void put_selectors(struct state *s, const struct task *t)
{
	uint16_t dpl = (uint16_t)((t->seg[INSN_CS] & 3) << 5);
	struct emu_segment g;

	for (unsigned int n = 0; n < 6; n++) {
		g = (struct emu_segment){.sel = t->seg[n]};
		if (n == INSN_CS)
			s->e->sys->get_seg(s->e->ctx, n, &g);
		if (n == INSN_SS || n == INSN_CS)
			g.attr = (uint16_t)((g.attr & ~(3U << 5)) | dpl);
		g.sel = t->seg[n];
		s->e->sys->set_seg(s->e->ctx, n, &g);
	}
	g = (struct emu_segment){.sel = t->ldt};
	s->e->sys->set_seg(s->e->ctx, EMU_LDTR, &g);
}

static void put_registers(struct state *s, struct task *t)
{
	const struct layout *l = layout_of(&t->new);
	uint64_t cr0 = emu_cpu(s)->cr0;

	if (l->size == 4 && cr0 & CR0_PG)
		emu_note_result(s, s->e->sys->cr(s->e->ctx, 3, true, &t->cr3));
	cr0 |= CR0_TS;
	emu_note_result(s, s->e->sys->cr(s->e->ctx, 0, true, &cr0));
	t->new.attr |= BUSY;
	s->e->sys->set_seg(s->e->ctx, EMU_TR, &t->new);
	for (unsigned int n = 0; n < 8; n++)
		put_low(&s->e->gpr[n], l->size, t->regs[n]);
	if (is_nested(t))
		t->flags |= FLAG_NT;
	if (l->size == 2) /* the upper half stays, but for VM */
		t->flags |= s->e->rflags & ~0xffffUL & ~FLAG_VM;
	s->e->rflags = t->flags;
	s->next = t->ip;
}

static void commit(struct state *s, struct task *t)
{
	save_old(s, t);
	if (leaves_for_good(t))
		set_busy(s, t->old_descriptor, false);
	if (is_nested(t))
		write(s, t->new.base, 2, t->old.sel);
	if (t->why->how != EMU_TASK_IRET)
		set_busy(s, t->new_descriptor, true);
	put_registers(s, t);
	put_selectors(s, t);
	s->has_cpu = false;
}

static void load_ldt(struct state *s, const struct task *t)
{
	struct emu_found f;
	uint64_t raw[2];

	if (!(t->ldt & ~3U))
		return;
	if (t->ldt & 4) {
		emu_bad_selector(s, TS, t->ldt);
		return;
	}
	if (!emu_descriptor(s, t->ldt, &f, raw, false))
		return;
	if ((f.g.attr & (EMU_SEG_S | 15)) != 2 || !(f.g.attr & EMU_SEG_P))
		emu_bad_selector(s, TS, t->ldt);
	else
		s->e->sys->set_seg(s->e->ctx, EMU_LDTR, &f.g);
}

static void load_code(struct state *s, const struct task *t)
{
	uint16_t sel = t->seg[INSN_CS];
	unsigned int rpl = sel & 3;
	struct emu_found f;
	uint64_t raw[2];
	bool good;

	if (s->fault)
		return;
	if (!(sel & ~3U)) {
		emu_bad_selector(s, TS, sel);
		return;
	}
	if (!emu_descriptor(s, sel, &f, raw, false))
		return;
	good = (f.g.attr & (EMU_SEG_S | TYPE_CODE)) == (EMU_SEG_S | TYPE_CODE);
	good = good && (f.g.attr & TYPE_CONFORMING ? seg_dpl(&f.g) <= rpl
						   : seg_dpl(&f.g) == rpl);
	if (!good)
		emu_bad_selector(s, TS, sel);
	else if (!(f.g.attr & EMU_SEG_P))
		emu_bad_selector(s, NP, sel);
	emu_put_segment(s, INSN_CS, &f);
	if (!s->fault && t->ip > f.g.limit)
		emu_raise_error(s, GP, t->why->external);
}

/* SS first of all but CS; what is wrong with one leaves the rest unusable. */
static void load_data(struct state *s, const struct task *t)
{
	static const uint8_t order[] = {INSN_SS, INSN_ES, INSN_DS, INSN_FS,
					INSN_GS};
	unsigned int cpl = t->seg[INSN_CS] & 3;
	struct emu_found f;

	for (unsigned int n = 0; n < ARRAY_SIZE(order) && !s->fault; n++) {
		uint16_t sel = t->seg[order[n]];

		if (!(sel & ~3U) && order[n] == INSN_SS)
			emu_bad_selector(s, TS, sel);
		if (emu_find_data(s, order[n], sel, cpl, &f))
			emu_put_segment(s, order[n], &f);
	}
}

/* Of virtual-8086 mode: bases, 64 KiB, ring 3. */
static void load_v86(struct state *s, const struct task *t)
{
	for (unsigned int n = 0; n < 6; n++) {
		struct emu_segment g = {t->seg[n], 0xf3, 0xffff,
					(uint64_t)t->seg[n] << 4};

		s->e->sys->set_seg(s->e->ctx, n, &g);
	}
}

/* In the new task; exceptions of its selectors are #TS where else they would be
 * #GP. */
static void load_segments(struct state *s, const struct task *t)
{
	s->in_task = true;
	s->task_external = t->why->external;
	load_ldt(s, t);
	if (t->flags & FLAG_VM && !s->fault) {
		load_v86(s, t);
	} else {
		load_code(s, t);
		load_data(s, t);
	}
	s->in_task = false;
}

static void push_error(struct state *s, const struct task *t)
{
	uint64_t sp = s->e->gpr[RSP];

	if (!t->why->has_error || s->fault)
		return;
	s->size = layout_of(&t->new)->size;
	emu_push(s, &sp, t->why->error);
	emu_set_sp(s, sp);
}

bool emu_switch_task(struct state *s, const struct emu_task *why)
{
	struct task t = {.why = why};

	if (!s->e->sys->cr)
		return false;
	find_new(s, &t);
	find_old(s, &t);
	if (!s->fault)
		read_new(s, &t);
	touch_all(s, &t);
	if (s->fault)
		return true;
	commit(s, &t);
	load_segments(s, &t);
	push_error(s, &t);
	s->fault = false; /* what was raised is the new task's */
	return true;
}

enum emulate_result emulate_task(struct emulator *e, unsigned int mode,
				 const struct emu_task *why)
{
	const struct insn none = {
		.mode = (uint8_t)mode,
		.address_bytes = (uint8_t)(mode / 8),
		.seg = INSN_NO_SEG,
	};
	struct state s = {.e = e, .i = &none, .next = e->rip};

	if (!emu_switch_task(&s, why))
		return EMULATE_UNKNOWN;
	if (s.fault)
		return EMULATE_FAULT;
	e->rip = s.next;
	return EMULATE_DONE;
}
