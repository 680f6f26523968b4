/* SPDX-License-Identifier: MIT */
/* Events of a guest that a monitor wants to see, and the ring they go to. */
#include "private.h"
#include "vm_event.h"

int xc_vm_event_control(xc_interface *xch, uint32_t domain_id, unsigned int op,
			unsigned int mode, uint32_t *port)
{
	struct xen_domctl d = DOMCTL(vm_event_op, domain_id);
	int rc;

	d.u.vm_event_op.op = op;
	d.u.vm_event_op.mode = mode;
	rc = xc_domctl(xch, &d);
	if (rc == 0 && port)
		*port = d.u.vm_event_op.u.enable.port;
	return rc;
}

int xc_vm_event_get_version(xc_interface *xch)
{
	struct xen_domctl d = DOMCTL(vm_event_op, DOMID_INVALID);
	int rc;

	d.u.vm_event_op.op = XEN_VM_EVENT_GET_VERSION;
	d.u.vm_event_op.mode = XEN_DOMCTL_VM_EVENT_OP_MONITOR;
	rc = xc_domctl(xch, &d);
	return rc ? rc : (int)d.u.vm_event_op.u.version;
}

/* Maps the ring's frame, which may have to be given to the guest first. */
static void *map_ring(xc_interface *xch, uint32_t domid, int param,
		      xen_pfn_t *frame)
{
	xen_pfn_t type;
	uint64_t pfn;

	if (xc_hvm_param_get(xch, domid, (uint32_t)param, &pfn))
		return NULL;
	*frame = type = pfn;
	if ((xc_get_pfn_type_batch(xch, domid, 1, &type) ||
	     (type & XEN_DOMCTL_PFINFO_XTAB)) &&
	    xc_domain_populate_physmap_exact(xch, domid, 1, 0, 0, frame))
		return NULL;
	return xc_map_foreign_pages(xch, domid, PROT_READ | PROT_WRITE, frame,
				    1);
}

/* With the guest paused, so that it cannot write to its ring meanwhile. */
static void *vm_event_enable(xc_interface *xch, uint32_t domid, int param,
			     unsigned int mode, uint32_t *port)
{
	xen_pfn_t frame;
	void *ring;
	int saved;

	if (!port) {
		errno = EINVAL;
		return NULL;
	}
	if (xc_domain_pause(xch, domid))
		return NULL;
	ring = map_ring(xch, domid, param, &frame);
	/* Once mapped here, the page leaves the guest's memory. */
	if (ring &&
	    (xc_vm_event_control(xch, domid, XEN_VM_EVENT_ENABLE, mode, port) ||
	     xc_domain_decrease_reservation_exact(xch, domid, 1, 0, &frame))) {
		saved = errno;
		munmap(ring, PAGE_SIZE);
		errno = saved;
		ring = NULL;
	}
	saved = errno;
	if (xc_domain_unpause(xch, domid) && ring) {
		munmap(ring, PAGE_SIZE);
		return NULL;
	}
	errno = saved;
	return ring;
}

void *xc_monitor_enable(xc_interface *xch, uint32_t domain_id, uint32_t *port)
{
	return vm_event_enable(xch, domain_id, HVM_PARAM_MONITOR_RING_PFN,
			       XEN_DOMCTL_VM_EVENT_OP_MONITOR, port);
}

int xc_monitor_disable(xc_interface *xch, uint32_t domain_id)
{
	return xc_vm_event_control(xch, domain_id, XEN_VM_EVENT_DISABLE,
				   XEN_DOMCTL_VM_EVENT_OP_MONITOR, NULL);
}

int xc_monitor_resume(xc_interface *xch, uint32_t domain_id)
{
	return xc_vm_event_control(xch, domain_id, XEN_VM_EVENT_RESUME,
				   XEN_DOMCTL_VM_EVENT_OP_MONITOR, NULL);
}

int xc_monitor_get_capabilities(xc_interface *xch, uint32_t domain_id,
				uint32_t *capabilities)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);
	int rc;

	if (!capabilities) {
		errno = EINVAL;
		return -1;
	}
	op.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_GET_CAPABILITIES;
	rc = xc_domctl(xch, &op);
	if (rc == 0)
		*capabilities = op.u.monitor_op.event;
	return rc;
}

/* Turns one kind of event on or off; op holds its parameters, if any. */
static int event(xc_interface *xch, struct xen_domctl *op, uint32_t what,
		 bool enable)
{
	op->u.monitor_op.op = enable ? XEN_DOMCTL_MONITOR_OP_ENABLE
				     : XEN_DOMCTL_MONITOR_OP_DISABLE;
	op->u.monitor_op.event = what;
	return xc_domctl(xch, op);
}

int xc_monitor_write_ctrlreg(xc_interface *xch, uint32_t domain_id,
			     uint16_t index, bool enable, bool sync,
			     uint64_t bitmask, bool onchangeonly)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	op.u.monitor_op.u.mov_to_cr.index = (uint8_t)index;
	op.u.monitor_op.u.mov_to_cr.sync = sync;
	op.u.monitor_op.u.mov_to_cr.onchangeonly = onchangeonly;
	op.u.monitor_op.u.mov_to_cr.bitmask = bitmask;
	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_WRITE_CTRLREG, enable);
}

int xc_monitor_mov_to_msr(xc_interface *xch, uint32_t domain_id, uint32_t msr,
			  bool enable, bool onchangeonly)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	op.u.monitor_op.u.mov_to_msr.msr = msr;
	op.u.monitor_op.u.mov_to_msr.onchangeonly = onchangeonly;
	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_MOV_TO_MSR, enable);
}

int xc_monitor_singlestep(xc_interface *xch, uint32_t domain_id, bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_SINGLESTEP, enable);
}

int xc_monitor_software_breakpoint(xc_interface *xch, uint32_t domain_id,
				   bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_SOFTWARE_BREAKPOINT,
		     enable);
}

int xc_monitor_descriptor_access(xc_interface *xch, uint32_t domain_id,
				 bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_DESC_ACCESS, enable);
}

int xc_monitor_guest_request(xc_interface *xch, uint32_t domain_id, bool enable,
			     bool sync, bool allow_userspace)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	op.u.monitor_op.u.guest_request.sync = sync;
	op.u.monitor_op.u.guest_request.allow_userspace = enable &&
							  allow_userspace;
	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_GUEST_REQUEST, enable);
}

int xc_monitor_inguest_pagefault(xc_interface *xch, uint32_t domain_id,
				 bool disable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	/* Enabling this "event" is what disables the faults. */
	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_INGUEST_PAGEFAULT,
		     disable);
}

int xc_monitor_debug_exceptions(xc_interface *xch, uint32_t domain_id,
				bool enable, bool sync)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	op.u.monitor_op.u.debug_exception.sync = sync;
	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_DEBUG_EXCEPTION,
		     enable);
}

int xc_monitor_cpuid(xc_interface *xch, uint32_t domain_id, bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_CPUID, enable);
}

int xc_monitor_privileged_call(xc_interface *xch, uint32_t domain_id,
			       bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_PRIVILEGED_CALL,
		     enable);
}

int xc_monitor_emul_unimplemented(xc_interface *xch, uint32_t domain_id,
				  bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_EMUL_UNIMPLEMENTED,
		     enable);
}

int xc_monitor_vmexit(xc_interface *xch, uint32_t domain_id, bool enable,
		      bool sync)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	op.u.monitor_op.u.vmexit.sync = sync;
	return event(xch, &op, XEN_DOMCTL_MONITOR_EVENT_VMEXIT, enable);
}

int xc_monitor_emulate_each_rep(xc_interface *xch, uint32_t domain_id,
				bool enable)
{
	struct xen_domctl op = DOMCTL(monitor_op, domain_id);

	op.u.monitor_op.op = XEN_DOMCTL_MONITOR_OP_EMULATE_EACH_REP;
	op.u.monitor_op.event = enable;
	return xc_domctl(xch, &op);
}
