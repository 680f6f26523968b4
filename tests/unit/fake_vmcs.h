/* SPDX-License-Identifier: MIT */
/* A VMCS of memory: by encoding; what is not there reads as 0. */
#ifndef OSTLER_TESTS_UNIT_FAKE_VMCS_H
#define OSTLER_TESTS_UNIT_FAKE_VMCS_H

#include "hvm/vmx/vmx.h"

static uint64_t fields[0x8000];
uint64_t vmread(enum vmcs_field f)
{
	return fields[f];
}
uint64_t vmread_any(enum vmcs_field f)
{
	return fields[f];
}
void vmwrite(enum vmcs_field f, uint64_t v)
{
	fields[f] = v;
}

#endif
