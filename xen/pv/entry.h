/* SPDX-License-Identifier: MIT */
/* Offsets that entry.S uses; kind.c asserts them. */
#ifndef OSTLER_PV_ENTRY_H
#define OSTLER_PV_ENTRY_H

#include "domain/entry_regs.h"

#define VCPU_ARCH  160
#define VCPU_INFO  168
#define VCPU_STATE 192
#define CPU_SMAP   69

#define FRAME_VECTOR 4
#define FRAME_CS     16
#define FRAME_SS     40
#define PV_IN_KERNEL 48
#define PV_SYSRET    49

#define PV_NMI_PENDING 52
#define PV_IN_NMI      53

/* struct vcpu_info, struct iret_context (public/). */
#define INFO_UPCALL_PENDING 0
#define INFO_UPCALL_MASK    1
#define IRET_RAX            0
#define IRET_R11            8
#define IRET_RCX            16
#define IRET_FLAGS          24
#define IRET_RIP            32
#define IRET_CS             40
#define IRET_RFLAGS         48
#define IRET_RSP            56
#define IRET_SS             64
#define IRET_IN_SYSCALL     0x100
/* A guest's flags have neither IOPL nor VM; IF is our own. */
#define IRET_FLAGS_KEPT ~0x23000
#define IRET_FLAGS_SET  0x202

#define STATE_RUNNING 3

#define HYPERVISOR_IRET 23

#define BY_SYSRET 1

#define EXIT_SYSCALL   0x100
#define EXIT_BAD_IRET  0x101
#define EXIT_SYSCALL32 0x102
#define EXIT_DONE      0x103
#define EXIT_SYSENTER  0x104

#endif
