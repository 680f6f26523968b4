/* SPDX-License-Identifier: MIT */
/*
 * Traps and interrupts: 256 stubs of 16 bytes that push the vector beside the
 * error code, and one common path that saves the general registers and calls
 * trap_dispatch(). Our own stack is used, whatever it was (NMI, #DF and #MC
 * have one of their own through the TSS). A trap out of ring 3 is pv/'s.
 *
 * Until CR3 is known to have all of us, only what is in the sections called
 * "entry" may be used (pv/isolate.h).
 */
#include "cpu/traps.h"

	/* As struct cpu_regs has them. */
	.macro push_registers
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro pop_registers
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	.endm

#define REGS_RIP 128

	.section .text.entry, "ax", @progbits
	.balign 16
	.globl trap_stubs
	.hidden trap_stubs
trap_stubs:
	vector = 0
	.rept 256
	.balign 16
	/* Those with an error code: AMD APM Vol. 2, "Exceptions and
	 * Interrupts", "Vectors". */
	.if (vector == 8) || (vector >= 10 && vector <= 14) || \
	    (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
	.else
	pushq	$0
	.endif
	movl	$vector, 4(%rsp)
	.if vector == 1
	jmp	trap_debug
	.elseif (vector == 2) || (vector == 8) || (vector == 18)
	jmp	trap_ist
	.else
	jmp	trap_common
	.endif
	vector = vector + 1
	.endr

	.balign 16
trap_common:
	testb	$3, 16(%rsp)
	jnz	1f
	cld
	push_registers
	/* IRETQ to a guest faulted, behind SWAPGS. */
	movq	REGS_RIP(%rsp), %rax
	cmpq	trap_guest_iret(%rip), %rax
	jne	2f
	swapgs
	movq	%gs:percpu_trap_full_cr3(%rip), %rax
	testq	%rax, %rax
	jz	2f
	movq	%rax, %cr3
2:	movq	%rsp, %rdi
	subq	$8, %rsp
	call	trap_dispatch
	addq	$8, %rsp
	pop_registers
	addq	$8, %rsp
	iretq
1:	jmp	*trap_from_guest(%rip)

	/*
	 * A stack of its own, whose top says what GS.base is on this CPU: the
	 * one in place may be a guest's, even in ring 0 (a few instructions on
	 * the way in and out). While a hardware container is loaded there may be
	 * no such stacks (hvm/svm/svm.c), and GS is ours then.
	 */
	.balign 16
trap_ist:
	cld
	push_registers
	movl	$0xc0000101, %ecx	/* GS.base */
	rdmsr
	movl	%eax, %r12d
	movl	%edx, %r13d
	movq	%rsp, %rbx
	orq	$4095, %rbx
	movabsq	$IST_MARK, %rdx
	cmpq	-7(%rbx), %rdx
	jne	3f
	movl	-15(%rbx), %eax
	movl	-11(%rbx), %edx
	wrmsr
3:	movq	%rsp, %rbx
	andq	$-16, %rsp
	xorl	%r14d, %r14d
	movq	%gs:percpu_trap_full_cr3(%rip), %rax
	testq	%rax, %rax
	jz	4f
	movq	%cr3, %r14
	movq	%rax, %cr3
4:	movq	%rbx, %rdi
	call	trap_dispatch
	testq	%r14, %r14
	jz	5f
	movq	%r14, %cr3
5:	movq	%rbx, %rsp
	movl	$0xc0000101, %ecx
	movl	%r12d, %eax
	movl	%r13d, %edx
	wrmsr
	pop_registers
	addq	$8, %rsp
	iretq

	/* #DB of a guest's goes the common way, on the stack that has its
	 * frame; one in ring 0 may be anywhere. */
	.balign 16
trap_debug:
	testb	$3, 16(%rsp)
	jz	trap_ist
	swapgs
	movq	%rax, %gs:percpu_trap_scratch(%rip)
	movq	%gs:percpu_tss+4(%rip), %rax
	popq	-48(%rax)
	popq	-40(%rax)
	popq	-32(%rax)
	popq	-24(%rax)
	popq	-16(%rax)
	popq	-8(%rax)
	leaq	-48(%rax), %rsp
	movq	%gs:percpu_trap_scratch(%rip), %rax
	swapgs
	jmp	*trap_from_guest(%rip)

	.section .note.GNU-stack, "", @progbits
