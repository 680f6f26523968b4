/* SPDX-License-Identifier: MIT */
/*
 * Where a freestanding guest begins: the PVH entry (32-bit, paging off, start
 * information in %ebx), the static page tables, and the way into 64-bit C.
 * Everything is linked where it is loaded and mapped one to one, so a pointer
 * is a physical address. The second PML4 slot belongs to window.c.
 */
#include <xen/elfnote.h>

#define CR0_BOOT 0x80010033 /* PG WP NE ET MP PE */
#define CR4_BOOT 0x00000620 /* OSXMMEXCPT OSFXSR PAE */
#define EFER 0xc0000080
#define EFER_BOOT 0x900 /* LME NXE */

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad _start
	.long 4, 7, XEN_ELFNOTE_GUEST_OS
	.asciz "Xen"
	.asciz "Ostler"
	.balign 4

	.section .text.head, "ax"
	.code32
	.globl _start
_start:
	cld
	movl $boot_stack_end, %esp
	movl %ebx, start_info_paddr
	call enter_long
	ljmp $0x08, $1f

	/* Long mode with our tables and descriptors; clobbers %eax %ecx %edx */
enter_long:
	movl $pml4, %eax
	movl %eax, %cr3
	movl $CR4_BOOT, %eax
	movl %eax, %cr4
	movl $EFER, %ecx
	rdmsr
	orl $EFER_BOOT, %eax
	wrmsr
	movl $CR0_BOOT, %eax
	movl %eax, %cr0
	lgdt gdt_pointer
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	ret

	.code64
1:	movabsq $boot_stack_end, %rsp
	xorl %ebp, %ebp
	call guest_start
2:	hlt
	jmp 2b

	/* A further CPU: started here by VCPUOP_initialise, stack in %edi. */
	.code32
	.globl smp_entry
smp_entry:
	cld
	movl %edi, %esp
	call enter_long
	ljmp $0x08, $3f
	.code64
3:	movl %esp, %esp
	xorl %ebp, %ebp
	popq %rdi
	call smp_start
4:	hlt
	jmp 4b

	/* Flat code and data for rings 0 and 3; the TSS is filled by trap.c. */
	.data
	.balign 16
	.globl gdt
gdt:	.quad 0
	.quad 0x00af9b000000ffff /* 0x08 code */
	.quad 0x00cf93000000ffff /* 0x10 data */
	.quad 0x00cff3000000ffff /* 0x18 user data */
	.quad 0x00affb000000ffff /* 0x20 user code */
	.quad 0, 0               /* 0x28 TSS */
gdt_end:
	.globl gdt_pointer
gdt_pointer:
	.word gdt_end - gdt - 1
	.quad gdt

	/* 4 GiB one to one in 2 MiB pages, user too (the ring-3 tests). */
	.section .data.tables, "aw"
	.balign 4096
	.globl pml4
pml4:	.quad pdpt + 7
	.fill 511, 8, 0
pdpt:	.quad pd + 7, pd + 0x1007, pd + 0x2007, pd + 0x3007
	.fill 508, 8, 0
pd:
	.set frame, 0
	.rept 2048
	.quad (frame << 21) | 0xe7
	.set frame, frame + 1
	.endr

	.section .bss.stack, "aw", @nobits
	.balign 16
	.skip 32768
boot_stack_end:

	.section .bss
	.balign 4
	.globl start_info_paddr
start_info_paddr:
	.skip 4

	.section .note.GNU-stack, "", @progbits
