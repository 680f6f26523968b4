/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls of 32-bit guests: firmware (hvmloader) and 32-bit kernels in
 * hardware containers. Most structures are the same in both worlds. The others
 * are turned into the 64-bit form, which the handler finds at an address that
 * no guest has (COMPAT_VA, domain/guest_access.h), and back.
 */
#include "hypercall/compat.h"

#include "control/control.h"
#include "control/memory.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "domain/ops.h"
#include "grant/grant.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/version.h>

/* What is at COMPAT_VA during a call. */
union arg64 {
	struct xen_add_to_physmap add;
	struct xen_remove_from_physmap remove;
	struct xen_memory_map map;
	struct xen_reserved_device_memory_map rdm;
	struct {
		struct xen_memory_reservation r;
		xen_pfn_t pfn;
	} reserve;
	struct gnttab_setup_table setup;
	struct gnttab_copy copy;
	struct sched_poll poll;
};

#define FIELD_VA(field) (COMPAT_VA + offsetof(union arg64, field))

/* The 32-bit forms (public headers, with 4-byte longs and handles). */
struct add32 {
	uint16_t domid, size;
	uint32_t space, idx, gpfn;
};
struct remove32 {
	uint16_t domid, pad;
	uint32_t gpfn;
};
struct map32 {
	uint32_t nr_entries, buffer;
};
struct rdm32 {
	uint32_t flags, nr_entries, buffer, dev[2];
};
struct reservation32 {
	uint32_t extent_start, nr_extents, extent_order, mem_flags;
	uint16_t domid, pad;
};
struct setup32 {
	uint16_t domid, pad;
	uint32_t nr_frames;
	int16_t status;
	uint16_t pad2;
	uint32_t frame_list;
};
struct copy_ptr32 {
	uint32_t ref_or_gmfn;
	uint16_t domid, offset;
};
struct copy32 {
	struct copy_ptr32 source, dest;
	uint16_t len, flags;
	int16_t status;
	uint16_t pad;
};
struct poll32 {
	uint32_t ports, nr_ports;
	uint64_t timeout;
} __packed;

#define set_handle(h, va) ((h).p = (void *)(uintptr_t)(va))

static long call_memory(struct vcpu *v, uint64_t cmd)
{
	const uint64_t args[6] = {cmd, COMPAT_VA};

	return memory_op(v, args);
}

static long add_to_physmap(struct vcpu *v, union arg64 *a, uint64_t cmd,
			   uint64_t va)
{
	struct add32 c;

	if (copy_from_guest(&c, va, sizeof(c)))
		return -EFAULT;
	a->add = (struct xen_add_to_physmap){
		.domid = c.domid,
		.size = c.size,
		.space = c.space,
		.idx = c.idx,
		.gpfn = c.gpfn,
	};
	return call_memory(v, cmd);
}

static long remove_from_physmap(struct vcpu *v, union arg64 *a, uint64_t cmd,
				uint64_t va)
{
	struct remove32 c;

	if (copy_from_guest(&c, va, sizeof(c)))
		return -EFAULT;
	a->remove = (struct xen_remove_from_physmap){
		.domid = c.domid,
		.gpfn = c.gpfn,
	};
	return call_memory(v, cmd);
}

static long memory_map(struct vcpu *v, union arg64 *a, uint64_t cmd,
		       uint64_t va)
{
	struct map32 c;
	long rc;

	if (copy_from_guest(&c, va, sizeof(c)))
		return -EFAULT;
	a->map = (struct xen_memory_map){.nr_entries = c.nr_entries};
	set_handle(a->map.buffer, c.buffer);
	rc = call_memory(v, cmd);
	c.nr_entries = a->map.nr_entries;
	if (!rc && copy_to_guest(va, &c, sizeof(c)))
		rc = -EFAULT;
	return rc;
}

static long reserved_map(struct vcpu *v, union arg64 *a, uint64_t cmd,
			 uint64_t va)
{
	struct rdm32 c;
	long rc;

	if (copy_from_guest(&c, va, sizeof(c)))
		return -EFAULT;
	a->rdm = (struct xen_reserved_device_memory_map){
		.flags = c.flags,
		.nr_entries = c.nr_entries,
	};
	set_handle(a->rdm.buffer, c.buffer);
	memcpy(&a->rdm.dev, c.dev, sizeof(a->rdm.dev));
	rc = call_memory(v, cmd);
	c.nr_entries = a->rdm.nr_entries;
	if ((!rc || rc == -ENOBUFS) && copy_to_guest(va, &c, sizeof(c)))
		rc = -EFAULT;
	return rc;
}

/* Extent by extent, since their list is of another width. */
static long reservation(struct vcpu *v, union arg64 *a, uint64_t cmd,
			uint64_t va)
{
	uint64_t i = cmd >> MEMORY_PROGRESS_SHIFT;
	struct reservation32 c;
	uint32_t pfn;

	cmd &= BIT(MEMORY_PROGRESS_SHIFT) - 1;
	if (copy_from_guest(&c, va, sizeof(c)))
		return (long)i;
	for (uint64_t first = i; i < c.nr_extents; i++) {
		if (i != first && hypercall_must_yield())
			return memory_continue(v, (unsigned int)cmd, i);
		if (copy_elem_from_guest(&pfn, c.extent_start, i))
			break;
		a->reserve.pfn = pfn;
		a->reserve.r = (struct xen_memory_reservation){
			.nr_extents = 1,
			.extent_order = c.extent_order,
			.mem_flags = c.mem_flags,
			.domid = c.domid,
		};
		set_handle(a->reserve.r.extent_start, FIELD_VA(reserve.pfn));
		if (call_memory(v, cmd) != 1)
			break;
	}
	return (long)i;
}

static long compat_memory(struct vcpu *v, union arg64 *a,
			  const uint64_t args[6])
{
	uint64_t cmd = args[0], va = args[1];

	switch (cmd & (BIT(MEMORY_PROGRESS_SHIFT) - 1)) {
	case XENMEM_populate_physmap:
	case XENMEM_decrease_reservation:
		return reservation(v, a, cmd, va);
	case XENMEM_add_to_physmap:
		return add_to_physmap(v, a, cmd, va);
	case XENMEM_remove_from_physmap:
		return remove_from_physmap(v, a, cmd, va);
	case XENMEM_memory_map:
		return memory_map(v, a, cmd, va);
	case XENMEM_reserved_device_memory_map:
		return reserved_map(v, a, cmd, va);
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
	case XENMEM_maximum_ram_page:
		return memory_op(v, args);
	default:
		return -ENOSYS;
	}
}

static long grant_setup(struct vcpu *v, union arg64 *a, uint64_t va)
{
	struct setup32 c;
	long rc;

	if (copy_from_guest(&c, va, sizeof(c)))
		return -EFAULT;
	/* A hardware container's frames come by add_to_physmap. */
	a->setup = (struct gnttab_setup_table){.dom = c.domid};
	rc = grant_table_op(v, GNTTABOP_setup_table, COMPAT_VA, 1);
	if (!rc && c.nr_frames)
		a->setup.status = GNTST_general_error;
	c.status = a->setup.status;
	return !rc && copy_to_guest(va, &c, sizeof(c)) ? -EFAULT : rc;
}

static void widen(const struct copy_ptr32 *from, bool is_ref,
		  struct gnttab_copy_ptr *to)
{
	*to = (struct gnttab_copy_ptr){.domid = from->domid,
				       .offset = from->offset};
	if (is_ref)
		to->u.ref = from->ref_or_gmfn;
	else
		to->u.gmfn = from->ref_or_gmfn;
}

static long grant_copy(struct vcpu *v, union arg64 *a, uint64_t va,
		       uint64_t count)
{
	struct copy32 c;

	for (uint64_t i = 0; i < count; i++) {
		long rc;

		if (i && hypercall_must_yield()) {
			hypercall_set_arg(v, 1, va + i * sizeof(c));
			hypercall_set_arg(v, 2, count - i);
			return -ERESTART;
		}
		if (copy_elem_from_guest(&c, va, i))
			return -EFAULT;
		a->copy = (struct gnttab_copy){.len = c.len, .flags = c.flags};
		widen(&c.source, c.flags & GNTCOPY_source_gref,
		      (struct gnttab_copy_ptr *)&a->copy.source);
		widen(&c.dest, c.flags & GNTCOPY_dest_gref,
		      (struct gnttab_copy_ptr *)&a->copy.dest);
		rc = grant_table_op(v, GNTTABOP_copy, COMPAT_VA, 1);
		if (rc)
			return rc;
		c.status = a->copy.status;
		if (copy_elem_to_guest(va, i, &c))
			return -EFAULT;
	}
	return 0;
}

static long compat_grant(struct vcpu *v, union arg64 *a, const uint64_t args[6])
{
	switch (args[0]) {
	case GNTTABOP_setup_table:
		return args[2] == 1 ? grant_setup(v, a, args[1]) : -EINVAL;
	case GNTTABOP_copy:
		return grant_copy(v, a, args[1], args[2]);
	case GNTTABOP_map_grant_ref:
	case GNTTABOP_unmap_grant_ref:
	case GNTTABOP_query_size:
	case GNTTABOP_set_version:
	case GNTTABOP_get_version:
		return grant_table_op(v, (unsigned int)args[0], args[1],
				      (unsigned int)args[2]);
	default:
		return -ENOSYS;
	}
}

static long compat_poll(struct vcpu *v, union arg64 *a, uint64_t va)
{
	struct poll32 c;

	if (copy_from_guest(&c, va, sizeof(c)))
		return -EFAULT;
	a->poll = (struct sched_poll){.nr_ports = c.nr_ports,
				      .timeout = c.timeout};
	set_handle(a->poll.ports, c.ports);
	return sched_poll(v, &a->poll);
}

/* Only the first address of the hypervisor is of another width. */
static long compat_version(struct vcpu *v, const uint64_t args[6])
{
	uint32_t none = 0;

	if (args[0] != XENVER_platform_parameters)
		return xen_version_op(v, args);
	return copy_to_guest(args[1], &none, sizeof(none)) ? -EFAULT : 0;
}

static long run(struct vcpu *v, uint64_t nr, union arg64 *a,
		const uint64_t args[6], hypercall_fn *pass)
{
	switch (nr) {
	case __HYPERVISOR_memory_op:
		return compat_memory(v, a, args);
	case __HYPERVISOR_grant_table_op:
		return compat_grant(v, a, args);
	case __HYPERVISOR_xen_version:
		return compat_version(v, args);
	case __HYPERVISOR_set_timer_op: {
		const uint64_t wide[6] = {args[0] | args[1] << 32};

		return set_timer_op(v, wide);
	}
	case __HYPERVISOR_sched_op:
		return args[0] == SCHEDOP_poll ? compat_poll(v, a, args[1])
					       : pass(v, nr, args);
	case __HYPERVISOR_event_channel_op:
	case __HYPERVISOR_hvm_op:
	case __HYPERVISOR_vcpu_op:
	case __HYPERVISOR_console_io:
	case __HYPERVISOR_vm_assist:
		return pass(v, nr, args);
	default:
		return -ENOSYS;
	}
}

long compat_call(struct vcpu *v, uint64_t nr, const uint64_t args[6],
		 hypercall_fn *pass)
{
	union arg64 a;
	long rc;

	memset(&a, 0, sizeof(a));
	v->compat_arg = &a;
	v->compat_size = sizeof(a);
	rc = run(v, nr, &a, args, pass);
	v->compat_arg = NULL;
	v->compat_size = 0;
	return rc;
}
