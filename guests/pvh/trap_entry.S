/* SPDX-License-Identifier: MIT */
/*
 * The 256 interrupt stubs, all leading to trap() in trap.c with the registers
 * as struct trap_frame lays them out; and try_call(), which trap() unwinds to.
 */
	.text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	/* These push an error code themselves. */
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || \
		(vector == 17) || (vector == 21)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

trap_common:
	pushq %r15
	pushq %r14
	pushq %r13
	pushq %r12
	pushq %r11
	pushq %r10
	pushq %r9
	pushq %r8
	pushq %rbp
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rbx
	pushq %rax
	movq %rsp, %rdi
	cld
	call trap
	popq %rax
	popq %rbx
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	popq %rbp
	popq %r8
	popq %r9
	popq %r10
	popq %r11
	popq %r12
	popq %r13
	popq %r14
	popq %r15
	addq $16, %rsp
	iretq

	/* int try_call(void (*fn)(void *), void *arg) */
	.globl try_call
try_call:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, try_stack
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	movl $-1, %eax
	.globl try_landing
try_landing:
	movq $0, try_stack
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	/* long user_call(long (*fn)(void), void *stack_top): fn in ring 3 */
	.globl user_call
user_call:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, tss + 4 /* RSP0: the way back keeps this frame */
	pushq $0x1b
	pushq %rsi
	pushq $0x2
	pushq $0x23
	pushq $user_stub
	movq %rdi, %rbx
	iretq
user_stub:
	call *%rbx
	int $0x81
	.globl user_return
user_return:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	.section .note.GNU-stack, "", @progbits
