/* SPDX-License-Identifier: MIT */
/*
 * Into the guest and back (AMD APM Vol. 2, "VMRUN Instruction").
 *
 * void svm_enter(struct guest_regs *regs, paddr_t vmcb, uint64_t *guest_gs)
 *
 * Called with interrupts off. VMRUN swaps RAX, RSP, RIP, RFLAGS and the control
 * state; the other general registers are moved here, and GS.base, because the
 * host's per-CPU data hang on it: the rest of what VMLOAD and VMSAVE move stays
 * the guest's until another vCPU comes. GIF is clear from before the guest's
 * GS.base is loaded until after the host's is back, so no interrupt and no NMI
 * can see the wrong one. IF is set for VMRUN, so that host interrupts end the
 * guest's run.
 */
#include "domain/entry_regs.h"

	.macro load_guest_registers
	movq	REGS_RCX(%rdi), %rcx
	movq	REGS_RDX(%rdi), %rdx
	movq	REGS_RBX(%rdi), %rbx
	movq	REGS_RBP(%rdi), %rbp
	movq	REGS_RSI(%rdi), %rsi
	movq	REGS_R8(%rdi), %r8
	movq	REGS_R9(%rdi), %r9
	movq	REGS_R10(%rdi), %r10
	movq	REGS_R11(%rdi), %r11
	movq	REGS_R12(%rdi), %r12
	movq	REGS_R13(%rdi), %r13
	movq	REGS_R14(%rdi), %r14
	movq	REGS_R15(%rdi), %r15
	movq	REGS_RDI(%rdi), %rdi
	.endm

	/* RAX is free: the guest's is in the VMCB. */
	.macro save_guest_registers
	movq	(%rsp), %rax
	movq	%rcx, REGS_RCX(%rax)
	movq	%rdx, REGS_RDX(%rax)
	movq	%rbx, REGS_RBX(%rax)
	movq	%rbp, REGS_RBP(%rax)
	movq	%rsi, REGS_RSI(%rax)
	movq	%rdi, REGS_RDI(%rax)
	movq	%r8, REGS_R8(%rax)
	movq	%r9, REGS_R9(%rax)
	movq	%r10, REGS_R10(%rax)
	movq	%r11, REGS_R11(%rax)
	movq	%r12, REGS_R12(%rax)
	movq	%r13, REGS_R13(%rax)
	movq	%r14, REGS_R14(%rax)
	movq	%r15, REGS_R15(%rax)
	.endm

	.macro push_callee_saved
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro pop_callee_saved
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.endm

	.section .text.hot, "ax"
	.globl	svm_enter_fsgs
	.hidden	svm_enter_fsgs
	.type	svm_enter_fsgs, @function
svm_enter_fsgs:
	push_callee_saved
	rdgsbase %rax
	pushq	%rax			/* 16(%rsp): the host's GS.base */
	pushq	%rdx			/* 8(%rsp): where the guest's is kept */
	pushq	%rdi			/* 0(%rsp): regs */
	movq	%rsi, %rax
	clgi
	movq	(%rdx), %rdx
	wrgsbase %rdx
	load_guest_registers
	sti
	nop				/* TCG: else STI's shadow is the guest's */
	vmrun	%rax
	cli
	save_guest_registers
	rdgsbase %rdx
	movq	8(%rsp), %rcx
	movq	%rdx, (%rcx)
	movq	16(%rsp), %rcx
	wrgsbase %rcx
	stgi
	addq	$24, %rsp
	pop_callee_saved
	ret
	.size	svm_enter_fsgs, . - svm_enter_fsgs

	/* The same on CPUs without FSGSBASE, by MSR. */
	.globl	svm_enter
	.hidden	svm_enter
	.type	svm_enter, @function
svm_enter:
	push_callee_saved
	movq	%rdx, %r8
	movl	$0xc0000101, %ecx	/* GS.base */
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	pushq	%rax
	pushq	%r8
	pushq	%rdi
	clgi
	movl	(%r8), %eax
	movl	4(%r8), %edx
	wrmsr
	movq	%rsi, %rax
	load_guest_registers
	sti
	nop				/* TCG: else STI's shadow is the guest's */
	vmrun	%rax
	cli
	save_guest_registers
	movl	$0xc0000101, %ecx	/* GS.base */
	rdmsr
	movq	8(%rsp), %rdi
	movl	%eax, (%rdi)
	movl	%edx, 4(%rdi)
	movl	16(%rsp), %eax
	movl	20(%rsp), %edx
	wrmsr
	stgi
	addq	$24, %rsp
	pop_callee_saved
	ret
	.size	svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
