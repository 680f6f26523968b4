/* SPDX-License-Identifier: MIT */
/* Memory: one function per XENMEM sub-operation. */
#include "private.h"

/* Each of the reservation calls: how many of the extents were done. */
static int reservation(xc_interface *xch, unsigned int cmd, uint32_t domid,
		       unsigned long nr_extents, unsigned int extent_order,
		       unsigned int mem_flags, xen_pfn_t *extents)
{
	struct xen_memory_reservation r = {
		.nr_extents = nr_extents,
		.extent_order = extent_order,
		.mem_flags = mem_flags,
		.domid = (domid_t)domid,
	};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, extents, nr_extents * sizeof(*extents),
		     SAFE_BOTH))
		return -1;
	set_xen_guest_handle_raw(r.extent_start, s.p);
	rc = (int)xc_memory_op(xch, cmd, &r, sizeof(r));
	safe_put(xch, &s);
	return rc;
}

/* Fewer extents than asked for is a failure, with the errno given. */
static int exactly(int done, unsigned long wanted, int err)
{
	if (done < 0)
		return done;
	if ((unsigned long)done == wanted)
		return 0;
	errno = err;
	return -1;
}

int xc_domain_increase_reservation(xc_interface *xch, uint32_t domid,
				   unsigned long nr_extents,
				   unsigned int extent_order,
				   unsigned int mem_flags,
				   xen_pfn_t *extent_start)
{
	return reservation(xch, XENMEM_increase_reservation, domid, nr_extents,
			   extent_order, mem_flags, extent_start);
}

int xc_domain_increase_reservation_exact(xc_interface *xch, uint32_t domid,
					 unsigned long nr_extents,
					 unsigned int extent_order,
					 unsigned int mem_flags,
					 xen_pfn_t *extent_start)
{
	return exactly(xc_domain_increase_reservation(xch, domid, nr_extents,
						      extent_order, mem_flags,
						      extent_start),
		       nr_extents, ENOMEM);
}

int xc_domain_decrease_reservation(xc_interface *xch, uint32_t domid,
				   unsigned long nr_extents,
				   unsigned int extent_order,
				   xen_pfn_t *extent_start)
{
	if (!extent_start) {
		errno = EINVAL;
		return -1;
	}
	return reservation(xch, XENMEM_decrease_reservation, domid, nr_extents,
			   extent_order, 0, extent_start);
}

int xc_domain_decrease_reservation_exact(xc_interface *xch, uint32_t domid,
					 unsigned long nr_extents,
					 unsigned int extent_order,
					 xen_pfn_t *extent_start)
{
	return exactly(xc_domain_decrease_reservation(xch, domid, nr_extents,
						      extent_order,
						      extent_start),
		       nr_extents, EINVAL);
}

int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
			       unsigned long nr_extents,
			       unsigned int extent_order,
			       unsigned int mem_flags, xen_pfn_t *extent_start)
{
	return reservation(xch, XENMEM_populate_physmap, domid, nr_extents,
			   extent_order, mem_flags, extent_start);
}

int xc_domain_populate_physmap_exact(xc_interface *xch, uint32_t domid,
				     unsigned long nr_extents,
				     unsigned int extent_order,
				     unsigned int mem_flags,
				     xen_pfn_t *extent_start)
{
	return exactly(xc_domain_populate_physmap(xch, domid, nr_extents,
						  extent_order, mem_flags,
						  extent_start),
		       nr_extents, EBUSY);
}

int xc_domain_claim_pages(xc_interface *xch, uint32_t domid,
			  unsigned long nr_pages)
{
	int rc = reservation(xch, XENMEM_claim_pages, domid, nr_pages, 0, 0,
			     NULL);

	/* A hypervisor without claims: memory is then simply not set aside. */
	if (rc == -1 && errno == ENOSYS)
		rc = errno = 0;
	return rc;
}

int xc_domain_memory_exchange_pages(xc_interface *xch, uint32_t domid,
				    unsigned long nr_in_extents,
				    unsigned int in_order,
				    xen_pfn_t *in_extents,
				    unsigned long nr_out_extents,
				    unsigned int out_order,
				    xen_pfn_t *out_extents)
{
	struct xen_memory_exchange e = {
		.in = {.nr_extents = nr_in_extents,
		       .extent_order = in_order,
		       .domid = (domid_t)domid},
		.out = {.nr_extents = nr_out_extents,
			.extent_order = out_order,
			.domid = (domid_t)domid},
	};
	struct safe in, out;
	int rc = -1;

	if (safe_get(xch, &in, in_extents, nr_in_extents * sizeof(*in_extents),
		     SAFE_IN))
		return -1;
	/* In as well: Xen reads where the new pages shall appear. */
	if (safe_get(xch, &out, out_extents,
		     nr_out_extents * sizeof(*out_extents), SAFE_BOTH))
		goto done;
	set_xen_guest_handle_raw(e.in.extent_start, in.p);
	set_xen_guest_handle_raw(e.out.extent_start, out.p);
	rc = (int)xc_memory_op(xch, XENMEM_exchange, &e, sizeof(e));
	safe_put(xch, &out);
done:
	safe_put(xch, &in);
	return rc;
}

unsigned long xc_make_page_below_4G(xc_interface *xch, uint32_t domid,
				    unsigned long mfn)
{
	xen_pfn_t frame = mfn;

	if (xc_domain_decrease_reservation_exact(xch, domid, 1, 0, &frame))
		return 0;
	if (xc_domain_increase_reservation_exact(
		    xch, domid, 1, 0, XENMEMF_address_bits(32), &frame))
		return 0;
	return frame;
}

int xc_domain_maximum_gpfn(xc_interface *xch, uint32_t domid, xen_pfn_t *gpfns)
{
	struct xen_memory_domain d = {.domid = (domid_t)domid};
	long rc = xc_memory_op(xch, XENMEM_maximum_gpfn, &d, sizeof(d));

	if (rc < 0)
		return -1;
	*gpfns = (xen_pfn_t)rc;
	return 0;
}

int xc_domain_nr_gpfns(xc_interface *xch, uint32_t domid, xen_pfn_t *gpfns)
{
	int rc = xc_domain_maximum_gpfn(xch, domid, gpfns);

	if (rc >= 0)
		*gpfns += 1;
	return rc;
}

int xc_maximum_ram_page(xc_interface *xch, unsigned long *max_mfn)
{
	long rc = xc_memory_op(xch, XENMEM_maximum_ram_page, NULL, 0);

	if (rc < 0)
		return -1;
	*max_mfn = (unsigned long)rc;
	return 0;
}

int xc_machphys_mfn_list(xc_interface *xch, unsigned long max_extents,
			 xen_pfn_t *extent_start)
{
	struct xen_machphys_mfn_list l = {
		.max_extents = (unsigned int)max_extents,
	};
	struct safe s;
	long rc;

	if (safe_get(xch, &s, extent_start, max_extents * sizeof(xen_pfn_t),
		     SAFE_OUT))
		return -1;
	set_xen_guest_handle_raw(l.extent_start, s.p);
	rc = xc_memory_op(xch, XENMEM_machphys_mfn_list, &l, sizeof(l));
	safe_put(xch, &s);
	return rc || l.nr_extents != max_extents ? -1 : 0;
}

int xc_domain_add_to_physmap(xc_interface *xch, uint32_t domid,
			     unsigned int space, unsigned long idx,
			     xen_pfn_t gpfn)
{
	struct xen_add_to_physmap x = {
		.domid = (domid_t)domid,
		.space = space,
		.idx = idx,
		.gpfn = gpfn,
	};

	return (int)xc_memory_op(xch, XENMEM_add_to_physmap, &x, sizeof(x));
}

int xc_domain_add_to_physmap_batch(xc_interface *xch, uint32_t domid,
				   uint32_t foreign_domid, unsigned int space,
				   unsigned int size, xen_ulong_t *idxs,
				   xen_pfn_t *gfpns, int *errs)
{
	struct xen_add_to_physmap_batch x = {
		.domid = (domid_t)domid,
		.space = (uint16_t)space,
		.size = (uint16_t)size,
		.u = {.foreign_domid = (domid_t)foreign_domid},
	};
	struct safe i, g, e;
	int rc = -1;

	if (safe_get(xch, &i, idxs, size * sizeof(*idxs), SAFE_IN))
		return -1;
	if (safe_get(xch, &g, gfpns, size * sizeof(*gfpns), SAFE_IN))
		goto put_i;
	if (safe_get(xch, &e, errs, size * sizeof(*errs), SAFE_OUT))
		goto put_g;
	set_xen_guest_handle_raw(x.idxs, i.p);
	set_xen_guest_handle_raw(x.gpfns, g.p);
	set_xen_guest_handle_raw(x.errs, e.p);
	rc = (int)xc_memory_op(xch, XENMEM_add_to_physmap_batch, &x, sizeof(x));
	safe_put(xch, &e);
put_g:
	safe_put(xch, &g);
put_i:
	safe_put(xch, &i);
	return rc;
}

int xc_domain_remove_from_physmap(xc_interface *xch, uint32_t domid,
				  xen_pfn_t gpfn)
{
	struct xen_remove_from_physmap x = {
		.domid = (domid_t)domid,
		.gpfn = gpfn,
	};

	return (int)xc_memory_op(xch, XENMEM_remove_from_physmap, &x,
				 sizeof(x));
}

int xc_domain_set_memory_map(xc_interface *xch, uint32_t domid,
			     struct e820entry entries[], uint32_t nr_entries)
{
	struct xen_foreign_memory_map m = {
		.domid = (domid_t)domid,
		.map = {.nr_entries = nr_entries},
	};
	struct safe s;
	int rc;

	if (!entries) {
		errno = EINVAL;
		return -1;
	}
	if (safe_get(xch, &s, entries, nr_entries * sizeof(*entries), SAFE_IN))
		return -1;
	set_xen_guest_handle_raw(m.map.buffer, s.p);
	rc = (int)xc_memory_op(xch, XENMEM_set_memory_map, &m, sizeof(m));
	safe_put(xch, &s);
	return rc;
}

int xc_domain_set_memmap_limit(xc_interface *xch, uint32_t domid,
			       unsigned long map_limitkb)
{
	struct e820entry e = {
		.addr = 0,
		.size = (uint64_t)map_limitkb << 10,
		.type = E820_RAM,
	};

	return xc_domain_set_memory_map(xch, domid, &e, 1);
}

int xc_get_machine_memory_map(xc_interface *xch, struct e820entry entries[],
			      uint32_t max_entries)
{
	struct xen_memory_map m = {.nr_entries = max_entries};
	struct safe s;
	int rc;

	if (!entries || max_entries <= 1) {
		errno = EINVAL;
		return -1;
	}
	if (safe_get(xch, &s, entries, max_entries * sizeof(*entries),
		     SAFE_OUT))
		return -1;
	set_xen_guest_handle_raw(m.buffer, s.p);
	rc = (int)xc_memory_op(xch, XENMEM_machine_memory_map, &m, sizeof(m));
	safe_put(xch, &s);
	return rc ? rc : (int)m.nr_entries;
}

int xc_reserved_device_memory_map(xc_interface *xch, uint32_t flags,
				  uint16_t seg, uint8_t bus, uint8_t devfn,
				  struct xen_reserved_device_memory entries[],
				  uint32_t *max_entries)
{
	struct xen_reserved_device_memory_map m = {
		.flags = flags,
		.dev.pci.seg = seg,
		.dev.pci.bus = bus,
		.dev.pci.devfn = devfn,
		.nr_entries = *max_entries,
	};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, entries, *max_entries * sizeof(*entries),
		     SAFE_OUT))
		return -1;
	set_xen_guest_handle_raw(m.buffer, s.p);
	rc = (int)xc_memory_op(xch, XENMEM_reserved_device_memory_map, &m,
			       sizeof(m));
	safe_put(xch, &s);
	*max_entries = m.nr_entries;
	return rc;
}

static int pod_target(xc_interface *xch, unsigned int cmd, uint32_t domid,
		      uint64_t target, uint64_t *tot, uint64_t *cache,
		      uint64_t *entries)
{
	struct xen_pod_target t = {
		.domid = (domid_t)domid,
		.target_pages = target,
	};
	long rc = xc_memory_op(xch, cmd, &t, sizeof(t));

	if (tot)
		*tot = t.tot_pages;
	if (cache)
		*cache = t.pod_cache_pages;
	if (entries)
		*entries = t.pod_entries;
	return rc < 0 ? -1 : 0;
}

int xc_domain_set_pod_target(xc_interface *xch, uint32_t domid,
			     uint64_t target_pages, uint64_t *tot_pages,
			     uint64_t *pod_cache_pages, uint64_t *pod_entries)
{
	return pod_target(xch, XENMEM_set_pod_target, domid, target_pages,
			  tot_pages, pod_cache_pages, pod_entries);
}

int xc_domain_get_pod_target(xc_interface *xch, uint32_t domid,
			     uint64_t *tot_pages, uint64_t *pod_cache_pages,
			     uint64_t *pod_entries)
{
	return pod_target(xch, XENMEM_get_pod_target, domid, UINT64_MAX,
			  tot_pages, pod_cache_pages, pod_entries);
}

/* Caches are coherent on x86: nothing to flush. */
int xc_domain_cacheflush(xc_interface *xch, uint32_t domid, xen_pfn_t start_pfn,
			 xen_pfn_t nr_pfns)
{
	(void)xch;
	(void)domid;
	(void)start_pfn;
	(void)nr_pfns;
	return 0;
}

/* How many pages are shared by, or were saved by, memory sharing. */
long xc_sharing_freed_pages(xc_interface *xch)
{
	return xc_memory_op(xch, XENMEM_get_sharing_freed_pages, NULL, 0);
}

long xc_sharing_used_frames(xc_interface *xch)
{
	return xc_memory_op(xch, XENMEM_get_sharing_shared_pages, NULL, 0);
}
