/* SPDX-License-Identifier: MIT */
/* What entry.S must know. */
#ifndef OSTLER_HVM_VMX_ENTRY_H
#define OSTLER_HVM_VMX_ENTRY_H

#include "domain/entry_regs.h"

#define FIELD_HOST_RSP 0x6c14

#endif
