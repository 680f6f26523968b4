/* SPDX-License-Identifier: MIT */
/*
 * CPUID: the domain's policy, plus what depends on the vCPU's state (APIC ID,
 * OSXSAVE, XCR0), plus the hypervisor's own leaves (public/arch-x86/cpuid.h).
 */
#include "hvm/hvm.h"

#include "cpu/fpu.h"
#include "domain/cpu_policy.h"
#include "hvm/dev/vlapic.h"
#include "lib/string.h"

#include <xen/arch-x86/cpuid.h>

#define HOT __attribute__((section(".text.hot")))

#define XEN_LEAVES    0x40000000
#define XEN_VERSION   (4U << 16 | 17)
#define MSR_HYPERCALL 0x40000000
#define CR4_OSXSAVE   BIT(18)
#define CR4_PKE       BIT(22)

static uint32_t apic_id(const struct vcpu *v)
{
	return v->id * 2;
}

static void time_leaf(uint32_t sub, struct cpuid_regs *r)
{
	switch (sub) {
	case 0:
		r->a = 1U << 1; /* the host's TSC is reliable; not emulated */
		r->c = (uint32_t)tsc_khz;
		break;
	case 1:
		r->c = tsc_mul;
		r->d = (uint32_t)tsc_shift;
		break;
	case 2:
		r->a = (uint32_t)tsc_khz;
		break;
	}
}

static void xen_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub,
		     struct cpuid_regs *r)
{
	*r = (struct cpuid_regs){};
	switch (leaf - XEN_LEAVES) {
	case 0:
		r->a = XEN_LEAVES + 4;
		r->b = XEN_CPUID_SIGNATURE_EBX;
		r->c = XEN_CPUID_SIGNATURE_ECX;
		r->d = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		r->a = XEN_VERSION;
		break;
	case 2:
		r->a = 1;
		r->b = MSR_HYPERCALL;
		break;
	case 3:
		time_leaf(sub, r);
		break;
	case 4:
		if (sub)
			break;
		/* x2APIC is as good as native: EOI is one short exit. */
		r->a = XEN_HVM_CPUID_X2APIC_VIRT |
		       XEN_HVM_CPUID_VCPU_ID_PRESENT |
		       XEN_HVM_CPUID_DOMID_PRESENT;
		r->b = v->id;
		r->c = v->domain->id;
		break;
	}
}

/* Leaf 0xb: one thread a core, all in one package. */
static void topology(const struct vcpu *v, uint32_t sub, struct cpuid_regs *r)
{
	unsigned int bits = 1;

	while ((1U << bits) < v->domain->max_vcpus * 2)
		bits++;
	*r = (struct cpuid_regs){.c = sub & 0xff, .d = apic_id(v)};
	if (sub == 0) {
		r->a = 1;
		r->b = 1;
		r->c |= 1 << 8;
	} else if (sub == 1) {
		r->a = bits;
		r->b = v->domain->max_vcpus;
		r->c |= 2 << 8;
	}
}

static HOT void leaf1(struct vcpu *v, struct cpuid_regs *r)
{
	uint64_t base = hvm_vcpu(v)->lapic->base;

	r->b = (r->b & 0x0000ffff) | apic_id(v) << 24 |
	       min(v->domain->max_vcpus * 2, 255U) << 16;
	if (!(base & APIC_BASE_ENABLE))
		r->d &= ~(uint32_t)BIT(9);
	r->c &= ~(uint32_t)BIT(27);
	if (hvm_ops->get_creg(v, CR4) & CR4_OSXSAVE)
		r->c |= BIT(27);
}

HOT void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub,
		   struct cpuid_regs *out)
{
	if (leaf - XEN_LEAVES < 0x100) {
		xen_leaf(v, leaf, sub, out);
		return;
	}
	cpu_policy_leaf(v->domain, leaf, sub, out);
	switch (leaf) {
	case 1:
		leaf1(v, out);
		break;
	case 7:
		if (!sub && (hvm_ops->get_creg(v, CR4) & CR4_PKE))
			out->c |= BIT(4);
		break;
	case 0xb:
		topology(v, sub, out);
		break;
	case 0xd:
		if (sub < 2 && v->domain->policy->xstate[0].a)
			out->b = cpu_policy_xsave_size(
				v->domain->policy, hvm_vcpu(v)->fpu->xcr0, sub);
		break;
	case 0x8000001e:
		out->a = apic_id(v);
		break;
	}
}

/*
 * mov $nr, %eax; <hypercall instruction>; ret, 32 bytes each. The instruction
 * is the vendor's; iret is not callable in a hardware container.
 */
void hvm_hypercall_page(struct domain *d, void *page)
{
	uint8_t *p = page;

	(void)d;
	memset(page, 0xcc, PAGE_SIZE);
	for (unsigned int i = 0; i < PAGE_SIZE / 32; i++, p += 32) {
		p[0] = 0xb8;
		memcpy(p + 1, &i, sizeof(i));
		memcpy(p + 5, hvm_ops->hypercall_insn, 3);
		p[8] = 0xc3;
		if (i == __HYPERVISOR_iret) {
			p[0] = 0x0f; /* UD2 */
			p[1] = 0x0b;
		}
	}
}
