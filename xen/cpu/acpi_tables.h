/* SPDX-License-Identifier: MIT */
/* Between cpu/'s ACPI files: each fills its part of acpi_info. */
#ifndef OSTLER_CPU_ACPI_TABLES_H
#define OSTLER_CPU_ACPI_TABLES_H

#include "cpu/acpi.h"

/* A table by address, whole and verified; NULL, with a line that says why. */
const struct acpi_header *acpi_map_table(paddr_t addr);
void acpi_parse_madt(void);
void acpi_parse_fadt(void);
/* Finds \_S5's sleep types in AML; false: not there, or not plain numbers. */
bool acpi_scan_s5(const uint8_t *aml, size_t len, uint8_t typ[2]);

#endif
