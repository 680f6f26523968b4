/* SPDX-License-Identifier: MIT */
/* The hardware's account of an exit, in the words of struct vmexit. */
#include "cpu/traps.h"
#include "emulate/emulate.h"
#include "hvm/svm/svm.h"

#define HOT __attribute__((section(".text.hot")))

/* AMD APM Vol. 2, "IOIO Intercepts". */
static HOT void decode_io(const struct vcpu *v, const struct vmcb *vmcb,
			  struct vmexit *x)
{
	uint64_t info = vmcb->exitinfo1;

	x->kind = VMEXIT_IO;
	x->length = (uint8_t)(vmcb->exitinfo2 - v->regs.rip);
	x->io.port = (uint16_t)(info >> 16);
	x->io.in = info & BIT(0);
	x->io.string = info & BIT(2);
	x->io.rep = info & BIT(3);
	x->io.size = (info >> 4) & 7;
}

static void decode_npf(const struct vmcb *vmcb, struct vmexit *x)
{
	uint64_t error = vmcb->exitinfo1;

	x->kind = VMEXIT_NPF;
	x->npf.gpa = vmcb->exitinfo2;
	x->npf.present = error & BIT(0);
	x->npf.write = error & BIT(1);
	x->npf.fetch = error & BIT(4);
	x->npf.in_table = error & BIT(33);
}

/* #DB: the guest's DR6 has the cause already; a debugger's step is no business
 * of the guest's. */
static void decode_debug(struct vcpu *v, struct vmexit *x)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	x->exc.cause = (uint32_t)vmcb->dr6;
	if (!hvm_vcpu(v)->stepping)
		return;
	/* Bochs has not written it yet when it exits. */
	if (!(x->exc.cause & (DR6_BS | GENMASK(3, 0))))
		x->exc.cause |= (uint32_t)DR6_BS;
	vmcb_set_dr6(vmcb, vmcb->dr6 & ~DR6_BS);
}

static void decode_exception(struct vcpu *v, struct vmexit *x)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	x->kind = VMEXIT_EXCEPTION;
	x->exc.vector = (uint8_t)(vmcb->exitcode - SVM_EXCEPTION);
	x->exc.has_error = x->exc.vector == 8 ||
			   (x->exc.vector >= 10 && x->exc.vector <= 14) ||
			   x->exc.vector == 17;
	x->exc.error = (uint32_t)vmcb->exitinfo1;
	x->exc.cr2 = vmcb->exitinfo2;
	if (x->exc.vector == TRAP_DB)
		decode_debug(v, x);
}

/* TCG reports RDTSCP as RDTSC: the bytes tell (0f 01 f9). */
static __attribute__((noinline)) void decode_rdtsc(struct vcpu *v,
						   struct vmexit *x)
{
	uint8_t opcode = 0;

	x->kind = VMEXIT_RDTSC;
	if (x->length)
		return;
	x->length = svm_instruction_length(v, SVM_RDTSC, &opcode);
	if (opcode == 0xf9)
		x->kind = VMEXIT_RDTSCP;
}

/* Bochs has changed LMA already when a write of CR0 that changes paging exits;
 * it is LME as long as there is paging. */
static void mend_lma(struct vmcb *vmcb)
{
	uint64_t efer = vmcb->efer & ~EFER_LMA;

	if ((vmcb->cr0 & X86_CR0_PG) && (efer & EFER_LME))
		efer |= EFER_LMA;
	if (efer != vmcb->efer)
		vmcb_set_efer(vmcb, efer);
}

/* MOV to a control register, or LMSW from a register: from the bytes. */
static void decode_cr_write(struct vcpu *v, uint8_t cr, struct vmexit *x)
{
	struct insn i;

	if (!cr)
		mend_lma(svm_vcpu(v)->vmcb);
	if (!svm_current_insn(v, &i) || i.map != MAP_0F || i.mod != 3)
		return;
	x->kind = VMEXIT_CR_WRITE;
	x->length = i.length;
	x->cr.cr = cr;
	x->cr.gpr = i.rm;
	x->cr.value = (&v->regs.rax)[i.rm];
	if (svm_code_bits(v) != 64)
		x->cr.value = (uint32_t)x->cr.value;
	if (i.opcode == 0x01) /* LMSW cannot clear PE */
		x->cr.value = (svm_get_creg(v, CR0) & ~0xeUL) |
			      (x->cr.value & 0xf);
}

/* TCG's INT3; other software interrupts go in as what they are. */
static void decode_swint(struct vcpu *v, struct vmexit *x)
{
	struct svm_vcpu *s = svm_vcpu(v);
	struct insn i;

	if (!svm_current_insn(v, &i) || i.map != MAP_ONE)
		return;
	if (i.opcode == 0xcc) {
		x->kind = VMEXIT_EXCEPTION;
		x->exc.vector = TRAP_BP;
		x->exc.has_error = false;
	} else if (i.opcode == 0xcd) {
		x->kind = VMEXIT_INTERNAL;
		s->eventinj = (uint8_t)i.imm | EVENT_SOFT | EVENT_VALID;
		v->regs.rip += i.length;
	}
}

#define TASK_IRET  BIT(36)
#define TASK_JMP   BIT(38)
#define TASK_ERROR BIT(44)

/* AMD APM Vol. 2, "Task Switches". An event that came to a task gate is in
 * EXITINTINFO; it is delivered by the switch. */
static void decode_task_switch(struct vcpu *v, struct vmexit *x)
{
	struct svm_vcpu *s = svm_vcpu(v);
	uint64_t event = s->vmcb->exitintinfo, info = x->info2;
	uint8_t vector = event & EVENT_VECTOR;

	x->kind = VMEXIT_TASK_SWITCH;
	x->task.sel = (uint16_t)x->info1;
	x->task.how = info & TASK_IRET  ? EMU_TASK_IRET
		      : info & TASK_JMP ? EMU_TASK_JMP
					: EMU_TASK_CALL;
	x->task.has_error = false;
	x->task.external = false;
	x->task.skip = true;
	if (x->task.how != EMU_TASK_CALL || !(event & EVENT_VALID))
		return;
	s->eventinj = 0;
	x->task.how = EMU_TASK_GATE;
	/* INT3 and INTO count as exceptions; for INT Bochs leaves there what
	 * was before. But the next RIP comes only if an instruction did it. */
	x->task.external = !x->length && (event & EVENT_TYPE) != EVENT_SOFT &&
			   !((event & EVENT_TYPE) == EVENT_EXCEPTION &&
			     (vector == 3 || vector == 4));
	x->task.skip = !x->task.external;
	x->task.has_error = info & TASK_ERROR;
	x->task.error = (uint32_t)info;
}

static __attribute__((noinline)) void decode_rare(struct vcpu *v,
						  struct vmexit *x)
{
	struct svm_vcpu *s = svm_vcpu(v);
	uint64_t code = s->vmcb->exitcode;

	if (code == SVM_CR0_SELECTIVE)
		decode_cr_write(v, 0, x);
	else if (code >= SVM_CR_WRITE && code < SVM_DR_READ)
		decode_cr_write(v, (uint8_t)(code - SVM_CR_WRITE), x);
	if (code == SVM_TASK_SWITCH) {
		decode_task_switch(v, x);
	} else if (code == SVM_IRET) {
		svm_nmi_iret(v);
		x->kind = VMEXIT_INTERNAL;
	} else if (code == SVM_EXCEPTION + TRAP_DB && svm_nmi_stepped(v)) {
		x->kind = VMEXIT_INTERNAL;
	} else if (code == SVM_SWINT) {
		decode_swint(v, x);
	} else if (code >= SVM_DR_READ && code < SVM_EXCEPTION) {
		svm_load_debug_registers(s);
		x->kind = VMEXIT_INTERNAL;
	} else if (code >= SVM_EXCEPTION && code < SVM_INTR) {
		decode_exception(v, x);
	} else if ((code >= SVM_VMRUN && code <= SVM_SKINIT) ||
		   code == SVM_RDPRU) {
		x->kind = VMEXIT_VIRT;
	}
}

static const uint8_t simple[] = {
	[SVM_INTR] = VMEXIT_INTR,         [SVM_NMI] = VMEXIT_NMI,
	[SVM_SMI] = VMEXIT_INTERNAL,      [SVM_RDPMC] = VMEXIT_RDPMC,
	[SVM_CPUID] = VMEXIT_CPUID,       [SVM_INVD] = VMEXIT_INVD,
	[SVM_PAUSE] = VMEXIT_PAUSE,       [SVM_HLT] = VMEXIT_HLT,
	[SVM_INVLPGA] = VMEXIT_VIRT,      [SVM_SHUTDOWN] = VMEXIT_SHUTDOWN,
	[SVM_VMMCALL] = VMEXIT_HYPERCALL, [SVM_RDTSCP] = VMEXIT_RDTSCP,
	[SVM_WBINVD] = VMEXIT_INVD,       [SVM_MONITOR] = VMEXIT_MONITOR,
	[SVM_MWAIT] = VMEXIT_MWAIT,       [SVM_MWAIT_ARMED] = VMEXIT_MWAIT,
	[SVM_XSETBV] = VMEXIT_XSETBV,
};

static __attribute__((noinline)) void
decode_operands(struct vcpu *v, const struct vmcb *vmcb, struct vmexit *x)
{
	switch (x->code) {
	case SVM_INTR: /* VMEXIT_INTR is 0 */
		x->kind = VMEXIT_INTR;
		break;
	case SVM_IOIO:
		decode_io(v, vmcb, x);
		break;
	case SVM_MSR:
		x->kind = vmcb->exitinfo1 & 1 ? VMEXIT_WRMSR : VMEXIT_RDMSR;
		break;
	case SVM_NPF:
		decode_npf(vmcb, x);
		break;
	case SVM_RDTSC:
		decode_rdtsc(v, x);
		break;
	default:
		x->kind = VMEXIT_UNKNOWN;
		decode_rare(v, x);
	}
}

HOT void svm_decode(struct vcpu *v, struct vmexit *x)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	uint64_t code = vmcb->exitcode;

	x->code = code;
	x->info1 = vmcb->exitinfo1;
	x->info2 = vmcb->exitinfo2;
	x->length = 0;
	if (svm_has(SVM_FEATURE_NRIP) && vmcb->nrip > v->regs.rip &&
	    vmcb->nrip - v->regs.rip <= 15)
		x->length = (uint8_t)(vmcb->nrip - v->regs.rip);
	if (likely(code < ARRAY_SIZE(simple) && simple[code])) {
		x->kind = simple[code];
		return;
	}
	decode_operands(v, vmcb, x);
}
