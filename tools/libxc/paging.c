/* SPDX-License-Identifier: MIT */
/* Assisted paging: the shadow and HAP pool, and the log of dirty pages. */
#include "private.h"

int xc_shadow_control(xc_interface *xch, uint32_t domid, unsigned int sop,
		      unsigned int *mb, unsigned int mode)
{
	struct xen_domctl op = DOMCTL(shadow_op, domid);
	int rc;

	op.u.shadow_op.op = sop;
	op.u.shadow_op.mb = mb ? *mb : 0;
	op.u.shadow_op.mode = mode;
	rc = xc_domctl(xch, &op);
	if (mb)
		*mb = op.u.shadow_op.mb;
	return rc;
}

long long xc_logdirty_control(xc_interface *xch, uint32_t domid,
			      unsigned int sop,
			      xc_hypercall_buffer_t *dirty_bitmap,
			      unsigned long pages, unsigned int mode,
			      xc_shadow_op_stats_t *stats)
{
	struct xen_domctl op = DOMCTL(shadow_op, domid);
	int rc;

	op.u.shadow_op.op = sop;
	op.u.shadow_op.pages = pages;
	op.u.shadow_op.mode = mode;
	set_xen_guest_handle_raw(op.u.shadow_op.dirty_bitmap,
				 buffer_of(dirty_bitmap));
	rc = xc_domctl(xch, &op);
	if (stats)
		*stats = op.u.shadow_op.stats;
	return rc == 0 ? (long long)op.u.shadow_op.pages : rc;
}

int xc_get_paging_mempool_size(xc_interface *xch, uint32_t domid,
			       uint64_t *size)
{
	struct xen_domctl op = DOMCTL(get_paging_mempool_size, domid);
	int rc = xc_domctl(xch, &op);

	if (rc == 0)
		*size = op.u.paging_mempool.size;
	return rc;
}

int xc_set_paging_mempool_size(xc_interface *xch, uint32_t domid, uint64_t size)
{
	struct xen_domctl op = DOMCTL(set_paging_mempool_size, domid);

	op.u.paging_mempool.size = size;
	return xc_domctl(xch, &op);
}

int xc_domain_p2m_audit(xc_interface *xch, uint32_t domid, uint64_t *orphans,
			uint64_t *m2p_bad, uint64_t *p2m_bad)
{
	struct xen_domctl op = DOMCTL(audit_p2m, domid);
	int rc = xc_domctl(xch, &op);

	*orphans = op.u.audit_p2m.orphans;
	*m2p_bad = op.u.audit_p2m.m2p_bad;
	*p2m_bad = op.u.audit_p2m.p2m_bad;
	return rc;
}

int xc_set_broken_page_p2m(xc_interface *xch, uint32_t domid, unsigned long pfn)
{
	struct xen_domctl op = DOMCTL(set_broken_page_p2m, domid);

	op.u.set_broken_page_p2m.pfn = pfn;
	return xc_domctl(xch, &op) ? -1 : 0;
}
