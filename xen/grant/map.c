/* SPDX-License-Identifier: MIT */
/*
 * Mapping granted frames and unmapping them. The operations come in arrays,
 * which are copied in and out in chunks; unmapping a chunk takes all entries
 * away, makes every CPU forget them once, and only then lets the frames go.
 */
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "grant/table.h"
#include "lib/errno.h"

#define CHUNK       32U
#define GNTMAP_BOTH (GNTMAP_device_map | GNTMAP_host_map)
/* Halves of a mapping whose end is not done yet, beside the bits of those that
 * may still be claimed: who ends the last of them frees the handle. */
#define OPEN(flags) (((flags)&GNTMAP_BOTH) << 8)

/* Removes the mapping, or moves it to new_addr. */
static int host_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn,
		      uint64_t new_addr, uint32_t flags)
{
	const struct domain_kind *k = v->domain->kind;

	return new_addr ? k->grant_replace(v, addr, mfn, new_addr, flags)
			: k->grant_unmap(v, addr, mfn, flags);
}

/* The granter that op names, for the next operations too; NULL: none. */
static inline struct domain *find_granter(struct domain **last, domid_t id)
{
	if (*last && (*last)->id == id)
		return *last;
	if (*last)
		put_domain(*last);
	*last = id < DOMID_FIRST_RESERVED ? get_domain(id) : NULL;
	return *last;
}

/* final: what *last holds may go into the mapping. */
static inline int map_one(struct vcpu *v, struct gnttab_map_grant_ref *op,
			  struct domain **last, bool final)
{
	struct domain *d = v->domain;
	struct grant_use u;
	struct mapping *m;
	uint32_t handle;
	int err;

	if (!(op->flags & GNTMAP_BOTH))
		return GNTST_bad_gntref;
	/* As the stock hypervisor has it for hardware containers. */
	if (d->kind->translated &&
	    (op->flags & ~GNTMAP_readonly) != GNTMAP_host_map)
		return GNTST_general_error;
	u.granter = find_granter(last, op->dom);
	if (!u.granter)
		return GNTST_bad_domain;
	m = mapping_new(d->grants, &handle);
	if (!m)
		return GNTST_no_space;
	u.user = d->id;
	u.ref = op->ref;
	u.flags = op->flags;
	err = grant_use(&u);
	if (err)
		goto free_handle;
	if (op->flags & GNTMAP_host_map)
		err = d->kind->grant_map(v, op->host_addr, u.mfn, op->flags);
	if (err)
		goto end_use;
	if (final)
		*last = NULL;
	else
		hold_domain(u.granter);
	m->mfn = u.mfn;
	m->ref = u.ref;
	m->flags = (u.flags & ~OPEN(GNTMAP_BOTH)) | OPEN(u.flags);
	smp_wmb();
	WRITE_ONCE(m->granter, u.granter);
	op->dev_bus_addr = mfn_to_maddr(u.mfn);
	op->handle = handle;
	return GNTST_okay;

end_use:
	grant_unuse(&u, op->flags, true);
free_handle:
	mapping_free(d->grants, handle, m);
	return err;
}

static long map_single(struct vcpu *v, uint64_t uop)
{
	const size_t out = offsetof(struct gnttab_map_grant_ref, dom);
	struct gnttab_map_grant_ref op;
	struct domain *last = NULL;

	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	op.status = (int16_t)map_one(v, &op, &last, true);
	if (unlikely(last))
		put_domain(last);
	v->domain->kind->grant_flush(v->domain);
	return copy_to_guest(uop + out, &op.dom, sizeof(op) - out);
}

long grant_map_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_map_grant_ref op[CHUNK];
	struct domain *last = NULL;
	long err = 0;

	if (count == 1)
		return map_single(v, uop);
	while (count) {
		uint32_t n = min(count, CHUNK);

		err = grant_copy_in(op, uop, n, sizeof(op[0]));
		if (err)
			break;
		for (uint32_t i = 0; i < n; i++)
			op[i].status = (int16_t)map_one(v, &op[i], &last,
							i + 1 == count);
		v->domain->kind->grant_flush(v->domain);
		err = copy_to_guest(uop, op, n * sizeof(op[0]));
		uop += n * sizeof(op[0]);
		count -= n;
		if (err || !count)
			break;
		if (hypercall_must_yield()) {
			err = grant_give_way(v, uop, count);
			break;
		}
	}
	if (last)
		put_domain(last);
	return err;
}

/* One unmapping, of either kind, between its two halves. */
struct unmap {
	struct grant_use use;
	struct mapping *m;
	uint32_t handle, ended; /* GNTMAP_BOTH bits that end */
	bool last;
};

/* Claims what op ends of the handle: nobody else does then. */
static inline int claim(struct grant_table *t, uint64_t host_addr,
			uint64_t dev_addr, uint32_t handle, struct unmap *u)
{
	struct mapping *m;
	int err = GNTST_okay;

	spin_lock(&t->lock);
	m = mapping_get(t, handle);
	if (!m || !(m->flags & GNTMAP_BOTH)) {
		err = GNTST_bad_handle;
	} else if (dev_addr && (m->flags & GNTMAP_device_map) &&
		   dev_addr != mfn_to_maddr(m->mfn)) {
		err = GNTST_bad_dev_addr;
	} else {
		uint32_t ended = (host_addr ? GNTMAP_host_map : 0) |
				 (dev_addr ? GNTMAP_device_map : 0);

		u->use.granter = m->granter;
		u->use.ref = m->ref;
		u->use.flags = m->flags;
		u->use.mfn = m->mfn;
		u->m = m;
		u->handle = handle;
		u->ended = m->flags & ended;
		m->flags &= ~ended;
		/* Of two halves another CPU may be ending the other one. */
		u->last = (m->flags & OPEN(GNTMAP_BOTH)) == OPEN(u->ended);
	}
	spin_unlock(&t->lock);
	return err;
}

/* The mapping could not be removed after all. */
static void unclaim(struct grant_table *t, struct unmap *u)
{
	spin_lock(&t->lock);
	u->m->flags |= u->ended;
	spin_unlock(&t->lock);
	u->ended = 0;
}

static inline int unmap_begin(struct vcpu *v, uint64_t host_addr,
			      uint64_t dev_addr, uint64_t new_addr,
			      uint32_t handle, struct unmap *u)
{
	struct grant_table *t = v->domain->grants;
	int err;

	u->ended = 0;
	err = claim(t, host_addr, dev_addr, handle, u);
	if (!err && (u->ended & GNTMAP_host_map)) {
		err = host_unmap(v, host_addr, u->use.mfn, new_addr,
				 u->use.flags);
		if (err)
			unclaim(t, u);
	}
	return err;
}

/* True if the other half's end is done, too. */
static __attribute__((noinline)) bool end_half(struct grant_table *t,
					       const struct unmap *u)
{
	bool last;

	spin_lock(&t->lock);
	u->m->flags &= ~OPEN(u->ended);
	last = !(u->m->flags & OPEN(GNTMAP_BOTH));
	spin_unlock(&t->lock);
	return last;
}

/* No CPU has it any more. */
static inline void unmap_end(struct domain *d, const struct unmap *u)
{
	bool last;

	if (!u->ended)
		return;
	last = likely(u->last) || end_half(d->grants, u);
	grant_unuse(&u->use, u->ended, last);
	if (last) {
		mapping_free(d->grants, u->handle, u->m);
		put_domain(u->use.granter);
	}
}

/* The second half of a chunk. */
static inline void unmap_finish(struct vcpu *v, const struct unmap *u,
				uint32_t n)
{
	v->domain->kind->grant_flush(v->domain);
	for (uint32_t i = 0; i < n; i++)
		unmap_end(v->domain, &u[i]);
}

static long unmap_single(struct vcpu *v, uint64_t uop)
{
	struct gnttab_unmap_grant_ref op;
	struct unmap u;

	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	op.status = (int16_t)unmap_begin(v, op.host_addr, op.dev_bus_addr, 0,
					 op.handle, &u);
	unmap_finish(v, &u, 1);
	return copy_to_guest(
		uop + offsetof(struct gnttab_unmap_grant_ref, status),
		&op.status, sizeof(op.status));
}

long grant_unmap_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_unmap_grant_ref op[CHUNK];
	struct unmap u[CHUNK];
	long err;

	if (count == 1)
		return unmap_single(v, uop);
	while (count) {
		uint32_t n = min(count, CHUNK);

		err = grant_copy_in(op, uop, n, sizeof(op[0]));
		if (err)
			return err;
		for (uint32_t i = 0; i < n; i++)
			op[i].status = (int16_t)unmap_begin(
				v, op[i].host_addr, op[i].dev_bus_addr, 0,
				op[i].handle, &u[i]);
		unmap_finish(v, u, n);
		err = copy_to_guest(uop, op, n * sizeof(op[0]));
		uop += n * sizeof(op[0]);
		count -= n;
		if (err)
			return err;
		if (count && hypercall_must_yield())
			return grant_give_way(v, uop, count);
	}
	return 0;
}

long grant_replace_array(struct vcpu *v, uint64_t uop, uint32_t count)
{
	struct gnttab_unmap_and_replace op[CHUNK];
	struct unmap u[CHUNK];
	long err;

	while (count) {
		uint32_t n = min(count, CHUNK);

		err = grant_copy_in(op, uop, n, sizeof(op[0]));
		if (err)
			return err;
		for (uint32_t i = 0; i < n; i++)
			op[i].status = (int16_t)unmap_begin(
				v, op[i].host_addr, 0, op[i].new_addr,
				op[i].handle, &u[i]);
		unmap_finish(v, u, n);
		err = copy_to_guest(uop, op, n * sizeof(op[0]));
		uop += n * sizeof(op[0]);
		count -= n;
		if (err)
			return err;
		if (count && hypercall_must_yield())
			return grant_give_way(v, uop, count);
	}
	return 0;
}

/* The handle's mapping ends with its domain, whose tables nobody uses. */
static void release_handle(struct domain *d, uint32_t handle)
{
	struct mapping *m = mapping_get(d->grants, handle);
	struct unmap u;

	if (!m || !(m->flags & GNTMAP_BOTH))
		return;
	u = (struct unmap){
		.use = {m->granter, d->id, m->ref, m->flags, m->mfn},
		.m = m,
		.handle = handle,
		.ended = m->flags & GNTMAP_BOTH,
		.last = true,
	};
	m->flags &= ~GNTMAP_BOTH;
	unmap_end(d, &u);
}

int grant_release_mappings(struct domain *d)
{
	struct grant_table *t = d->grants;

	if (!t)
		return 0;
	while (t->release_next < t->nr_handles) {
		release_handle(d, t->release_next++);
		if (t->release_next % 64 == 0 && hypercall_must_yield())
			return -ERESTART;
	}
	return 0;
}
