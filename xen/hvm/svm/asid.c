/* SPDX-License-Identifier: MIT */
/*
 * Address space numbers. Each CPU hands out its own, upwards; when they are
 * used up, a new generation begins with one flush of all. A vCPU keeps its
 * number while it stays on the CPU, so nothing is flushed in steady state.
 * Forgetting a vCPU's translations means a new number (or, where the CPU can,
 * the flush of one).
 */
#include "hvm/svm/svm.h"

DEFINE_PER_CPU(struct asid_cpu, asid);

void svm_asid_init_cpu(uint32_t nr)
{
	struct asid_cpu *a = &this_cpu(asid);

	/* 0 is the host's; generation 0 no vCPU's. Numbers of an earlier life
	 * of this CPU do not match; those of another are dropped when the vCPU
	 * comes (svm_vcpu_load()). */
	*a = (struct asid_cpu){
		.generation = a->generation + 1, .next = 1, .last = nr - 1};
}

static void new_asid(struct svm_vcpu *s, struct asid_cpu *a)
{
	if (a->next > a->last) {
		a->generation++;
		a->next = 1;
		s->vmcb->tlb_control = TLB_FLUSH_ALL;
	}
	s->asid_generation = a->generation;
	vmcb_set_asid(s->vmcb, a->next++);
}

void svm_asid_renew(struct svm_vcpu *s)
{
	struct asid_cpu *a = &this_cpu(asid);

	WRITE_ONCE(s->flush, false);
	smp_mb();
	if (s->asid_generation == a->generation &&
	    svm_has(SVM_FEATURE_FLUSH_ASID)) {
		s->vmcb->tlb_control = TLB_FLUSH_ASID;
		return;
	}
	new_asid(s, a);
}
