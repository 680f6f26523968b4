/* SPDX-License-Identifier: MIT */
/*
 * domctl: memory for page tables, rights to devices.
 */
#include "control/domctl.h"

#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "domain/log_dirty.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

/*
 * Paging memory: Xen sets some aside for each guest's nested tables, and tools
 * insist on saying how much. Ours come from the common heap as they are needed;
 * the number is kept so that tools read what they set, and is a limit where it
 * is more than any guest with that much memory needs (domain_limit_tables()).
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
	domain_limit_tables(d);
	return 0;
}

#define MIB_PAGES 256

/* What is written at a time: a page of bits. */
#define CHUNK (PAGE_SIZE * 8)

static long collect_chunk(struct domain *d,
			  const struct xen_domctl_shadow_op *s, uint64_t first,
			  uint64_t *bits, bool clean)
{
	uint64_t to = guest_handle_va(s->dirty_bitmap);
	uint64_t nr = min(s->pages - first, (uint64_t)CHUNK);
	int found;

	memset(bits, 0, PAGE_SIZE);
	found = log_dirty_collect(d, first, CHUNK, bits, clean);
	if (found < 0)
		return found;
	d->log_dirty->found += (uint32_t)found;
	return to ? copy_to_guest(to + first / 8, bits, DIV_ROUND_UP(nr, 8U))
		  : 0;
}

/* CLEAN and PEEK. A guest that stands still need not be watched any more. */
static long collect(struct domain *d, struct xen_domctl_shadow_op *s)
{
	struct log_dirty *l = d->log_dirty;
	bool clean = s->op == XEN_DOMCTL_SHADOW_OP_CLEAN &&
		     !(s->mode & XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL);
	uint64_t *bits;
	long rc = 0;

	if (!log_dirty_is_on(d) ||
	    (s->mode & ~(uint32_t)XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL))
		return -EINVAL;
	s->pages = min(s->pages, log_dirty_pages(d));
	bits = alloc_page_virt(0);
	if (!bits)
		return -ENOMEM;
	if (!l->at)
		log_dirty_sync(d);
	while (!rc && l->at < s->pages) {
		rc = collect_chunk(d, s, l->at, bits, clean);
		l->at += CHUNK;
		if (!rc && l->at < s->pages && hypercall_must_yield())
			rc = -ERESTART;
	}
	free_page_virt(bits);
	log_dirty_settle(d);
	if (rc == -ERESTART)
		return rc;
	s->stats.fault_count = s->stats.dirty_count = l->found;
	l->at = l->found = 0;
	return rc;
}

/* What live migration asks. PV guests' writes are not logged. */
static long log_dirty_op(struct domain *d, struct xen_domctl_shadow_op *s)
{
	if (!d->kind->translated)
		return -EOPNOTSUPP;
	if (d == current->domain)
		return -EINVAL;
	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		if (s->mode != XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY)
			return -EINVAL;
		/* fall through */
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return log_dirty_enable(d);
	case XEN_DOMCTL_SHADOW_OP_OFF:
		return log_dirty_is_on(d) ? log_dirty_disable(d) : 0;
	default:
		return collect(d, s);
	}
}

/* Allocation is as above. */
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
		domain_limit_tables(d);
		return 0;
	case XEN_DOMCTL_SHADOW_OP_OFF:
		if (!d->kind->translated)
			return 0;
		/* fall through */
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return log_dirty_op(d, s);
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
