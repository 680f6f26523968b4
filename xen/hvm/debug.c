/* SPDX-License-Identifier: MIT */
/*
 * What a debugger in dom0 sees of a guest (XEN_DOMCTL_setdebugging, debug_op):
 * its breakpoints (INT3) and single steps stop the domain.
 *
 * A step is RFLAGS.TF, whose #DB exits after the instruction, on both vendors
 * alike. (VT-x's monitor trap flag would hide it from the guest; but where
 * Bochs 2.7 offers that control it takes no notice of it, so nobody could see
 * it work.) An interrupt that comes in between is handled at full speed: the
 * step ends when its handler has returned. The guest may find TF in the flags
 * that it saves.
 */
#include "hvm/debug.h"

#include "cpu/traps.h"

bool hvm_single_step(struct vcpu *v, bool on)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	if (on && !hv->stepping) {
		hv->own_tf = v->regs.rflags & X86_EFLAGS_TF;
		v->regs.rflags |= X86_EFLAGS_TF;
		hvm_ops->end_shadow(v);
	} else if (!on && hv->stepping && !hv->own_tf) {
		v->regs.rflags &= ~(uint64_t)X86_EFLAGS_TF;
	}
	hv->stepping = on;
	return true;
}

uint64_t hvm_own_rflags(const struct vcpu *v)
{
	const struct hvm_vcpu *hv = hvm_vcpu(v);
	uint64_t hidden = hv->stepping && !hv->own_tf ? X86_EFLAGS_TF : 0;

	return v->regs.rflags & ~hidden;
}

void hvm_debug(struct domain *d, bool on)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		hvm_ops->intercept_int3(v, on);
}

void hvm_trap_step(struct vcpu *v)
{
	struct domain *d = v->domain;

	if (!hvm_vcpu(v)->stepping) {
		hvm_ops->inject_exception(v, TRAP_DB, false, 0);
		return;
	}
	/* The instruction may have loaded the flags. */
	v->regs.rflags |= X86_EFLAGS_TF;
	if (READ_ONCE(d->debugged))
		domain_stop_for_debugger(d);
}

/* #DB. Breakpoints in the debug registers are the guest's own. */
static bool take_step(struct vcpu *v, const struct vmexit *x)
{
	if (!hvm_vcpu(v)->stepping || !(x->exc.cause & DR6_BS))
		return false;
	hvm_trap_step(v);
	return !(x->exc.cause & GENMASK(3, 0));
}

/* INT3, which exits before it is done: it is one byte. */
static bool take_breakpoint(struct vcpu *v)
{
	struct domain *d = v->domain;

	v->regs.rip++;
	if (!READ_ONCE(d->debugged))
		return false;
	v->debug_event = TRAP_BP;
	domain_stop_for_debugger(d);
	return true;
}

bool hvm_debug_exception(struct vcpu *v, const struct vmexit *x)
{
	if (x->exc.vector == TRAP_DB)
		return take_step(v, x);
	return x->exc.vector == TRAP_BP && take_breakpoint(v);
}
