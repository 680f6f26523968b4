/* SPDX-License-Identifier: MIT */
/* A guest's own page tables, read as the processor would. */
#ifndef OSTLER_HVM_GUEST_WALK_H
#define OSTLER_HVM_GUEST_WALK_H

#include "hvm/hvm.h"

/* What an access is; the bits are those of a page fault's error code. */
#define WALK_WRITE BIT(1)
#define WALK_USER  BIT(2)
#define WALK_FETCH BIT(4)

/*
 * gva to gpa. False: a page fault, *error its error code. Accessed and dirty
 * bits are set as the processor does.
 */
bool guest_walk(struct vcpu *v, uint64_t gva, uint32_t access, gpa_t *gpa,
		uint32_t *error);

/* Where gfn's memory is, if it is RAM (and may be written, if write). */
void *hvm_gfn_virt(struct vcpu *v, gfn_t gfn, bool write);

/* The kind table's: where gfn is, if it is plain RAM. */
void *hvm_own_page(struct vcpu *v, gfn_t gfn);
/* 0 or -EFAULT. */
int hvm_copy_to_guest(struct vcpu *v, uint64_t va, const void *src, size_t len);
int hvm_copy_from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len);
/* The bytes at linear address va, for a decoder: how many could be read. */
unsigned int hvm_fetch(struct vcpu *v, uint64_t va, uint8_t *buf,
		       unsigned int n);

#endif
