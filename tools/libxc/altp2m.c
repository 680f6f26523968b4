/* SPDX-License-Identifier: MIT */
/* Alternate views of a guest's memory. */
#include "private.h"

static int altp2m(xc_interface *xch, xen_hvm_altp2m_op_t *op, uint32_t cmd,
		  uint32_t domid)
{
	op->version = HVMOP_ALTP2M_INTERFACE_VERSION;
	op->cmd = cmd;
	op->domain = (domid_t)domid;
	return do_hvm_op(xch, HVMOP_altp2m, op, sizeof(*op));
}

int xc_altp2m_get_domain_state(xc_interface *xch, uint32_t dom, bool *state)
{
	xen_hvm_altp2m_op_t op = {0};
	int rc = altp2m(xch, &op, HVMOP_altp2m_get_domain_state, dom);

	if (rc == 0)
		*state = op.u.domain_state.state;
	return rc;
}

int xc_altp2m_set_domain_state(xc_interface *xch, uint32_t dom, bool state)
{
	xen_hvm_altp2m_op_t op = {.u.domain_state.state = state};

	return altp2m(xch, &op, HVMOP_altp2m_set_domain_state, dom);
}

int xc_altp2m_set_vcpu_enable_notify(xc_interface *xch, uint32_t domid,
				     uint32_t vcpuid, xen_pfn_t gfn)
{
	xen_hvm_altp2m_op_t op = {
		.u.enable_notify = {.vcpu_id = vcpuid, .gfn = gfn},
	};

	return altp2m(xch, &op, HVMOP_altp2m_vcpu_enable_notify, domid);
}

int xc_altp2m_set_vcpu_disable_notify(xc_interface *xch, uint32_t domid,
				      uint32_t vcpuid)
{
	xen_hvm_altp2m_op_t op = {.u.disable_notify.vcpu_id = vcpuid};

	return altp2m(xch, &op, HVMOP_altp2m_vcpu_disable_notify, domid);
}

int xc_altp2m_create_view(xc_interface *xch, uint32_t domid,
			  xenmem_access_t default_access, uint16_t *view_id)
{
	xen_hvm_altp2m_op_t op = {
		.u.view = {.view = UINT16_MAX,
			   .hvmmem_default_access = (uint16_t)default_access},
	};
	int rc = altp2m(xch, &op, HVMOP_altp2m_create_p2m, domid);

	if (rc == 0)
		*view_id = op.u.view.view;
	return rc;
}

int xc_altp2m_destroy_view(xc_interface *xch, uint32_t domid, uint16_t view_id)
{
	xen_hvm_altp2m_op_t op = {.u.view.view = view_id};

	return altp2m(xch, &op, HVMOP_altp2m_destroy_p2m, domid);
}

int xc_altp2m_switch_to_view(xc_interface *xch, uint32_t domid,
			     uint16_t view_id)
{
	xen_hvm_altp2m_op_t op = {.u.view.view = view_id};

	return altp2m(xch, &op, HVMOP_altp2m_switch_p2m, domid);
}

int xc_altp2m_set_suppress_ve(xc_interface *xch, uint32_t domid,
			      uint16_t view_id, xen_pfn_t gfn, bool sve)
{
	xen_hvm_altp2m_op_t op = {
		.u.suppress_ve = {.view = view_id,
				  .suppress_ve = sve,
				  .gfn = gfn},
	};

	return altp2m(xch, &op, HVMOP_altp2m_set_suppress_ve, domid);
}

int xc_altp2m_get_suppress_ve(xc_interface *xch, uint32_t domid,
			      uint16_t view_id, xen_pfn_t gfn, bool *sve)
{
	xen_hvm_altp2m_op_t op = {
		.u.suppress_ve = {.view = view_id, .gfn = gfn},
	};
	int rc = altp2m(xch, &op, HVMOP_altp2m_get_suppress_ve, domid);

	if (rc == 0)
		*sve = op.u.suppress_ve.suppress_ve;
	return rc;
}

int xc_altp2m_set_mem_access(xc_interface *xch, uint32_t domid,
			     uint16_t view_id, xen_pfn_t gfn,
			     xenmem_access_t access)
{
	xen_hvm_altp2m_op_t op = {
		.u.mem_access = {.view = view_id,
				 .access = (uint16_t)access,
				 .gfn = gfn},
	};

	return altp2m(xch, &op, HVMOP_altp2m_set_mem_access, domid);
}

int xc_altp2m_get_mem_access(xc_interface *xch, uint32_t domid,
			     uint16_t view_id, xen_pfn_t gfn,
			     xenmem_access_t *access)
{
	xen_hvm_altp2m_op_t op = {
		.u.mem_access = {.view = view_id, .gfn = gfn},
	};
	int rc = altp2m(xch, &op, HVMOP_altp2m_get_mem_access, domid);

	if (rc == 0)
		*access = (xenmem_access_t)op.u.mem_access.access;
	return rc;
}

int xc_altp2m_change_gfn(xc_interface *xch, uint32_t domid, uint16_t view_id,
			 xen_pfn_t old_gfn, xen_pfn_t new_gfn)
{
	xen_hvm_altp2m_op_t op = {
		.u.change_gfn = {.view = view_id,
				 .old_gfn = old_gfn,
				 .new_gfn = new_gfn},
	};

	return altp2m(xch, &op, HVMOP_altp2m_change_gfn, domid);
}

int xc_altp2m_get_vcpu_p2m_idx(xc_interface *xch, uint32_t domid,
			       uint32_t vcpuid, uint16_t *p2midx)
{
	xen_hvm_altp2m_op_t op = {.u.get_vcpu_p2m_idx.vcpu_id = vcpuid};
	int rc = altp2m(xch, &op, HVMOP_altp2m_get_p2m_idx, domid);

	if (rc == 0)
		*p2midx = op.u.get_vcpu_p2m_idx.altp2m_idx;
	return rc;
}

int xc_altp2m_set_visibility(xc_interface *xch, uint32_t domid,
			     uint16_t view_id, bool visible)
{
	xen_hvm_altp2m_op_t op = {
		.u.set_visibility = {.altp2m_idx = view_id, .visible = visible},
	};

	return altp2m(xch, &op, HVMOP_altp2m_set_visibility, domid);
}
