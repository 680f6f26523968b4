/* SPDX-License-Identifier: MIT */
/*
 * CPU policies: which of the host's features guests see. Intel SDM Vol. 2 and
 * AMD APM Vol. 3, "CPUID".
 */
#include "domain/cpu_policy.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

struct cpu_policy cpu_policies[NR_POLICIES];

/*
 * The words of feature bits and what a guest may have of each. What we emulate
 * whatever the host has is in always. Not here, and so hidden: virtualisation
 * itself, monitor/mwait, performance and debug facilities, power management,
 * extended APIC and topology, everything that needs an MSR that we do not keep
 * per guest (speculation controls), protection keys and LA57.
 */
enum reg { A, B, C, D };
static const struct {
	uint32_t leaf;
	uint8_t sub, reg;
	uint32_t hvm, pv, always;
} feature_words[] = {
	/* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4 x2APIC MOVBE POPCNT TSC-deadline
	 * AES XSAVE AVX F16C RDRAND hypervisor */
	{1, 0, C, 0xf7fa3203, 0x76d82203, 0x80200000},
	/* all but DS, ACPI, SS, TM, PBE, HTT; for PV nothing about large or
	 * global pages, MTRRs, machine checks */
	{1, 0, D, 0x178bfbff, 0x07898b75, 0},
	/* FSGSBASE TSC_ADJUST BMI AVX2 SMEP ERMS INVPCID AVX-512 RDSEED ADX
	 * SMAP CLFLUSHOPT CLWB SHA */
	{7, 0, B, 0xf1bf07ab, 0xf1af0329, 0},
	/* AVX512_VBMI UMIP VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ
	 * RDPID */
	{7, 0, C, 0x00405f46, 0x00405f42, 0},
	/* 4VNNIW 4FMAPS FSRM */
	{7, 0, D, 0x0000001c, 0x0000001c, 0},
	/* AVX-VNNI, BF16, FZRM, FSRS, FSRCS */
	{7, 1, A, 0x00001c30, 0x00001c30, 0},
	/* LAHF CMP-legacy CR8 ABM SSE4A misaligned-SSE prefetch XOP FMA4 TBM */
	{0x80000001, 0, C, 0x002109f1, 0x002109e1, 0},
	/* SYSCALL NX MMXEXT FFXSR 1G-pages RDTSCP LM 3DNow, and leaf 1's */
	{0x80000001, 0, D, 0xefd3fbff, 0xead18b75, 0},
	/* invariant TSC: it is not offered by default, as a guest that relies
	 * on it cannot be moved */
	{0x80000007, 0, D, 0x00000100, 0x00000100, 0},
	/* CLZERO, RSTR_FP_ERR_PTRS */
	{0x80000008, 0, B, 0x00000005, 0x00000005, 0},
};

/* State components: x87 SSE AVX, AVX-512's three. */
#define XSTATES 0xe7UL

static struct cpuid_regs *find_leaf(struct cpu_policy *p, uint32_t leaf,
				    uint32_t sub)
{
	switch (leaf) {
	case 4:
		return sub < POLICY_CACHE ? &p->cache[sub] : NULL;
	case 7:
		return sub < POLICY_FEAT ? &p->feat[sub] : NULL;
	case 0xb:
		return sub < POLICY_TOPO ? &p->topo[sub] : NULL;
	case 0xd:
		return sub < POLICY_XSTATE ? &p->xstate[sub] : NULL;
	}
	if (leaf < POLICY_BASIC)
		return &p->basic[leaf];
	if (leaf >= 0x80000000 && leaf - 0x80000000 < POLICY_EXTD)
		return &p->extd[leaf - 0x80000000];
	return NULL;
}

static uint32_t *reg_of(struct cpuid_regs *r, enum reg reg)
{
	uint32_t *const regs[] = {&r->a, &r->b, &r->c, &r->d};

	return regs[reg];
}

static void read_raw(struct cpu_policy *p)
{
	uint32_t max = min(cpuid(0, 0).a, POLICY_BASIC - 1U);
	uint32_t emax =
		min(cpuid(0x80000000, 0).a, 0x80000000 + POLICY_EXTD - 1);

	for (uint32_t l = 0; l <= max; l++)
		if (l != 4 && l != 7 && l != 0xb && l != 0xd)
			p->basic[l] = cpuid(l, 0);
	for (uint32_t s = 0; max >= 4 && s < POLICY_CACHE; s++) {
		p->cache[s] = cpuid(4, s);
		if (!(p->cache[s].a & 0x1f))
			break;
	}
	for (uint32_t s = 0; max >= 7 && s < POLICY_FEAT; s++) {
		p->feat[s] = cpuid(7, s);
		if (s >= p->feat[0].a)
			break;
	}
	for (uint32_t s = 0; max >= 0xb && s < POLICY_TOPO; s++)
		p->topo[s] = cpuid(0xb, s);
	for (uint32_t s = 0; max >= 0xd && s < POLICY_XSTATE; s++)
		p->xstate[s] = cpuid(0xd, s);
	for (uint32_t l = 0x80000000; emax >= 0x80000000 && l <= emax; l++)
		p->extd[l - 0x80000000] = cpuid(l, 0);
	p->basic[0].a = max;
	if (emax >= 0x80000000)
		p->extd[0].a = emax;
}

static void mask_features(struct cpu_policy *p, bool hvm)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(feature_words); i++) {
		struct cpuid_regs *r = find_leaf(p, feature_words[i].leaf,
						 feature_words[i].sub);
		uint32_t *w = reg_of(r, feature_words[i].reg);

		*w &= hvm ? feature_words[i].hvm : feature_words[i].pv;
		*w |= feature_words[i].always;
	}
	if (!hvm)
		p->basic[1].c &= ~(uint32_t)BIT(21); /* no x2APIC */
	/* SYSENTER is Intel's alone in long mode (pv/entry.S). */
	if (!hvm && cpu_features.vendor != CPU_INTEL)
		p->basic[1].d &= ~(uint32_t)BIT(11);
}

/* Leaf 0xd for the states that a guest may enable: sizes from the host. */
static void mask_xstate(struct cpu_policy *p, bool hvm)
{
	uint64_t mask = XSTATES & cpu_features.xcr0_mask;
	uint32_t size = 512 + 64;

	if (!(p->basic[1].c & BIT(26)))
		mask = 0;
	if (!mask) {
		memset(p->xstate, 0, sizeof(p->xstate));
		return;
	}
	for (unsigned int i = 2; i < POLICY_XSTATE; i++) {
		if (!(mask & BIT(i)))
			p->xstate[i] = (struct cpuid_regs){};
		else
			size = max(size, p->xstate[i].a + p->xstate[i].b);
	}
	p->xstate[0] = (struct cpuid_regs){.a = (uint32_t)mask,
					   .b = size,
					   .c = size,
					   .d = (uint32_t)(mask >> 32)};
	/* XSAVEOPT, XSAVEC, XGETBV with ECX = 1; XSAVES is ring 0's. There are
	 * no supervisor states. */
	p->xstate[1].a &= hvm && cpu_features.xsaves ? 0xf : 0x7;
	p->xstate[1] = (struct cpuid_regs){.a = p->xstate[1].a};
}

/* Leaves that tell of things we do not give are empty. */
static void clear_leaves(struct cpu_policy *p)
{
	static const uint32_t hidden[] = {3, 5, 6, 9, 0xa, 0xc};
	uint32_t max = min(p->basic[0].a, 0xdU);

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden); i++)
		p->basic[hidden[i]] = (struct cpuid_regs){};
	p->basic[0].a = max;
	p->basic[1].b &= 0x0000ff00; /* CLFLUSH size; the rest is per vCPU */
	p->feat[0].a = min(p->feat[0].a, 1U);
	memset(&p->topo, 0, sizeof(p->topo));
	if (cpu_features.vendor == CPU_AMD || cpu_features.vendor == CPU_HYGON)
		memset(p->cache, 0, sizeof(p->cache));
	if (!p->extd[0].a)
		return;
	p->extd[0].a = min(p->extd[0].a, 0x80000021U);
	p->extd[7] = (struct cpuid_regs){.d = p->extd[7].d};
	p->extd[8].c = 0; /* cores: the tools or nobody say */
	p->extd[8].d = 0;
	if (p->extd[0].a > 0x80000008)
		p->extd[0].a = 0x80000008;
	memset(&p->extd[9], 0, sizeof(p->extd) - 9 * sizeof(p->extd[0]));
}

static void make_guest_policy(struct cpu_policy *p, bool hvm)
{
	*p = cpu_policies[POLICY_HOST];
	clear_leaves(p);
	mask_features(p, hvm);
	mask_xstate(p, hvm);
}

void cpu_policy_init(void)
{
	struct cpu_policy *raw = &cpu_policies[POLICY_RAW];

	read_raw(raw);
	cpu_policies[POLICY_HOST] = *raw;
	make_guest_policy(&cpu_policies[POLICY_HVM_MAX], true);
	make_guest_policy(&cpu_policies[POLICY_PV_MAX], false);
	cpu_policies[POLICY_HVM_DEFAULT] = cpu_policies[POLICY_HVM_MAX];
	cpu_policies[POLICY_PV_DEFAULT] = cpu_policies[POLICY_PV_MAX];
	cpu_policies[POLICY_HVM_DEFAULT].extd[7].d = 0;
	cpu_policies[POLICY_PV_DEFAULT].extd[7].d = 0;
}

int cpu_policy_create(struct domain *d, bool hvm)
{
	d->policy = xnew(struct cpu_policy);
	if (!d->policy)
		return -ENOMEM;
	*d->policy = cpu_policies[hvm ? POLICY_HVM_DEFAULT : POLICY_PV_DEFAULT];
	if (d->privileged)
		d->policy->extd[7].d =
			cpu_policies[hvm ? POLICY_HVM_MAX : POLICY_PV_MAX]
				.extd[7]
				.d;
	return 0;
}

static bool in_range(const struct cpu_policy *p, uint32_t leaf)
{
	return leaf < 0x80000000 ? leaf <= p->basic[0].a : leaf <= p->extd[0].a;
}

void cpu_policy_leaf(const struct domain *d, uint32_t leaf, uint32_t sub,
		     struct cpuid_regs *out)
{
	struct cpuid_regs *r = NULL;

	if (in_range(d->policy, leaf))
		r = find_leaf(d->policy, leaf, sub);
	*out = r ? *r : (struct cpuid_regs){};
}

uint64_t cpu_policy_xcr0(const struct cpu_policy *p)
{
	return p->xstate[0].a | (uint64_t)p->xstate[0].d << 32;
}

#define XSAVEC        BIT(1)
#define XSAVES        BIT(3)
#define XSTATE_ALIGNS BIT(1) /* ECX: on 64 bytes when compacted */
#define XSAVE_LEGACY  (512 + 64)

uint32_t cpu_policy_xsave_size(const struct cpu_policy *p, uint64_t xcr0,
			       bool compact)
{
	uint32_t size = XSAVE_LEGACY;

	if (compact && !(p->xstate[1].a & (XSAVEC | XSAVES)))
		return 0;
	for (unsigned int i = 2; i < POLICY_XSTATE; i++) {
		const struct cpuid_regs *s = &p->xstate[i];

		if (!(xcr0 & BIT(i)))
			continue;
		if (!compact)
			size = max(size, s->a + s->b);
		else if (s->c & XSTATE_ALIGNS)
			size = ((size + 63) & ~63U) + s->a;
		else
			size += s->a;
	}
	return size;
}

bool cpu_policy_has_xsaves(const struct cpu_policy *p)
{
	return (p->xstate[1].a & XSAVES) && cpu_features.xsaves;
}

/* Where the n-th leaf is: ranges in the order in which they are listed. */
static const struct {
	uint32_t leaf;
	bool subleaves;
	uint16_t offset, count;
} ranges[] = {
	{0, false, offsetof(struct cpu_policy, basic), POLICY_BASIC},
	{4, true, offsetof(struct cpu_policy, cache), POLICY_CACHE},
	{7, true, offsetof(struct cpu_policy, feat), POLICY_FEAT},
	{0xb, true, offsetof(struct cpu_policy, topo), POLICY_TOPO},
	{0xd, true, offsetof(struct cpu_policy, xstate), POLICY_XSTATE},
	{0x80000000, false, offsetof(struct cpu_policy, extd), POLICY_EXTD},
};

/* The hypervisor's own: only their limit would stand here, 0 for ours. Tools
 * write as many leaves back as they were given, these among them. */
static const uint32_t own_leaves[] = {0x40000000, 0x40000100};

bool cpu_policy_get(const struct cpu_policy *p, unsigned int n,
		    xen_cpuid_leaf_t *out)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct cpuid_regs *r =
			(const void *)((const char *)p + ranges[i].offset);

		if (n >= ranges[i].count) {
			n -= ranges[i].count;
			continue;
		}
		*out = (xen_cpuid_leaf_t){
			.leaf = ranges[i].leaf + (ranges[i].subleaves ? 0 : n),
			.subleaf = ranges[i].subleaves ? n
						       : XEN_CPUID_NO_SUBLEAF,
			.a = r[n].a,
			.b = r[n].b,
			.c = r[n].c,
			.d = r[n].d,
		};
		return true;
	}
	if (n >= ARRAY_SIZE(own_leaves))
		return false;
	*out = (xen_cpuid_leaf_t){.leaf = own_leaves[n],
				  .subleaf = XEN_CPUID_NO_SUBLEAF};
	return true;
}

bool cpu_policy_has(const struct cpu_policy *p, const xen_cpuid_leaf_t *l)
{
	bool sub = l->leaf == 4 || l->leaf == 7 || l->leaf == 0xb ||
		   l->leaf == 0xd;

	if (l->leaf >= 0x40000000 && l->leaf < 0x80000000)
		return true;
	/* Those with subleaves do not stand among the plain ones, too. */
	if (!in_range(p, l->leaf) ||
	    sub != (l->subleaf != XEN_CPUID_NO_SUBLEAF))
		return false;
	switch (l->leaf) {
	case 4: /* up to the first empty one */
		return !l->subleaf || p->cache[l->subleaf - 1].a & 0x1f;
	case 7:
		return l->subleaf <= p->feat[0].a;
	case 0xb:
		return !l->subleaf || p->topo[l->subleaf - 1].c & 0xff00;
	case 0xd:
		return l->subleaf < 2 || cpu_policy_xcr0(p) >> l->subleaf;
	}
	return true;
}

bool cpu_policy_put(struct cpu_policy *p, const xen_cpuid_leaf_t *in)
{
	bool sub = in->leaf == 4 || in->leaf == 7 || in->leaf == 0xb ||
		   in->leaf == 0xd;
	struct cpuid_regs *r;

	/* The hypervisor's own leaves are made up as they are asked for. */
	if (in->leaf >= 0x40000000 && in->leaf < 0x80000000)
		return true;
	if (sub != (in->subleaf != XEN_CPUID_NO_SUBLEAF))
		return false;
	r = find_leaf(p, in->leaf, sub ? in->subleaf : 0);
	if (!r)
		return false;
	*r = (struct cpuid_regs){in->a, in->b, in->c, in->d};
	return true;
}

bool cpu_policy_get_msr(const struct cpu_policy *p, unsigned int n,
			xen_msr_entry_t *out)
{
	if (n >= POLICY_MAX_MSRS)
		return false;
	*out = (xen_msr_entry_t){.idx = n ? 0x10a : 0xce,
				 .val = n ? p->arch_caps : p->platform_info};
	return true;
}

bool cpu_policy_put_msr(struct cpu_policy *p, const xen_msr_entry_t *in)
{
	if (in->flags)
		return false;
	if (in->idx == 0xce)
		p->platform_info = in->val;
	else if (in->idx == 0x10a)
		p->arch_caps = in->val;
	else
		return false;
	return true;
}

int cpu_policy_check(const struct cpu_policy *p, const struct cpu_policy *max,
		     uint32_t *leaf, uint32_t *sub)
{
	struct cpu_policy *q = (struct cpu_policy *)(uintptr_t)p;
	struct cpu_policy *m = (struct cpu_policy *)(uintptr_t)max;

	*sub = XEN_CPUID_NO_SUBLEAF;
	*leaf = 0;
	if (p->basic[0].a >= POLICY_BASIC)
		return -EINVAL;
	*leaf = 0x80000000;
	if (p->extd[0].a >= 0x80000000 + POLICY_EXTD)
		return -EINVAL;
	for (unsigned int i = 0; i < ARRAY_SIZE(feature_words); i++) {
		uint32_t l = feature_words[i].leaf, s = feature_words[i].sub;
		enum reg r = feature_words[i].reg;
		uint32_t more = *reg_of(find_leaf(q, l, s), r) &
				~*reg_of(find_leaf(m, l, s), r);

		/* Threads in a package and cores are topology, not features. */
		if (l == 1 && r == D)
			more &= ~(uint32_t)BIT(28);
		if (l == 0x80000001 && r == C)
			more &= ~(uint32_t)(BIT(1) | BIT(22));
		if (!more)
			continue;
		*leaf = l;
		if (l == 7)
			*sub = s;
		return -EINVAL;
	}
	*leaf = 0xd;
	*sub = 0;
	if (cpu_policy_xcr0(p) & ~cpu_policy_xcr0(max))
		return -EINVAL;
	return 0;
}
