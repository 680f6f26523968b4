/* SPDX-License-Identifier: MIT */
/*
 * domctl: what a domain is and has.
 */
#include "control/domctl.h"

#include "domain/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/layout.h"

static uint32_t vcpu_flags(struct domain *d,
			   struct xen_domctl_getdomaininfo *info)
{
	uint32_t flags = XEN_DOMINF_blocked;
	struct vcpu *v;

	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for_each_vcpu(d, v) {
		struct vcpu_runstate_info r;

		vcpu_get_runstate(v, &r);
		info->cpu_time += r.time[RUNSTATE_running];
		info->max_vcpu_id = v->id;
		if (!v->online)
			continue;
		info->nr_online_vcpus++;
		if (v->unit.state != SCHED_BLOCKED)
			flags &= ~XEN_DOMINF_blocked;
		if (v->unit.state == SCHED_RUNNING)
			flags |= XEN_DOMINF_running;
	}
	/* As the tools know it: with no vCPU online nothing is blocked. */
	return info->nr_online_vcpus ? flags : 0;
}

void domain_get_info(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info->flags = vcpu_flags(d, info) | d->kind->info_flags;
	if (d->dying == DOMDYING_DEAD)
		info->flags |= XEN_DOMINF_dying;
	if (d->shut_down)
		info->flags |= XEN_DOMINF_shutdown |
			       (uint32_t)d->shutdown_code
				       << XEN_DOMINF_shutdownshift;
	if (d->control_pauses)
		info->flags |= XEN_DOMINF_paused;
	if (d->create_flags & XEN_DOMCTL_CDF_xs_domain)
		info->flags |= XEN_DOMINF_xs_domain;
	spin_lock(&d->pages_lock);
	info->tot_pages = d->tot_pages;
	info->max_pages = d->max_pages;
	info->outstanding_pages = d->outstanding_pages;
	spin_unlock(&d->pages_lock);
	info->shared_info_frame =
		d->kind->translated ? ~0UL : mfn_x(virt_to_mfn(d->shared_info));
	memcpy(info->handle, d->handle, sizeof(info->handle));
	info->gpaddr_bits = d->kind->translated ? 48 : cpu_features.phys_bits;
	info->arch_config = d->config.arch;
}

long domctl_getdomaininfo(struct domain *d, struct xen_domctl *op)
{
	domain_get_info(d, &op->u.getdomaininfo);
	op->domain = d->id;
	return 0;
}

/* A PV domain's frame: which table it is, and whether that is for good. */
static xen_pfn_t table_info(struct domain *d, mfn_t mfn)
{
	static const xen_pfn_t types[] = {
		[FRAME_L1] = XEN_DOMCTL_PFINFO_L1TAB,
		[FRAME_L2] = XEN_DOMCTL_PFINFO_L2TAB,
		[FRAME_L3] = XEN_DOMCTL_PFINFO_L3TAB,
		[FRAME_L4] = XEN_DOMCTL_PFINFO_L4TAB,
	};
	xen_pfn_t info = XEN_DOMCTL_PFINFO_NOTAB;
	enum frame_type t;

	if (!get_page(mfn, d->id))
		return XEN_DOMCTL_PFINFO_XTAB;
	t = frame_type(mfn);
	if (frame_type_count(mfn) && t >= FRAME_L1 && t <= FRAME_L4) {
		info = types[t];
		if (mfn_to_frame(mfn)->word & FRAME_PINNED)
			info |= XEN_DOMCTL_PFINFO_LPINTAB;
	}
	put_page(mfn);
	return info;
}

/* A page's type for whoever saves a domain; HVM pages have none. */
static xen_pfn_t frame_info(struct domain *d, xen_pfn_t pfn)
{
	enum p2m_type t;

	if (!d->kind->translated)
		return table_info(d, _mfn(pfn));
	p2m_lookup(&d->p2m, _gfn(pfn), &t, NULL);
	return p2m_is_ram(t) ? XEN_DOMCTL_PFINFO_NOTAB : XEN_DOMCTL_PFINFO_XTAB;
}

long domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
	uint64_t array = guest_handle_va(op->u.getpageframeinfo3.array);
	uint64_t n = op->u.getpageframeinfo3.num;

	if (n > 1024)
		return -E2BIG;
	for (uint64_t i = 0; i < n; i++) {
		xen_pfn_t pfn;

		if (copy_elem_from_guest(&pfn, array, i))
			return -EFAULT;
		pfn = frame_info(d, pfn);
		if (copy_elem_to_guest(array, i, &pfn))
			return -EFAULT;
	}
	return 0;
}

long domctl_get_address_size(struct domain *d, struct xen_domctl *op)
{
	(void)d;
	op->u.address_size.size = 64;
	return 0;
}

/* 32-bit PV is not to be had. */
long domctl_set_address_size(struct domain *d, struct xen_domctl *op)
{
	if (d->kind->translated)
		return -EOPNOTSUPP;
	return op->u.address_size.size == 64 ? 0 : -EINVAL;
}
