/* SPDX-License-Identifier: MIT */
/*
 * dm_op (public/hvm/dm_op.h): what device models ask of us, about another
 * domain than their own. The first buffer holds the operation, a second one
 * what it is about.
 */
#include "hvm/dm.h"

#include "control/memory.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "domain/log_dirty.h"
#include "hvm/dev/virq.h"
#include "hvm/dev/vlapic.h"
#include "hvm/vram.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <xen/hvm/hvm_op.h>

struct dm {
	struct vcpu *v;   /* the caller */
	struct domain *d; /* the domain it is about */
	struct xen_dm_op op;
	unsigned int nr_bufs;
	struct xen_dm_op_buf buf[2];
	bool answers; /* op goes back, changed */
};

typedef long dm_fn(struct dm *m);

static long create_server(struct dm *m)
{
	struct xen_dm_op_create_ioreq_server *p = &m->op.u.create_ioreq_server;

	if (p->pad[0] || p->pad[1] || p->pad[2])
		return -EINVAL;
	m->answers = true;
	return ioreq_server_create(m->d, m->v->domain->id, p->handle_bufioreq,
				   &p->id);
}

static long server_info(struct dm *m)
{
	m->answers = true;
	return ioreq_server_info(m->d, &m->op.u.get_ioreq_server_info);
}

static long server_range(struct dm *m)
{
	const struct xen_dm_op_ioreq_server_range *p =
		&m->op.u.map_io_range_to_ioreq_server;

	if (p->pad)
		return -EINVAL;
	return ioreq_server_range(
		m->d, p, m->op.op == XEN_DMOP_map_io_range_to_ioreq_server);
}

static long server_state(struct dm *m)
{
	const struct xen_dm_op_set_ioreq_server_state *p =
		&m->op.u.set_ioreq_server_state;

	return p->pad ? -EINVAL : ioreq_server_enable(m->d, p->id, p->enabled);
}

static long destroy_server(struct dm *m)
{
	const struct xen_dm_op_destroy_ioreq_server *p =
		&m->op.u.destroy_ioreq_server;

	return p->pad ? -EINVAL : ioreq_server_destroy(m->d, p->id);
}

static long track_vram(struct dm *m)
{
	const struct xen_dm_op_track_dirty_vram *p = &m->op.u.track_dirty_vram;

	if (p->pad || m->nr_bufs < 2)
		return -EINVAL;
	if (p->nr && m->buf[1].size < DIV_ROUND_UP(p->nr, 8U))
		return -EINVAL;
	return vram_track(m->d, _gfn(p->first_pfn), p->nr,
			  guest_handle_va(m->buf[1].h));
}

static long pci_intx(struct dm *m)
{
	const struct xen_dm_op_set_pci_intx_level *p =
		&m->op.u.set_pci_intx_level;

	if (p->domain || p->bus || p->device > 31 || p->intx > 3 ||
	    p->level > 1)
		return -EINVAL;
	hvm_pci_intx(m->d, p->device, p->intx, p->level);
	return 0;
}

static long isa_irq(struct dm *m)
{
	const struct xen_dm_op_set_isa_irq_level *p =
		&m->op.u.set_isa_irq_level;

	if (p->isa_irq > 15 || p->level > 1)
		return -EINVAL;
	hvm_isa_irq(m->d, p->isa_irq, p->level);
	return 0;
}

static long pci_link(struct dm *m)
{
	const struct xen_dm_op_set_pci_link_route *p =
		&m->op.u.set_pci_link_route;

	if (p->link > 3 || p->isa_irq > 15)
		return -EINVAL;
	return hvm_pci_link(m->d, p->link, p->isa_irq);
}

/* What a device model wrote itself; opaque: extents that are done. */
static long modified_memory(struct dm *m)
{
	struct xen_dm_op_modified_memory *p = &m->op.u.modified_memory;
	struct xen_dm_op_modified_memory_extent e;

	if (p->opaque > p->nr_extents || m->nr_bufs < 2 ||
	    m->buf[1].size / sizeof(e) < p->nr_extents)
		return -EINVAL;
	while (p->opaque < p->nr_extents) {
		if (copy_array_from_guest(&e, guest_handle_va(m->buf[1].h),
					  p->opaque, 1, sizeof(e)))
			return -EFAULT;
		if (e.pad || e.first_pfn + e.nr <= e.first_pfn ||
		    e.first_pfn + e.nr > log_dirty_pages(m->d))
			return -EINVAL;
		vram_modified(m->d, _gfn(e.first_pfn), e.nr);
		if (++p->opaque < p->nr_extents && hypercall_must_yield()) {
			m->answers = true;
			return -ERESTART;
		}
	}
	return 0;
}

static long set_mem_type(struct dm *m)
{
	struct xen_dm_op_set_mem_type *p = &m->op.u.set_mem_type;
	enum p2m_type t;
	long rc = 0;

	if (p->pad || p->first_pfn + p->nr < p->first_pfn)
		return -EINVAL;
	switch (p->mem_type) {
	case HVMMEM_ram_rw:
		t = P2M_RAM_RW;
		break;
	case HVMMEM_ram_ro:
		t = P2M_RAM_RO;
		break;
	case HVMMEM_mmio_dm:
		t = P2M_MMIO_DM;
		break;
	default:
		return p->mem_type == HVMMEM_ioreq_server ? -EOPNOTSUPP
							  : -EINVAL;
	}
	while (!rc && p->nr) {
		rc = physmap_set_type(m->d, _gfn(p->first_pfn), t);
		if (rc)
			break;
		p->nr--;
		p->first_pfn++;
		if (p->nr && hypercall_must_yield()) {
			m->answers = true;
			rc = -ERESTART;
		}
	}
	/* Of what was done, whatever became of the rest. */
	p2m_flush(&m->d->p2m);
	return rc;
}

static long inject_event(struct dm *m)
{
	const struct xen_dm_op_inject_event *p = &m->op.u.inject_event;
	struct vcpu *v = domain_vcpu(m->d, p->vcpuid);

	if (p->pad0 || p->pad1 || !v)
		return -EINVAL;
	switch (p->type) {
	case XEN_DMOP_EVENT_nmi:
		m->d->kind->send_nmi(v);
		return 0;
	case XEN_DMOP_EVENT_ext_int:
		if (p->vector < 16)
			return -EINVAL;
		vlapic_set_irq(hvm_vcpu(v)->lapic, p->vector, false);
		return 0;
	case XEN_DMOP_EVENT_hw_exc:
		return p->vector < 32 ? hvm_inject_later(v, p->vector,
							 p->error_code, p->cr2)
				      : -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

static long inject_msi(struct dm *m)
{
	const struct xen_dm_op_inject_msi *p = &m->op.u.inject_msi;

	return p->pad ? -EINVAL : hvm_inject_msi(m->d, p->addr, p->data);
}

static long map_mem_type(struct dm *m)
{
	const struct xen_dm_op_map_mem_type_to_ioreq_server *p =
		&m->op.u.map_mem_type_to_ioreq_server;

	if (p->type != HVMMEM_ioreq_server || p->opaque ||
	    (p->flags & ~XEN_DMOP_IOREQ_MEM_ACCESS_WRITE))
		return -EINVAL;
	return -EOPNOTSUPP;
}

static long remote_shutdown(struct dm *m)
{
	domain_shutdown(m->d, m->op.u.remote_shutdown.reason);
	return 0;
}

static long relocate_memory(struct dm *m)
{
	struct xen_dm_op_relocate_memory *p = &m->op.u.relocate_memory;

	if (p->pad)
		return -EINVAL;
	for (; p->size; p->size--, p->src_gfn++, p->dst_gfn++) {
		long rc =
			physmap_move(m->d, _gfn(p->src_gfn), _gfn(p->dst_gfn));

		if (rc)
			return rc;
		if (p->size > 1 && hypercall_must_yield()) {
			p->size--;
			p->src_gfn++;
			p->dst_gfn++;
			m->answers = true;
			return -ERESTART;
		}
	}
	return 0;
}

/* Guests' memory is cached as the p2m says; a device model's wish changes
 * nothing that it could see. */
static long pin_cacheattr(struct dm *m)
{
	const struct xen_dm_op_pin_memory_cacheattr *p =
		&m->op.u.pin_memory_cacheattr;

	if (p->pad || p->start > p->end)
		return -EINVAL;
	switch (p->type) {
	case XEN_DMOP_MEM_CACHEATTR_UC:
	case XEN_DMOP_MEM_CACHEATTR_WC:
	case XEN_DMOP_MEM_CACHEATTR_WT:
	case XEN_DMOP_MEM_CACHEATTR_WP:
	case XEN_DMOP_MEM_CACHEATTR_WB:
	case XEN_DMOP_MEM_CACHEATTR_UCM:
	case XEN_DMOP_DELETE_MEM_CACHEATTR:
		return 0;
	default:
		return -EINVAL;
	}
}

static long nr_vcpus(struct dm *m)
{
	m->op.u.nr_vcpus.vcpus = m->d->max_vcpus;
	m->answers = true;
	return 0;
}

static dm_fn *const ops[] = {
	[XEN_DMOP_create_ioreq_server] = create_server,
	[XEN_DMOP_get_ioreq_server_info] = server_info,
	[XEN_DMOP_map_io_range_to_ioreq_server] = server_range,
	[XEN_DMOP_unmap_io_range_from_ioreq_server] = server_range,
	[XEN_DMOP_set_ioreq_server_state] = server_state,
	[XEN_DMOP_destroy_ioreq_server] = destroy_server,
	[XEN_DMOP_track_dirty_vram] = track_vram,
	[XEN_DMOP_set_pci_intx_level] = pci_intx,
	[XEN_DMOP_set_isa_irq_level] = isa_irq,
	[XEN_DMOP_set_pci_link_route] = pci_link,
	[XEN_DMOP_modified_memory] = modified_memory,
	[XEN_DMOP_set_mem_type] = set_mem_type,
	[XEN_DMOP_inject_event] = inject_event,
	[XEN_DMOP_inject_msi] = inject_msi,
	[XEN_DMOP_map_mem_type_to_ioreq_server] = map_mem_type,
	[XEN_DMOP_remote_shutdown] = remote_shutdown,
	[XEN_DMOP_relocate_memory] = relocate_memory,
	[XEN_DMOP_pin_memory_cacheattr] = pin_cacheattr,
	[XEN_DMOP_nr_vcpus] = nr_vcpus,
};

/* The domain, held: one that the caller has a right over, not himself. */
static int find_target(struct vcpu *v, domid_t id, struct domain **out)
{
	struct domain *d;
	int rc = 0;

	if (id == DOMID_SELF || id == v->domain->id)
		return -EPERM;
	d = get_domain(id);
	if (!d)
		return -ESRCH;
	if (domain_check_privilege(v->domain, d))
		rc = -EPERM;
	else if (d->kind != domain_kind_hvm || !d->vcpu[0])
		rc = -EINVAL;
	if (rc)
		put_domain(d);
	else
		*out = d;
	return rc;
}

static long copy_op_in(struct dm *m, uint64_t bufs)
{
	size_t n;

	if (copy_array_from_guest(m->buf, bufs, 0, m->nr_bufs,
				  sizeof(m->buf[0])))
		return -EFAULT;
	n = min(m->buf[0].size, sizeof(m->op));
	if (n < offsetof(struct xen_dm_op, u))
		return -EFAULT;
	if (copy_from_guest(&m->op, guest_handle_va(m->buf[0].h), n))
		return -EFAULT;
	return m->op.pad ? -EINVAL : 0;
}

static long run(struct dm *m)
{
	dm_fn *fn = NULL;
	size_t n = min(m->buf[0].size, sizeof(m->op));
	long rc;

	if (m->op.op < ARRAY_SIZE(ops))
		fn = ops[index_nospec(m->op.op, ARRAY_SIZE(ops))];
	if (!fn)
		return -EOPNOTSUPP;
	rc = fn(m);
	if (m->answers && (!rc || rc == -ERESTART) &&
	    copy_to_guest(guest_handle_va(m->buf[0].h), &m->op, n))
		return -EFAULT;
	return rc;
}

long dm_op(struct vcpu *v, const uint64_t args[6])
{
	struct dm m = {.v = v, .nr_bufs = (unsigned int)args[1]};
	long rc;

	if (args[1] < 1 || args[1] > ARRAY_SIZE(m.buf))
		return args[1] ? -E2BIG : -EINVAL;
	rc = find_target(v, (domid_t)args[0], &m.d);
	if (rc)
		return rc;
	rc = copy_op_in(&m, args[2]);
	if (!rc)
		rc = run(&m);
	put_domain(m.d);
	return rc;
}
