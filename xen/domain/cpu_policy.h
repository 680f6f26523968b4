/* SPDX-License-Identifier: MIT */
/*
 * CPU policy: what CPUID shows a domain, leaf by leaf, and the few MSRs that go
 * with it. The host's leaves, cut down to what a kind of domain can have, give
 * the kind's maximum and default; a domain starts with the default, and tools
 * may change it between its creation and its start (DOMCTL_set_cpu_policy).
 */
#ifndef OSTLER_DOMAIN_CPU_POLICY_H
#define OSTLER_DOMAIN_CPU_POLICY_H

#include "domain/domain.h"
#include <xen/arch-x86/xen.h>

/*
 * How many leaves there are room for: what the tools' own structure has, whose
 * bounds they check before they look at a single leaf.
 */
#define POLICY_BASIC  0xe  /* leaves 0 … 0xd */
#define POLICY_CACHE  6    /* subleaves of 4 */
#define POLICY_FEAT   3    /* of 7 */
#define POLICY_TOPO   2    /* of 0xb */
#define POLICY_XSTATE 63   /* of 0xd */
#define POLICY_EXTD   0x22 /* 0x80000000 … */

struct cpu_policy {
	struct cpuid_regs basic[POLICY_BASIC], cache[POLICY_CACHE],
		feat[POLICY_FEAT], topo[POLICY_TOPO], xstate[POLICY_XSTATE],
		extd[POLICY_EXTD];
	uint64_t platform_info, arch_caps; /* MSRs 0xce, 0x10a */
};

enum cpu_policy_kind {
	POLICY_RAW,  /* as CPUID says */
	POLICY_HOST, /* what we use of it */
	POLICY_PV_MAX,
	POLICY_HVM_MAX,
	POLICY_PV_DEFAULT,
	POLICY_HVM_DEFAULT,
	NR_POLICIES,
};
extern struct cpu_policy cpu_policies[NR_POLICIES];

/* At boot, after CPU 0's features are known. */
void cpu_policy_init(void);
/* A new domain's: a copy of its kind's default. */
int cpu_policy_create(struct domain *d, bool hvm);

/* The static part of a leaf; zeros beyond the policy's own limits. */
void cpu_policy_leaf(const struct domain *d, uint32_t leaf, uint32_t sub,
		     struct cpuid_regs *out);
/* XCR0 bits that the domain may set. */
uint64_t cpu_policy_xcr0(const struct cpu_policy *p);
/* Leaf 0xd, EBX of subleaves 0 and 1: what the states of xcr0 need, in XSAVE's
 * format or (compact) in that of XSAVEC and XSAVES, 0 without these. */
uint32_t cpu_policy_xsave_size(const struct cpu_policy *p, uint64_t xcr0,
			       bool compact);
bool cpu_policy_has_xsaves(const struct cpu_policy *p);

/* The n-th leaf; false behind the last. Not all of them mean something:
 * cpu_policy_has() says which the tools should be told. */
bool cpu_policy_get(const struct cpu_policy *p, unsigned int n,
		    xen_cpuid_leaf_t *out);
bool cpu_policy_has(const struct cpu_policy *p, const xen_cpuid_leaf_t *l);
/* Writes a leaf; false if no policy has such a one. */
bool cpu_policy_put(struct cpu_policy *p, const xen_cpuid_leaf_t *in);
/* Room for this many leaves and MSRs is always enough: leaves 4, 7, 0xb and 0xd
 * stand once, and there are two of the hypervisor's. */
#define POLICY_MAX_LEAVES                                                      \
	(POLICY_BASIC + POLICY_CACHE + POLICY_FEAT + POLICY_TOPO +             \
	 POLICY_XSTATE + POLICY_EXTD - 4 + 2)
#define POLICY_MAX_MSRS 2
bool cpu_policy_get_msr(const struct cpu_policy *p, unsigned int n,
			xen_msr_entry_t *out);
bool cpu_policy_put_msr(struct cpu_policy *p, const xen_msr_entry_t *in);
/* Whether p can be had on this machine: -EINVAL, with the leaf that asks for
 * more than max offers. */
int cpu_policy_check(const struct cpu_policy *p, const struct cpu_policy *max,
		     uint32_t *leaf, uint32_t *sub);

#endif
