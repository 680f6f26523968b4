/* SPDX-License-Identifier: MIT */
/*
 * The calls that change single entries: mmu_update (a list, by machine address)
 * and update_va_mapping (one, by virtual address). public/xen.h has them.
 */
#include "pv/pv.h"

#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "mem/layout.h"

#define ENTRIES 512

/* Whose tables and whose frames a call is about; both held. */
struct parties {
	struct domain *tables;
	domid_t owner;
	struct domain *frames; /* NULL: devices' memory (DOMID_IO) */
};

static void put_parties(struct parties *p)
{
	if (p->frames)
		put_domain(p->frames);
	if (p->tables)
		put_domain(p->tables);
}

static int get_party(struct vcpu *v, domid_t id, struct domain **out)
{
	struct domain *d = get_domain(id);

	if (!d)
		return -ESRCH;
	*out = d;
	return domain_check_privilege(v->domain, d);
}

/* foreign: the frames' owner below, the tables' above, plus one. */
static int get_parties(struct vcpu *v, uint32_t foreign, struct parties *p)
{
	uint32_t tables = foreign >> 16;
	domid_t frames = (domid_t)foreign;
	int rc = get_party(v, tables ? (domid_t)(tables - 1) : DOMID_SELF,
			   &p->tables);

	if (rc)
		return rc;
	if (frames == DOMID_IO) {
		p->owner = DOMID_IO;
		return v->domain->privileged ? 0 : -EPERM;
	}
	rc = get_party(v, frames, &p->frames);
	if (!rc)
		p->owner = p->frames->id;
	return rc;
}

/* A frame that is no table: plain memory, written for the guest. */
static int write_plain(struct domain *d, mfn_t mfn, unsigned int index,
		       uint64_t val)
{
	if (!get_page_type(mfn, FRAME_WRITABLE))
		return -EINVAL;
	(void)d;
	WRITE_ONCE(((uint64_t *)mfn_to_virt(mfn))[index], val);
	put_page_type(mfn);
	return 0;
}

/* One entry by its table's frame; the lock is held. */
static int update_entry(const struct pv_change *c, uint64_t ptr, uint64_t val)
{
	unsigned int index = (ptr & ~PAGE_MASK) / sizeof(uint64_t);
	mfn_t mfn = maddr_to_mfn(ptr);
	enum frame_type t;
	int rc;

	if (!get_page(mfn, c->d->id))
		return -EINVAL;
	t = frame_type(mfn);
	if (!frame_type_count(mfn) || t < FRAME_L1 || t > FRAME_L4)
		rc = write_plain(c->d, mfn, index, val);
	else if (!(mfn_to_frame(mfn)->word & FRAME_VALIDATED))
		rc = -EBUSY;
	else
		rc = pv_change_entry(c, mfn, t - FRAME_L1 + 1, index, val);
	put_page(mfn);
	return rc;
}

static int update_m2p(const struct parties *p, uint64_t ptr, uint64_t val)
{
	mfn_t mfn = maddr_to_mfn(ptr);
	int rc;

	if (!p->frames || p->frames->kind->translated ||
	    !get_page(mfn, p->owner))
		return -EINVAL;
	rc = pv_m2p_set(mfn, val);
	/* Released meanwhile: nobody else clears it any more. */
	smp_mb();
	if (!frame_is_allocated(mfn))
		pv_m2p_set(mfn, INVALID_M2P_ENTRY);
	put_page(mfn);
	return rc;
}

static int update_table(struct vcpu *v, const struct parties *p, domid_t owner,
			const struct mmu_update *req)
{
	struct pv_change c = {
		.d = p->tables,
		.owner = owner,
		.keep_ad = (req->ptr & 3) == MMU_PT_UPDATE_PRESERVE_AD,
	};
	int rc;

	/* A hardware container, its own tools included, has no tables here: all
	 * that it may change is the machine-to-physical table. */
	if (c.d->kind->translated)
		return -EINVAL;
	c.w = pv_own_work(v, c.d);
	spin_lock(&d_mm(c.d)->lock);
	rc = pv_work_begin(c.d, c.w);
	if (!rc && pv_is_ending(c.d))
		rc = -ESRCH;
	if (!rc)
		rc = update_entry(&c, req->ptr & ~3UL, req->val);
	pv_work_end(c.d, c.w, rc);
	spin_unlock(&d_mm(c.d)->lock);
	return rc;
}

/* The entry names a frame as its owner, a hardware container, numbers it. */
static int update_translated(struct vcpu *v, const struct parties *p,
			     struct mmu_update req)
{
	bool write = req.val & PTE_RW;
	mfn_t mfn = get_guest_frame(p->frames, _gfn(mfn_x(pte_mfn(req.val))),
				    write, NULL);
	int rc;

	if (mfn_eq(mfn, INVALID_MFN))
		return -EINVAL;
	req.val = (req.val & ~PTE_ADDR) | mfn_to_maddr(mfn);
	rc = update_table(v, p, frame_owner(mfn), &req);
	put_guest_frame(mfn, write);
	return rc;
}

static int update_one(struct vcpu *v, const struct parties *p,
		      const struct mmu_update *req)
{
	unsigned int cmd = req->ptr & 3;

	if (cmd == MMU_MACHPHYS_UPDATE)
		return update_m2p(p, req->ptr, req->val);
	if (p->frames && p->frames->kind->translated &&
	    cmd != MMU_PT_UPDATE_NO_TRANSLATE && (req->val & PTE_P))
		return update_translated(v, p, *req);
	return update_table(v, p, p->owner, req);
}

/* So many were done before the call gave way (public/xen.h,
 * MMU_UPDATE_PREEMPTED). */
#define PREEMPTED (~(~0U >> 1))

long pv_mmu_update(struct vcpu *v, const uint64_t args[6])
{
	uint32_t count = (uint32_t)args[1] & ~PREEMPTED, i = 0, done = 0;
	struct parties p = {};
	long rc;

	if (((uint32_t)args[1] & PREEMPTED) && args[2] &&
	    copy_from_guest(&done, args[2], sizeof(done)))
		return -EFAULT;
	rc = get_parties(v, (uint32_t)args[3], &p);
	for (; !rc && i < count; i++) {
		struct mmu_update req;

		if (i && hypercall_must_yield())
			rc = -ERESTART;
		else if (copy_elem_from_guest(&req, args[0], i))
			rc = -EFAULT;
		else
			rc = update_one(v, &p, &req);
		if (rc)
			break;
	}
	put_parties(&p);
	done += i;
	if (args[2] && copy_to_guest(args[2], &done, sizeof(done)))
		return -EFAULT;
	if (rc == -EBUSY)
		rc = -ERESTART; /* another vCPU is at the table */
	if (rc == -ERESTART) {
		hypercall_set_arg(v, 0,
				  args[0] + i * sizeof(struct mmu_update));
		hypercall_set_arg(v, 1, (count - i) | PREEMPTED);
	}
	return rc;
}

static __attribute__((noinline)) int flush_cpus(struct vcpu *v, uint64_t va,
						uint64_t what, uint64_t who)
{
	cpumask_t cpus;
	int rc;

	if (who == UVMF_ALL) {
		pv_flush_cpus(v->domain, NULL);
		return 0;
	}
	rc = pv_named_cpus(v, who, sizeof(uint64_t), &cpus);
	if (rc)
		return rc;
	if (what == UVMF_TLB_FLUSH)
		pv_flush_cpus(v->domain, &cpus);
	else
		pv_flush_page(v->domain, &cpus, va);
	return 0;
}

/* What the caller wants forgotten, public/xen.h, UVMF_*. */
static inline int flush_after(struct vcpu *v, uint64_t va, uint64_t flags)
{
	uint64_t what = flags & UVMF_FLUSHTYPE_MASK, who = flags & ~3UL;

	if (!what)
		return 0;
	if (who != UVMF_LOCAL)
		return flush_cpus(v, va, what, who);
	if (what == UVMF_TLB_FLUSH)
		pv_flush_local();
	else
		invlpg((const void *)va);
	return 0;
}

static inline int update_l1(struct vcpu *v, const struct pv_change *c,
			    uint64_t va, uint64_t val)
{
	uint64_t *e;

	if (pv_is_ending(c->d))
		return -ESRCH;
	e = pv_l1_at(v, va);
	return likely(e) ? pv_change_l1(c, e, val) : -EINVAL;
}

static int update_va(struct vcpu *v, uint64_t va, uint64_t val, domid_t owner)
{
	struct pv_change c = {
		.d = v->domain, .owner = owner, .w = &v_mm(v)->work};
	int rc;

	spin_lock(&d_mm(c.d)->lock);
	if (likely(pv_work_is_idle(c.w))) {
		rc = update_l1(v, &c, va, val);
	} else {
		rc = pv_work_begin(c.d, c.w);
		if (!rc)
			rc = update_l1(v, &c, va, val);
		pv_work_end(c.d, c.w, rc);
	}
	spin_unlock(&d_mm(c.d)->lock);
	return rc;
}

long pv_update_va_mapping(struct vcpu *v, const uint64_t args[6])
{
	int rc = update_va(v, args[0], args[1], v->domain->id);

	return rc ? rc : flush_after(v, args[0], args[2]);
}

long pv_update_va_mapping_otherdomain(struct vcpu *v, const uint64_t args[6])
{
	struct domain *d;
	int rc;

	if ((domid_t)args[3] == DOMID_IO) {
		if (!v->domain->privileged)
			return -EPERM;
		rc = update_va(v, args[0], args[1], DOMID_IO);
		return rc ? rc : flush_after(v, args[0], args[2]);
	}
	d = get_domain((domid_t)args[3]);
	if (!d)
		return -ESRCH;
	rc = domain_check_privilege(v->domain, d);
	if (!rc)
		rc = update_va(v, args[0], args[1], d->id);
	put_domain(d);
	return rc ? rc : flush_after(v, args[0], args[2]);
}
