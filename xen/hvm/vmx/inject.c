/* SPDX-License-Identifier: MIT */
/*
 * Events into the guest (Intel SDM Vol. 3, "Event Injection"). A posted
 * interrupt goes in with the next entry if the guest can take it; otherwise the
 * interrupt window exits as soon as it can. Exceptions go in with the next
 * entry, NMIs when none is being handled. An event whose delivery an exit
 * interrupted (IDT-vectoring information) is given again.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/traps.h"

#define HOT __attribute__((section(".text.hot")))

void vmx_set_proc(struct vmx_vcpu *s, uint32_t proc)
{
	if (s->proc == proc)
		return;
	s->proc = proc;
	vmcs_set_proc_controls(proc);
}

void vmx_end_shadow(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	vmcs_set_guest_blocking(vmcs_get_guest_blocking() &
				~(uint32_t)(BLOCKING_STI | BLOCKING_MOVSS));
	vmx_release(s, held);
}

void vmx_forget_events(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	s->event = 0;
	s->nmi_waits = false;
	s->debug_cause = 0;
	vmcs_set_guest_blocking(0);
	vmcs_set_guest_pending_debug(0);
	vmx_release(s, held);
}

void vmx_post_irq(struct vcpu *v, int vector)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	s->posted = vector;
	s->deliver = true;
}

HOT int vmx_posted_irq(struct vcpu *v)
{
	return vmx_vcpu(v)->posted;
}

/* While something waits in IRR, a TPR that goes down exits. */
void vmx_watch_tpr(struct vcpu *v, bool on)
{
	vmx_vcpu(v)->tpr_watched = on;
	vmx_vcpu(v)->deliver = true; /* which sets the threshold */
}

/* "TPR Virtualization": the exit comes when the class falls below this. */
void vmx_set_threshold(struct vmx_vcpu *s)
{
	uint8_t class = s->tpr_watched ? (uint8_t)(s->vapic[0x80 / 4] >> 4) : 0;

	if (likely(class == s->threshold))
		return;
	s->threshold = class;
	vmcs_set_tpr_threshold(class & 15U);
}

/* What the entry brings: an event that must go, else an NMI, else a posted
 * interrupt, as far as the guest can take them. */
static uint32_t choose_event(const struct vcpu *v, struct vmx_vcpu *s)
{
	uint32_t blocking = vmcs_get_guest_blocking();
	uint32_t event = s->event;

	if (event) {
		/* The one that was being delivered had blocked the next. */
		if ((event & EVENT_TYPE) == EVENT_NMI &&
		    (blocking & BLOCKING_NMI))
			vmcs_set_guest_blocking(blocking &
						~(uint32_t)BLOCKING_NMI);
		return event;
	}
	if (s->nmi_waits &&
	    !(blocking & (BLOCKING_STI | BLOCKING_MOVSS | BLOCKING_NMI))) {
		s->nmi_waits = false;
		return TRAP_NMI | EVENT_NMI | EVENT_VALID;
	}
	if (s->posted >= 0 && (v->regs.rflags & X86_EFLAGS_IF) &&
	    !(blocking & (BLOCKING_STI | BLOCKING_MOVSS))) {
		event = (uint32_t)s->posted | EVENT_INTR | EVENT_VALID;
		s->posted = -1;
	}
	return event;
}

/* The same for a guest that is not entered. (An NMI is not held back by
 * another one that is being handled, as no IRET exits.) */
uint32_t vmx_take_event(struct vcpu *v, uint32_t *error)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	uint32_t event = choose_event(v, s);

	vmx_set_threshold(s);
	*error = s->event_error;
	s->event = 0;
	return event;
}

HOT void vmx_deliver(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	uint32_t event = choose_event(v, s), windows;

	vmx_set_threshold(s);
	windows = (s->posted >= 0 ? PROC_INTR_WINDOW : 0) |
		  (s->nmi_waits ? PROC_NMI_WINDOW : 0);
	vmx_set_proc(
		s, (s->proc & ~(uint32_t)(PROC_INTR_WINDOW | PROC_NMI_WINDOW)) |
			   windows);
	s->deliver = windows;
	if (!event)
		return;
	vmcs_set_entry_event(event);
	if (event & EVENT_ERROR)
		vmcs_set_entry_error(s->event_error);
	s->event = 0;
}

void vmx_inject_exception(struct vcpu *v, uint8_t vector, bool has_error,
			  uint32_t error)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	if ((s->event & EVENT_VALID) &&
	    (s->event & EVENT_TYPE) == EVENT_EXCEPTION &&
	    hvm_makes_double_fault(s->event & EVENT_VECTOR, vector)) {
		vector = TRAP_DF;
		has_error = true;
		error = 0;
	}
	/* The processor would have told in DR6; a single step is all that we
	 * raise ourselves. */
	if (vector == TRAP_DB) {
		vmx_load_debug_registers(s);
		s->dr6 |= s->debug_cause ? s->debug_cause : DR6_BS;
		s->debug_cause = 0;
		__asm__ volatile("mov %0, %%db6" : : "r"(s->dr6));
	}
	/* In real mode there are no error codes. */
	if (!(s->cr0 & X86_CR0_PE))
		has_error = false;
	s->event = vector | EVENT_EXCEPTION | EVENT_VALID |
		   (has_error ? EVENT_ERROR : 0);
	s->event_error = error;
	s->deliver = true;
}

/* One that waits stands for all that come meanwhile. */
bool vmx_inject_nmi(struct vcpu *v)
{
	vmx_vcpu(v)->nmi_waits = true;
	vmx_vcpu(v)->deliver = true;
	return true;
}

/*
 * The last exit came while an event was being delivered. Software interrupts
 * and exceptions are not repeated: RIP is still at their instruction, which
 * will be executed again.
 */
void vmx_reinject(struct vcpu *v, uint32_t vectoring)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	switch (vectoring & EVENT_TYPE) {
	case EVENT_SOFT_INTR:
	case EVENT_PRIV_SOFT:
	case EVENT_SOFT:
		return;
	}
	s->event = vectoring &
		   (EVENT_VECTOR | EVENT_TYPE | EVENT_ERROR | EVENT_VALID);
	s->deliver = true;
	/* Real mode delivers none, and an entry that asks for it is refused
	 * (SDM 3, "VM-Entry Control Fields", checks of event injection). */
	if (!(s->cr0 & X86_CR0_PE))
		s->event &= ~EVENT_ERROR;
	if (s->event & EVENT_ERROR)
		s->event_error = vmcs_get_idt_vectoring_error();
}
