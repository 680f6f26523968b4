/* SPDX-License-Identifier: MIT */
/*
 * Domains: creation, look-up, references, destruction. domctl and the dom0
 * builder create them; docs/domain.md tells the life cycle.
 */
#include "domain/domain.h"

#include "console/printk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

#define HASH_SIZE 64

struct domain *dom0;
const struct domain_kind *domain_kind_hvm, *domain_kind_pv;

static struct domain *domain_hash[HASH_SIZE];
static spinlock_t domlist_lock = SPINLOCK_INIT(LOCK_DOMLIST);

static struct domain *find_domain(domid_t id)
{
	struct domain *d = domain_hash[id % HASH_SIZE];

	while (d && d->id != id)
		d = d->hash_next;
	return d;
}

/* A domain whose last reference has gone is still listed for a moment, until
 * who put it has the list's lock: it is no more. */
static bool try_hold(struct domain *d)
{
	uint32_t refs = READ_ONCE(d->refs);

	do {
		if (!refs)
			return false;
	} while (!atomic_cas(&d->refs, &refs, refs + 1));
	return true;
}

struct domain *get_domain(domid_t id)
{
	struct domain *d;

	if (id == DOMID_SELF)
		return get_self();
	spin_lock(&domlist_lock);
	d = find_domain(id);
	if (d && !try_hold(d))
		d = NULL;
	spin_unlock(&domlist_lock);
	return d;
}

struct domain *get_self(void)
{
	struct domain *d = current->domain;

	hold_domain(d);
	return d;
}

/* The list's lock is held. */
static struct domain *find_next(unsigned int id)
{
	struct domain *best = NULL;

	for (unsigned int i = 0; i < HASH_SIZE; i++)
		for (struct domain *d = domain_hash[i]; d; d = d->hash_next)
			if (d->id >= id && (!best || d->id < best->id))
				best = d;
	return best;
}

struct domain *next_domain(unsigned int id)
{
	struct domain *d;

	spin_lock(&domlist_lock);
	for (d = find_next(id); d && !try_hold(d); d = find_next(d->id + 1U))
		;
	spin_unlock(&domlist_lock);
	return d;
}

/* 0, or -EEXIST with the number in use. */
static int list_domain(struct domain *d)
{
	int rc = -EEXIST;

	spin_lock(&domlist_lock);
	if (!find_domain(d->id)) {
		struct domain **head = &domain_hash[d->id % HASH_SIZE];

		d->hash_next = *head;
		*head = d;
		rc = 0;
	}
	spin_unlock(&domlist_lock);
	return rc;
}

static void unlist_domain(struct domain *d)
{
	struct domain **p = &domain_hash[d->id % HASH_SIZE];

	spin_lock(&domlist_lock);
	while (*p && *p != d)
		p = &(*p)->hash_next;
	if (*p)
		*p = d->hash_next;
	spin_unlock(&domlist_lock);
}

static void destroy_vcpu(struct vcpu *v)
{
	timer_kill(&v->singleshot);
	timer_kill(&v->periodic);
	timer_kill(&v->poll_timer);
	sched_unit_destroy(&v->unit);
	v->domain->kind->vcpu_destroy(v);
	guest_area_release(&v->runstate_area);
	guest_area_release(&v->time_area);
	xfree(v);
}

/* Frees what a domain is made of: built wholly or up to an error. */
static void free_domain(struct domain *d, unsigned int parts, bool kind)
{
	for (unsigned int i = 0; i < d->max_vcpus && d->vcpu; i++)
		if (d->vcpu[i])
			destroy_vcpu(d->vcpu[i]);
	while (parts--)
		domain_parts[parts]->destroy(d);
	for (unsigned int i = 0; i < NR_WATCHDOGS; i++)
		timer_kill(&d->watchdog[i].timer);
	if (kind)
		d->kind->domain_destroy(d);
	if (d->target)
		put_domain(d->target);
	if (d->shared_info)
		domain_put_shared_page(d->shared_info);
	sched_group_destroy(&d->sched);
	xfree(d->memory_map);
	xfree(d->policy);
	xfree(d->vcpu);
	xfree(d);
}

static unsigned int nr_parts(void)
{
	unsigned int n = 0;

	while (domain_parts[n])
		n++;
	return n;
}

/* The last reference has gone: nobody can find the domain any more. */
static void destroy_work(void *data)
{
	struct domain *d = data;

	printk(XENLOG_DEBUG "d%u is gone\n", d->id);
	free_domain(d, nr_parts(), true);
	send_global_virq(VIRQ_DOM_EXC);
}

void put_domain(struct domain *d)
{
	if (atomic_sub(&d->refs, 1))
		return;
	/* Callers may hold locks; the rest takes many. */
	unlist_domain(d);
	tasklet_schedule(&d->destroy_work, smp_processor_id());
}

int domain_check_privilege(struct domain *caller, struct domain *target)
{
	if (caller->privileged || caller == target ||
	    (caller->target && caller->target == target))
		return 0;
	return -EPERM;
}

static int check_config(const struct xen_domctl_createdomain *cfg,
			const struct domain_kind **kind)
{
	const uint32_t known = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap |
			       XEN_DOMCTL_CDF_s3_integrity |
			       XEN_DOMCTL_CDF_oos_off |
			       XEN_DOMCTL_CDF_xs_domain | XEN_DOMCTL_CDF_iommu |
			       XEN_DOMCTL_CDF_nested_virt | XEN_DOMCTL_CDF_vpmu;
	bool hvm = cfg->flags & XEN_DOMCTL_CDF_hvm;

	if (cfg->flags & ~known) {
		printk(XENLOG_INFO "createdomain: unknown flags %#x\n",
		       cfg->flags & ~known);
		return -EINVAL;
	}
	if (!cfg->max_vcpus || cfg->max_vcpus > MAX_VCPUS) {
		printk(XENLOG_INFO "createdomain: %u vCPUs; 1 to %u can be\n",
		       cfg->max_vcpus, MAX_VCPUS);
		return -EINVAL;
	}
	*kind = hvm ? domain_kind_hvm : domain_kind_pv;
	if (!*kind) {
		printk(XENLOG_INFO "createdomain: no %s on this machine\n",
		       hvm ? "hardware virtualisation" : "PV support");
		return -EINVAL;
	}
	if (hvm && !(cfg->flags & XEN_DOMCTL_CDF_hap)) {
		printk(XENLOG_INFO "createdomain: HVM needs nested paging\n");
		return -EINVAL;
	}
	return 0;
}

static void watchdog_fired(void *data)
{
	struct domain *d = data;

	printk(XENLOG_WARNING "d%u: watchdog timer expired\n", d->id);
	domain_shutdown(d, SHUTDOWN_watchdog);
}

static void init_domain(struct domain *d, domid_t id,
			const struct xen_domctl_createdomain *cfg)
{
	d->id = id;
	d->refs = 1;
	d->config = *cfg;
	d->create_flags = cfg->flags;
	d->max_pages = 0;
	d->max_vcpus = cfg->max_vcpus;
	d->control_pauses = 1;
	d->shutdown_code = SHUTDOWN_CODE_INVALID;
	d->crash_code = SHUTDOWN_CODE_INVALID;
	memcpy(d->handle, cfg->handle, sizeof(d->handle));
	spin_lock_init(&d->lock, LOCK_DOMAIN);
	spin_lock_init(&d->pages_lock, LOCK_PAGES);
	sched_group_init(&d->sched);
	d->destroy_work.fn = destroy_work;
	d->destroy_work.data = d;
	for (unsigned int i = 0; i < NR_WATCHDOGS; i++)
		timer_init(&d->watchdog[i].timer, watchdog_fired, d);
}

int domain_create(domid_t id, const struct xen_domctl_createdomain *cfg,
		  bool privileged, struct domain **out)
{
	const struct domain_kind *kind = NULL;
	unsigned int parts = 0;
	bool have_kind = false;
	struct domain *d;
	int rc = check_config(cfg, &kind);

	if (rc)
		return rc;
	d = xnew(struct domain);
	if (!d)
		return -ENOMEM;
	init_domain(d, id, cfg);
	d->kind = kind;
	d->privileged = privileged;
	rc = -ENOMEM;
	d->vcpu = xnew_array(struct vcpu *, d->max_vcpus);
	d->shared_info = domain_shared_page(d);
	if (!d->vcpu || !d->shared_info)
		goto fail;
	rc = kind->domain_init(d, cfg);
	if (rc)
		goto fail;
	have_kind = true;
	domain_limit_tables(d);
	for (; domain_parts[parts]; parts++) {
		rc = domain_parts[parts]->init(d, cfg);
		if (rc)
			goto fail;
	}
	domain_update_wallclock(d);
	rc = list_domain(d);
	if (rc)
		goto fail;
	*out = d;
	return 0;
fail:
	free_domain(d, parts, have_kind);
	return rc;
}

/* A page of the p2m of a dying domain goes back to where it came from. */
static int release_leaf(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
			unsigned int order, void *cookie)
{
	struct domain *d = cookie;

	if (p2m_is_ram(type))
		for (uint64_t i = 0; i < 1UL << order; i++)
			frame_release(mfn_add(mfn, i), d->id);
	else if (type == P2M_FOREIGN)
		put_page(mfn);
	if (type == P2M_NONE)
		return 0;
	if (p2m_clear(p, gfn, 1UL << order))
		return -ENOMEM;
	d->relinquish_gfn = gfn;
	return softirq_is_pending() ? -ERESTART : 0;
}

static int release_memory(struct domain *d)
{
	int rc;

	if (!d->kind->translated)
		return 0;
	p2m_lock(&d->p2m);
	d->p2m.closed = true;
	rc = p2m_walk(&d->p2m, &d->relinquish_gfn, release_leaf, d);
	p2m_unlock(&d->p2m);
	return rc;
}

static int release_parts(struct domain *d)
{
	for (unsigned int n = nr_parts(); n--;) {
		int rc = domain_parts[n]->relinquish
				 ? domain_parts[n]->relinquish(d)
				 : 0;

		if (rc)
			return rc;
	}
	return 0;
}

static void release_areas(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		timer_stop(&v->singleshot);
		timer_stop(&v->periodic);
		guest_area_release(&v->runstate_area);
		guest_area_release(&v->time_area);
		if (!mfn_eq(v->info_mfn, INVALID_MFN)) {
			mfn_t mfn = v->info_mfn;

			v->info = NULL;
			v->info_mfn = INVALID_MFN;
			put_page_and_type(mfn);
		}
	}
}

static int relinquish(struct domain *d)
{
	int rc = 0;

	switch (d->relinquish_step) {
	case 0:
		rc = release_parts(d);
		if (rc)
			return rc;
		release_areas(d);
		d->relinquish_step++;
		/* fall through */
	case 1:
		rc = d->kind->domain_relinquish(d);
		if (rc)
			return rc;
		d->relinquish_step++;
		/* fall through */
	case 2:
		rc = release_memory(d);
		if (rc)
			return rc;
		p2m_flush(&d->p2m);
		d->relinquish_step++;
	}
	return 0;
}

int domain_kill(struct domain *d)
{
	int rc;

	if (d == dom0 || d == current->domain)
		return -EINVAL;
	spin_lock(&d->lock);
	if (d->dying == DOMDYING_DEAD) {
		spin_unlock(&d->lock);
		return 0;
	}
	if (d->dying == DOMDYING_ALIVE) {
		d->dying = DOMDYING_DYING;
		spin_unlock(&d->lock);
		domain_pause(d);
		domain_claim(d, 0);
	} else {
		spin_unlock(&d->lock);
	}
	rc = relinquish(d);
	if (rc)
		return rc;
	spin_lock(&d->lock);
	d->dying = DOMDYING_DEAD;
	spin_unlock(&d->lock);
	put_domain(d);
	send_global_virq(VIRQ_DOM_EXC);
	return 0;
}

static void account_freed(domid_t owner, unsigned int order)
{
	struct domain *d;

	spin_lock(&domlist_lock);
	d = find_domain(owner);
	spin_unlock(&domlist_lock);
	/* Its pages kept it alive. */
	BUG_ON(!d);
	domain_uncharge(d, 1UL << order);
}

void domain_init(void)
{
	frame_freed = account_freed;
}
