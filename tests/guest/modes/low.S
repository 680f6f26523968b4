/* SPDX-License-Identifier: MIT */
/*
 * void low_run(void): out of long mode into protected mode without paging, its
 * tasks, real mode, and back. Interrupts are off. The code of real mode is a
 * blob that main.c has copied to a page below 1 MiB (low_page).
 */
#include "low.h"

#define MSR_EFER 0xc0000080

	.text
	.code64
	.globl low_run
low_run:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushfq
	cli
	movq %rsp, kept_rsp
	movq %cr0, %rax
	movl %eax, kept_cr0
	movq %cr3, %rax
	movl %eax, kept_cr3
	movq %cr4, %rax
	movl %eax, kept_cr4
	sgdt kept_gdt
	sidt kept_idt
	lgdt low_gdt_pointer
	ljmp *to32

	.code32
enter32:
	movl $DATA32, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl $low_stack_end, %esp
	movl %cr0, %eax
	andl $0x7fffffff, %eax
	movl %eax, %cr0
	movl $MSR_EFER, %ecx
	rdmsr
	andl $~0x100, %eax
	wrmsr
	movl %cr4, %eax
	andl $~0x20, %eax
	movl %eax, %cr4
	call protected
	ljmp $CODE16, $(real_enter - low_blob)

	/* Back from real mode, in 32-bit code. */
	.globl low_back
low_back:
	movl $DATA32, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl kept_cr3, %eax
	movl %eax, %cr3
	movl kept_cr4, %eax
	movl %eax, %cr4
	movl $MSR_EFER, %ecx
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl kept_cr0, %eax
	movl %eax, %cr0
	lgdt kept_gdt
	ljmp $0x08, $2f

	.code64
2:	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movq kept_rsp, %rsp
	lidt kept_idt
	movq kept_gdt + 2, %rax
	andb $~2, 0x28 + 5(%rax)	/* its TSS is not busy */
	movl $0x28, %eax
	ltr %ax
	popfq
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

	/* ---- protected mode without paging ---- */
	.code32
#define RESULT(n) low_results + 4 * (n)

protected:
	lidt low_idt_pointer
	movl $TSS_A, %eax
	ltr %ax
	/* CR3 is there, and nobody uses it. */
	movl $0x12345000, %eax
	movl %eax, %cr3
	movl %cr3, %ebx
	movl %ebx, RESULT(R_CR3)
	/* To another task and back: by CALL, through a gate, by JMP. */
	movl $0x600df00d, %ebx
	lcall $TSS_B, $0
	movl %ebx, RESULT(R_CALL_EBX)
	pushfl
	popl RESULT(R_CALL_FLAGS)
	clts
	int $TASK_VECTOR
	ljmp $TSS_B, $0
	/* Exceptions whose handler is a task: of a selector, and of a TSS that
	 * is busy. */
	movl $0x1230, %eax
	movl $2, fault_length
	.globl fault1, fault2
fault1:	movl %eax, %es
	movl RESULT(R_ERROR1), %ebx
	movl %ebx, RESULT(R_ERROR2)
	movl $7, fault_length
fault2:	ljmp $TSS_A, $0
	/* Which are busy now. */
	movzbl low_gdt + TSS_A + 5, %eax
	movb low_gdt + TSS_B + 5, %ah
	movl %eax, RESULT(R_TYPES)
	clts
	/* 32-bit paging with large pages, on and off. */
	movl $low_directory, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0x10, %eax
	movl %eax, %cr4
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	jmp 1f
1:	movl low_marker + 0xbf000000, %ebx	/* 0xc0000000 is 16 MiB */
	movl %ebx, RESULT(R_PAGED)
	andl $0x7fffffff, %eax
	movl %eax, %cr0
	movl %cr3, %eax
	movl %eax, RESULT(R_UNPAGED_CR3)
	ret

	.globl task_b, task_c
task_b:	/* by CALL */
	incl RESULT(R_CALL_VISITS)
	pushfl
	popl RESULT(R_B_FLAGS)
	str %ax
	movzwl %ax, %eax
	movl %eax, RESULT(R_B_TR)
	movzwl tss_b, %eax
	movl %eax, RESULT(R_B_LINK)
	clts
	iretl
	/* through the gate */
	incl RESULT(R_GATE_VISITS)
	clts
	iretl
	/* by JMP */
	pushfl
	popl RESULT(R_JMP_FLAGS)
	movzbl low_gdt + TSS_A + 5, %eax
	movb low_gdt + TSS_B + 5, %ah
	movl %eax, RESULT(R_JMP_TYPES)
	clts
	ljmp $TSS_A, $0
	ud2

task_c:	popl RESULT(R_ERROR1)
	incl RESULT(R_FAULTS)
	movl tss_a + TSS_EIP, %eax
	cmpl $1, RESULT(R_FAULTS)
	jne 1f
	movl %eax, RESULT(R_EIP1)
	jmp 2f
1:	movl %eax, RESULT(R_EIP2)
2:	addl fault_length, %eax
	movl %eax, tss_a + TSS_EIP
	iretl
	jmp task_c

	/* ---- real mode ---- */
	.code16
#define AT(x) ((x) - low_blob)
#define WORD(n) LOW_RESULTS + 2 * (n)

	.globl low_blob, low_blob_end, real_segment, real_int, real_divide
	.globl real_divisor, real_into
low_blob:
real_enter:
	movw $DATA16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw %ax, %fs
	movw %ax, %gs
	movl %cr0, %eax
	andb $0xfe, %al
	movl %eax, %cr0
	.byte 0xea			/* ljmp segment:offset */
	.word AT(1f)
real_segment:
	.word 0
1:	movw %cs, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $LOW_STACK, %sp
	lidtl AT(real_idt)
	sidtl WORD(W_IDT)
	/* interrupts and far calls */
	stc
	int $0x40
	int $0x40
	lcall *AT(far_pointer)
	/* system instructions */
	movl $0x40000000, %eax
	xorl %ecx, %ecx
	cpuid
	movl %ebx, WORD(W_SIGNATURE)
	fninit
	movw $0x5a5a, WORD(W_FPU_SW)
	fnstsw WORD(W_FPU_SW)
	fnstcw WORD(W_FPU_CW)
	smsw %ax
	andw $1, %ax
	movw %ax, WORD(W_MSW)
	movl %cr0, %eax
	movw %ax, WORD(W_CR0)
	movl $MSR_EFER, %ecx
	rdmsr
	andw $0x500, %ax
	movw %ax, WORD(W_EFER)
	rdtsc
	movl %eax, %ebx
	movw $100, %cx
2:	loop 2b
	rdtsc
	cmpl %ebx, %eax
	setne WORD(W_TSC)
	/* a port of nobody */
	movw $0x4f8, %dx
	inb %dx, %al
	xorb %ah, %ah
	movw %ax, WORD(W_PORT)
	/* strings: 16 words, their sum, backwards */
	cld
	movw $LOW_BUFFER, %di
	movw $16, %cx
	movw $0x0101, %ax
	rep stosw
	movw $LOW_BUFFER + 30, %si
	movw $16, %cx
	xorw %dx, %dx
	std
2:	lodsw
	addw %ax, %dx
	loop 2b
	cld
	movw %dx, WORD(W_STRING)
	/* the product of 300 and 7, a quotient */
	movw $300, %ax
	movw $7, %cx
	mulw %cx
	movw $100, %cx
	divw %cx
	movw %ax, WORD(W_PRODUCT)
	/* division by zero: the handler mends the divisor */
	movw $1, %ax
	xorw %dx, %dx
	movw $0, AT(real_divisor)
real_divide:
	divw AT(real_divisor)
	/* INTO, and the flags through POPF */
	pushw $0x0a02			/* OF, IF */
	popfw
	into
	pushfw
	popw WORD(W_FLAGS)
	cli
	/* protected mode for a moment, for a segment of 4 GiB */
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	movw $DATA32, %bx
	movw %bx, %fs
	andb $0xfe, %al
	movl %eax, %cr0
	movl $low_marker, %edi
	movl %fs:(%edi), %eax
	movl %eax, WORD(W_BIG)
	/* and back */
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $CODE32, $low_back

real_int:
	incw WORD(W_INTS)
	pushfw
	popw WORD(W_INT_FLAGS)
	iretw
real_far:
	incw WORD(W_FAR)
	lretw
real_zero:
	incw WORD(W_DIVIDES)
	pushw %bp
	movw %sp, %bp
	pushw %ax
	movw 2(%bp), %ax
	movw %ax, WORD(W_DIVIDE_IP)
	movw $1, AT(real_divisor)
	popw %ax
	popw %bp
	iretw
real_into:
	incw WORD(W_INTO)
	iretw
	/* A further processor: by SIPI, in a page of its own (LOW_CPU). It
	 * counts until an NMI says that it is enough. */
	.globl cpu_code, cpu_code_end, cpu_nmi
#define CPU(x) ((x) - cpu_code)
cpu_code:
	movw %cs, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x800, %sp
	lidtl CPU(cpu_idt)
3:	incl CPU_COUNT
	pause
	cmpw $0, CPU_NMIS
	je 3b
	movl $0x40000001, %eax
	cpuid
	movl %eax, CPU_VERSION
4:	hlt
	jmp 4b
cpu_nmi:
	incw CPU_NMIS
	iretw
	.balign 4
	.globl cpu_idt
cpu_idt:
	.word 0x3ff
	.long 0
cpu_code_end:

	.balign 4
real_divisor:
	.word 0
	.globl real_zero, real_far, far_pointer, real_idt
far_pointer:
	.word AT(real_far), 0
real_idt:
	.word 0x3ff
	.long 0
low_blob_end:

	.data
	.balign 8
	.globl low_marker
low_marker:
	.long 0x11223344
kept_rsp:
	.quad 0
kept_cr0:
	.long 0
kept_cr3:
	.long 0
kept_cr4:
	.long 0
fault_length:
	.long 0
to32:	.long enter32
	.word CODE32
kept_gdt:
	.word 0
	.quad 0
kept_idt:
	.word 0
	.quad 0
	.balign 8
low_gdt_pointer:
	.word 8 * 8 - 1
	.quad low_gdt
	.balign 8
low_idt_pointer:
	.word 8 * 256 - 1
	.long low_idt
	.bss
	.balign 16
	.skip 4096
low_stack_end:

	.section .note.GNU-stack, "", @progbits
