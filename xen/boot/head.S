/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to C. Three ways in, all in 32-bit protected mode with
 * flat segments, no paging, interrupts off, EBX pointing at what the loader
 * tells: multiboot 1, multiboot 2 (GRUB, BIOS and UEFI alike: boot services
 * are over), PVH (public/arch-x86/hvm/start_info.h). The image may have been
 * loaded anywhere on a 2 MiB boundary, so 32-bit code works with EBP = where.
 */
#include "mem/layout.h"

#define OFF(sym) (sym - IMAGE_VIRT_START)

#define CR0_START 0x80010033 /* PG WP NE ET MP PE */
#define CR4_START 0x00000620 /* PAE OSFXSR OSXMMEXCPT */
#define MSR_EFER  0xc0000080
#define MSR_FS_BASE 0xc0000100

#define MB1_MAGIC 0x1badb002
#define MB1_FLAGS 0x00000003 /* modules on pages; memory map */
#define MB2_MAGIC 0xe85250d6
#define PVH_MAGIC 0x336ec578

	.section .boot.header, "a", @progbits
	.balign 8
mb1_header:
	.long MB1_MAGIC, MB1_FLAGS, -(MB1_MAGIC + MB1_FLAGS)

	.balign 8
mb2_header:
	.long MB2_MAGIC, 0, mb2_end - mb2_header
	.long -(MB2_MAGIC + 0 + (mb2_end - mb2_header))
	.balign 8
	.short 1, 0 /* asks for: command line, loader, modules, memory, map … */
	.long 2f - 1f + 8
1:	.long 1, 2, 3, 4, 6
2:	.balign 8
	.short 1, 1 /* … and, if there are any: framebuffer, EFI, ACPI */
	.long 2f - 1f + 8
1:	.long 8, 12, 14, 15, 17
2:	.balign 8
	.short 6, 0 /* modules on pages */
	.long 8
	.balign 8
	.short 4, 1 /* a console is not required; text mode will do … */
	.long 12, 2
	.balign 8
	.short 5, 1 /* … and any mode with pixels */
	.long 20, 0, 0, 0
	.balign 8
	.short 10, 0 /* relocatable: from, to, alignment, low addresses first */
	.long 24
	.long 0x200000, 0x7fffffff, 0x200000, 1
	.balign 8
	.short 0, 0
	.long 8
mb2_end:

	.section .note.Xen, "a", @note
	.balign 4
	.long 2f - 1f, 4f - 3f, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
1:	.asciz "Xen"
2:	.balign 4
3:	.long OFF(entry_pvh) + IMAGE_PHYS_START
4:	.balign 4

	.section .boot.entry, "ax", @progbits
	.code32
	.globl entry_multiboot, entry_pvh
entry_pvh:
	movl $PVH_MAGIC, %eax
entry_multiboot:
	cli
	cld
	movl %eax, %edi
	/* The only memory known to be ours to push on is the loader's first
	 * word; it is put back. */
	movl (%ebx), %esi
	leal 4(%ebx), %esp
	call 1f
1:	popl %ebp
	movl %esi, (%ebx)
	subl $OFF(1b), %ebp
	leal OFF(boot_stack_top)(%ebp), %esp
	pushl %ebx

	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	testl $1 << 29, %edx
	jz no_long_mode
	pushl %edx

	/* The first 4 GiB with 2 MiB pages: one to one, and as direct map. */
	leal OFF(boot_l2_low)(%ebp), %ecx
	xorl %edx, %edx
	movl $0x83, %eax /* present, writable, large */
1:	movl %eax, (%ecx,%edx,8)
	addl $0x200000, %eax
	incl %edx
	cmpl $2048, %edx
	jne 1b
	leal OFF(boot_l3_low)(%ebp), %edx
	orl $3, %ecx
	movl %ecx, (%edx)
	addl $0x1000, %ecx
	movl %ecx, 8(%edx)
	addl $0x1000, %ecx
	movl %ecx, 16(%edx)
	addl $0x1000, %ecx
	movl %ecx, 24(%edx)
	leal OFF(boot_l4)(%ebp), %eax
	orl $3, %edx
	movl %edx, (%eax)
	movl %edx, 8 * ((DIRECT_VIRT_START >> 39) & 511)(%eax)

	/* The image, 8 MiB from where it is. */
	leal OFF(boot_l2_image)(%ebp), %ecx
	leal 0x83(%ebp), %edx
	movl %edx, (%ecx)
	addl $0x200000, %edx
	movl %edx, 8(%ecx)
	addl $0x200000, %edx
	movl %edx, 16(%ecx)
	addl $0x200000, %edx
	movl %edx, 24(%ecx)
	orl $3, %ecx
	leal OFF(boot_l3_image)(%ebp), %edx
	movl %ecx, 8 * ((IMAGE_VIRT_START >> 30) & 511)(%edx)
	orl $3, %edx
	movl %edx, 8 * ((IMAGE_VIRT_START >> 39) & 511)(%eax)

	movl %eax, %cr3
	movl $CR4_START, %eax
	movl %eax, %cr4
	popl %ebx /* CPUID 0x80000001 EDX */
	movl $MSR_EFER, %ecx
	rdmsr
	orl $1 << 8, %eax /* LME */
	testl $1 << 20, %ebx
	jz 1f
	orl $1 << 11, %eax /* NXE */
1:	wrmsr
	movl $CR0_START, %eax
	movl %eax, %cr0

	popl %ebx
	leal OFF(boot_gdt)(%ebp), %eax
	movl %eax, OFF(boot_gdt_low) + 2(%ebp)
	lgdt OFF(boot_gdt_low)(%ebp)
	pushl $0x08
	leal OFF(entry_64)(%ebp), %eax
	pushl %eax
	lret

	/* There is nothing to run on: say so on the first serial line. */
no_long_mode:
	leal OFF(no_long_mode_text)(%ebp), %esi
1:	movw $0x3fd, %dx
2:	inb %dx, %al
	testb $0x20, %al
	jz 2b
	lodsb
	testb %al, %al
	jz 3f
	movw $0x3f8, %dx
	outb %al, %dx
	jmp 1b
3:	hlt
	jmp 3b

	.code64
entry_64:
	movabsq $1f, %rax
	jmp *%rax
1:	lgdt boot_gdt_high(%rip)
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	/* GS.base 0: CPU 0's per-CPU data is the linked copy. FS.base stays 0,
	 * too, until someone needs it. */
	movl $MSR_FS_BASE, %ecx
	xorl %edx, %edx
	wrmsr
	incl %ecx
	wrmsr
	leaq boot_stack_top(%rip), %rsp
	pushq $0 /* where the stack ends */
	pushq $0 /* keeps calls 16-byte aligned, as the ABI wants it */
	/* start(magic, what the loader tells, where the image is) */
	movl %ebx, %esi
	movl %ebp, %edx
	xorl %ebp, %ebp
	call start
	ud2

	.section .rodata, "a", @progbits
no_long_mode_text:
	.asciz "Ostler: this CPU has no 64-bit mode\r\n"

	.section .init.data, "aw", @progbits
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* 0x08: 64-bit code */
	.quad 0x00cf93000000ffff /* 0x10: data */
boot_gdt_end:
	.balign 8
	.short 0, 0, 0
boot_gdt_low:
	.short boot_gdt_end - boot_gdt - 1
	.long 0
	.balign 8
	.short 0, 0, 0
boot_gdt_high:
	.short boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

	/* The entry's page tables, given back with the rest of .init. */
	.section .init.tables, "aw", @progbits
	.balign 4096
boot_l4:
	.skip 4096
boot_l3_low:
	.skip 4096
boot_l2_low:
	.skip 4 * 4096
boot_l3_image:
	.skip 4096
boot_l2_image:
	.skip 4096

	/* CPU 0's stack, for good. */
	.section .bss.page_aligned, "aw", @nobits
	.balign 4096
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip 4 * 4096
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
