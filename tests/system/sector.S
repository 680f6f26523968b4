/* SPDX-License-Identifier: MIT */
/*
 * A boot sector that says on the first serial line which drive it came from,
 * and does what the drive's next sector wants: a byte that counts the starts,
 * then a letter for each. From anything but the first hard disk it only waits.
 *	c  reset by port 0xcf9		k  reset by the keyboard controller
 *	j  jump to the reset vector	t  a triple fault
 *	o  off, by ACPI's PM1a_CNT	w  waits for ever
 *	e  says what is written to it, byte by byte
 * restart.sh writes plans and reads the count; the rig puts it on a disc, too.
 */
#define PLAN	   0x7e00
#define COM1	   0x3f8
#define PM1A_CNT   0xb004
#define SLEEP_OFF  0x2000 /* SLP_EN, type 0 */
#define FIRST_DISK 0x80

	.code16
	.text
	.globl _start
_start:
	ljmp $0, $1f
1:	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movw $_start, %sp
	sti
	cld
	movb %dl, drive
	movw $hello, %si
	call say
	movb drive, %al
	call hex
	cmpb $FIRST_DISK, drive
	jne end_line
	movw $0x0201, %ax /* read a sector */
	call plan
	movw $start, %si
	call say
	movb PLAN, %al
	call hex
	movzbw PLAN, %di
	incb PLAN
	movw $0x0301, %ax /* write it */
	call plan
	movw $line, %si
	call say
	movb PLAN + 1(%di), %al
	cmpb $'c', %al
	je port_cf9
	cmpb $'k', %al
	je keyboard
	cmpb $'t', %al
	je triple
	cmpb $'o', %al
	je off
	cmpb $'e', %al
	je echo
	cmpb $'j', %al
	jne wait
	ljmp $0xffff, $0

end_line:
	movw $line, %si
	call say
wait:	hlt
	jmp wait

port_cf9:
	movw $0xcf9, %dx
	movb $2, %al
	outb %al, %dx
	movb $6, %al
	outb %al, %dx
	jmp wait

keyboard:
	inb $0x64, %al
	testb $2, %al
	jnz keyboard
	movb $0xfe, %al
	outb %al, $0x64
	jmp wait

triple:	lidt nothing
	ud2

off:	movw $PM1A_CNT, %dx
	movw $SLEEP_OFF, %ax
	outw %ax, %dx
	jmp wait

echo:	movw $COM1 + 5, %dx
	inb %dx, %al
	testb $1, %al
	jz echo
	movw $COM1, %dx
	inb %dx, %al
	movw $heard, %si
	pushw %ax
	call say
	popw %ax
	call put
	movw $line, %si
	call say
	jmp echo

/* The sector after this one, by INT 13h; %ax: how. Without it: nothing. */
plan:	movw $2, %cx
	movw $FIRST_DISK, %dx
	movw $PLAN, %bx
	int $0x13
	jc end_line
	ret

/* The string at %si, ended by 0. */
say:	lodsb
	testb %al, %al
	jz 2f
	call put
	jmp say
2:	ret

/* %al as two digits. */
hex:	pushw %ax
	shrb $4, %al
	call digit
	popw %ax
	andb $15, %al
digit:	addb $'0', %al
	cmpb $'9', %al
	jbe put
	addb $'a' - '9' - 1, %al

/* %al to the serial line and the screen; clobbers %ah %bx %dx. */
put:	movb %al, %ah
	movw $COM1 + 5, %dx
3:	inb %dx, %al
	testb $0x20, %al
	jz 3b
	movb %ah, %al
	movw $COM1, %dx
	outb %al, %dx
	movb $0x0e, %ah
	movw $7, %bx
	int $0x10
	ret

hello:	.asciz "sector from drive "
start:	.asciz ", start "
heard:	.asciz "heard "
line:	.asciz "\r\n"
nothing:
	.word 0
	.long 0
drive:	.byte 0

	.org _start + 510
	.word 0xaa55
