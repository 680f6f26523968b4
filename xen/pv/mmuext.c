/* SPDX-License-Identifier: MIT */
/*
 * mmuext_op: whole tables (pins, the base), what processors remember, and a few
 * services (public/xen.h, MMUEXT_*).
 */
#include "pv/pv.h"

#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/layout.h"
#include "pv/isolate.h"

/* Sets or clears FRAME_PINNED; false if it was so before. */
static bool change_pin(mfn_t mfn, bool pin)
{
	uint64_t *w = &mfn_to_frame(mfn)->word, old = READ_ONCE(*w);

	do {
		if (!(old & FRAME_PINNED) == !pin)
			return false;
	} while (!atomic_cas(w, &old, old ^ FRAME_PINNED));
	return true;
}

static int pin(struct domain *d, struct pv_work *w, mfn_t mfn,
	       unsigned int level)
{
	int rc = pv_table_get(d, w, mfn, level);

	if (rc)
		return rc;
	if (change_pin(mfn, true))
		return 0;
	/* It is pinned already: once is enough. */
	pv_table_put(d, w, mfn, level);
	return -EINVAL;
}

static int unpin(struct domain *d, struct pv_work *w, mfn_t mfn)
{
	enum frame_type t;

	if (!get_page(mfn, d->id))
		return -EINVAL;
	t = frame_type(mfn);
	if (t < FRAME_L1 || t > FRAME_L4 || !change_pin(mfn, false)) {
		put_page(mfn);
		return -EINVAL;
	}
	put_page(mfn); /* the pin's own is there still */
	pv_table_put(d, w, mfn, t - FRAME_L1 + 1);
	return 0;
}

int pv_set_base(struct vcpu *v, uint64_t mfn, bool user)
{
	struct pv_mm_vcpu *m = v_mm(v);
	mfn_t *slot = user ? &m->cr3_user : &m->cr3_kernel;
	mfn_t new = user && !mfn ? INVALID_MFN : _mfn(mfn), old = *slot;
	int rc = 0;

	if (mfn_eq(_mfn(mfn), INVALID_MFN))
		return -EINVAL;
	if (mfn_eq(old, new))
		return 0;
	if (!mfn_eq(new, INVALID_MFN))
		rc = pv_table_get(v->domain, &m->work, new, 4);
	if (rc)
		return rc;
	*slot = new;
	if (v == current) {
		if (unlikely(pv_is_isolated(v->domain)))
			pv_isolate_forget(!user);
		pv_load_cr3(v);
	}
	if (!mfn_eq(old, INVALID_MFN))
		pv_table_put(v->domain, &m->work, old, 4);
	return 0;
}

int pv_mm_set_context(struct vcpu *v, uint64_t kernel, uint64_t user)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	struct pv_work *w = &v_mm(v)->work;
	int rc;

	spin_lock(&mm->lock);
	rc = pv_work_begin(v->domain, w);
	if (!rc)
		rc = pv_set_base(v, kernel, false);
	/* An old one is being unmade still: once more, with the new in place.
	 */
	if (!rc && w->depth)
		rc = -ERESTART;
	if (!rc)
		rc = pv_set_base(v, user, true);
	if (!rc && w->depth)
		rc = -ERESTART;
	pv_work_end(v->domain, w, rc);
	spin_unlock(&mm->lock);
	return rc == -EBUSY ? -ERESTART : rc;
}

int pv_pin_base(struct vcpu *v)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	int rc;

	spin_lock(&mm->lock);
	rc = pin(v->domain, &v_mm(v)->work, v_mm(v)->cr3_kernel, 4);
	spin_unlock(&mm->lock);
	return rc;
}

int pv_new_base(struct vcpu *v, uint64_t mfn)
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	struct pv_work *w = &v_mm(v)->work;
	int rc;

	spin_lock(&mm->lock);
	rc = pv_work_begin(v->domain, w);
	if (!rc)
		rc = pv_set_base(v, mfn, false);
	pv_work_end(v->domain, w, rc);
	spin_unlock(&mm->lock);
	return rc == -EBUSY ? -ERESTART : rc;
}

static int change_tables(struct vcpu *v, struct domain *d,
			 const struct mmuext_op *op)
{
	struct pv_work *w = pv_own_work(v, d);
	int rc;

	spin_lock(&d_mm(d)->lock);
	rc = pv_work_begin(d, w);
	if (!rc && pv_is_ending(d))
		rc = -ESRCH;
	if (!rc)
		switch (op->cmd) {
		case MMUEXT_UNPIN_TABLE:
			rc = unpin(d, w, _mfn(op->arg1.mfn));
			break;
		case MMUEXT_NEW_BASEPTR:
		case MMUEXT_NEW_USER_BASEPTR:
			rc = d != v->domain
				     ? -EPERM
				     : pv_set_base(
					       v, op->arg1.mfn,
					       op->cmd ==
						       MMUEXT_NEW_USER_BASEPTR);
			break;
		default:
			rc = pin(d, w, _mfn(op->arg1.mfn),
				 op->cmd - MMUEXT_PIN_L1_TABLE + 1);
			break;
		}
	pv_work_end(d, w, rc);
	spin_unlock(&d_mm(d)->lock);
	return rc;
}

static int forget(struct vcpu *v, const struct mmuext_op *op)
{
	uint64_t va = op->arg1.linear_addr;
	cpumask_t cpus;
	int rc;

	switch (op->cmd) {
	case MMUEXT_TLB_FLUSH_LOCAL:
		pv_flush_local();
		return 0;
	case MMUEXT_INVLPG_LOCAL:
		invlpg((const void *)va);
		return 0;
	case MMUEXT_TLB_FLUSH_ALL:
		pv_flush_cpus(v->domain, NULL);
		return 0;
	case MMUEXT_INVLPG_ALL:
		pv_flush_page(v->domain, NULL, va);
		return 0;
	}
	rc = pv_named_cpus(v, guest_handle_va(op->arg2.vcpumask),
			   DIV_ROUND_UP(v->domain->max_vcpus, 8), &cpus);
	if (rc)
		return rc;
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
		pv_flush_cpus(v->domain, &cpus);
	else
		pv_flush_page(v->domain, &cpus, va);
	return 0;
}

/* A tree that the last operations let go of may be half unmade still. The call
 * does not end before: its caller, on any vCPU, takes the frames for plain ones
 * then. */
static int finish_work(struct vcpu *v, struct domain *d)
{
	struct pv_work *w = pv_own_work(v, d);
	int rc = 0;

	spin_lock(&d_mm(d)->lock);
	while (!rc && w->depth && !pv_is_ending(d)) {
		rc = pv_work_begin(d, w);
		pv_work_end(d, w, rc);
	}
	spin_unlock(&d_mm(d)->lock);
	return rc;
}

/* CLEAR_PAGE and COPY_PAGE: frames of the domain's, the first to be written. */
static int fill_page(struct domain *d, const struct mmuext_op *op)
{
	mfn_t to = _mfn(op->arg1.mfn), from = _mfn(op->arg2.src_mfn);
	bool copy = op->cmd == MMUEXT_COPY_PAGE;

	if (copy && !get_page(from, d->id))
		return -EINVAL;
	if (!get_page_and_type(to, d->id, FRAME_WRITABLE)) {
		if (copy)
			put_page(from);
		return -EINVAL;
	}
	if (copy)
		memcpy(mfn_to_virt(to), mfn_to_virt(from), PAGE_SIZE);
	else
		memset(mfn_to_virt(to), 0, PAGE_SIZE);
	put_page_and_type(to);
	if (copy)
		put_page(from);
	return 0;
}

static int do_one(struct vcpu *v, struct domain *d, const struct mmuext_op *op)
{
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
	case MMUEXT_UNPIN_TABLE:
	case MMUEXT_NEW_BASEPTR:
	case MMUEXT_NEW_USER_BASEPTR:
		return change_tables(v, d, op);
	case MMUEXT_CLEAR_PAGE:
	case MMUEXT_COPY_PAGE:
		return fill_page(d, op);
	}
	/* The rest is about the caller's own CPU. */
	if (d != v->domain)
		return -EPERM;
	switch (op->cmd) {
	case MMUEXT_TLB_FLUSH_LOCAL:
	case MMUEXT_INVLPG_LOCAL:
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
	case MMUEXT_TLB_FLUSH_ALL:
	case MMUEXT_INVLPG_ALL:
		return forget(v, op);
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		if (!d->privileged)
			return -EACCES;
		__asm__ volatile("wbinvd" ::: "memory");
		return 0;
	case MMUEXT_SET_LDT:
		return pv_set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents);
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -EOPNOTSUPP;
	}
	return -ENOSYS;
}

/* public/xen.h, MMU_UPDATE_PREEMPTED: so many were done before. */
#define PREEMPTED (~(~0U >> 1))

long pv_mmuext_op(struct vcpu *v, const uint64_t args[6])
{
	uint32_t count = (uint32_t)args[1] & ~PREEMPTED, i = 0, done = 0;
	struct domain *d;
	long rc;

	if (((uint32_t)args[1] & PREEMPTED) && args[2] &&
	    copy_from_guest(&done, args[2], sizeof(done)))
		return -EFAULT;
	d = get_domain((domid_t)args[3]);
	if (!d)
		return -ESRCH;
	rc = domain_check_privilege(v->domain, d);
	if (!rc && d->kind->translated)
		rc = -EINVAL;
	for (; !rc && i < count; i++) {
		struct mmuext_op op;

		if (i && hypercall_must_yield())
			rc = -ERESTART;
		else if (copy_elem_from_guest(&op, args[0], i))
			rc = -EFAULT;
		else
			rc = do_one(v, d, &op);
		if (rc)
			break;
	}
	if (!rc)
		rc = finish_work(v, d);
	put_domain(d);
	done += i;
	if (args[2] && copy_to_guest(args[2], &done, sizeof(done)))
		return -EFAULT;
	if (rc == -EBUSY)
		rc = -ERESTART;
	if (rc == -ERESTART) {
		hypercall_set_arg(v, 0, args[0] + i * sizeof(struct mmuext_op));
		hypercall_set_arg(v, 1, (count - i) | PREEMPTED);
	}
	return rc;
}
