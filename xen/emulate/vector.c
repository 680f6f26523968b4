/* SPDX-License-Identifier: MIT */
/*
 * Moves between vector registers and memory, SSE's and AVX's (AMD APM Vol. 4):
 * what copies to and from device memory with wide registers is made of. That a
 * guest may use the registers at all, the processor has checked before it came
 * to the memory.
 */
#include "emulate/state.h"

/* By what the mandatory prefix is: none, 66, f3, f2. */
enum { NONE, P66, PF3, PF2 };
#define P(pp) (1U << (pp))

enum part {
	WHOLE,  /* 16 bytes; 32 with VEX.L */
	SCALAR, /* the rest of the register is cleared by a load */
	LOW,    /* half of 16 bytes: the other half stays */
	HIGH,
};

struct form {
	uint8_t map, opcode, prefixes, bytes;
	bool store;
	enum part part;
};

static const struct form forms[] = {
	{MAP_0F, 0x10, P(NONE) | P(P66), 16, false, WHOLE}, /* MOVUPS, MOVUPD */
	{MAP_0F, 0x11, P(NONE) | P(P66), 16, true, WHOLE},
	{MAP_0F, 0x10, P(PF3), 4, false, SCALAR}, /* MOVSS */
	{MAP_0F, 0x11, P(PF3), 4, true, SCALAR},
	{MAP_0F, 0x10, P(PF2), 8, false, SCALAR}, /* MOVSD */
	{MAP_0F, 0x11, P(PF2), 8, true, SCALAR},
	{MAP_0F, 0x12, P(NONE) | P(P66), 8, false, LOW}, /* MOVLPS, MOVLPD */
	{MAP_0F, 0x13, P(NONE) | P(P66), 8, true, LOW},
	{MAP_0F, 0x16, P(NONE) | P(P66), 8, false, HIGH}, /* MOVHPS, MOVHPD */
	{MAP_0F, 0x17, P(NONE) | P(P66), 8, true, HIGH},
	{MAP_0F, 0x28, P(NONE) | P(P66), 16, false, WHOLE}, /* MOVAPS, MOVAPD */
	{MAP_0F, 0x29, P(NONE) | P(P66), 16, true, WHOLE},
	{MAP_0F, 0x2b, P(NONE) | P(P66), 16, true, WHOLE}, /* MOVNTPS … */
	{MAP_0F, 0x6e, P(P66), 4, false, SCALAR}, /* MOVD; MOVQ with REX.W */
	{MAP_0F, 0x7e, P(P66), 4, true, SCALAR},
	{MAP_0F, 0x7e, P(PF3), 8, false, SCALAR}, /* MOVQ */
	{MAP_0F, 0xd6, P(P66), 8, true, SCALAR},
	{MAP_0F, 0x6f, P(P66) | P(PF3), 16, false, WHOLE}, /* MOVDQA, MOVDQU */
	{MAP_0F, 0x7f, P(P66) | P(PF3), 16, true, WHOLE},
	{MAP_0F, 0xe7, P(P66), 16, true, WHOLE},    /* MOVNTDQ */
	{MAP_0F, 0xf0, P(PF2), 16, false, WHOLE},   /* LDDQU */
	{MAP_0F38, 0x2a, P(P66), 16, false, WHOLE}, /* MOVNTDQA */
};

static const struct form *find_form(const struct insn *i)
{
	for (unsigned int n = 0; n < ARRAY_SIZE(forms); n++)
		if (forms[n].map == i->map && forms[n].opcode == i->opcode &&
		    forms[n].prefixes & P(i->pp))
			return &forms[n];
	return NULL;
}

static unsigned int form_bytes(const struct form *f, const struct insn *i)
{
	if (f->part == WHOLE && i->vex_l)
		return 32;
	if (f->bytes == 4 && f->opcode != 0x10 && f->opcode != 0x11 &&
	    i->rex & 8)
		return 8;
	return f->bytes;
}

static void load_vector(struct state *s, const struct form *f, unsigned int n)
{
	struct emulator *e = s->e;
	uint64_t m[4] = {0}, old[4] = {0};

	for (unsigned int at = 0; at < n; at += 8)
		m[at / 8] = emu_load(s, s->seg, s->off + at, n < 8 ? n : 8);
	if (s->fault)
		return;
	/* SSE leaves the upper half of the YMM register as it is. */
	e->vector(e->ctx, s->i->reg, old, false);
	if (!s->i->vex) {
		m[2] = old[2];
		m[3] = old[3];
	} else if (f->part >= LOW) {
		e->vector(e->ctx, s->i->vvvv, old, false);
	}
	if (f->part == LOW) {
		m[1] = old[1];
	} else if (f->part == HIGH) {
		m[1] = m[0];
		m[0] = old[0];
	}
	e->vector(e->ctx, s->i->reg, m, true);
}

static void store_vector(struct state *s, const struct form *f, unsigned int n)
{
	struct emulator *e = s->e;
	uint64_t m[4] = {0};

	e->vector(e->ctx, s->i->reg, m, false);
	if (f->part == HIGH)
		m[0] = m[1];
	for (unsigned int at = 0; at < n; at += 8)
		emu_store(s, s->seg, s->off + at, n < 8 ? n : 8, m[at / 8]);
}

bool emu_vector(struct state *s)
{
	const struct form *f = find_form(s->i);

	if (!f || !s->e->vector || s->i->mod == 3 || s->i->vex_l > 1)
		return false;
	if (f->store)
		store_vector(s, f, form_bytes(f, s->i));
	else
		load_vector(s, f, form_bytes(f, s->i));
	return true;
}
