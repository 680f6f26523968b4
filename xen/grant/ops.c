/* SPDX-License-Identifier: MIT */
/*
 * grant_table_op: what is neither mapping nor copying, and the table of all
 * commands. Most take an array and say how far they came, so that they can give
 * way; the others take one structure.
 */
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "grant/table.h"
#include "lib/errno.h"
#include "mem/frame.h"
#include "mem/layout.h"

#define CMD_BITS 12 /* of the command; stock Xen keeps progress above them */

/* The domain that a query is about, held, if the caller may ask; or GNTST_*. */
static int find_domain(struct vcpu *v, domid_t id, struct domain **d)
{
	*d = get_domain(id);
	if (!*d)
		return GNTST_bad_domain;
	if (!domain_check_privilege(v->domain, *d))
		return GNTST_okay;
	put_domain(*d);
	return GNTST_permission_denied;
}

/* Where the domain finds frame i of its table. Lock held. */
static xen_pfn_t table_gfn(struct domain *d, uint32_t i)
{
	/* A translated domain has it where it asked for it (memory_op). */
	return d->kind->translated ? ~0UL
				   : mfn_x(virt_to_mfn(d->grants->shared[i]));
}

static int setup(struct domain *d, const struct gnttab_setup_table *op)
{
	uint64_t list = guest_handle_va(op->frame_list);
	struct grant_table *t = d->grants;
	int status = GNTST_okay, err;

	spin_lock(&t->lock);
	err = grant_grow(d, op->nr_frames);
	spin_unlock(&t->lock);
	if (err)
		return GNTST_general_error;
	for (uint32_t i = 0; i < op->nr_frames; i++) {
		xen_pfn_t gfn = table_gfn(d, i);

		if (copy_elem_to_guest(list, i, &gfn))
			status = GNTST_bad_virt_addr;
	}
	return status;
}

static long setup_table(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_setup_table op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	op.status = (int16_t)find_domain(v, op.dom, &d);
	if (op.status == GNTST_okay) {
		op.status = (int16_t)setup(d, &op);
		put_domain(d);
	}
	return copy_to_guest(uop, &op, sizeof(op));
}

static long query_size(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_query_size op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	op.status = (int16_t)find_domain(v, op.dom, &d);
	if (op.status == GNTST_okay) {
		op.nr_frames = READ_ONCE(d->grants->nr_frames);
		op.max_nr_frames = d->grants->max_frames;
		put_domain(d);
	}
	return copy_to_guest(uop, &op, sizeof(op));
}

/* Version 1 is all there is: it has no status frames. */
static long get_status_frames(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_get_status_frames op;
	struct domain *d;

	if (count != 1)
		return -EINVAL;
	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	op.status = (int16_t)find_domain(v, op.dom, &d);
	if (op.status == GNTST_okay) {
		if (op.nr_frames)
			op.status = GNTST_general_error;
		put_domain(d);
	}
	return copy_to_guest(uop, &op, sizeof(op));
}

static long set_version(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_set_version op;
	long err;

	(void)v;
	(void)count;
	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	if (op.version == 1)
		err = 0;
	else
		err = op.version == 2 ? -ENOSYS : -EINVAL;
	op.version = 1;
	if (copy_to_guest(uop, &op, sizeof(op)))
		return -EFAULT;
	return err;
}

static long get_version(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_get_version op;
	struct domain *d;
	int status;

	(void)count;
	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	status = find_domain(v, op.dom, &d);
	if (status)
		return status == GNTST_bad_domain ? -ESRCH : -EPERM;
	put_domain(d);
	op.version = 1;
	return copy_to_guest(uop, &op, sizeof(op));
}

/* Lock held. */
static int swap_entries(struct grant_table *t, uint32_t a, uint32_t b)
{
	struct grant_entry_v1 *ea, *eb, tmp;

	if (a >= grant_entries(t) || b >= grant_entries(t))
		return GNTST_bad_gntref;
	if (a == b)
		return GNTST_okay;
	if (pin_used(grant_pin(t, a)) || pin_used(grant_pin(t, b)))
		return GNTST_eagain;
	ea = grant_entry(t, a);
	eb = grant_entry(t, b);
	tmp = *ea;
	*ea = *eb;
	*eb = tmp;
	return GNTST_okay;
}

long grant_swap_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct grant_table *t = v->domain->grants;

	for (uint32_t i = 0; i < count; i++) {
		struct gnttab_swap_grant_ref op;

		if (i && hypercall_must_yield())
			return grant_give_way(v, uop + i * sizeof(op),
					      count - i);
		if (copy_elem_from_guest(&op, uop, i))
			return -EFAULT;
		spin_lock(&t->lock);
		op.status = (int16_t)swap_entries(t, op.ref_a, op.ref_b);
		spin_unlock(&t->lock);
		if (copy_elem_to_guest(uop, i, &op))
			return -EFAULT;
	}
	return 0;
}

/* Pages do not change their owner here: a translated domain's cannot, as in
 * stock Xen, and nothing that runs on PV has used it for years. */
static int transfer(struct domain *d, const struct gnttab_transfer *op)
{
	enum p2m_type type;
	mfn_t mfn = get_guest_frame(d, _gfn(op->mfn), false, &type);

	if (mfn_eq(mfn, INVALID_MFN))
		return GNTST_bad_page;
	put_guest_frame(mfn, false);
	return GNTST_general_error;
}

long grant_transfer_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gnttab_transfer op;

		if (i && hypercall_must_yield())
			return grant_give_way(v, uop + i * sizeof(op),
					      count - i);
		if (copy_elem_from_guest(&op, uop, i))
			return -EFAULT;
		op.status = (int16_t)transfer(v->domain, &op);
		if (copy_elem_to_guest(uop, i, &op))
			return -EFAULT;
	}
	return 0;
}

/* True if the domain has that frame of another's mapped. */
static bool has_mapped(struct grant_table *t, mfn_t mfn)
{
	bool found = false;

	spin_lock(&t->lock);
	for (uint32_t i = 0, left = t->mapped; left && i < t->nr_handles; i++) {
		struct mapping *m = mapping_get(t, i);

		if (!m)
			continue;
		left--;
		found = m->flags && mfn_eq(m->mfn, mfn);
		if (found)
			break;
	}
	spin_unlock(&t->lock);
	return found;
}

static void flush_lines(const char *p, size_t len)
{
	const size_t line = 64; /* of every x86-64 processor so far */
	const char *end = p + len;

	for (p = (const char *)((uintptr_t)p & ~(line - 1)); p < end; p += line)
		__asm__ volatile("clflush %0" ::"m"(*p) : "memory");
	smp_mb();
}

static long flush_one(struct domain *d, const struct gnttab_cache_flush *op)
{
	mfn_t mfn = maddr_to_mfn(op->a.dev_bus_addr);
	bool own;

	if (op->offset >= PAGE_SIZE || op->length > PAGE_SIZE - op->offset ||
	    (op->op & ~(GNTTAB_CACHE_INVAL | GNTTAB_CACHE_CLEAN)))
		return -EINVAL;
	if (!op->length || !op->op)
		return 0;
	if (!mfn_valid(mfn))
		return -EINVAL;
	own = get_page(mfn, d->id);
	if (!own && !has_mapped(d->grants, mfn))
		return -EPERM;
	/* Dropping lines unwritten would undo what others wrote. */
	if (op->op & GNTTAB_CACHE_CLEAN)
		flush_lines((char *)mfn_to_virt(mfn) + op->offset, op->length);
	if (own)
		put_page(mfn);
	return op->op & GNTTAB_CACHE_CLEAN ? 0 : -EOPNOTSUPP;
}

long grant_flush_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gnttab_cache_flush op;
		long err;

		if (i && hypercall_must_yield())
			return grant_give_way(v, uop + i * sizeof(op),
					      count - i);
		if (copy_elem_from_guest(&op, uop, i))
			return -EFAULT;
		err = flush_one(v->domain, &op);
		if (err)
			return err;
	}
	return 0;
}

long grant_give_way(struct vcpu *v, uint64_t uop, uint32_t count)
{
	hypercall_set_arg(v, 1, uop);
	hypercall_set_arg(v, 2, count);
	return -ERESTART;
}

static grant_array_fn *const commands[] = {
	[GNTTABOP_map_grant_ref] = grant_map_array,
	[GNTTABOP_unmap_grant_ref] = grant_unmap_array,
	[GNTTABOP_setup_table] = setup_table,
	[GNTTABOP_transfer] = grant_transfer_array,
	[GNTTABOP_copy] = grant_copy_array,
	[GNTTABOP_query_size] = query_size,
	[GNTTABOP_unmap_and_replace] = grant_replace_array,
	[GNTTABOP_set_version] = set_version,
	[GNTTABOP_get_status_frames] = get_status_frames,
	[GNTTABOP_get_version] = get_version,
	[GNTTABOP_swap_grant_ref] = grant_swap_array,
	[GNTTABOP_cache_flush] = grant_flush_array,
};

long grant_table_op(struct vcpu *v, unsigned int cmd, uint64_t uop,
		    unsigned int count)
{
	grant_array_fn *fn = NULL;

	if (unlikely(count > INT32_MAX || cmd >> CMD_BITS))
		return -EINVAL;
	if (likely(cmd < ARRAY_SIZE(commands)))
		fn = commands[index_nospec(cmd, ARRAY_SIZE(commands))];
	return likely(fn) ? fn(v, uop, count) : -ENOSYS;
}
