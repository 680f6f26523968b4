/* SPDX-License-Identifier: MIT */
/*
 * Where the hypervisor takes the guest for a trap or an event: RCX and R11 lie
 * on top of what the processor would have pushed. All lead to trap() with a
 * struct trap_frame, and back by the hypercall iret. And try_call() and
 * user_call(), which trap() unwinds to.
 */
#define __ASSEMBLY__
#include <xen/xen.h>

#define IRET hypercall_page + __HYPERVISOR_iret * 32
#define KERNEL_SS 0xe02b
#define USER_CS   0xe033

	.text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	popq %rcx
	popq %r11
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

	.macro entry name, vector, skip=0
	.globl \name
\name:	popq %rcx
	popq %r11
	addq $\skip, %rsp
	pushq $0
	pushq $\vector
	jmp trap_common
	.endm
	entry pv_upcall, 0x40
	entry pv_failsafe, 0x82, 32	/* the data segments */
	entry pv_syscall, 0x83
	entry pv_sysenter, 0x84
	entry pv_nmi, 2

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
	addq $8, %rsp
	movq $0, (%rsp)		/* flags: all registers come back */
	jmp IRET

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
leave:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	/* long user_enter(long (*fn)(void), void *stack_top) */
	.globl user_enter
user_enter:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, user_kernel_stack
	movq %rdi, %rbx
	movq %rsi, %rbp
	movl $KERNEL_SS, %edi
	movq %rsp, %rsi
	call hypercall_page + __HYPERVISOR_stack_switch * 32
	pushq $KERNEL_SS
	pushq %rbp
	pushq $0x202
	pushq $USER_CS
	pushq $user_stub
	pushq $0
	jmp IRET
user_stub:
	call *%rbx
	int3
	.globl user_return
user_return:
	jmp leave

	.section .note.GNU-stack, "", @progbits
