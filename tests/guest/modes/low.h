/* SPDX-License-Identifier: MIT */
/* What main.c and low.S share: selectors, and the numbers of results. */
#ifndef OSTLER_GUEST_MODES_LOW_H
#define OSTLER_GUEST_MODES_LOW_H

#define CODE32      0x08
#define DATA32      0x10
#define CODE16      0x18
#define DATA16      0x20
#define TSS_A       0x28
#define TSS_B       0x30
#define TSS_C       0x38
#define TASK_VECTOR 0x40

/* Offsets in a TSS. */
#define TSS_EIP 0x20

/* In protected mode: low_results[]. */
#define R_CR3         0
#define R_CALL_VISITS 1
#define R_CALL_EBX    2
#define R_CALL_FLAGS  3
#define R_B_FLAGS     4
#define R_B_TR        5
#define R_B_LINK      6
#define R_GATE_VISITS 7
#define R_JMP_FLAGS   8
#define R_JMP_TYPES   9
#define R_FAULTS      10
#define R_ERROR1      11
#define R_EIP1        12
#define R_ERROR2      13
#define R_EIP2        14
#define R_TYPES       15
#define R_PAGED       16
#define R_UNPAGED_CR3 17
#define RESULTS       18

/* In real mode: words at LOW_RESULTS of the page's segment. */
#define LOW_STACK   0x2000
#define LOW_RESULTS 0x2000
#define LOW_IVT     0x3000
#define LOW_BUFFER  0x3800
#define W_INTS      0
#define W_INT_FLAGS 1
#define W_FAR       2
#define W_SIGNATURE 3 /* two words */
#define W_FPU_SW    5
#define W_FPU_CW    6
#define W_STRING    7
#define W_DIVIDES   8
#define W_DIVIDE_IP 9
#define W_MSW       10
#define W_BIG       11 /* two words */
#define W_IDT       13 /* limit, two words of base */
#define W_PORT      16
#define W_EFER      17
#define W_TSC       18
#define W_FLAGS     19
#define W_CR0       20
#define W_INTO      21
#define W_PRODUCT   22

/* Of the other processor: a page, what it writes there, its vectors. */
#define LOW_CPU     0x4000
#define CPU_COUNT   0x800
#define CPU_NMIS    0x804
#define CPU_VERSION 0x808
#define CPU_IVT     0xc00
#define LOW_SIZE    0x5000

#endif
