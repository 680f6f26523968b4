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

static inline struct ilen_entry *slot_of(struct vcpu *v)
{
	uint64_t rip = v->regs.rip;

	return &svm_vcpu(v)->ilen[(rip ^ rip >> 6) % ILEN_CACHE];
}

/*
 * What the length depends on but for the bytes. CS.L outside long mode is not
 * told from CS.L in it: a guest that plays with that moves its own RIP wrongly.
 */
static inline uint32_t key_of(const struct vmcb *vmcb, uint16_t code)
{
	return code | (uint32_t)vmcb->cs.attr << 16;
}

static inline bool is_known(const struct ilen_entry *e, const struct vcpu *v,
			    const struct vmcb *vmcb, uint16_t code)
{
	return e->rip == v->regs.rip && e->cr3 == vmcb->cr3 &&
	       e->key == key_of(vmcb, code) && e->length && !vmcb->cpl;
}

uint8_t svm_instruction_length(struct vcpu *v, uint16_t code, uint8_t *opcode)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	struct ilen_entry *e = slot_of(v);
	struct insn insn;

	if (is_known(e, v, vmcb, code)) {
		*opcode = e->opcode;
		return e->length;
	}
	if (!svm_current_insn(v, &insn))
		return 0;
	*opcode = insn.has_modrm ? insn.modrm : insn.opcode;
	*e = (struct ilen_entry){
		.rip = v->regs.rip,
		.cr3 = vmcb->cr3,
		.key = key_of(vmcb, code),
		.length = vmcb->cpl ? 0 : insn.length,
		.opcode = *opcode,
	};
	return insn.length;
}

static inline bool move_rip(struct vcpu *v, struct vmcb *vmcb, uint8_t length)
{
	v->regs.rip += length;
	if (unlikely(v->regs.rip >> 32 && !(vmcb->cs.attr & SEG_ATTR_L)))
		v->regs.rip = (uint32_t)v->regs.rip;
	vmcb->int_state &= ~INT_SHADOW;
	return true;
}

static __attribute__((noinline)) bool skip_slow(struct vcpu *v, uint16_t code)
{
	uint8_t opcode, length = svm_instruction_length(v, code, &opcode);

	return length && move_rip(v, svm_vcpu(v)->vmcb, length);
}

__attribute__((section(".text.hot"))) bool svm_skip(struct vcpu *v,
						    const struct vmexit *x)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	const struct ilen_entry *e;

	if (x->length)
		return move_rip(v, vmcb, x->length);
	e = slot_of(v);
	if (likely(is_known(e, v, vmcb, (uint16_t)x->code)))
		return move_rip(v, vmcb, e->length);
	return skip_slow(v, (uint16_t)x->code);
}
