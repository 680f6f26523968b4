/* SPDX-License-Identifier: MIT */
/* Domains: life cycle and properties, one function per domctl. */
#include "private.h"

int xc_domain_create(xc_interface *xch, uint32_t *pdomid,
		     struct xen_domctl_createdomain *config)
{
	struct xen_domctl op = DOMCTL(createdomain, *pdomid);
	int rc;

	op.u.createdomain = *config;
	rc = xc_domctl(xch, &op);
	if (rc)
		return rc;
	*pdomid = op.domain;
	*config = op.u.createdomain;
	return 0;
}

int xc_domain_destroy(xc_interface *xch, uint32_t domid)
{
	struct xen_domctl op = DOMCTL(destroydomain, domid);

	return xc_domctl(xch, &op);
}

int xc_domain_pause(xc_interface *xch, uint32_t domid)
{
	struct xen_domctl op = DOMCTL(pausedomain, domid);

	return xc_domctl(xch, &op);
}

int xc_domain_unpause(xc_interface *xch, uint32_t domid)
{
	struct xen_domctl op = DOMCTL(unpausedomain, domid);

	return xc_domctl(xch, &op);
}

int xc_domain_shutdown(xc_interface *xch, uint32_t domid, int reason)
{
	sched_remote_shutdown_t arg = {
		.domain_id = (domid_t)domid,
		.reason = (unsigned int)reason,
	};

	return do_sched_op(xch, SCHEDOP_remote_shutdown, &arg, sizeof(arg));
}

int xc_watchdog(xc_interface *xch, uint32_t id, uint32_t timeout)
{
	sched_watchdog_t arg = {.id = id, .timeout = timeout};

	return do_sched_op(xch, SCHEDOP_watchdog, &arg, sizeof(arg));
}

int xc_domain_soft_reset(xc_interface *xch, uint32_t domid)
{
	struct xen_domctl op = DOMCTL(soft_reset, domid);

	return xc_domctl(xch, &op);
}

static void fill_dominfo(xc_dominfo_t *out, domid_t domid,
			 const struct xen_domctl_getdomaininfo *in)
{
	out->domid = domid;
	out->ssidref = in->ssidref;
	out->dying = !!(in->flags & XEN_DOMINF_dying);
	out->shutdown = !!(in->flags & XEN_DOMINF_shutdown);
	out->paused = !!(in->flags & XEN_DOMINF_paused);
	out->blocked = !!(in->flags & XEN_DOMINF_blocked);
	out->running = !!(in->flags & XEN_DOMINF_running);
	out->hvm = !!(in->flags & XEN_DOMINF_hvm_guest);
	out->debugged = !!(in->flags & XEN_DOMINF_debugged);
	out->xenstore = !!(in->flags & XEN_DOMINF_xs_domain);
	out->hap = !!(in->flags & XEN_DOMINF_hap);
	out->shutdown_reason = (in->flags >> XEN_DOMINF_shutdownshift) &
			       XEN_DOMINF_shutdownmask;
	/* A crash is a shutdown to Xen, and a state of its own to callers. */
	if (out->shutdown && out->shutdown_reason == SHUTDOWN_crash) {
		out->shutdown = 0;
		out->crashed = 1;
	}
	out->nr_pages = in->tot_pages;
	out->nr_outstanding_pages = in->outstanding_pages;
	out->nr_shared_pages = in->shr_pages;
	out->nr_paged_pages = in->paged_pages;
	out->shared_info_frame = in->shared_info_frame;
	out->cpu_time = in->cpu_time;
	out->max_memkb = in->max_pages << (PAGE_SHIFT - 10);
	out->nr_online_vcpus = in->nr_online_vcpus;
	out->max_vcpu_id = in->max_vcpu_id;
	out->cpupool = in->cpupool;
	out->gpaddr_bits = in->gpaddr_bits;
	out->arch_config = in->arch_config;
	memcpy(out->handle, in->handle, sizeof(out->handle));
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first_domid,
		      unsigned int max_doms, xc_dominfo_t *info)
{
	uint32_t next = first_domid;
	unsigned int n;

	memset(info, 0, max_doms * sizeof(*info));
	for (n = 0; n < max_doms; n++) {
		/* Answers for the first domain from next on. */
		struct xen_domctl op = DOMCTL(getdomaininfo, next);
		int rc = xc_domctl(xch, &op);

		if (rc < 0)
			return n ? (int)n : rc;
		fill_dominfo(&info[n], op.domain, &op.u.getdomaininfo);
		next = op.domain + 1u;
	}
	return (int)n;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first_domain,
			  unsigned int max_domains, xc_domaininfo_t *info)
{
	struct xen_sysctl op = SYSCTL(getdomaininfolist);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, info, max_domains * sizeof(*info), SAFE_OUT))
		return -1;
	op.u.getdomaininfolist.first_domain = (domid_t)first_domain;
	op.u.getdomaininfolist.max_domains = max_domains;
	set_xen_guest_handle_raw(op.u.getdomaininfolist.buffer, s.p);
	rc = xc_sysctl(xch, &op);
	safe_put(xch, &s);
	return rc < 0 ? -1 : (int)op.u.getdomaininfolist.num_domains;
}

long xc_get_tot_pages(xc_interface *xch, uint32_t domid)
{
	xc_dominfo_t info;

	if (xc_domain_getinfo(xch, domid, 1, &info) != 1 || info.domid != domid)
		return -1;
	return (long)info.nr_pages;
}

int xc_domain_sethandle(xc_interface *xch, uint32_t domid,
			xen_domain_handle_t handle)
{
	struct xen_domctl op = DOMCTL(setdomainhandle, domid);

	memcpy(op.u.setdomainhandle.handle, handle,
	       sizeof(xen_domain_handle_t));
	return xc_domctl(xch, &op);
}

int xc_domain_setmaxmem(xc_interface *xch, uint32_t domid, uint64_t max_memkb)
{
	struct xen_domctl op = DOMCTL(max_mem, domid);

	op.u.max_mem.max_memkb = max_memkb;
	return xc_domctl(xch, &op);
}

int xc_domain_get_guest_width(xc_interface *xch, uint32_t domid,
			      unsigned int *guest_width)
{
	struct xen_domctl op = DOMCTL(get_address_size, domid);

	if (xc_domctl(xch, &op))
		return 1;
	*guest_width = op.u.address_size.size / 8;
	return 0;
}

int xc_domain_set_time_offset(xc_interface *xch, uint32_t domid,
			      int32_t time_offset_seconds)
{
	struct xen_domctl op = DOMCTL(settimeoffset, domid);

	op.u.settimeoffset.time_offset_seconds = time_offset_seconds;
	return xc_domctl(xch, &op);
}

int xc_domain_set_tsc_info(xc_interface *xch, uint32_t domid, uint32_t tsc_mode,
			   uint64_t elapsed_nsec, uint32_t gtsc_khz,
			   uint32_t incarnation)
{
	struct xen_domctl op = DOMCTL(settscinfo, domid);

	op.u.tsc_info.tsc_mode = tsc_mode;
	op.u.tsc_info.elapsed_nsec = elapsed_nsec;
	op.u.tsc_info.gtsc_khz = gtsc_khz;
	op.u.tsc_info.incarnation = incarnation;
	return xc_domctl(xch, &op);
}

int xc_domain_get_tsc_info(xc_interface *xch, uint32_t domid,
			   uint32_t *tsc_mode, uint64_t *elapsed_nsec,
			   uint32_t *gtsc_khz, uint32_t *incarnation)
{
	struct xen_domctl op = DOMCTL(gettscinfo, domid);
	int rc = xc_domctl(xch, &op);

	if (rc)
		return rc;
	*tsc_mode = op.u.tsc_info.tsc_mode;
	*elapsed_nsec = op.u.tsc_info.elapsed_nsec;
	*gtsc_khz = op.u.tsc_info.gtsc_khz;
	*incarnation = op.u.tsc_info.incarnation;
	return 0;
}

int xc_domain_setdebugging(xc_interface *xch, uint32_t domid,
			   unsigned int enable)
{
	struct xen_domctl op = DOMCTL(setdebugging, domid);

	op.u.setdebugging.enable = (uint8_t)enable;
	return xc_domctl(xch, &op);
}

int xc_domain_debug_control(xc_interface *xch, uint32_t domid, uint32_t sop,
			    uint32_t vcpu)
{
	struct xen_domctl op = DOMCTL(debug_op, domid);

	op.u.debug_op.op = sop;
	op.u.debug_op.vcpu = vcpu;
	return xc_domctl(xch, &op);
}

int xc_domain_send_trigger(xc_interface *xch, uint32_t domid, uint32_t trigger,
			   uint32_t vcpu)
{
	struct xen_domctl op = DOMCTL(sendtrigger, domid);

	op.u.sendtrigger.trigger = trigger;
	op.u.sendtrigger.vcpu = vcpu;
	return xc_domctl(xch, &op);
}

int xc_domain_set_target(xc_interface *xch, uint32_t domid, uint32_t target)
{
	struct xen_domctl op = DOMCTL(set_target, domid);

	op.u.set_target.target = (domid_t)target;
	return xc_domctl(xch, &op);
}

int xc_domain_subscribe_for_suspend(xc_interface *xch, uint32_t domid,
				    evtchn_port_t port)
{
	struct xen_domctl op = DOMCTL(subscribe, domid);

	op.u.subscribe.port = port;
	return xc_domctl(xch, &op);
}

int xc_domain_set_virq_handler(xc_interface *xch, uint32_t domid, int virq)
{
	struct xen_domctl op = DOMCTL(set_virq_handler, domid);

	op.u.set_virq_handler.virq = (uint32_t)virq;
	return xc_domctl(xch, &op);
}

int xc_domain_set_access_required(xc_interface *xch, uint32_t domid,
				  unsigned int required)
{
	struct xen_domctl op = DOMCTL(set_access_required, domid);

	op.u.access_required.access_required = (uint8_t)required;
	return xc_domctl(xch, &op);
}

/* Of Arm only: x86 has no virtual UART to set up. */
int xc_dom_vuart_init(xc_interface *xch, uint32_t type, uint32_t domid,
		      uint32_t console_domid, xen_pfn_t gfn,
		      evtchn_port_t *evtchn)
{
	struct xen_domctl op = DOMCTL(vuart_op, domid);
	int rc;

	op.u.vuart_op.cmd = XEN_DOMCTL_VUART_OP_INIT;
	op.u.vuart_op.type = type;
	op.u.vuart_op.console_domid = (domid_t)console_domid;
	op.u.vuart_op.gfn = gfn;
	rc = xc_domctl(xch, &op);
	if (rc < 0)
		return rc;
	*evtchn = op.u.vuart_op.evtchn;
	return rc;
}
