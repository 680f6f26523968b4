/* SPDX-License-Identifier: MIT */
/*
 * Traps and interrupts: 256 stubs of 16 bytes that push the vector beside the
 * error code, and one common path that saves the general registers and calls
 * trap_dispatch(). Our own stack is used, whatever it was (NMI, #DF and #MC
 * have one of their own through the TSS). A trap out of ring 3 is pv/'s.
 */
#include "cpu/traps.h"

	.section .text.traps, "ax", @progbits
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
	jmp	trap_common
	vector = vector + 1
	.endr

	.balign 16
trap_common:
	testb	$3, 16(%rsp)
	jnz	1f
	cld
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
	movq	%rsp, %rdi
	subq	$8, %rsp
	call	trap_dispatch
	addq	$8, %rsp
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
	addq	$8, %rsp
	iretq
1:	jmp	*trap_from_guest(%rip)

	.section .note.GNU-stack, "", @progbits
