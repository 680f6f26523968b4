/* SPDX-License-Identifier: MIT */
/*
 * Into a PV guest and back. GS.base is the guest's outside and ours inside;
 * while one is in place, MSR KERNEL_GS_BASE holds the other (AMD APM Vol. 2,
 * "SWAPGS Instruction"). Interrupts are off from the entry to the exit's end, so
 * only NMI, #MC and #DB can see the wrong one: cpu/entry.S looks after these.
 *
 * void pv_enter(struct vcpu *v, struct pv_vcpu *pv)
 *
 * The state is v->regs and pv->frame's CS and SS. It returns when something
 * ended the guest's run: v->regs is up to date then and pv->frame.vector says
 * what it was.
 *
 * An isolated guest's tables have only the sections called "entry"
 * (pv/isolate.h): it is left by IRETQ from a stack there, and its entries write
 * CR3 before they go where those of others do.
 */
#include "cpu/traps.h"
#include "mem/layout.h"
#include "pv/entry.h"

	.macro load_registers from
	movq	REGS_RAX(\from), %rax
	movq	REGS_RDX(\from), %rdx
	movq	REGS_RBX(\from), %rbx
	movq	REGS_RBP(\from), %rbp
	movq	REGS_RSI(\from), %rsi
	movq	REGS_R8(\from), %r8
	movq	REGS_R9(\from), %r9
	movq	REGS_R10(\from), %r10
	movq	REGS_R12(\from), %r12
	movq	REGS_R13(\from), %r13
	movq	REGS_R14(\from), %r14
	movq	REGS_R15(\from), %r15
	.endm

	/* What C code keeps for its caller. */
	.macro save_kept to
	movq	%rbx, REGS_RBX(\to)
	movq	%rbp, REGS_RBP(\to)
	movq	%r12, REGS_R12(\to)
	movq	%r13, REGS_R13(\to)
	movq	%r14, REGS_R14(\to)
	movq	%r15, REGS_R15(\to)
	.endm

	/* What of a system call's arguments C code may change. */
	.macro save_arguments
	movq	%rdi, REGS_RDI(%rax)
	movq	%rsi, REGS_RSI(%rax)
	movq	%rdx, REGS_RDX(%rax)
	movq	%r8, REGS_R8(%rax)
	movq	%r9, REGS_R9(%rax)
	movq	%r10, REGS_R10(%rax)
	.endm

	/* All but RAX, which is where they go to. */
	.macro save_registers
	save_arguments
	movq	%rcx, REGS_RCX(%rax)
	movq	%r11, REGS_R11(%rax)
	save_kept %rax
	.endm

	/* What IRETQ takes; RDI is the vCPU, RSI its struct pv_vcpu. */
	.macro push_frame
	pushq	FRAME_SS(%rsi)
	pushq	REGS_RSP(%rdi)
	pushq	REGS_RFLAGS(%rdi)
	pushq	FRAME_CS(%rsi)
	pushq	REGS_RIP(%rdi)
	.endm

	/* An instruction that reads the guest's memory, which may not be there. */
	.macro of_guest insn:vararg
9:	\insn
	.pushsection .fixup, "a"
	.balign 4
	.long	9b - .
	.long	iret_closes - .
	.popsection
	.endm

	.macro return_to_host
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.endm

	.section .text.entry, "ax"
	.globl	pv_enter
	.hidden	pv_enter
	.type	pv_enter, @function
pv_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %gs:percpu_pv_host_rsp(%rip)
	cmpb	$0, PV_SYSRET(%rsi)
	jne	1f
	push_frame
	load_registers %rdi
go_by_iret:
	cmpq	$0, %gs:percpu_trap_full_cr3(%rip)
	jne	isolated
	movq	REGS_RCX(%rdi), %rcx
	movq	REGS_R11(%rdi), %r11
	movq	REGS_RDI(%rdi), %rdi
	swapgs
	.globl	pv_iret_insn
	.hidden	pv_iret_insn
pv_iret_insn:
	iretq
1:	load_registers %rdi
	movq	REGS_RIP(%rdi), %rcx
	movq	REGS_RFLAGS(%rdi), %r11
	movq	REGS_RSP(%rdi), %rsp
	movq	REGS_RDI(%rdi), %rdi
	swapgs
	sysretq

	/* What IRETQ takes goes to the stack that an isolated guest's tables
	 * have. */
isolated:
	movq	%gs:percpu_pv_isolated_rsp(%rip), %rcx
	popq	-40(%rcx)
	popq	-32(%rcx)
	popq	-24(%rcx)
	popq	-16(%rcx)
	popq	-8(%rcx)
	leaq	-40(%rcx), %rsp
	movq	REGS_R11(%rdi), %r11
	pushq	REGS_RDI(%rdi)
	pushq	REGS_RCX(%rdi)
	movq	%gs:percpu_pv_isolated_cr3(%rip), %rcx
	movq	%rcx, %cr3
	popq	%rcx
	popq	%rdi
	swapgs
	jmp	pv_iret_insn

	/* IRETQ faulted: trap_common has swapped GS back, all registers but RIP,
	 * RSP and RFLAGS are the guest's, and these are in v->regs. */
bad_iret:
	movq	%gs:percpu_pv_host_rsp(%rip), %rsp
	movq	%rax, %gs:percpu_trap_scratch(%rip)
	movq	%gs:percpu_current(%rip), %rax
	save_registers
	movq	%gs:percpu_trap_scratch(%rip), %rcx
	movq	%rcx, REGS_RAX(%rax)
	movq	VCPU_ARCH(%rax), %rax
	movl	$EXIT_BAD_IRET, FRAME_VECTOR(%rax)
	return_to_host
	.size	pv_enter, . - pv_enter

	.pushsection .fixup, "a"
	.balign 4
	.long	pv_iret_insn - .
	.long	bad_iret - .
	.popsection

	/* The same out of an isolated guest, or of another: what the processor
	 * pushed goes to where it would have pushed it. */
	.globl	pv_isolated_trap_entry
	.hidden	pv_isolated_trap_entry
	.type	pv_isolated_trap_entry, @function
pv_isolated_trap_entry:
	swapgs
	movq	%rax, %gs:percpu_trap_scratch(%rip)
	movq	%gs:percpu_trap_full_cr3(%rip), %rax
	testq	%rax, %rax
	jz	1f
	movq	%rax, %cr3
	movq	%gs:percpu_current(%rip), %rax
	movq	VCPU_ARCH(%rax), %rax
	popq	(%rax)
	popq	8(%rax)
	popq	16(%rax)
	popq	24(%rax)
	popq	32(%rax)
	popq	40(%rax)
	movq	%rax, %rsp
	jmp	1f
	.size	pv_isolated_trap_entry, . - pv_isolated_trap_entry

	/* A trap or interrupt out of ring 3: the stack pointer is at the
	 * vCPU's struct pv_frame. */
	.globl	pv_trap_entry
	.hidden	pv_trap_entry
	.type	pv_trap_entry, @function
pv_trap_entry:
	swapgs
	movq	%rax, %gs:percpu_trap_scratch(%rip)
1:	movq	%gs:percpu_current(%rip), %rax
	save_registers
	movq	%gs:percpu_trap_scratch(%rip), %rcx
	movq	8(%rsp), %rdx
	movq	24(%rsp), %rsi
	movq	32(%rsp), %rdi
	movq	%rcx, REGS_RAX(%rax)
	movq	%rdx, REGS_RIP(%rax)
	movq	%rsi, REGS_RFLAGS(%rax)
	movq	%rdi, REGS_RSP(%rax)
	movq	%gs:percpu_pv_host_rsp(%rip), %rsp
	/* DF, and AC: it would open the guest's memory to us (SMAP). */
	pushq	$2
	popfq
	return_to_host
	.size	pv_trap_entry, . - pv_trap_entry

	/*
	 * SYSCALL: MSR SFMASK has cleared what flags matter. A hypercall is
	 * made from here, on the stack that pv_enter() left, and goes straight
	 * back if nothing else is due: C code keeps RBX, RBP and R12 to R15
	 * for its caller, and so for the guest.
	 */
	.globl	pv_syscall_entry
	.hidden	pv_syscall_entry
	.type	pv_syscall_entry, @function
pv_syscall_entry:
	swapgs
	movq	%rax, %gs:percpu_trap_scratch(%rip)
syscall_entered:
	movq	%gs:percpu_current(%rip), %rax
	movq	%rsp, REGS_RSP(%rax)
	movq	%gs:percpu_pv_host_rsp(%rip), %rsp
	movq	%rcx, REGS_RCX(%rax)
	movq	%rcx, REGS_RIP(%rax)
	movq	%r11, REGS_R11(%rax)
	movq	%r11, REGS_RFLAGS(%rax)
	cmpq	$HYPERVISOR_IRET, %gs:percpu_trap_scratch(%rip)
	je	maybe_iret
syscall_goes_on:
	save_arguments
	movq	%rax, %rdi
	movq	%gs:percpu_trap_scratch(%rip), %rcx
	movq	VCPU_ARCH(%rax), %rsi
	movq	%rcx, REGS_RAX(%rax)
	movq	$SEL_GUEST_CS64, FRAME_CS(%rsi)
	movq	$SEL_GUEST_DS, FRAME_SS(%rsi)
	cmpb	$0, PV_IN_KERNEL(%rsi)
	je	1f
	subq	$8, %rsp
	pushq	%r9			/* the arguments, in their order */
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	REGS_RSI(%rax)
	pushq	REGS_RDI(%rax)
	movq	%rsp, %rsi
	call	pv_hypercall
	addq	$56, %rsp
6:	movq	%gs:percpu_current(%rip), %rdi
	subl	$BY_SYSRET, %eax
	jne	2f
	movq	REGS_RAX(%rdi), %rax
	movq	REGS_RDX(%rdi), %rdx
	movq	REGS_RSI(%rdi), %rsi
	movq	REGS_R8(%rdi), %r8
	movq	REGS_R9(%rdi), %r9
	movq	REGS_R10(%rdi), %r10
	movq	REGS_RIP(%rdi), %rcx
	movq	REGS_RFLAGS(%rdi), %r11
	movq	REGS_RSP(%rdi), %rsp
	movq	REGS_RDI(%rdi), %rdi
	swapgs
	sysretq
2:	movq	VCPU_ARCH(%rdi), %rsi
	js	4f
	push_frame
	movq	REGS_RAX(%rdi), %rax
	movq	REGS_RDX(%rdi), %rdx
	movq	REGS_RSI(%rdi), %rsi
	movq	REGS_R8(%rdi), %r8
	movq	REGS_R9(%rdi), %r9
	movq	REGS_R10(%rdi), %r10
	jmp	go_by_iret
4:	movl	$EXIT_DONE, FRAME_VECTOR(%rsi)
	jmp	3f
1:	movl	$EXIT_SYSCALL, FRAME_VECTOR(%rsi)
3:	save_kept %rdi
	return_to_host

	/*
	 * The hypercall iret, as most are: to the guest's own kernel, after an
	 * interrupt or a fault there. As pv_iret(), which has what is unusual,
	 * but without saving what only C code would change. RAX is the vCPU,
	 * RCX its struct pv_vcpu, R11 the guest's frame; its stack pointer is
	 * replaced last, so that pv_iret() finds the frame whatever faults.
	 */
maybe_iret:
	movq	VCPU_ARCH(%rax), %rcx
	cmpb	$0, PV_IN_KERNEL(%rcx)
	je	syscall_goes_on
	movq	REGS_RSP(%rax), %r11
	pushq	%rdi
	pushq	%rsi
	movq	%r11, %rdi
	shrq	$47, %rdi
	jz	7f
	movabsq	$DIRECT_VIRT_END, %rdi
	cmpq	%rdi, %r11
	jb	iret_closes
7:	movq	VCPU_INFO(%rax), %rsi
	testq	%rsi, %rsi
	jz	iret_closes
	cmpb	$0, cpu_features+CPU_SMAP(%rip)
	je	7f
	stac
7:	of_guest testb $3, IRET_CS(%r11)
	jnz	iret_closes
	of_guest testl $IRET_IN_SYSCALL, IRET_FLAGS(%r11)
	jnz	iret_closes
	of_guest movzwl IRET_CS(%r11), %edi
	orl	$3, %edi
	movq	%rdi, FRAME_CS(%rcx)
	of_guest movzwl IRET_SS(%r11), %edi
	orl	$3, %edi
	movq	%rdi, FRAME_SS(%rcx)
	of_guest movq IRET_RFLAGS(%r11), %rdi
	btl	$9, %edi
	setnc	INFO_UPCALL_MASK(%rsi)
	andq	$IRET_FLAGS_KEPT, %rdi
	orq	$IRET_FLAGS_SET, %rdi
	movq	%rdi, REGS_RFLAGS(%rax)
	of_guest movq IRET_RIP(%r11), %rdi
	movq	%rdi, REGS_RIP(%rax)
	of_guest movq IRET_RCX(%r11), %rdi
	movq	%rdi, REGS_RCX(%rax)
	of_guest movq IRET_R11(%r11), %rdi
	movq	%rdi, REGS_R11(%rax)
	of_guest movq IRET_RAX(%r11), %rdi
	movq	%rdi, REGS_RAX(%rax)
	of_guest movq IRET_RSP(%r11), %rdi
	movq	%rdi, REGS_RSP(%rax)
	cmpb	$0, cpu_features+CPU_SMAP(%rip)
	je	7f
	clac
7:	incq	%gs:percpu_irets(%rip)
	movb	$0, PV_IN_NMI(%rcx)
	cmpq	$0, %gs:percpu_softirq_pending(%rip)
	jne	iret_later
	cmpl	$STATE_RUNNING, VCPU_STATE(%rax)
	jne	iret_later
	cmpb	$0, PV_NMI_PENDING(%rcx)
	jne	iret_later
	cmpb	$0, INFO_UPCALL_PENDING(%rsi)
	je	7f
	cmpb	$0, INFO_UPCALL_MASK(%rsi)
	je	iret_later
7:	popq	%rsi
	popq	%rdi
	pushq	FRAME_SS(%rcx)
	pushq	REGS_RSP(%rax)
	pushq	REGS_RFLAGS(%rax)
	pushq	FRAME_CS(%rcx)
	pushq	REGS_RIP(%rax)
	cmpq	$0, %gs:percpu_trap_full_cr3(%rip)
	jne	7f
	movq	REGS_RCX(%rax), %rcx
	movq	REGS_R11(%rax), %r11
	movq	REGS_RAX(%rax), %rax
	swapgs
	jmp	pv_iret_insn
7:	movq	%rdi, REGS_RDI(%rax)
	movq	%rax, %rdi
	movq	REGS_RAX(%rdi), %rax
	jmp	isolated

	/* Something is due first: all is saved, and pv_run() sees to it. */
iret_later:
	popq	%rsi
	popq	%rdi
	movb	$0, PV_SYSRET(%rcx)
	save_arguments
	movq	%rax, %rdi
	movl	$EXIT_DONE, FRAME_VECTOR(%rcx)
	jmp	3b

iret_closes:
	cmpb	$0, cpu_features+CPU_SMAP(%rip)
	je	7f
	clac
7:	popq	%rsi
	popq	%rdi
	save_arguments
	movq	%rax, %rdi
	movq	$HYPERVISOR_IRET, REGS_RAX(%rdi)
	movq	$SEL_GUEST_CS64, FRAME_CS(%rcx)
	movq	$SEL_GUEST_DS, FRAME_SS(%rcx)
	subq	$8, %rsp
	call	pv_hypercall_iret
	addq	$8, %rsp
	jmp	6b
	.size	pv_syscall_entry, . - pv_syscall_entry

	.globl	pv_compat_syscall_entry
	.hidden	pv_compat_syscall_entry
	.type	pv_compat_syscall_entry, @function
pv_compat_syscall_entry:
	swapgs
	movq	%rax, %gs:percpu_trap_scratch(%rip)
compat_syscall_entered:
	movq	%gs:percpu_current(%rip), %rax
	movq	%rsp, REGS_RSP(%rax)
	movq	%gs:percpu_pv_host_rsp(%rip), %rsp
	save_registers
	movq	%rcx, REGS_RIP(%rax)
	movq	%r11, REGS_RFLAGS(%rax)
	movq	%gs:percpu_trap_scratch(%rip), %rcx
	movq	%rcx, REGS_RAX(%rax)
	movq	VCPU_ARCH(%rax), %rax
	movl	$EXIT_SYSCALL32, FRAME_VECTOR(%rax)
	movq	$SEL_GUEST_CS32, FRAME_CS(%rax)
	movq	$SEL_GUEST_DS, FRAME_SS(%rax)
	return_to_host
	.size	pv_compat_syscall_entry, . - pv_compat_syscall_entry

	/*
	 * SYSENTER (Intel SDM Vol. 2B): nothing says where from or on what
	 * stack, and TF and NT are still the guest's. A single step's #DB ends
	 * with TF until the flags are saved (cpu/traps.c).
	 */
	.globl	pv_sysenter_entry
	.hidden	pv_sysenter_entry
	.type	pv_sysenter_entry, @function
pv_sysenter_entry:
	swapgs
sysenter_entered:
	movq	%gs:percpu_pv_host_rsp(%rip), %rsp
	pushfq
	.globl	pv_sysenter_saved
	.hidden	pv_sysenter_saved
pv_sysenter_saved:
	movq	%rax, %gs:percpu_trap_scratch(%rip)
	movq	%gs:percpu_current(%rip), %rax
	popq	REGS_RFLAGS(%rax)
	pushq	$2
	popfq
	save_registers
	movq	%gs:percpu_trap_scratch(%rip), %rcx
	movq	%rcx, REGS_RAX(%rax)
	movq	$0, REGS_RIP(%rax)
	movq	$0, REGS_RSP(%rax)
	movq	VCPU_ARCH(%rax), %rax
	movl	$EXIT_SYSENTER, FRAME_VECTOR(%rax)
	movq	$SEL_GUEST_CS32, FRAME_CS(%rax)
	movq	$SEL_GUEST_DS, FRAME_SS(%rax)
	return_to_host
	.size	pv_sysenter_entry, . - pv_sysenter_entry

	.macro to_full_cr3
	swapgs
	movq	%rax, %gs:percpu_trap_scratch(%rip)
	movq	%gs:percpu_trap_full_cr3(%rip), %rax
	movq	%rax, %cr3
	.endm

	.globl	pv_isolated_syscall_entry
	.hidden	pv_isolated_syscall_entry
	.type	pv_isolated_syscall_entry, @function
pv_isolated_syscall_entry:
	to_full_cr3
	jmp	syscall_entered
	.size	pv_isolated_syscall_entry, . - pv_isolated_syscall_entry

	.globl	pv_isolated_compat_syscall_entry
	.hidden	pv_isolated_compat_syscall_entry
	.type	pv_isolated_compat_syscall_entry, @function
pv_isolated_compat_syscall_entry:
	to_full_cr3
	jmp	compat_syscall_entered
	.size	pv_isolated_compat_syscall_entry, . - pv_isolated_compat_syscall_entry

	.globl	pv_isolated_sysenter_entry
	.hidden	pv_isolated_sysenter_entry
	.type	pv_isolated_sysenter_entry, @function
pv_isolated_sysenter_entry:
	to_full_cr3
	movq	%gs:percpu_trap_scratch(%rip), %rax
	jmp	sysenter_entered
	.size	pv_isolated_sysenter_entry, . - pv_isolated_sysenter_entry

	.section .note.GNU-stack, "", @progbits
