/* SPDX-License-Identifier: MIT */
/* Offsets that entry.S uses; kind.c asserts them. */
#ifndef OSTLER_PV_ENTRY_H
#define OSTLER_PV_ENTRY_H

#include "domain/entry_regs.h"

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
