/* SPDX-License-Identifier: MIT */
/*
 * Memory maps: the machine's, for dom0, and each domain's own, which the tools
 * set and the guest reads (public/memory.h).
 */
#include "control/memory.h"

#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/memory_map.h"

#include <xen/arch-x86/xen.h>

/* struct e820entry of Linux and of the ABI: 20 bytes, packed. */
struct e820_entry {
	uint64_t addr, size;
	uint32_t type;
} __packed;
_Static_assert(sizeof(struct e820_entry) == 20, "E820 entries have 20 bytes");

static long copy_map_out(uint64_t arg, const struct memory_map *map)
{
	struct xen_memory_map out;
	unsigned int n;

	if (copy_from_guest(&out, arg, sizeof(out)))
		return -EFAULT;
	n = min(out.nr_entries, map->n);
	for (unsigned int i = 0; i < n; i++) {
		const struct memory_range *r = &map->range[i];
		struct e820_entry e = {r->start, r->end - r->start, r->type};

		if (copy_elem_to_guest(guest_handle_va(out.buffer), i, &e))
			return -EFAULT;
	}
	out.nr_entries = n;
	return copy_to_guest(arg, &out, sizeof(out));
}

long mem_memory_map(struct vcpu *v, uint64_t arg, uint64_t start __maybe_unused)
{
	struct domain *d = v->domain;
	struct memory_map *copy = NULL;
	long rc = -ENOSYS;

	/* A copy: the tools may set another one at any time. */
	spin_lock(&d->lock);
	if (d->memory_map) {
		copy = xmalloc(sizeof(*copy));
		if (copy)
			*copy = *d->memory_map;
		else
			rc = -ENOMEM;
	}
	spin_unlock(&d->lock);
	if (copy)
		rc = copy_map_out(arg, copy);
	xfree(copy);
	return rc;
}

long mem_machine_memory_map(struct vcpu *v, uint64_t arg,
			    uint64_t start __maybe_unused)
{
	if (!v->domain->privileged)
		return -EPERM;
	return copy_map_out(arg, &machine_map);
}

static long read_map(const struct xen_memory_map *in, struct memory_map *map)
{
	map->n = in->nr_entries;
	for (unsigned int i = 0; i < map->n; i++) {
		struct e820_entry e;

		if (copy_elem_from_guest(&e, guest_handle_va(in->buffer), i))
			return -EFAULT;
		if (e.addr + e.size < e.addr)
			return -EINVAL;
		map->range[i] =
			(struct memory_range){e.addr, e.addr + e.size, e.type};
	}
	return 0;
}

long mem_set_memory_map(struct vcpu *v, uint64_t arg,
			uint64_t start __maybe_unused)
{
	struct xen_foreign_memory_map in;
	struct memory_map *map, *old;
	struct domain *d;
	long rc;

	if (copy_from_guest(&in, arg, sizeof(in)))
		return -EFAULT;
	if (in.map.nr_entries > MEMORY_MAP_MAX)
		return -EINVAL;
	rc = memory_target(v, in.domid, &d);
	if (rc)
		return rc;
	map = xnew(struct memory_map);
	rc = map ? read_map(&in.map, map) : -ENOMEM;
	if (rc) {
		xfree(map);
	} else {
		spin_lock(&d->lock);
		old = d->memory_map;
		d->memory_map = map;
		spin_unlock(&d->lock);
		xfree(old);
	}
	put_domain(d);
	return rc;
}

/* Regions that assigned devices need mapped one to one: none, as devices are
 * not assigned. */
long mem_reserved_device_memory_map(struct vcpu *v __maybe_unused, uint64_t arg,
				    uint64_t start __maybe_unused)
{
	struct xen_reserved_device_memory_map r;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.flags & ~XENMEM_RDM_ALL)
		return -EINVAL;
	r.nr_entries = 0;
	return copy_to_guest(arg, &r, sizeof(r));
}
