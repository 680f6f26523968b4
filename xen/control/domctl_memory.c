/* SPDX-License-Identifier: MIT */
/*
 * domctl: memory for page tables, rights to devices.
 */
#include "control/domctl.h"

#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"

/*
 * Paging memory: Xen sets some aside for each guest's nested tables, and tools
 * insist on saying how much. Ours come from the common heap as they are needed;
 * the number is kept so that tools read what they set.
 */
long domctl_get_paging_mempool_size(struct domain *d, struct xen_domctl *op)
{
	if (!d->kind->translated)
		return -EOPNOTSUPP;
	op->u.paging_mempool.size = d->paging_pages << PAGE_SHIFT;
	return 0;
}

long domctl_set_paging_mempool_size(struct domain *d, struct xen_domctl *op)
{
	uint64_t size = op->u.paging_mempool.size;

	if (!d->kind->translated)
		return -EOPNOTSUPP;
	if (size & ~PAGE_MASK)
		return -EINVAL;
	d->paging_pages = size >> PAGE_SHIFT;
	return 0;
}

#define MIB_PAGES 256

/* Log-dirty and shadow modes serve migration; allocation is as above. */
long domctl_shadow_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_shadow_op *s = &op->u.shadow_op;

	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		s->mb = (uint32_t)DIV_ROUND_UP(d->paging_pages, MIB_PAGES);
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		if (!d->kind->translated)
			return -EOPNOTSUPP;
		d->paging_pages = (uint64_t)s->mb * MIB_PAGES;
		return 0;
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return 0;
	}
	return -EOPNOTSUPP;
}

/* Fills a hypercall page for a guest that cannot ask by MSR. */
long domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
	void *page;
	long rc;

	if (!d->kind->hypercall_page)
		return -EOPNOTSUPP;
	page = alloc_page_virt(0);
	if (!page)
		return -ENOMEM;
	d->kind->hypercall_page(d, page);
	rc = copy_to_gpa(d, op->u.hypercall_init.gmfn << PAGE_SHIFT, page,
			 PAGE_SIZE);
	free_page_virt(page);
	return rc ? -EACCES : 0;
}

/*
 * Rights to devices: dom0 has them all and no other domain can be given any, as
 * devices are not passed through. Taking away what nobody has is fine.
 */
long domctl_iomem_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;

	if (p->first_mfn + p->nr_mfns < p->first_mfn)
		return -EINVAL;
	return p->allow_access && !d->privileged ? -EOPNOTSUPP : 0;
}

long domctl_ioport_permission(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ioport_permission *p = &op->u.ioport_permission;

	if (p->first_port > 0xffff || p->nr_ports > 0x10000 - p->first_port)
		return -EINVAL;
	return p->allow_access && !d->privileged ? -EOPNOTSUPP : 0;
}

long domctl_irq_permission(struct domain *d, struct xen_domctl *op)
{
	return op->u.irq_permission.allow_access && !d->privileged ? -EOPNOTSUPP
								   : 0;
}
