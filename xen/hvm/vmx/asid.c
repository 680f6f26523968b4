/* SPDX-License-Identifier: MIT */
/*
 * Address space numbers: VPIDs (Intel SDM Vol. 3, "Caching Translation
 * Information"). Each CPU hands out its own, upwards; when they are used up, a
 * new generation begins with one flush of all. Forgetting a vCPU's linear
 * translations means a new number; what comes from EPT is tagged by the tables'
 * root, and forgotten by INVEPT for that root. A vCPU that comes from another
 * CPU does both: meanwhile nobody told this one.
 */
#include "hvm/vmx/vmx.h"

#define LAST_VPID 0xffff

struct vpid_cpu {
	uint64_t generation;
	uint32_t next;
};
static DEFINE_PER_CPU(struct vpid_cpu, vpid);

void vmx_asid_init_cpu(void)
{
	struct vpid_cpu *a = &this_cpu(vpid);

	/* 0 is the host's; generation 0 no vCPU's. */
	*a = (struct vpid_cpu){.generation = a->generation + 1, .next = 1};
}

static void new_vpid(struct vmx_vcpu *s, struct vpid_cpu *a)
{
	if (!vmx_caps.vpid) {
		s->vpid_generation = a->generation; /* entries flush all */
		return;
	}
	if (a->next > LAST_VPID) {
		a->generation++;
		a->next = 1;
		invvpid(INV_ALL, 0);
	}
	s->vpid_generation = a->generation;
	vmcs_set_vpid((uint16_t)a->next++);
}

/* Generations end only while another vCPU is loaded here. */
void vmx_asid_load(struct vmx_vcpu *s)
{
	bool moved = s->last_cpu != smp_processor_id();

	if (moved)
		s->flush_ept = true;
	if (moved || s->vpid_generation != this_cpu(vpid).generation)
		s->flush = true;
}

/* Before an entry, interrupts off. */
void vmx_asid_assign(struct vmx_vcpu *s)
{
	struct vpid_cpu *a = &this_cpu(vpid);

	if (s->flush) {
		WRITE_ONCE(s->flush, false);
		smp_mb();
		new_vpid(s, a);
	}
	if (s->flush_ept) {
		WRITE_ONCE(s->flush_ept, false);
		smp_mb();
		invept(INV_CONTEXT, s->eptp);
	}
}
