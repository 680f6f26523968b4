/* SPDX-License-Identifier: MIT */
/*
 * domctl: the CPUs that a domain sees (policy, TSC) and their state.
 */
#include "control/domctl.h"

#include "console/printk.h"
#include "domain/cpu_policy.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"

/* The most that a context stream of 128 vCPUs and all devices can have. */
#define CONTEXT_MAX (1U << 20)

long cpu_policy_copy_out(const struct cpu_policy *p, uint64_t leaves,
			 uint32_t *nr_leaves, uint64_t msrs, uint32_t *nr_msrs)
{
	xen_cpuid_leaf_t leaf;
	xen_msr_entry_t msr;
	uint32_t n, done = 0;

	for (n = 0; leaves && cpu_policy_get(p, n, &leaf); n++) {
		if (!cpu_policy_has(p, &leaf))
			continue;
		if (done >= *nr_leaves)
			return -ENOBUFS;
		if (copy_elem_to_guest(leaves, done, &leaf))
			return -EFAULT;
		done++;
	}
	/* Without a buffer: how much room there must be. */
	*nr_leaves = leaves ? done : POLICY_MAX_LEAVES;
	for (n = 0; cpu_policy_get_msr(p, n, &msr); n++) {
		if (!msrs)
			continue;
		if (n >= *nr_msrs)
			return -ENOBUFS;
		if (copy_elem_to_guest(msrs, n, &msr))
			return -EFAULT;
	}
	*nr_msrs = n;
	return 0;
}

long domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

	return cpu_policy_copy_out(d->policy, guest_handle_va(p->leaves),
				   &p->nr_leaves, guest_handle_va(p->msrs),
				   &p->nr_msrs);
}

static long read_policy(struct xen_domctl_cpu_policy *in,
			struct cpu_policy *out)
{
	if (in->nr_leaves > POLICY_MAX_LEAVES + 8 ||
	    in->nr_msrs > POLICY_MAX_MSRS)
		return -E2BIG;
	for (uint32_t i = 0; i < in->nr_leaves; i++) {
		xen_cpuid_leaf_t leaf;

		if (copy_elem_from_guest(&leaf, guest_handle_va(in->leaves), i))
			return -EFAULT;
		if (!cpu_policy_put(out, &leaf)) {
			in->err_leaf = leaf.leaf;
			in->err_subleaf = leaf.subleaf;
			return -ERANGE;
		}
	}
	for (uint32_t i = 0; i < in->nr_msrs; i++) {
		xen_msr_entry_t msr;

		if (copy_elem_from_guest(&msr, guest_handle_va(in->msrs), i))
			return -EFAULT;
		if (!cpu_policy_put_msr(out, &msr)) {
			in->err_msr = msr.idx;
			return -ERANGE;
		}
	}
	return 0;
}

long domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *in = &op->u.cpu_policy;
	const struct cpu_policy *max =
		&cpu_policies[d->kind->translated ? POLICY_HVM_MAX
						  : POLICY_PV_MAX];
	struct cpu_policy *p;
	long rc;

	/* CPUs do not change while software runs on them. */
	if (d->created)
		return -EEXIST;
	in->err_leaf = in->err_subleaf = in->err_msr = ~0U;
	p = xmalloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = *d->policy;
	rc = read_policy(in, p);
	if (!rc)
		rc = cpu_policy_check(p, max, &in->err_leaf, &in->err_subleaf);
	if (!rc && (p->arch_caps & ~max->arch_caps)) {
		in->err_leaf = in->err_subleaf = ~0U;
		in->err_msr = 0x10a; /* ARCH_CAPABILITIES */
		rc = -EINVAL;
	}
	if (!rc)
		*d->policy = *p;
	else
		printk(XENLOG_DEBUG
		       "d%u: CPU policy refused: leaf %#x.%#x, MSR %#x\n",
		       d->id, in->err_leaf, in->err_subleaf, in->err_msr);
	xfree(p);
	return rc;
}

long domctl_gethvmcontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_hvmcontext *c = &op->u.hvmcontext;
	size_t len = 0;
	void *buf;
	long rc;

	if (d == current->domain || !d->kind->save)
		return -EINVAL;
	rc = d->kind->save(d, NULL, &len);
	if (rc)
		return rc;
	if (!guest_handle_va(c->buffer)) {
		c->size = (uint32_t)len;
		return 0;
	}
	if (c->size < len)
		return -ENOSPC;
	buf = xmalloc(len);
	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	rc = d->kind->save(d, buf, &len);
	domain_unpause(d);
	c->size = (uint32_t)len;
	if (!rc && copy_to_guest(guest_handle_va(c->buffer), buf, len))
		rc = -EFAULT;
	xfree(buf);
	return rc;
}

long domctl_sethvmcontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_hvmcontext *c = &op->u.hvmcontext;
	void *buf;
	long rc;

	if (d == current->domain || !d->kind->load || c->size > CONTEXT_MAX)
		return -EINVAL;
	buf = xmalloc(c->size);
	if (!buf)
		return -ENOMEM;
	rc = copy_from_guest(buf, guest_handle_va(c->buffer), c->size);
	if (!rc) {
		domain_pause(d);
		rc = d->kind->load(d, buf, c->size);
		domain_unpause(d);
	}
	xfree(buf);
	return rc;
}

long domctl_gethvmcontext_partial(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_hvmcontext_partial *c = &op->u.hvmcontext_partial;
	size_t len = min(c->bufsz, (uint64_t)PAGE_SIZE);
	void *buf;
	long rc;

	if (d == current->domain || !d->kind->save_one)
		return -EINVAL;
	buf = xmalloc(PAGE_SIZE);
	if (!buf)
		return -ENOMEM;
	domain_pause(d);
	rc = d->kind->save_one(d, c->type, c->instance, buf, &len);
	domain_unpause(d);
	c->bufsz = len;
	if (!rc && guest_handle_va(c->buffer) &&
	    copy_to_guest(guest_handle_va(c->buffer), buf, len))
		rc = -EFAULT;
	xfree(buf);
	return rc;
}

long domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpucontext *c = &op->u.vcpucontext;
	struct vcpu *v = domain_vcpu(d, c->vcpu);
	size_t size = d->kind->context_size;
	void *ctx;
	long rc;

	/* A new context would hold what its end has let go of. */
	if (d == current->domain || d->dying != DOMDYING_ALIVE)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	if (!guest_handle_va(c->ctxt)) {
		domain_pause(d);
		d->kind->vcpu_reset(v);
		v->initialised = false;
		vcpu_down(v);
		domain_unpause(d);
		return 0;
	}
	ctx = xmalloc(size);
	if (!ctx)
		return -ENOMEM;
	rc = copy_from_guest(ctx, guest_handle_va(c->ctxt), size);
	if (!rc) {
		domain_pause(d);
		rc = d->kind->vcpu_set_context(v, ctx, size);
		if (!rc) {
			v->initialised = true;
			vcpu_up(v);
		}
		domain_unpause(d);
	}
	xfree(ctx);
	return rc;
}

long domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpucontext *c = &op->u.vcpucontext;
	struct vcpu *v = domain_vcpu(d, c->vcpu);
	struct vcpu_guest_context *ctx;
	long rc;

	if (d == current->domain)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	if (!v->initialised)
		return -ENODATA;
	ctx = xnew(struct vcpu_guest_context);
	if (!ctx)
		return -ENOMEM;
	domain_pause(d);
	rc = d->kind->vcpu_get_context(v, ctx);
	domain_unpause(d);
	if (!rc)
		rc = copy_to_guest(guest_handle_va(c->ctxt), ctx, sizeof(*ctx));
	xfree(ctx);
	return rc;
}

long domctl_sendtrigger(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = domain_vcpu(d, op->u.sendtrigger.vcpu);

	if (op->u.sendtrigger.vcpu >= MAX_VCPUS)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	if (!d->kind->trigger)
		return -EOPNOTSUPP;
	return d->kind->trigger(v, op->u.sendtrigger.trigger);
}

long domctl_gettscinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_tsc_info *t = &op->u.tsc_info;

	*t = (struct xen_domctl_tsc_info){
		.tsc_mode = d->tsc_mode,
		.gtsc_khz = (uint32_t)tsc_khz,
		.elapsed_nsec = (uint64_t)now(),
	};
	return 0;
}

/* 0 and 2, default and native, are the same here: guests read our TSC. Always
 * emulating (1) would only slow it; TSC_AUX tricks (3) are history. */
long domctl_settscinfo(struct domain *d, struct xen_domctl *op)
{
	if (op->u.tsc_info.tsc_mode > 2)
		return -EINVAL;
	if (d->created)
		return -EEXIST;
	d->tsc_mode = op->u.tsc_info.tsc_mode;
	return 0;
}
