/* SPDX-License-Identifier: MIT */
/*
 * The smallest PVH guest: it halts for ever. For timing what a toolstack takes
 * to make and unmake a domain. Linked at 1 MiB, so that 16 MiB are plenty.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long	4, 4, 18	/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	_start

	.text
	.code32
	.globl	_start
_start:
	cli
	hlt
	jmp	_start

	.section .note.GNU-stack, "", @progbits
