/* SPDX-License-Identifier: MIT */
/*
 * A CPU's first instructions (cpu/trampoline.h). trampoline.c copies this code
 * to a page below 1 MiB and fills in the words at its end; the page tables used
 * meanwhile map that page at its own address, too.
 */
#include "mem/layout.h"

#define OFF(sym) (sym - trampoline_code)

	.section .rodata.trampoline, "a", @progbits
	.globl trampoline_code, trampoline_words, trampoline_end
	.balign 16
	.code16
trampoline_code:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	xorl %ebx, %ebx /* EBX: this page, for later */
	movw %ax, %bx
	shll $4, %ebx
	lgdtl OFF(t_gdt_pointer)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl *OFF(t_jump_32)

	.code32
t_32:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl OFF(t_cr4)(%ebx), %eax
	movl %eax, %cr4
	movl OFF(t_cr3)(%ebx), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx /* EFER */
	movl OFF(t_efer)(%ebx), %eax
	xorl %edx, %edx
	wrmsr
	movl OFF(t_cr0)(%ebx), %eax
	movl %eax, %cr0
	ljmpl *OFF(t_jump_64)(%ebx)

	.code64
t_64:
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	xorl %edx, %edx
	movl $0xc0000100, %ecx /* FS.base, then GS.base */
	wrmsr
	incl %ecx
	wrmsr
	movq OFF(t_stack)(%rbx), %rsp
	movq OFF(t_arg)(%rbx), %rdi
	movq OFF(t_entry)(%rbx), %rsi
	movq OFF(t_host_cr3)(%rbx), %rdx
	jmpq *OFF(t_high)(%rbx)

	.balign 8
t_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 0x08: 64-bit code */
	.quad 0x00cf9b000000ffff /* 0x10: 32-bit code */
	.quad 0x00cf93000000ffff /* 0x18: data */
t_gdt_end:

	/* Filled in by trampoline.c: struct trampoline_words. */
	.balign 8
trampoline_words:
t_stack:
	.quad 0
t_entry:
	.quad 0
t_arg:
	.quad 0
t_high:
	.quad 0
t_host_cr3:
	.quad 0
t_cr3:
	.long 0
t_cr4:
	.long 0
t_cr0:
	.long 0
t_efer:
	.long 0
t_jump_32:
	.long OFF(t_32)
	.long 0x10
t_jump_64:
	.long OFF(t_64)
	.long 0x08
t_gdt_pointer:
	.word t_gdt_end - t_gdt - 1
	.long OFF(t_gdt)
trampoline_end:

	/* In the image: leaves the trampoline's page tables. */
	.section .text.trampoline, "ax", @progbits
	.code64
	.globl trampoline_high
trampoline_high:
	movq %rdx, %cr3
	xorl %ebp, %ebp
	pushq $0
	jmp *%rsi

	.section .note.GNU-stack, "", @progbits
