/* SPDX-License-Identifier: MIT */
/* sysctl: what the processors offer to domains, and what tools may do to the
 * processors themselves (little). */
#include "control/domctl.h"
#include "control/sysctl.h"

#include "domain/cpu_policy.h"
#include "domain/guest_access.h"
#include "lib/errno.h"

long sysctl_get_cpu_policy(struct xen_sysctl *op)
{
	static const enum cpu_policy_kind kinds[] = {
		[XEN_SYSCTL_cpu_policy_raw] = POLICY_RAW,
		[XEN_SYSCTL_cpu_policy_host] = POLICY_HOST,
		[XEN_SYSCTL_cpu_policy_pv_max] = POLICY_PV_MAX,
		[XEN_SYSCTL_cpu_policy_hvm_max] = POLICY_HVM_MAX,
		[XEN_SYSCTL_cpu_policy_pv_default] = POLICY_PV_DEFAULT,
		[XEN_SYSCTL_cpu_policy_hvm_default] = POLICY_HVM_DEFAULT,
	};
	struct xen_sysctl_cpu_policy *p = &op->u.cpu_policy;

	if (p->_rsvd || p->index >= ARRAY_SIZE(kinds))
		return -EINVAL;
	return cpu_policy_copy_out(
		&cpu_policies[kinds[index_nospec(p->index, ARRAY_SIZE(kinds))]],
		guest_handle_va(p->leaves), &p->nr_leaves,
		guest_handle_va(p->msrs), &p->nr_msrs);
}

/* The words of public/arch-x86/cpufeatureset.h. */
#define FEATURE_WORDS 19

static void feature_words(const struct cpu_policy *p, uint32_t w[FEATURE_WORDS])
{
	const uint32_t words[FEATURE_WORDS] = {
		p->basic[1].d,          p->basic[1].c,
		p->extd[1].d,           p->extd[1].c,
		p->xstate[1].a,         p->feat[0].b,
		p->feat[0].c,           p->extd[7].d,
		p->extd[8].b,           p->feat[0].d,
		p->feat[1].a,           p->extd[0x21].a,
		p->feat[1].b,           p->feat[2].d,
		p->feat[1].c,           p->feat[1].d,
		(uint32_t)p->arch_caps, (uint32_t)(p->arch_caps >> 32),
		p->extd[0x21].c,
	};

	for (unsigned int i = 0; i < FEATURE_WORDS; i++)
		w[i] = words[i];
}

long sysctl_get_cpu_featureset(struct xen_sysctl *op)
{
	static const enum cpu_policy_kind kinds[] = {
		[XEN_SYSCTL_cpu_featureset_raw] = POLICY_RAW,
		[XEN_SYSCTL_cpu_featureset_host] = POLICY_HOST,
		[XEN_SYSCTL_cpu_featureset_pv] = POLICY_PV_DEFAULT,
		[XEN_SYSCTL_cpu_featureset_hvm] = POLICY_HVM_DEFAULT,
		[XEN_SYSCTL_cpu_featureset_pv_max] = POLICY_PV_MAX,
		[XEN_SYSCTL_cpu_featureset_hvm_max] = POLICY_HVM_MAX,
	};
	struct xen_sysctl_cpu_featureset *f = &op->u.cpu_featureset;
	uint32_t words[FEATURE_WORDS], n;

	if (!guest_handle_va(f->features)) {
		f->nr_features = FEATURE_WORDS;
		return 0;
	}
	if (f->index >= ARRAY_SIZE(kinds))
		return -EINVAL;
	feature_words(
		&cpu_policies[kinds[index_nospec(f->index, ARRAY_SIZE(kinds))]],
		words);
	n = min(f->nr_features, (uint32_t)FEATURE_WORDS);
	if (copy_array_to_guest(guest_handle_va(f->features), 0, words, n,
				sizeof(words[0])))
		return -EFAULT;
	if (f->nr_features < FEATURE_WORDS)
		return -ENOBUFS;
	f->nr_features = n;
	return 0;
}

/* CPUID of PV guests is not masked in hardware. */
long sysctl_get_cpu_levelling_caps(struct xen_sysctl *op)
{
	op->u.cpu_levelling_caps.caps = 0;
	return 0;
}

/* Threads are not told from cores here. */
long sysctl_cpu_hotplug(struct xen_sysctl *op)
{
	const struct xen_sysctl_cpu_hotplug *h = &op->u.cpu_hotplug;

	switch (h->op) {
	case XEN_SYSCTL_CPU_HOTPLUG_ONLINE:
	case XEN_SYSCTL_CPU_HOTPLUG_OFFLINE:
		return cpu_hotplug(h->cpu,
				   h->op == XEN_SYSCTL_CPU_HOTPLUG_ONLINE);
	}
	return -EOPNOTSUPP;
}

/* An idle CPU halts, and that is all the power management there is: neither
 * performance nor sleep states that could be listed. */
long sysctl_get_pmstat(struct xen_sysctl *op)
{
	return op->u.get_pmstat.cpuid >= nr_cpus ? -EINVAL : -ENODEV;
}

long sysctl_pm_op(struct xen_sysctl *op)
{
	struct xen_sysctl_pm_op *p = &op->u.pm_op;

	if (p->cmd == XEN_SYSCTL_pm_op_get_max_cstate) {
		if (p->cpuid > 1)
			return -EINVAL;
		p->u.get_max_cstate = XEN_SYSCTL_CX_UNLIMITED;
		return 0;
	}
	if (p->cpuid >= nr_cpus)
		return -EINVAL;
	if ((p->cmd & PM_PARA_CATEGORY_MASK) == CPUFREQ_PARA)
		return -EINVAL; /* no driver, as where stock Xen finds none */
	return -EOPNOTSUPP;
}

/* Cache monitoring and allocation are not used. */
long sysctl_psr_cmt_op(struct xen_sysctl *op)
{
	(void)op;
	return -ENODEV;
}

long sysctl_psr_alloc(struct xen_sysctl *op)
{
	return op->u.psr_alloc.cmd > XEN_SYSCTL_PSR_get_mba_info ? -EOPNOTSUPP
								 : -ENODEV;
}
