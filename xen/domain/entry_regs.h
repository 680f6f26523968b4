/* SPDX-License-Identifier: MIT */
/* Where struct guest_regs (domain/domain.h) has what, for assembly: vcpu.c
 * asserts each. It is also the offset in struct vcpu, whose first member it is.
 */
#ifndef OSTLER_DOMAIN_ENTRY_REGS_H
#define OSTLER_DOMAIN_ENTRY_REGS_H

#define REGS_RAX    0
#define REGS_RCX    8
#define REGS_RDX    16
#define REGS_RBX    24
#define REGS_RSP    32
#define REGS_RBP    40
#define REGS_RSI    48
#define REGS_RDI    56
#define REGS_R8     64
#define REGS_R9     72
#define REGS_R10    80
#define REGS_R11    88
#define REGS_R12    96
#define REGS_R13    104
#define REGS_R14    112
#define REGS_R15    120
#define REGS_RIP    128
#define REGS_RFLAGS 136

#endif
