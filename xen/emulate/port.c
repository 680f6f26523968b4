/* SPDX-License-Identifier: MIT */
/*
 * IN, OUT, INS, OUTS: whether they may (Intel SDM Vol. 1, "I/O-Sensitive
 * Instructions", "I/O Permission Bit Map"); what they do, who has the ports
 * knows.
 */
#include "emulate/state.h"

#define TSS_BITMAP 102

/* The bitmap's bits of ports [port, port + size): all clear. */
static bool bitmap_allows(struct state *s, uint16_t port, unsigned int size)
{
	struct emu_segment tr;
	uint64_t at = 0, bits = 0;

	s->e->sys->get_seg(s->e->ctx, EMU_TR, &tr);
	if (!(tr.attr & EMU_SEG_P) || (tr.attr & 15) < 9 ||
	    tr.limit < TSS_BITMAP + 1)
		return false;
	if (!s->e->sys->table(s->e->ctx, tr.base + TSS_BITMAP, 2, false, &at)) {
		s->fault = true;
		return false;
	}
	at += port / 8;
	if (at + 1 > tr.limit) /* two bytes are read, always */
		return false;
	if (!s->e->sys->table(s->e->ctx, tr.base + at, 2, false, &bits)) {
		s->fault = true;
		return false;
	}
	return !(bits >> port % 8 & (BIT(size) - 1));
}

static bool may(struct state *s, uint16_t port, unsigned int size)
{
	unsigned int iopl = (s->e->rflags & FLAG_IOPL) >> 12;

	if (s->e->rflags & FLAG_VM ||
	    (emu_protected(s) && emu_cpu(s)->cpl > iopl))
		return bitmap_allows(s, port, size);
	return true;
}

static bool is_port(uint8_t op)
{
	return (op & 0xfc) == 0x6c || (op & 0xfc) == 0xe4 ||
	       (op & 0xfc) == 0xec;
}

bool emu_port(struct state *s)
{
	uint8_t op = s->i->opcode;
	struct emu_io io = {
		.port = (uint16_t)s->e->gpr[RDX],
		.in = !(op & 2),
		.string = (op & 0xfc) == 0x6c,
	};

	if (!s->e->sys || !s->e->sys->io || s->i->map != MAP_ONE ||
	    !is_port(op))
		return false;
	if ((op & 0xfc) == 0xe4)
		io.port = s->i->imm & 0xff;
	io.rep = io.string && (s->i->rep || s->i->repne);
	io.size = (uint8_t)(op & 1 ? min(s->i->operand_bytes, 4) : 1);
	if (may(s, io.port, io.size))
		emu_note_result(s, s->e->sys->io(s->e->ctx, &io));
	else
		emu_raise_error(s, GP, 0);
	return true;
}
