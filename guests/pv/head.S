/* SPDX-License-Identifier: MIT */
/*
 * Where a freestanding PV guest begins: in 64-bit mode, on tables that the
 * builder made, which map its memory from address 0 on, with the start info in
 * %rsi.
 */
#include <xen/elfnote.h>

	.macro note_string type, value
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	.asciz "\value"
2:	.balign 4
	.endm
	.macro note_word type, value
	.long 4, 8, \type
	.asciz "Xen"
	.quad \value
	.endm

	.section .note.Xen, "a", @note
	.balign 4
	note_word XEN_ELFNOTE_ENTRY, _start
	note_word XEN_ELFNOTE_VIRT_BASE, 0
	note_word XEN_ELFNOTE_PADDR_OFFSET, 0
	note_word XEN_ELFNOTE_HYPERCALL_PAGE, hypercall_page
	note_word XEN_ELFNOTE_MOD_START_PFN, 1
	note_string XEN_ELFNOTE_XEN_VERSION, "xen-3.0"
	note_string XEN_ELFNOTE_GUEST_OS, "Ostler"
	note_string XEN_ELFNOTE_LOADER, "generic"

	.section .text.head, "ax"
	.globl _start
_start:
	cld
	movl $boot_stack_end, %esp
	movq %rsi, start_info
	xorl %ebp, %ebp
	call guest_start
1:	jmp 1b

	/* A further CPU: its number in %rdi. */
	.globl smp_entry
smp_entry:
	cld
	xorl %ebp, %ebp
	call smp_start
2:	jmp 2b

	.section .bss.stack, "aw", @nobits
	.balign 16
	.skip 32768
boot_stack_end:

	.section .note.GNU-stack, "", @progbits
