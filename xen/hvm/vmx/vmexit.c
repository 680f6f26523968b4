/* SPDX-License-Identifier: MIT */
/*
 * The hardware's account of an exit, in the words of struct vmexit (Intel SDM
 * Vol. 3, "VM Exits", "Basic VM-Exit Information").
 */
#include "console/printk.h"
#include "cpu/traps.h"
#include "emulate/emulate.h"
#include "hvm/vmx/vmx.h"

#define HOT __attribute__((section(".text.hot")))

/* "Exit Qualification for I/O Instructions". */
static HOT void decode_io(struct vmexit *x)
{
	uint64_t q = vmcs_get_qualification();

	x->kind = VMEXIT_IO;
	x->info1 = q;
	x->io.port = (uint16_t)(q >> 16);
	x->io.size = (q & 7) + 1;
	x->io.in = q & BIT(3);
	x->io.string = q & BIT(4);
	x->io.rep = q & BIT(5);
}

/* "Exit Qualification for EPT Violations". */
static void decode_npf(struct vmexit *x)
{
	uint64_t q = vmcs_get_qualification();

	x->kind = VMEXIT_NPF;
	x->info1 = q;
	x->npf.gpa = vmcs_get_guest_physical();
	x->info2 = x->npf.gpa;
	x->npf.present = q & (BIT(3) | BIT(4) | BIT(5));
	x->npf.write = q & BIT(1);
	x->npf.fetch = q & BIT(2);
	/* There is a linear address, and its translation was not done. */
	x->npf.in_table = (q & (BIT(7) | BIT(8))) == BIT(7);
}

/* An IRET that ended an NMI's blocking did not complete: it blocks again.
 * ("Information About NMI Unblocking Due to IRET") */
static __attribute__((noinline, cold)) void block_nmis_again(void)
{
	vmcs_set_guest_blocking(vmcs_get_guest_blocking() | BLOCKING_NMI);
}

/* The same, as a qualification has it; nothing while an event went in. */
static inline void unblocked_by_iret(const struct vcpu *v,
				     uint64_t qualification)
{
	if (unlikely(qualification & BIT(12)) && !vmx_vcpu(v)->event)
		block_nmis_again();
}

/* #DB: the qualification has bits as in DR6. After STI or MOV SS with TF set
 * the shadow is still there, and an entry with both is refused ("Checks on
 * Guest Non-Register State"). */
static void decode_debug(struct vcpu *v, struct vmexit *x)
{
	x->exc.cause = vmcs_get_qualification() &
		       (DR6_BS | BIT(13) | GENMASK(3, 0));
	vmx_vcpu(v)->debug_cause = x->exc.cause;
	vmx_end_shadow(v);
}

/* #MC and NMI are the machine's: their handlers run here, as if they had come
 * a moment later. */
static void decode_exception(struct vcpu *v, struct vmexit *x)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	uint32_t event = vmcs_get_exit_event();

	x->info1 = event;
	if ((event & EVENT_TYPE) == EVENT_NMI) {
		x->kind = VMEXIT_NMI;
		__asm__ volatile("int $2");
		return;
	}
	x->kind = VMEXIT_EXCEPTION;
	x->exc.vector = event & EVENT_VECTOR;
	x->exc.has_error = event & EVENT_ERROR;
	x->exc.error = x->exc.has_error ? vmcs_get_exit_event_error() : 0;
	x->exc.cr2 = 0;
	if ((event & EVENT_UNBLOCKED) && !s->event && x->exc.vector != TRAP_DF)
		block_nmis_again();
	if (x->exc.vector == TRAP_MC)
		__asm__ volatile("int $18");
	if (x->exc.vector == TRAP_DB)
		decode_debug(v, x);
}

/* "Exit Qualification for Control-Register Accesses". Reads never exit. */
static void decode_cr(struct vcpu *v, struct vmexit *x)
{
	uint64_t q = vmcs_get_qualification();
	unsigned int how = (q >> 4) & 3;

	x->info1 = q;
	x->kind = VMEXIT_CR_WRITE;
	x->cr.cr = q & 15;
	x->cr.gpr = (q >> 8) & 15;
	x->cr.value = (&v->regs.rax)[x->cr.gpr];
	if (vmx_code_bits(v) != 64)
		x->cr.value = (uint32_t)x->cr.value;
	if (how == 3) /* LMSW cannot clear PE */
		x->cr.value = (vmx_get_creg(v, CR0) & ~0xeUL) |
			      ((q >> 16) & 0xf);
	else if (how == 2) /* CLTS */
		x->cr.value = vmx_get_creg(v, CR0) & ~X86_CR0_TS;
	else if (how == 1)
		x->kind = VMEXIT_CR_READ;
}

/* The guest's first look at a debug register: they become its own until its
 * vCPU leaves this CPU. */
static void decode_mov_dr(struct vcpu *v, struct vmexit *x)
{
	x->kind = VMEXIT_INTERNAL;
	vmx_load_debug_registers(vmx_vcpu(v));
}

/* Entries that failed late: the guest's state, or an MSR of the load area. */
static void decode_failed_entry(uint32_t reason, struct vmexit *x)
{
	uint32_t basic = reason & EXIT_REASON_BASIC;
	const char *check = NULL;

	x->kind = VMEXIT_UNKNOWN;
	x->info1 = vmcs_get_qualification();
	if (basic == VMX_BAD_GUEST)
		check = vmx_check_guest(vmread_any, &vmx_caps);
	printk(XENLOG_GUEST XENLOG_ERR "VM entry failed: %s%s%s\n",
	       basic == VMX_BAD_GUEST ? "invalid guest state"
	       : basic == VMX_BAD_MSR ? "an MSR of the load list"
				      : "machine check",
	       check ? ": " : "", check ? check : "");
}

static const char *const refusals[] = {
	[1] = "VMCALL in VMX root operation",
	[2] = "VMCLEAR with an invalid address",
	[3] = "VMCLEAR with the VMXON pointer",
	[4] = "VMLAUNCH with a VMCS that is not clear",
	[5] = "VMRESUME with a VMCS that is not launched",
	[6] = "VMRESUME after VMXOFF",
	[7] = "invalid control fields",
	[8] = "invalid host-state fields",
	[9] = "VMPTRLD with an invalid address",
	[10] = "VMPTRLD with the VMXON pointer",
	[11] = "VMPTRLD with a wrong revision",
	[12] = "VMREAD or VMWRITE of a field that is not there",
	[13] = "VMWRITE to a read-only field",
	[15] = "VMXON in VMX root operation",
	[26] = "events blocked by MOV SS",
	[28] = "invalid operand of INVEPT or INVVPID",
};

/* "VM-Instruction Error Numbers": the entry was not even tried. */
void vmx_decode_refusal(struct vcpu *v, int how, struct vmexit *x)
{
	uint32_t error = how == 2 ? vmcs_get_instruction_error() : 0;
	const char *name = error < ARRAY_SIZE(refusals) ? refusals[error]
							: NULL;

	printk(XENLOG_GUEST XENLOG_ERR "d%uv%u: VM entry refused: %s (%u)\n",
	       v->domain->id, v->id,
	       how == 1 ? "no current VMCS"
	       : name   ? name
			: "unnamed error",
	       error);
	*x = (struct vmexit){.kind = VMEXIT_UNKNOWN, .code = error};
}

static const uint8_t simple[VMX_REASONS] = {
	[VMX_TRIPLE_FAULT] = VMEXIT_SHUTDOWN,
	[VMX_INTR_WINDOW] = VMEXIT_INTERNAL,
	[VMX_NMI_WINDOW] = VMEXIT_INTERNAL,
	[VMX_CPUID] = VMEXIT_CPUID,
	[VMX_GETSEC] = VMEXIT_VIRT,
	[VMX_HLT] = VMEXIT_HLT,
	[VMX_INVD] = VMEXIT_INVD,
	[VMX_INVLPG] = VMEXIT_INVLPG,
	[VMX_RDPMC] = VMEXIT_RDPMC,
	[VMX_RDTSC] = VMEXIT_RDTSC,
	[VMX_RSM] = VMEXIT_VIRT,
	[VMX_VMCALL] = VMEXIT_HYPERCALL,
	[VMX_VMCLEAR... VMX_VMXON] = VMEXIT_VIRT,
	[VMX_RDMSR] = VMEXIT_RDMSR,
	[VMX_WRMSR] = VMEXIT_WRMSR,
	[VMX_MWAIT] = VMEXIT_MWAIT,
	[VMX_MONITOR] = VMEXIT_MONITOR,
	[VMX_PAUSE] = VMEXIT_PAUSE,
	[VMX_INVEPT] = VMEXIT_VIRT,
	[VMX_RDTSCP] = VMEXIT_RDTSCP,
	[VMX_INVVPID] = VMEXIT_VIRT,
	[VMX_WBINVD] = VMEXIT_INVD,
	[VMX_XSETBV] = VMEXIT_XSETBV,
	[VMX_VMFUNC] = VMEXIT_VIRT,
	[VMX_XSAVES] = VMEXIT_VIRT,
	[VMX_XRSTORS] = VMEXIT_VIRT,
};

static bool is_hardware_event(uint32_t event)
{
	uint32_t type = event & EVENT_TYPE;

	return type == EVENT_INTR || type == EVENT_NMI ||
	       type == EVENT_EXCEPTION;
}

/* "Exit Qualification for Task Switch". An event that came to a task gate is in
 * the vectoring information; it is delivered by the switch. */
static void decode_task_switch(struct vcpu *v, struct vmexit *x)
{
	static const uint8_t how[] = {EMU_TASK_CALL, EMU_TASK_IRET,
				      EMU_TASK_JMP, EMU_TASK_GATE};
	uint32_t event = vmcs_get_idt_vectoring();
	uint64_t q = vmcs_get_qualification();

	x->kind = VMEXIT_TASK_SWITCH;
	x->info1 = q;
	x->task.sel = (uint16_t)q;
	x->task.how = how[q >> 30 & 3];
	x->task.has_error = false;
	x->task.external = false;
	x->task.skip = true;
	if (x->task.how != EMU_TASK_GATE || !(event & EVENT_VALID))
		return;
	vmx_vcpu(v)->event = 0;
	x->task.external = is_hardware_event(event);
	x->task.skip = !x->task.external;
	x->task.has_error = event & EVENT_ERROR;
	if (x->task.has_error)
		x->task.error = vmcs_get_idt_vectoring_error();
}

static __attribute__((noinline)) void
decode_rare(struct vcpu *v, uint32_t reason, struct vmexit *x)
{
	x->kind = VMEXIT_UNKNOWN;
	if (reason & EXIT_REASON_ENTRY) {
		decode_failed_entry(reason, x);
		return;
	}
	switch (reason & EXIT_REASON_BASIC) {
	case VMX_EXCEPTION:
		decode_exception(v, x);
		break;
	case VMX_TASK_SWITCH:
		decode_task_switch(v, x);
		break;
	case VMX_CR:
		decode_cr(v, x);
		break;
	case VMX_MOV_DR:
		decode_mov_dr(v, x);
		break;
	case VMX_TPR: /* what it held back may go now */
		x->kind = VMEXIT_INTERNAL;
		hvm_vcpu(v)->irq_check = true;
		break;
	case VMX_TIMER:
		x->kind = VMEXIT_INTERNAL;
		vmx_restart_timer();
		break;
	case VMX_APIC_ACCESS:
	case VMX_APIC_WRITE:
	case VMX_EOI:
		vmx_decode_apic(v, reason, x);
		break;
	case VMX_PML_FULL:
		x->kind = VMEXIT_LOG_FULL;
		vmx_rewind_log();
		unblocked_by_iret(v, vmcs_get_qualification());
		break;
	case VMX_EPT_MISCONFIG:
		x->info1 = vmcs_get_guest_physical();
		break;
	}
}

static inline void decode_reason(struct vcpu *v, uint32_t reason,
				 struct vmexit *x)
{
	switch (reason) {
	case VMX_EXTINT: /* VMEXIT_INTR is 0 */
		x->kind = VMEXIT_INTR;
		break;
	case VMX_IO:
		decode_io(x);
		break;
	case VMX_EPT_VIOLATION:
		decode_npf(x);
		unblocked_by_iret(v, x->info1);
		break;
	default:
		decode_rare(v, reason, x);
	}
}

static __attribute__((noinline, cold)) void decode_cut_short(struct vcpu *v,
							     uint32_t reason,
							     struct vmexit *x,
							     uint32_t vectoring)
{
	vmx_reinject(v, vectoring);
	decode_reason(v, reason, x);
}

/* The exits that have operands, and those that can come while an event is
 * being delivered (an instruction's cannot). */
static HOT __attribute__((noinline)) void
decode_operands(struct vcpu *v, uint32_t reason, struct vmexit *x)
{
	uint32_t vectoring = vmcs_get_idt_vectoring();

	if (unlikely(vectoring & EVENT_VALID))
		decode_cut_short(v, reason, x, vectoring);
	else
		decode_reason(v, reason, x);
}

HOT void vmx_decode(struct vcpu *v, uint32_t reason, struct vmexit *x)
{
	x->code = reason;
	x->info1 = x->info2 = 0;
	x->length = 0;
	if (likely(reason < ARRAY_SIZE(simple) && simple[reason])) {
		x->kind = simple[reason];
		return;
	}
	decode_operands(v, reason, x);
}

/* Outside 64-bit code RIP has 32 bits. */
static __attribute__((noinline)) void wrap_rip(struct vcpu *v)
{
	if (vmx_code_bits(v) != 64)
		v->regs.rip = (uint32_t)v->regs.rip;
}

HOT bool vmx_skip(struct vcpu *v, const struct vmexit *x)
{
	uint64_t from = v->regs.rip, to = from + vmcs_get_exit_length();
	uint32_t blocking = vmcs_get_guest_blocking();

	(void)x;
	v->regs.rip = to;
	if (unlikely(blocking & (BLOCKING_STI | BLOCKING_MOVSS)))
		vmx_end_shadow(v);
	if (unlikely((from ^ to) >> 32))
		wrap_rip(v);
	return true;
}
