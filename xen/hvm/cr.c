/* SPDX-License-Identifier: MIT */
/*
 * Control registers that are written on a guest's behalf, with the checks and
 * consequences that the processor would have (AMD APM Vol. 2, "Control
 * Registers").
 */
#include "hvm/hvm.h"

#define CR4_PCIDE BIT(17)

static bool in_64bit_code(struct vcpu *v)
{
	struct hvm_segment cs;

	hvm_ops->get_seg(v, SEG_CS, &cs);
	return cs.attr & SEG_ATTR_L;
}

/* Paging goes on or off: long mode with it. False: #GP. */
static bool switch_paging(struct vcpu *v, uint64_t cr0)
{
	uint64_t efer = hvm_ops->get_creg(v, EFER);
	uint64_t cr4 = hvm_ops->get_creg(v, CR4);

	if (!(cr0 & X86_CR0_PG)) {
		if ((cr4 & CR4_PCIDE) ||
		    ((efer & EFER_LMA) && in_64bit_code(v)))
			return false;
		hvm_ops->set_creg(v, EFER, efer & ~EFER_LMA);
		return true;
	}
	if (!(efer & EFER_LME))
		return true;
	if (!(cr4 & X86_CR4_PAE) || in_64bit_code(v))
		return false;
	hvm_ops->set_creg(v, EFER, efer | EFER_LMA);
	return true;
}

bool hvm_set_cr0(struct vcpu *v, uint64_t val)
{
	uint64_t old = hvm_ops->get_creg(v, CR0);

	if (val >> 32)
		return false;
	if ((val & X86_CR0_PG) && !(val & X86_CR0_PE))
		return false;
	if ((val & X86_CR0_NW) && !(val & X86_CR0_CD))
		return false;
	if (((val ^ old) & X86_CR0_PG) && !switch_paging(v, val))
		return false;
	hvm_ops->set_creg(v, CR0, val);
	return true;
}
