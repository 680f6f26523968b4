/* SPDX-License-Identifier: MIT */
/*
 * A guest in a state that its processor cannot be entered in (VMEXIT_EMULATE):
 * an event that is due goes in by hand, then instructions are executed here,
 * one after the other, until real mode ends, something waits for the vCPU, or
 * it has had its share. In protected mode one at a time: the vendor is asked
 * after each whether it can go on.
 */
#include "hvm/portio.h"

#include "console/printk.h"
#include "cpu/softirq.h"
#include "cpu/traps.h"
#include "hvm/debug.h"
#include "hvm/dm.h"
#include "hvm/guest_walk.h"

/* Between two looks for interrupts and softirqs. */
#define SHARE 200

/*
 * An event's delivery raised an exception, which waits now. In real mode that
 * shuts the processor down; else the two may make a double fault, and what
 * comes in a double fault's delivery ends it all. (Raised are mostly #GP, #TS,
 * #NP and #SS, which are alike in this.)
 */
static void second_fault(struct vcpu *v, uint8_t first)
{
	static const struct vmexit shutdown = {.kind = VMEXIT_SHUTDOWN};

	if (!(hvm_ops->get_creg(v, CR0) & X86_CR0_PE) || first == TRAP_DF)
		hvm_exit(v, &shutdown);
	else if (hvm_makes_double_fault(first, TRAP_GP))
		hvm_ops->inject_exception(v, TRAP_DF, true, 0);
}

static bool deliver(struct vcpu *v, const struct vmexit *x)
{
	const struct emu_event event = {
		.vector = x->event.vector,
		.has_error = x->event.has_error,
		.error = x->event.error,
	};

	switch (hvm_emulate_event(v, &event)) {
	case EMULATE_DONE:
		return true;
	case EMULATE_FAULT:
		second_fault(v, event.vector);
		return false;
	default:
		domain_crash(v->domain,
			     "v%u: cannot emulate the delivery of %u at %#lx",
			     v->id, event.vector, v->regs.rip);
		return false;
	}
}

/* False: its page fault is on its way, or RIP is beyond its segment. */
static bool can_fetch(struct vcpu *v, unsigned int mode)
{
	struct hvm_segment cs;
	gpa_t gpa;

	hvm_ops->get_seg(v, SEG_CS, &cs);
	if (mode != 64 && v->regs.rip > cs.limit) {
		hvm_inject_gp(v);
		return false;
	}
	return hvm_translate(v, hvm_linear_rip(v, mode), WALK_FETCH, &gpa);
}

static void unknown(struct vcpu *v, const uint8_t *bytes)
{
	domain_crash(v->domain,
		     "v%u: cannot emulate the instruction at %#lx (bytes: "
		     "%02x %02x %02x %02x %02x %02x %02x %02x)",
		     v->id, hvm_linear_rip(v, hvm_ops->code_bits(v)), bytes[0],
		     bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6],
		     bytes[7]);
	hvm_ops->dump(v);
}

/* False: it is not over, or an exception came of it. */
static bool execute(struct vcpu *v)
{
	bool steps = v->regs.rflags & X86_EFLAGS_TF;
	uint8_t bytes[INSN_MAX] = {0};
	struct insn insn;

	if (!can_fetch(v, hvm_ops->code_bits(v)))
		return false;
	if (!hvm_decode(v, &insn, bytes)) {
		hvm_inject_ud(v);
		return false;
	}
	switch (hvm_emulate(v, &insn)) {
	case EMULATE_DONE:
		if (steps)
			hvm_trap_step(v);
		return !steps;
	case EMULATE_AGAIN:
		return true;
	case EMULATE_UNKNOWN:
		unknown(v, bytes);
		return false;
	default:
		return false;
	}
}

/* With interrupts off for good, it is as good as down (exit.c). */
static void halt(struct vcpu *v, struct hvm_vcpu *hv)
{
	hv->halted = false;
	if (v->regs.rflags & X86_EFLAGS_IF)
		vcpu_block(v);
	else
		vcpu_down(v);
}

static bool goes_on(struct vcpu *v, const struct hvm_vcpu *hv)
{
	bool irq = hv->upcall || hv->irq_check || hv->posted >= 0;

	if (hv->io.pending || v->unit.state != SCHED_RUNNING)
		return false;
	if (hvm_ops->get_creg(v, CR0) & X86_CR0_PE)
		return false;
	/* After STI and MOV SS comes one more before any interrupt. */
	return hv->shadow || !(softirq_is_pending() || hv->nmi_pending ||
			       (irq && v->regs.rflags & X86_EFLAGS_IF));
}

enum verdict hvm_interpret(struct vcpu *v, const struct vmexit *x)
{
	/* What comes again has its event behind it. */
	static const struct vmexit again = {.kind = VMEXIT_EMULATE};
	struct hvm_vcpu *hv = hvm_vcpu(v);
	bool more = true, shadow = false;

	if (x->event.valid && !deliver(v, x))
		return VERDICT_RESUME;
	hvm_ops->end_shadow(v);
	for (unsigned int n = 0; more && (n < SHARE || shadow); n++) {
		hv->shadow = false;
		more = execute(v);
		hv->shadow &= !shadow; /* the second of two does not hold */
		shadow = hv->shadow;
		hvm_io_end(v, &again);
		if (hv->halted)
			halt(v, hv);
		more = more && goes_on(v, hv);
	}
	hv->shadow = false;
	return VERDICT_RESUME;
}
