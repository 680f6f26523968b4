/* SPDX-License-Identifier: MIT */
/*
 * Into the guest and back (Intel SDM Vol. 3, "VM Entries", "VM Exits").
 *
 * int vmx_enter(struct guest_regs *regs, uint64_t *host_rsp, bool launched)
 *
 * Called with interrupts off. The VMCS swaps RSP, RIP, RFLAGS, segments and
 * control state; the other general registers are moved here. *host_rsp is what
 * the VMCS has as the host's stack pointer: rewritten only when it differs.
 * 0 after an exit; 1 or 2 if the entry was refused (VMfailInvalid, VMfailValid).
 */
#include "hvm/vmx/entry.h"

	.section .text.hot, "ax"
	.globl	vmx_enter
	.hidden	vmx_enter
	.type	vmx_enter, @function
vmx_enter:
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rdi			/* 0(%rsp): regs */
	cmpq	%rsp, (%rsi)
	jne	3f
1:	testb	%dl, %dl		/* MOV keeps the flags */
	movq	REGS_RAX(%rdi), %rax
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
	jz	2f
	vmresume
	jmp	4f
2:	vmlaunch
	jmp	4f

3:	movq	%rsp, (%rsi)
	movl	$FIELD_HOST_RSP, %eax
	vmwrite	%rsp, %rax
	jmp	1b

	/* Refused: RDI and the rest are the guest's, which did not run. */
4:	movl	$1, %eax
	jc	5f
	incl	%eax
5:	addq	$8, %rsp
	jmp	6f

	/* The host's RIP in the VMCS: every exit comes here. */
	.globl	vmx_exited
	.hidden	vmx_exited
vmx_exited:
	pushq	%rax
	movq	8(%rsp), %rax
	movq	%rcx, REGS_RCX(%rax)
	popq	%rcx
	movq	%rcx, REGS_RAX(%rax)
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
	addq	$8, %rsp
	xorl	%eax, %eax
6:	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.size	vmx_enter, . - vmx_enter

	.section .note.GNU-stack, "", @progbits
