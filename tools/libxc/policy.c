/* SPDX-License-Identifier: MIT */
/*
 * A new domain's CPUID policy. It starts from Xen's default for the domain's
 * kind; what the toolstack must settle is topology (an HVM guest's APIC
 * IDs are twice its vCPU numbers), the features that depend on the
 * configuration, and what cpuid= asks for, bits of MSRs included.
 */
#include "private.h"

/* Every leaf that Xen knows of, twice over. */
#define LEAVES_MAX 512
#define MSRS_MAX   16

struct leaves {
	uint32_t n, nr_msrs;
	xen_cpuid_leaf_t leaf[LEAVES_MAX];
	xen_msr_entry_t msr[MSRS_MAX];
};

static int system_policy(xc_interface *xch, uint32_t index, struct leaves *out)
{
	struct xen_sysctl op = SYSCTL(get_cpu_policy);
	struct leaves *to;
	struct safe s;
	int rc;

	if (safe_get(xch, &s, out, sizeof(*out), SAFE_OUT))
		return -1;
	to = s.p;
	op.u.cpu_policy.index = index;
	op.u.cpu_policy.nr_leaves = LEAVES_MAX;
	op.u.cpu_policy.nr_msrs = MSRS_MAX;
	set_xen_guest_handle_raw(op.u.cpu_policy.leaves, to->leaf);
	set_xen_guest_handle_raw(op.u.cpu_policy.msrs, to->msr);
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &s);
	out->n = rc ? 0 : op.u.cpu_policy.nr_leaves;
	out->nr_msrs = rc ? 0 : op.u.cpu_policy.nr_msrs;
	return rc;
}

static int set_policy(xc_interface *xch, uint32_t domid, struct leaves *policy)
{
	struct xen_domctl op = DOMCTL(set_cpu_policy, domid);
	struct leaves *from;
	struct safe s;
	int rc;

	if (safe_get(xch, &s, policy, sizeof(*policy), SAFE_IN))
		return -1;
	from = s.p;
	op.u.cpu_policy.nr_leaves = policy->n;
	op.u.cpu_policy.nr_msrs = policy->nr_msrs;
	set_xen_guest_handle_raw(op.u.cpu_policy.leaves, from->leaf);
	set_xen_guest_handle_raw(op.u.cpu_policy.msrs, from->msr);
	rc = xc_domctl(xch, &op);
	safe_put(xch, &s);
	if (rc)
		xc_report_error(xch, XC_INVALID_PARAM,
				"Xen refuses dom%u's CPUID policy: leaf %#x, "
				"subleaf %#x, MSR %#x",
				domid, op.u.cpu_policy.err_leaf,
				op.u.cpu_policy.err_subleaf,
				op.u.cpu_policy.err_msr);
	return rc;
}

static xen_cpuid_leaf_t *find(struct leaves *p, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->leaf[i].leaf == leaf && p->leaf[i].subleaf == subleaf)
			return &p->leaf[i];
	return NULL;
}

/* A leaf that is absent reads as zeros, and what is written to it is lost. */
static xen_cpuid_leaf_t *leaf_of(struct leaves *p, uint32_t leaf)
{
	static _Thread_local xen_cpuid_leaf_t absent;
	xen_cpuid_leaf_t *l = find(p, leaf, XEN_CPUID_NO_SUBLEAF);

	if (!l)
		l = find(p, leaf, 0);
	if (!l) {
		memset(&absent, 0, sizeof(absent));
		l = &absent;
	}
	return l;
}

static uint64_t *find_msr(struct leaves *p, uint32_t index)
{
	for (uint32_t i = 0; i < p->nr_msrs; i++)
		if (p->msr[i].idx == index)
			return &p->msr[i].val;
	return NULL;
}

static void set_bit(uint32_t *reg, unsigned int bit, bool value)
{
	*reg = (*reg & ~(1u << bit)) | (uint32_t)value << bit;
}

static bool get_bit(uint32_t reg, unsigned int bit)
{
	return reg >> bit & 1;
}

enum {
	L1_ECX_VMX = 5,
	L1_EDX_PAE = 6,
	L1_EDX_HTT = 28,
	E1_ECX_CMP_LEGACY = 1,
	E1_ECX_SVM = 2,
	E1_EDX_PAE = 6,
	E7_EDX_ITSC = 8,
};

/* PV guests run on the host's APIC IDs, so they see its topology flags. */
static void pv_topology(struct leaves *p, struct leaves *host)
{
	set_bit(&leaf_of(p, 1)->d, L1_EDX_HTT,
		get_bit(leaf_of(host, 1)->d, L1_EDX_HTT));
	set_bit(&leaf_of(p, 0x80000001)->c, E1_ECX_CMP_LEGACY,
		get_bit(leaf_of(host, 0x80000001)->c, E1_ECX_CMP_LEGACY));
}

/* Intel, leaf 4: twice the cores in a package, one thread to a cache. */
static void hvm_caches(struct leaves *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		xen_cpuid_leaf_t *l = &p->leaf[i];
		uint32_t cores = l->a >> 26 & 0x3f;

		if (l->leaf != 4 || (l->a & 0x1f) == 0)
			continue;
		cores = (cores << 1 | 1) & 0x3f;
		l->a = (l->a & 0x3fff) | cores << 26;
	}
}

/* AMD, leaf 0x80000008: twice the cores, an APIC ID a bit wider. */
static void hvm_cores(struct leaves *p)
{
	xen_cpuid_leaf_t *l = leaf_of(p, 0x80000008);
	uint32_t cores = l->c & 0xff, width = l->c >> 12 & 0xf;

	if (cores >= 0x7f)
		return;
	/* Zero means that the width is not given; some systems stop at 7. */
	if (width && width < 7)
		width++;
	l->c = (l->c & ~0xf0ffu) | width << 12 | (cores << 1 | 1);
}

static void hvm_topology(struct leaves *p)
{
	xen_cpuid_leaf_t *l1 = leaf_of(p, 1);
	uint32_t per_package = l1->b >> 16 & 0xff;

	set_bit(&l1->d, L1_EDX_HTT, true);
	set_bit(&leaf_of(p, 0x80000001)->c, E1_ECX_CMP_LEGACY, false);
	if (per_package == 0)
		per_package = 2;
	else if (per_package < 0x80)
		per_package *= 2;
	l1->b = (l1->b & ~0xff0000u) | per_package << 16;
	if (memcmp(&leaf_of(p, 0)->b, "Genu", 4) == 0)
		hvm_caches(p);
	else
		hvm_cores(p);
}

/* One register's 32 characters, bit 31 first; -1: a letter not known. */
static int apply_text(const char *text, uint32_t *reg, uint32_t def,
		      uint32_t host)
{
	for (unsigned int i = 0; i < 32; i++) {
		unsigned int bit = 31 - i;

		switch (text[i]) {
		case '0':
		case '1':
			set_bit(reg, bit, text[i] == '1');
			break;
		case 'x':
			set_bit(reg, bit, get_bit(def, bit));
			break;
		case 'k':
		case 's':
			set_bit(reg, bit, get_bit(host, bit));
			break;
		default:
			return -1;
		}
	}
	return 0;
}

static int apply_xend(xc_interface *xch, struct leaves *p, struct leaves *def,
		      struct leaves *host, const struct xc_xend_cpuid *x)
{
	for (; x->leaf != UINT32_MAX; x++) {
		xen_cpuid_leaf_t *to = find(p, x->leaf, x->subleaf);
		xen_cpuid_leaf_t *d = find(def, x->leaf, x->subleaf);
		xen_cpuid_leaf_t *h = find(host, x->leaf, x->subleaf);

		if (!to || !d || !h) {
			xc_report_error(xch, XC_INVALID_PARAM,
					"cpuid: there is no leaf %#x, "
					"subleaf %#x, to change",
					x->leaf, x->subleaf);
			return -EINVAL;
		}
		for (unsigned int r = 0; r < 4; r++) {
			if (!x->policy[r] ||
			    apply_text(x->policy[r], &to->a + r, (&d->a)[r],
				       (&h->a)[r]) == 0)
				continue;
			xc_report_error(xch, XC_INVALID_PARAM,
					"cpuid: \"%s\" is not 32 of 0, 1, x, "
					"k and s",
					x->policy[r]);
			return -EINVAL;
		}
	}
	return 0;
}

/* The same for an MSR's 64, in two halves. */
static int apply_msrs(xc_interface *xch, struct leaves *p, struct leaves *def,
		      struct leaves *host, const struct xc_msr *m)
{
	for (; m->index != XC_MSR_INPUT_UNUSED; m++) {
		uint64_t *to = find_msr(p, m->index);
		uint64_t *d = find_msr(def, m->index);
		uint64_t *h = find_msr(host, m->index);
		uint32_t low, high;

		if (!to || !d || !h || strnlen(m->policy, 65) != 64 ||
		    apply_text(m->policy, &high, (uint32_t)(*d >> 32),
			       (uint32_t)(*h >> 32)) ||
		    apply_text(m->policy + 32, &low, (uint32_t)*d,
			       (uint32_t)*h)) {
			xc_report_error(xch, XC_INVALID_PARAM,
					"cpuid: MSR %#x cannot be changed to "
					"\"%.64s\"",
					m->index, m->policy);
			return -EINVAL;
		}
		*to = (uint64_t)high << 32 | low;
	}
	return 0;
}

struct work {
	struct leaves policy, def, host;
};

static int make_policy(xc_interface *xch, const xc_dominfo_t *info,
		       struct work *w, bool pae, bool itsc, bool nested,
		       const struct xc_xend_cpuid *xend,
		       const struct xc_msr *msr)
{
	uint32_t which = info->hvm ? XEN_SYSCTL_cpu_policy_hvm_default
				   : XEN_SYSCTL_cpu_policy_pv_default;
	int rc;

	if (system_policy(xch, XEN_SYSCTL_cpu_policy_host, &w->host) ||
	    system_policy(xch, which, &w->def))
		return -errno;
	w->policy = w->def;
	set_bit(&leaf_of(&w->policy, 0x80000007)->d, E7_EDX_ITSC, itsc);
	if (info->hvm) {
		set_bit(&leaf_of(&w->policy, 1)->d, L1_EDX_PAE, pae);
		set_bit(&leaf_of(&w->policy, 1)->c, L1_ECX_VMX, nested);
		set_bit(&leaf_of(&w->policy, 0x80000001)->c, E1_ECX_SVM,
			nested);
		/* AMD repeats the flag here. */
		if (memcmp(&leaf_of(&w->policy, 0)->b, "Genu", 4))
			set_bit(&leaf_of(&w->policy, 0x80000001)->d, E1_EDX_PAE,
				pae);
		hvm_topology(&w->policy);
	} else {
		pv_topology(&w->policy, &w->host);
	}
	if (xend) {
		rc = apply_xend(xch, &w->policy, &w->def, &w->host, xend);
		if (rc)
			return rc;
	}
	if (msr) {
		rc = apply_msrs(xch, &w->policy, &w->def, &w->host, msr);
		if (rc)
			return rc;
	}
	return set_policy(xch, info->domid, &w->policy) ? -errno : 0;
}

/* 0 or a negative errno. Feature sets and restores are not for us. */
int xc_cpuid_apply_policy(xc_interface *xch, uint32_t domid, bool restore,
			  const uint32_t *featureset, unsigned int nr_features,
			  bool pae, bool itsc, bool nested_virt,
			  const struct xc_xend_cpuid *xend,
			  const struct xc_msr *msr)
{
	xc_dominfo_t info;
	struct work *w;
	int rc;

	if (restore || featureset || nr_features)
		return -EOPNOTSUPP;
	if (xc_domain_getinfo(xch, domid, 1, &info) != 1 || info.domid != domid)
		return -ESRCH;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	rc = make_policy(xch, &info, w, pae, itsc, nested_virt, xend, msr);
	free(w);
	return rc;
}
