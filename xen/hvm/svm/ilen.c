/* SPDX-License-Identifier: MIT */
/*
 * Where the next instruction is. The processor says so where it has NRIP save.
 * Otherwise the instruction's bytes are fetched through the guest's page tables
 * and decoded: prefixes are legal everywhere, so no length is a constant.
 * Kernel code stays what it is, so a kernel's instructions are looked at once
 * and remembered by exit code, RIP, CR3 and mode; user code each time.
 */
#include "hvm/svm/svm.h"

#include "emulate/decode.h"
#include "hvm/guest_walk.h"

static uint64_t linear_rip(const struct vcpu *v, const struct vmcb *vmcb,
			   unsigned int mode)
{
	if (mode == 64)
		return v->regs.rip;
	return (uint32_t)(vmcb->cs.base + v->regs.rip);
}

bool svm_current_insn(struct vcpu *v, struct insn *i)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	unsigned int mode = svm_code_bits(v);
	uint8_t bytes[INSN_MAX];
	unsigned int n =
		hvm_fetch(v, linear_rip(v, vmcb, mode), bytes, sizeof(bytes));

	return insn_decode(i, bytes, n, mode);
}

static uint8_t decode_now(struct vcpu *v, struct ilen_entry *e)
{
	struct insn insn;

	if (!svm_current_insn(v, &insn))
		return 0;
	e->opcode = insn.has_modrm ? insn.modrm : insn.opcode;
	e->length = insn.length;
	return e->length;
}

/* Mode in the upper half: never 0. */
static inline uint32_t key_of(const struct vmcb *vmcb, uint16_t code)
{
	return code | (vmcb->cs.attr & (SEG_ATTR_L | SEG_ATTR_D)) << 16 |
	       (uint32_t)(vmcb->efer & EFER_LMA) << 20 | 1U << 31;
}

__attribute__((section(".text.hot"))) uint8_t
svm_instruction_length(struct vcpu *v, uint16_t code, uint8_t *opcode)
{
	struct svm_vcpu *s = svm_vcpu(v);
	struct vmcb *vmcb = s->vmcb;
	struct ilen_entry *e =
		&s->ilen[(v->regs.rip ^ v->regs.rip >> 6) % ILEN_CACHE];
	uint32_t key = key_of(vmcb, code);
	uint8_t length;

	if (likely(e->rip == v->regs.rip && e->cr3 == vmcb->cr3 &&
		   e->key == key && vmcb->cpl == 0)) {
		*opcode = e->opcode;
		return e->length;
	}
	e->rip = v->regs.rip;
	e->cr3 = vmcb->cr3;
	length = decode_now(v, e);
	*opcode = e->opcode;
	e->key = length && !vmcb->cpl ? key : 0;
	return length;
}

__attribute__((section(".text.hot"))) bool svm_skip(struct vcpu *v,
						    const struct vmexit *x)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	uint8_t length = x->length, opcode;

	if (!length)
		length = svm_instruction_length(v, x->code, &opcode);
	if (unlikely(!length))
		return false;
	v->regs.rip += length;
	if (unlikely(v->regs.rip >> 32 && svm_code_bits(v) != 64))
		v->regs.rip = (uint32_t)v->regs.rip;
	vmcb->int_state &= ~INT_SHADOW;
	return true;
}
