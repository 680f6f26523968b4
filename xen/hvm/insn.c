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

static void shadow(void *ctx)
{
	hvm_vcpu(ctx)->shadow = true;
}

/* As if the instruction had exited. */
static enum emulate_result answer(struct vcpu *v, const struct vmexit *x)
{
	switch (hvm_exit(v, x)) {
	case VERDICT_SKIP:
		return EMULATE_DONE;
	case VERDICT_RESUME:
		return EMULATE_FAULT;
	default:
		return EMULATE_UNKNOWN;
	}
}

static enum emulate_result special(void *ctx, enum emu_special what)
{
	static const uint8_t kinds[] = {
		[EMU_CPUID] = VMEXIT_CPUID, [EMU_RDMSR] = VMEXIT_RDMSR,
		[EMU_WRMSR] = VMEXIT_WRMSR, [EMU_RDTSC] = VMEXIT_RDTSC,
		[EMU_CACHE] = VMEXIT_INVD,  [EMU_INVLPG] = VMEXIT_INVLPG,
	};
	struct vmexit x = {0};

	if (what == EMU_HLT) {
		hvm_vcpu(ctx)->halted = true;
		return EMULATE_DONE;
	}
	if (what == EMU_INVLPG)
		hvm_ops->flush(ctx);
	x.kind = (enum vmexit_kind)kinds[what];
	return answer(ctx, &x);
}

static enum emulate_result control(void *ctx, unsigned int cr, bool write,
				   uint64_t *val)
{
	struct vmexit x = {.kind = VMEXIT_CR_WRITE};

	if (!write) {
		*val = hvm_get_cr(ctx, cr);
		return EMULATE_DONE;
	}
	x.cr.cr = (uint8_t)cr;
	x.cr.value = *val;
	return answer(ctx, &x);
}

static enum emulate_result port(void *ctx, const struct emu_io *io)
{
	struct vmexit x = {.kind = VMEXIT_IO};

	x.io.port = io->port;
	x.io.size = io->size;
	x.io.in = io->in;
	x.io.string = io->string;
	x.io.rep = io->rep;
	return hvm_port_insn(ctx, &x) == VERDICT_SKIP ? EMULATE_DONE
						      : EMULATE_FAULT;
}

static enum emulate_result fpu(void *ctx, enum emu_fpu op, uint16_t *val)
{
	(void)ctx; /* it is on this CPU, and its FPU with it */
	fpu_x87((enum fpu_op)op, val);
	return EMULATE_DONE;
}

static struct emulator emulator(struct vcpu *v)
{
	static const struct emu_system sys = {
		.cpu = cpu,
		.get_seg = get_seg,
		.set_seg = set_seg,
		.table = table,
		.raise = raise,
		.shadow = shadow,
		.cr = control,
		.special = special,
		.io = port,
		.fpu = fpu,
	};

	return (struct emulator){
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
}

/* Only what is done moves the vCPU on. */
static enum emulate_result ended(struct vcpu *v, const struct emulator *e,
				 enum emulate_result r)
{
	if (r == EMULATE_DONE) {
		v->regs.rip = e->rip;
		v->regs.rflags = e->rflags;
	}
	return r;
}

enum emulate_result hvm_emulate(struct vcpu *v, const struct insn *i)
{
	struct emulator e = emulator(v);

	return ended(v, &e, emulate(&e, i));
}

enum emulate_result hvm_emulate_event(struct vcpu *v,
				      const struct emu_event *event)
{
	struct emulator e = emulator(v);

	return ended(v, &e, emulate_event(&e, hvm_ops->code_bits(v), event));
}

enum emulate_result hvm_emulate_task(struct vcpu *v,
				     const struct emu_task *task)
{
	struct emulator e = emulator(v);

	return ended(v, &e, emulate_task(&e, hvm_ops->code_bits(v), task));
}

uint64_t hvm_linear_rip(struct vcpu *v, unsigned int mode)
{
	if (mode == 64)
		return v->regs.rip;
	return (uint32_t)(seg_base(v, SEG_CS) + v->regs.rip);
}

bool hvm_decode(struct vcpu *v, struct insn *i, uint8_t *bytes)
{
	unsigned int mode = hvm_ops->code_bits(v), n;

	n = hvm_fetch(v, hvm_linear_rip(v, mode), bytes, INSN_MAX);
	return insn_decode(i, bytes, n, mode);
}
