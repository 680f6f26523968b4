/* SPDX-License-Identifier: MIT */
/* Offsets that entry.S uses; kind.c asserts them. */
#ifndef OSTLER_PV_ENTRY_H
#define OSTLER_PV_ENTRY_H

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

#define VCPU_ARCH 160

#define FRAME_VECTOR 4
#define FRAME_CS     16
#define FRAME_SS     40
#define PV_IN_KERNEL 48
#define PV_SYSRET    49

#define HYPERVISOR_IRET 23

#define BY_SYSRET 1

#define EXIT_SYSCALL   0x100
#define EXIT_BAD_IRET  0x101
#define EXIT_SYSCALL32 0x102
#define EXIT_DONE      0x103
#define EXIT_SYSENTER  0x104

#endif
