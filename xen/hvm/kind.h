/* SPDX-License-Identifier: MIT */
/* The parts of the kind table (domain/domain.h) that have files of their own.
 */
#ifndef OSTLER_HVM_KIND_H
#define OSTLER_HVM_KIND_H

#include "hvm/hvm.h"

int hvm_grant_map(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags);
int hvm_grant_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags);
int hvm_grant_replace(struct vcpu *v, uint64_t addr, mfn_t mfn,
		      uint64_t new_addr, uint32_t flags);
void hvm_grant_flush(struct domain *d);

#endif
