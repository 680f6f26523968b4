/* SPDX-License-Identifier: MIT */
/*
 * Events into the guest. A posted interrupt is a virtual one (V_IRQ, AMD APM
 * Vol. 2, "Virtual Interrupts"): the processor delivers it as soon as the guest
 * can take it, without an exit, and clears V_IRQ. One that can be taken at once
 * goes in with the entry (EVENTINJ) where that is known to work, as exceptions
 * and NMIs do. An event whose delivery an exit interrupted (EXITINTINFO) is
 * given again.
 *
 * Two emulators, two faults: Bochs looks at a virtual interrupt only when IF
 * changes. TCG may deliver an injected interrupt twice, the second time
 * whatever IF is: its vector stays in the emulator's own list of what is to be
 * delivered, until the next exit or exception takes its place or somebody
 * interrupts the emulator. TCG is the one without NRIP save.
 */
#include "hvm/svm/svm.h"

#include "cpu/traps.h"

void svm_end_shadow(struct vcpu *v)
{
	svm_vcpu(v)->vmcb->int_state &= ~INT_SHADOW;
}

static bool goes_with_entry(const struct vcpu *v, const struct svm_vcpu *s)
{
	return svm_has(SVM_FEATURE_NRIP) && (v->regs.rflags & X86_EFLAGS_IF) &&
	       !(s->vmcb->int_state & INT_SHADOW) &&
	       !(s->eventinj & EVENT_VALID);
}

void svm_post_irq(struct vcpu *v, int vector)
{
	struct svm_vcpu *s = svm_vcpu(v);
	struct vmcb *vmcb = s->vmcb;
	uint32_t ctl = vmcb->int_ctl & ~(uint32_t)(V_IRQ | V_PRIO | V_IGN_TPR);

	if (vector >= 0 && goes_with_entry(v, s)) {
		s->eventinj = (uint64_t)vector | EVENT_INTR | EVENT_VALID;
		vector = -1;
	}
	if (vector >= 0) {
		ctl |= V_IRQ | V_IGN_TPR;
		ctl |= (uint32_t)(vector >> 4) << V_PRIO_SHIFT;
		vmcb_set_int_vector(vmcb, vector);
	}
	vmcb_set_int_ctl(vmcb, ctl);
	if (!svm_has(SVM_FEATURE_NRIP))
		svm_watch_tpr(v, hvm_vcpu(v)->tpr_watched);
}

__attribute__((section(".text.hot"))) int svm_posted_irq(struct vcpu *v)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	return vmcb->int_ctl & V_IRQ ? (int)(vmcb->int_vector & 0xff) : -1;
}

/*
 * The processor could weigh V_TPR against the interrupt itself; but TCG forgets
 * an interrupt that it holds back, which then looks taken; and it ends itself
 * (tcg_handle_interrupt, an assertion) when CR8 is written without an exit
 * while one waits, whatever its priority.
 */
void svm_watch_tpr(struct vcpu *v, bool on)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	on |= !svm_has(SVM_FEATURE_NRIP) && vmcb->int_ctl & V_IRQ;
	vmcb_set_cr_write(vmcb, CR_WRITES | (on ? 1U << 8 : 0));
}

void svm_inject_exception(struct vcpu *v, uint8_t vector, bool has_error,
			  uint32_t error)
{
	struct svm_vcpu *s = svm_vcpu(v);
	uint64_t e = vector | EVENT_EXCEPTION | EVENT_VALID;

	if ((s->eventinj & EVENT_VALID) &&
	    (s->eventinj & EVENT_TYPE) == EVENT_EXCEPTION &&
	    hvm_makes_double_fault(s->eventinj & EVENT_VECTOR, vector)) {
		s->eventinj = TRAP_DF | EVENT_EXCEPTION | EVENT_ERROR |
			      EVENT_VALID;
		return;
	}
	if (has_error)
		e |= EVENT_ERROR | (uint64_t)error << 32;
	s->eventinj = e;
}

static void intercept_iret(struct svm_vcpu *s, bool on)
{
	uint32_t i1 = s->vmcb->intercept1 & ~(uint32_t)INTERCEPT_IRET;

	vmcb_set_intercept1(s->vmcb, on ? i1 | INTERCEPT_IRET : i1);
}

void svm_forget_events(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	s->eventinj = 0;
	s->in_nmi = s->at_iret = s->stepping = false;
	intercept_iret(s, false);
	svm_end_shadow(v);
}

/*
 * The processor does not keep a second NMI from a guest that handles one: until
 * the handler's IRET it waits. That exits before it is done, so it is stepped
 * over if one waits. (AMD APM Vol. 2, "NMI Support")
 */
bool svm_inject_nmi(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	if ((s->eventinj & EVENT_VALID) || (s->in_nmi && !s->at_iret))
		return false;
	if (s->in_nmi && v->regs.rip == s->iret_rip) {
		s->stepping = true;
		v->regs.rflags |= X86_EFLAGS_TF;
		return false;
	}
	s->eventinj = TRAP_NMI | EVENT_NMI | EVENT_VALID;
	s->in_nmi = true;
	s->at_iret = s->stepping = false;
	intercept_iret(s, true);
	return true;
}

/* An IRET is about to be executed. */
void svm_nmi_iret(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	s->at_iret = true;
	s->iret_rip = v->regs.rip;
	intercept_iret(s, false);
}

/* #DB: was it our own step? The flags are what IRET made them. */
bool svm_nmi_stepped(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	if (!s->stepping)
		return false;
	s->in_nmi = s->at_iret = s->stepping = false;
	vmcb_set_dr6(s->vmcb, s->vmcb->dr6 & ~DR6_BS);
	return true;
}

/*
 * The last exit came while an event was being delivered. Software interrupts
 * and traps are not repeated: RIP is still at their instruction, which will be
 * executed again.
 */
void svm_reinject(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);
	struct vmcb *vmcb = s->vmcb;
	uint64_t e = vmcb->exitintinfo;
	uint8_t vector = e & EVENT_VECTOR;

	switch (e & EVENT_TYPE) {
	case EVENT_SOFT:
		return;
	case EVENT_EXCEPTION:
		if (vector == 3 || vector == 4)
			return;
		break;
	case EVENT_INTR:
		/* Was it the posted one, and it has not gone: it waits. */
		if ((vmcb->int_ctl & V_IRQ) &&
		    (vmcb->int_vector & 0xff) == vector)
			return;
		break;
	}
	s->eventinj = e;
}
