/* SPDX-License-Identifier: MIT */
/*
 * The instruction at a vCPU's RIP, decoded and executed here: what the emulator
 * (emulate/) asks of memory, segments and registers.
 */
#include "hvm/portio.h"

#include "cpu/fpu.h"
#include "emulate/emulate.h"
#include "hvm/dm.h"
#include "hvm/guest_walk.h"

#include <assert.h>

static bool read_memory(void *ctx, uint64_t va, unsigned int size,
			uint64_t *val)
{
	*val = 0;
	return hvm_access_memory(ctx, va, size, false, val);
}

static bool write_memory(void *ctx, uint64_t va, unsigned int size,
			 uint64_t val)
{
	return hvm_access_memory(ctx, va, size, true, &val);
}

static void step(void *ctx)
{
	hvm_io_step(ctx);
}

static void vector(void *ctx, unsigned int reg, uint64_t v[4], bool write)
{
	fpu_vector(hvm_vcpu(ctx)->fpu, reg, v, write);
}

/* INSN_ES … and EMU_TR … are in the order of SEG_ES … */
static void get_seg(void *ctx, unsigned int seg, struct emu_segment *g)
{
	struct hvm_segment h;

	static_assert(INSN_GS == (int)SEG_GS && EMU_TR == (int)SEG_TR &&
			      EMU_LDTR == (int)SEG_LDTR &&
			      EMU_GDTR == (int)SEG_GDTR,
		      "one order");
	hvm_ops->get_seg(ctx, (enum hvm_seg)seg, &h);
	*g = (struct emu_segment){h.sel, h.attr, h.limit, h.base};
}

static void set_seg(void *ctx, unsigned int seg, const struct emu_segment *g)
{
	struct hvm_segment h = {g->sel, g->attr, g->limit, g->base};

	hvm_ops->set_seg(ctx, (enum hvm_seg)seg, &h);
}

static uint64_t seg_base(void *ctx, unsigned int seg)
{
	struct emu_segment g;

	get_seg(ctx, seg, &g);
	return g.base;
}

static void cpu(void *ctx, struct emu_cpu *c)
{
	c->cr0 = hvm_ops->get_creg(ctx, CR0);
	c->efer = hvm_ops->get_creg(ctx, EFER);
	c->cpl = hvm_ops->cpl(ctx);
}

static bool table(void *ctx, uint64_t va, unsigned int size, bool write,
		  uint64_t *val)
{
	return hvm_access_table(ctx, va, size, write, val);
}

static void raise(void *ctx, unsigned int vec, bool has_error, uint32_t error)
{
	hvm_ops->inject_exception(ctx, (uint8_t)vec, has_error, error);
}

enum emulate_result hvm_emulate(struct vcpu *v, const struct insn *i)
{
	static const struct emu_system sys = {
		.cpu = cpu,
		.get_seg = get_seg,
		.set_seg = set_seg,
		.table = table,
		.raise = raise,
	};
	struct emulator e = {
		.gpr = &v->regs.rax,
		.rip = v->regs.rip,
		.rflags = v->regs.rflags,
		.seg_base = seg_base,
		.read = read_memory,
		.write = write_memory,
		.vector = vector,
		.step = step,
		.sys = &sys,
		.ctx = v,
	};
	enum emulate_result r = emulate(&e, i);

	if (r == EMULATE_DONE) {
		v->regs.rip = e.rip;
		v->regs.rflags = e.rflags;
	}
	return r;
}

static uint64_t linear_rip(struct vcpu *v, unsigned int mode)
{
	if (mode == 64)
		return v->regs.rip;
	return (uint32_t)(seg_base(v, SEG_CS) + v->regs.rip);
}

bool hvm_decode(struct vcpu *v, struct insn *i, uint8_t *bytes)
{
	unsigned int mode = hvm_ops->code_bits(v), n;

	n = hvm_fetch(v, linear_rip(v, mode), bytes, INSN_MAX);
	return insn_decode(i, bytes, n, mode);
}
