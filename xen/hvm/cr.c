/* SPDX-License-Identifier: MIT */
/*
 * Control registers that are written on a guest's behalf, with the checks and
 * consequences that the processor would have (AMD APM Vol. 2, "Control
 * Registers").
 */
#include "hvm/hvm.h"

#include "domain/cpu_policy.h"

#define CR4_UMIP     BIT(11)
#define CR4_FSGSBASE BIT(16)
#define CR4_PCIDE    BIT(17)
#define CR4_OSXSAVE  BIT(18)
#define CR4_SMEP     BIT(20)
#define CR4_SMAP     BIT(21)

static bool in_64bit_code(struct vcpu *v)
{
	return hvm_ops->code_bits(v) == 64;
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

/* Bits of CR4 that go with features: leaf 1 ECX, leaf 7 EBX, leaf 7 ECX. */
static uint64_t cr4_allowed(const struct cpu_policy *p)
{
	uint64_t ok = GENMASK(10, 0); /* VME to OSXMMEXCPT */

	ok |= p->feat[0].c & BIT(2) ? CR4_UMIP : 0;
	ok |= p->feat[0].b & BIT(0) ? CR4_FSGSBASE : 0;
	ok |= p->basic[1].c & BIT(17) ? CR4_PCIDE : 0;
	ok |= p->basic[1].c & BIT(26) ? CR4_OSXSAVE : 0;
	ok |= p->feat[0].b & BIT(7) ? CR4_SMEP : 0;
	ok |= p->feat[0].b & BIT(20) ? CR4_SMAP : 0;
	return ok;
}

bool hvm_set_cr4(struct vcpu *v, uint64_t val)
{
	uint64_t efer = hvm_ops->get_creg(v, EFER);
	uint64_t old = hvm_ops->get_creg(v, CR4);

	if (val & ~cr4_allowed(v->domain->policy))
		return false;
	if ((efer & EFER_LMA) && !(val & X86_CR4_PAE))
		return false;
	if ((val & ~old & CR4_PCIDE) &&
	    (!(efer & EFER_LMA) || (hvm_ops->get_creg(v, CR3) & 0xfff)))
		return false;
	hvm_ops->set_creg(v, CR4, val);
	return true;
}

uint64_t hvm_get_cr(struct vcpu *v, unsigned int cr)
{
	static const uint8_t regs[] = {
		[0] = CR0, [2] = CR2, [3] = CR3, [4] = CR4, [8] = CR8};

	return hvm_ops->get_creg(v, (enum hvm_creg)regs[cr]);
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
