/* SPDX-License-Identifier: MIT */
/*
 * memory_op: which command, for which domain.
 */
#include "control/memory.h"

#include "control/control.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

/* The command is in the low bits, progress above (public/memory.h,
 * "may be preempted"). */
#define EXTENT_SHIFT MEMORY_PROGRESS_SHIFT
#define CMD_MASK     ((1U << EXTENT_SHIFT) - 1)

long memory_continue(struct vcpu *v, unsigned int cmd, uint64_t start)
{
	hypercall_set_arg(v, 0, start << EXTENT_SHIFT | cmd);
	return -ERESTART;
}

long memory_target(struct vcpu *v, domid_t id, struct domain **out)
{
	struct domain *d = get_domain(id);
	long rc;

	if (!d)
		return -ESRCH;
	rc = domain_check_privilege(v->domain, d);
	if (rc) {
		put_domain(d);
		return rc;
	}
	*out = d;
	return 0;
}

static long mem_maximum_ram_page(struct vcpu *v __maybe_unused,
				 uint64_t arg __maybe_unused,
				 uint64_t start __maybe_unused)
{
	return (long)mfn_x(max_mfn());
}

/* The commands that take a domain and give a number of it. */
static long domain_number(struct vcpu *v, uint64_t arg,
			  uint64_t (*get)(const struct domain *d))
{
	struct domain *d;
	domid_t id;
	long rc;

	if (copy_from_guest(&id, arg, sizeof(id)))
		return -EFAULT;
	rc = memory_target(v, id, &d);
	if (rc)
		return rc;
	rc = (long)get(d);
	put_domain(d);
	return rc;
}

static uint64_t get_tot_pages(const struct domain *d)
{
	return READ_ONCE(d->tot_pages);
}

static uint64_t get_max_pages(const struct domain *d)
{
	return READ_ONCE(d->max_pages);
}

static uint64_t get_max_gfn(const struct domain *d)
{
	if (d->kind->translated)
		return gfn_x(d->p2m.max_gfn);
	return d->shared_info->arch.max_pfn - 1;
}

static long mem_current_reservation(struct vcpu *v, uint64_t arg,
				    uint64_t start __maybe_unused)
{
	return domain_number(v, arg, get_tot_pages);
}

static long mem_maximum_reservation(struct vcpu *v, uint64_t arg,
				    uint64_t start __maybe_unused)
{
	return domain_number(v, arg, get_max_pages);
}

static long mem_maximum_gpfn(struct vcpu *v, uint64_t arg,
			     uint64_t start __maybe_unused)
{
	return domain_number(v, arg, get_max_gfn);
}

static long mem_claim_pages(struct vcpu *v, uint64_t arg,
			    uint64_t start __maybe_unused)
{
	struct xen_memory_reservation r;
	struct domain *d;
	long rc;

	if (!v->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	if (guest_handle_va(r.extent_start) || r.extent_order || r.mem_flags)
		return -EINVAL;
	d = get_domain(r.domid);
	if (!d)
		return -ESRCH;
	rc = domain_claim(d, r.nr_extents);
	put_domain(d);
	return rc;
}

/* Set or asked for: nothing is populated on demand, so that a target changes
 * nothing, and what is asked of a guest it does through its balloon. */
static long mem_pod_target(struct vcpu *v, uint64_t arg,
			   uint64_t start __maybe_unused)
{
	struct xen_pod_target t;
	struct domain *d;

	if (!v->domain->privileged)
		return -EPERM;
	if (copy_from_guest(&t, arg, sizeof(t)))
		return -EFAULT;
	d = get_domain(t.domid);
	if (!d)
		return -ESRCH;
	t.tot_pages = READ_ONCE(d->tot_pages);
	t.pod_cache_pages = 0;
	t.pod_entries = 0;
	put_domain(d);
	return copy_to_guest(arg, &t, sizeof(t));
}

/* No memory sharing between domains: none freed, none shared. */
static long mem_sharing(struct vcpu *v, uint64_t arg __maybe_unused,
			uint64_t start __maybe_unused)
{
	return v->domain->privileged ? 0 : -EPERM;
}

/* Where PV guests and their tools read the machine-to-physical table. */
static long mem_machphys_mapping(struct vcpu *v, uint64_t arg,
				 uint64_t start __maybe_unused)
{
	struct xen_machphys_mapping m = {
		.v_start = M2P_VIRT_START,
		.v_end = M2P_VIRT_START + (mfn_x(max_mfn()) + 1) * 8,
		.max_mfn = mfn_x(max_mfn()),
	};

	if (v->domain->kind->translated)
		return -ENOSYS;
	return copy_to_guest(arg, &m, sizeof(m));
}

static memory_fn *const commands[CMD_MASK + 1] = {
	[XENMEM_increase_reservation] = mem_increase_reservation,
	[XENMEM_decrease_reservation] = mem_decrease_reservation,
	[XENMEM_populate_physmap] = mem_populate_physmap,
	[XENMEM_exchange] = mem_exchange,
	[XENMEM_maximum_ram_page] = mem_maximum_ram_page,
	[XENMEM_current_reservation] = mem_current_reservation,
	[XENMEM_maximum_reservation] = mem_maximum_reservation,
	[XENMEM_maximum_gpfn] = mem_maximum_gpfn,
	[XENMEM_claim_pages] = mem_claim_pages,
	[XENMEM_set_pod_target] = mem_pod_target,
	[XENMEM_get_pod_target] = mem_pod_target,
	[XENMEM_get_sharing_freed_pages] = mem_sharing,
	[XENMEM_get_sharing_shared_pages] = mem_sharing,
	[XENMEM_add_to_physmap] = mem_add_to_physmap,
	[XENMEM_add_to_physmap_batch] = mem_add_to_physmap_batch,
	[XENMEM_remove_from_physmap] = mem_remove_from_physmap,
	[XENMEM_acquire_resource] = mem_acquire_resource,
	[XENMEM_memory_map] = mem_memory_map,
	[XENMEM_machine_memory_map] = mem_machine_memory_map,
	[XENMEM_set_memory_map] = mem_set_memory_map,
	[XENMEM_machphys_mapping] = mem_machphys_mapping,
	[XENMEM_reserved_device_memory_map] = mem_reserved_device_memory_map,
};

long memory_op(struct vcpu *v, const uint64_t args[6])
{
	unsigned int cmd = args[0] & CMD_MASK;
	memory_fn *fn = commands[index_nospec(cmd, CMD_MASK + 1)];

	if (!fn)
		return -ENOSYS;
	return fn(v, args[1], args[0] >> EXTENT_SHIFT);
}
