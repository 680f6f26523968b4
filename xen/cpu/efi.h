/* SPDX-License-Identifier: MIT */
/*
 * The UEFI firmware that started the machine, as far as a dom0 asks: its name
 * and the tables that it leaves (UEFI Specification 2.10, "EFI System Table").
 * Its run-time services are not called.
 */
#ifndef OSTLER_CPU_EFI_H
#define OSTLER_CPU_EFI_H

#include "lib/types.h"

#define EFI_VENDOR_MAX 64

struct efi_info {
	paddr_t tables; /* its configuration tables; 0: no UEFI */
	uint32_t nr_tables;
	uint32_t version;                /* of the specification */
	uint32_t rt_version;             /* of the run-time services' table */
	uint32_t vendor_revision;        /* of the firmware */
	uint16_t vendor[EFI_VENDOR_MAX]; /* its name, in UTF-16, with a 0 */
};
extern struct efi_info efi_info;

/* Reads the system table there; without it, or when it is none, efi_info stays
 * empty, with a warning. */
void efi_init(paddr_t system_table);

#endif
