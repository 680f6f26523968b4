/* SPDX-License-Identifier: MIT */
/* Memory watched, paged out and shared: access rights, paging, sharing. */
#include "private.h"
#include "vm_event.h"

/* ---- access rights ---- */

int xc_set_mem_access(xc_interface *xch, uint32_t domain_id,
		      xenmem_access_t access, uint64_t first_pfn, uint32_t nr)
{
	xen_mem_access_op_t op = {
		.op = XENMEM_access_op_set_access,
		.domid = (domid_t)domain_id,
		.access = (uint8_t)access,
		.pfn = first_pfn,
		.nr = nr,
	};

	return (int)xc_memory_op(xch, XENMEM_access_op, &op, sizeof(op));
}

int xc_set_mem_access_multi(xc_interface *xch, uint32_t domain_id,
			    uint8_t *access, uint64_t *pages, uint32_t nr)
{
	xen_mem_access_op_t op = {
		.op = XENMEM_access_op_set_access_multi,
		.domid = (domid_t)domain_id,
		.access = XENMEM_access_default + 1, /* the list says */
		.pfn = UINT64_MAX,
		.nr = nr,
	};
	struct safe a, p;
	int rc;

	if (safe_get(xch, &a, access, nr, SAFE_IN))
		return -1;
	if (safe_get(xch, &p, pages, nr * sizeof(*pages), SAFE_IN)) {
		safe_put(xch, &a);
		return -1;
	}
	set_xen_guest_handle_raw(op.pfn_list, p.p);
	set_xen_guest_handle_raw(op.access_list, a.p);
	rc = (int)xc_memory_op(xch, XENMEM_access_op, &op, sizeof(op));
	safe_put(xch, &p);
	safe_put(xch, &a);
	return rc;
}

int xc_get_mem_access(xc_interface *xch, uint32_t domain_id, uint64_t pfn,
		      xenmem_access_t *access)
{
	xen_mem_access_op_t op = {
		.op = XENMEM_access_op_get_access,
		.domid = (domid_t)domain_id,
		.pfn = pfn,
	};
	int rc = (int)xc_memory_op(xch, XENMEM_access_op, &op, sizeof(op));

	if (rc == 0)
		*access = (xenmem_access_t)op.access;
	return rc;
}

/* ---- paging ---- */

int xc_mem_paging_enable(xc_interface *xch, uint32_t domain_id, uint32_t *port)
{
	if (!port) {
		errno = EINVAL;
		return -1;
	}
	return xc_vm_event_control(xch, domain_id, XEN_VM_EVENT_ENABLE,
				   XEN_DOMCTL_VM_EVENT_OP_PAGING, port);
}

int xc_mem_paging_disable(xc_interface *xch, uint32_t domain_id)
{
	return xc_vm_event_control(xch, domain_id, XEN_VM_EVENT_DISABLE,
				   XEN_DOMCTL_VM_EVENT_OP_PAGING, NULL);
}

int xc_mem_paging_resume(xc_interface *xch, uint32_t domain_id)
{
	return xc_vm_event_control(xch, domain_id, XEN_VM_EVENT_RESUME,
				   XEN_DOMCTL_VM_EVENT_OP_PAGING, NULL);
}

static int paging_op(xc_interface *xch, uint32_t domid, uint8_t cmd,
		     uint64_t gfn, const void *page)
{
	xen_mem_paging_op_t op = {
		.op = cmd,
		.domain = (domid_t)domid,
		.gfn = gfn,
	};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, page, PAGE_SIZE, SAFE_IN))
		return -1;
	set_xen_guest_handle_raw(op.buffer, s.p);
	rc = (int)xc_memory_op(xch, XENMEM_paging_op, &op, sizeof(op));
	safe_put(xch, &s);
	return rc;
}

int xc_mem_paging_nominate(xc_interface *xch, uint32_t domain_id, uint64_t gfn)
{
	return paging_op(xch, domain_id, XENMEM_paging_op_nominate, gfn, NULL);
}

int xc_mem_paging_evict(xc_interface *xch, uint32_t domain_id, uint64_t gfn)
{
	return paging_op(xch, domain_id, XENMEM_paging_op_evict, gfn, NULL);
}

int xc_mem_paging_prep(xc_interface *xch, uint32_t domain_id, uint64_t gfn)
{
	return paging_op(xch, domain_id, XENMEM_paging_op_prep, gfn, NULL);
}

int xc_mem_paging_load(xc_interface *xch, uint32_t domain_id, uint64_t gfn,
		       void *buffer)
{
	if (!buffer) {
		errno = EINVAL;
		return -1;
	}
	return paging_op(xch, domain_id, XENMEM_paging_op_prep, gfn, buffer);
}

/* ---- sharing ---- */

int xc_memshr_control(xc_interface *xch, uint32_t domid, int enable)
{
	struct xen_domctl op = DOMCTL(mem_sharing_op, domid);

	op.u.mem_sharing_op.op = XEN_DOMCTL_MEM_SHARING_CONTROL;
	op.u.mem_sharing_op.u.enable = (uint8_t)enable;
	return xc_domctl(xch, &op);
}

int xc_memshr_ring_enable(xc_interface *xch, uint32_t domid, uint32_t *port)
{
	if (!port) {
		errno = EINVAL;
		return -1;
	}
	return xc_vm_event_control(xch, domid, XEN_VM_EVENT_ENABLE,
				   XEN_DOMCTL_VM_EVENT_OP_SHARING, port);
}

int xc_memshr_ring_disable(xc_interface *xch, uint32_t domid)
{
	return xc_vm_event_control(xch, domid, XEN_VM_EVENT_DISABLE,
				   XEN_DOMCTL_VM_EVENT_OP_SHARING, NULL);
}

int xc_memshr_domain_resume(xc_interface *xch, uint32_t domid)
{
	return xc_vm_event_control(xch, domid, XEN_VM_EVENT_RESUME,
				   XEN_DOMCTL_VM_EVENT_OP_SHARING, NULL);
}

static int sharing_op(xc_interface *xch, uint32_t domid, uint8_t cmd,
		      xen_mem_sharing_op_t *op)
{
	op->op = cmd;
	op->domain = (domid_t)domid;
	return (int)xc_memory_op(xch, XENMEM_sharing_op, op, sizeof(*op));
}

int xc_memshr_nominate_gfn(xc_interface *xch, uint32_t domid, unsigned long gfn,
			   uint64_t *handle)
{
	xen_mem_sharing_op_t op = {.u.nominate.u.gfn = gfn};
	int rc = sharing_op(xch, domid, XENMEM_sharing_op_nominate_gfn, &op);

	if (rc == 0)
		*handle = op.u.nominate.handle;
	return rc;
}

int xc_memshr_nominate_gref(xc_interface *xch, uint32_t domid, grant_ref_t gref,
			    uint64_t *handle)
{
	xen_mem_sharing_op_t op = {.u.nominate.u.grant_ref = gref};
	int rc = sharing_op(xch, domid, XENMEM_sharing_op_nominate_gref, &op);

	if (rc == 0)
		*handle = op.u.nominate.handle;
	return rc;
}

int xc_memshr_share_gfns(xc_interface *xch, uint32_t source_domain,
			 unsigned long source_gfn, uint64_t source_handle,
			 uint32_t client_domain, unsigned long client_gfn,
			 uint64_t client_handle)
{
	xen_mem_sharing_op_t op = {
		.u.share = {.source_gfn = source_gfn,
			    .source_handle = source_handle,
			    .client_gfn = client_gfn,
			    .client_handle = client_handle,
			    .client_domain = client_domain},
	};

	return sharing_op(xch, source_domain, XENMEM_sharing_op_share, &op);
}

int xc_memshr_share_grefs(xc_interface *xch, uint32_t source_domain,
			  grant_ref_t source_gref, uint64_t source_handle,
			  uint32_t client_domain, grant_ref_t client_gref,
			  uint64_t client_handle)
{
	uint64_t source, client;

	XENMEM_SHARING_OP_FIELD_MAKE_GREF(source, source_gref);
	XENMEM_SHARING_OP_FIELD_MAKE_GREF(client, client_gref);
	return xc_memshr_share_gfns(xch, source_domain, source, source_handle,
				    client_domain, client, client_handle);
}

int xc_memshr_add_to_physmap(xc_interface *xch, uint32_t source_domain,
			     unsigned long source_gfn, uint64_t source_handle,
			     uint32_t client_domain, unsigned long client_gfn)
{
	xen_mem_sharing_op_t op = {
		.u.share = {.source_gfn = source_gfn,
			    .source_handle = source_handle,
			    .client_gfn = client_gfn,
			    .client_domain = client_domain},
	};

	return sharing_op(xch, source_domain, XENMEM_sharing_op_add_physmap,
			  &op);
}

int xc_memshr_range_share(xc_interface *xch, uint32_t source_domain,
			  uint32_t client_domain, uint64_t first_gfn,
			  uint64_t last_gfn)
{
	xen_mem_sharing_op_t op = {
		.u.range = {.first_gfn = first_gfn,
			    .last_gfn = last_gfn,
			    .client_domain = (domid_t)client_domain},
	};

	return sharing_op(xch, source_domain, XENMEM_sharing_op_range_share,
			  &op);
}

int xc_memshr_fork(xc_interface *xch, uint32_t source_domain,
		   uint32_t client_domain, bool allow_with_iommu,
		   bool block_interrupts)
{
	xen_mem_sharing_op_t op = {
		.u.fork.parent_domain = (domid_t)source_domain,
	};

	if (allow_with_iommu)
		op.u.fork.flags |= XENMEM_FORK_WITH_IOMMU_ALLOWED;
	if (block_interrupts)
		op.u.fork.flags |= XENMEM_FORK_BLOCK_INTERRUPTS;
	return sharing_op(xch, client_domain, XENMEM_sharing_op_fork, &op);
}

int xc_memshr_fork_reset(xc_interface *xch, uint32_t forked_domain,
			 bool reset_state, bool reset_memory)
{
	xen_mem_sharing_op_t op = {0};

	if (reset_state)
		op.u.fork.flags |= XENMEM_FORK_RESET_STATE;
	if (reset_memory)
		op.u.fork.flags |= XENMEM_FORK_RESET_MEMORY;
	return sharing_op(xch, forked_domain, XENMEM_sharing_op_fork_reset,
			  &op);
}

int xc_memshr_debug_gfn(xc_interface *xch, uint32_t domid, unsigned long gfn)
{
	xen_mem_sharing_op_t op = {.u.debug.u.gfn = gfn};

	return sharing_op(xch, domid, XENMEM_sharing_op_debug_gfn, &op);
}

int xc_memshr_debug_gref(xc_interface *xch, uint32_t domid, grant_ref_t gref)
{
	xen_mem_sharing_op_t op = {.u.debug.u.gref = gref};

	return sharing_op(xch, domid, XENMEM_sharing_op_debug_gref, &op);
}

int xc_memshr_audit(xc_interface *xch)
{
	xen_mem_sharing_op_t op = {0};

	return sharing_op(xch, 0, XENMEM_sharing_op_audit, &op);
}
