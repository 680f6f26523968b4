/* SPDX-License-Identifier: MIT */
/*
 * Domains by number: whoever finds one holds it, and one whose last reference
 * has gone is not found again, though it is listed for a moment more.
 */
#include "harness.h"
#include "no_part.h"

#include "console/printk.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "heap_stubs.h"

#include <stdarg.h>

DEFINE_PER_CPU(struct vcpu *, current);
DEFINE_PER_CPU(uint64_t, softirq_pending);
DEFINE_PER_CPU(uint64_t, cpu_number);

/* What is around the source. */

static void (*another_cpu)(void);
void spin_lock(spinlock_t *l)
{
	void (*fn)(void) = another_cpu;

	(void)l;
	another_cpu = NULL;
	if (fn)
		fn();
}
void spin_unlock(spinlock_t *l)
{
	(void)l;
}
void printk(const char *fmt, ...)
{
	(void)fmt;
}
void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}
void timer_init(struct timer *t, void (*fn)(void *), void *data)
{
	(void)t;
	(void)fn;
	(void)data;
}
void timer_stop(struct timer *t)
{
	(void)t;
}
void timer_kill(struct timer *t)
{
	(void)t;
}
void sched_group_init(struct sched_group *g)
{
	(void)g;
}
void sched_group_destroy(struct sched_group *g)
{
	(void)g;
}
void sched_unit_destroy(struct sched_unit *u)
{
	(void)u;
}
void guest_area_release(struct guest_area *a)
{
	(void)a;
}
void put_page(mfn_t mfn)
{
	(void)mfn;
}
void put_page_and_type(mfn_t mfn)
{
	(void)mfn;
}
bool frame_release(mfn_t mfn, domid_t owner)
{
	(void)mfn;
	(void)owner;
	return true;
}
void (*frame_freed)(domid_t owner, unsigned int order);
int p2m_walk(struct p2m *p, gfn_t *gfn,
	     int (*fn)(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		       unsigned int order, void *cookie),
	     void *cookie)
{
	(void)p;
	(void)gfn;
	(void)fn;
	(void)cookie;
	return 0;
}
int p2m_set(struct p2m *p, gfn_t gfn, mfn_t mfn, uint64_t nr,
	    enum p2m_type type)
{
	(void)p;
	(void)gfn;
	(void)mfn;
	(void)nr;
	(void)type;
	return 0;
}
int p2m_clear(struct p2m *p, gfn_t gfn, uint64_t nr)
{
	return p2m_set(p, gfn, INVALID_MFN, nr, P2M_NONE);
}
void p2m_flush(struct p2m *p)
{
	(void)p;
}
void domain_pause(struct domain *d)
{
	(void)d;
}
void domain_shutdown(struct domain *d, unsigned int reason)
{
	(void)d;
	(void)reason;
}
void domain_limit_tables(struct domain *d)
{
	(void)d;
}
int domain_claim(struct domain *d, uint64_t pages)
{
	(void)d;
	(void)pages;
	return 0;
}
void domain_uncharge(struct domain *d, uint64_t pages)
{
	(void)d;
	(void)pages;
}
void domain_update_wallclock(struct domain *d)
{
	(void)d;
}
void *domain_shared_page(struct domain *d)
{
	(void)d;
	return calloc(1, 4096);
}
void domain_put_shared_page(void *page)
{
	free(page);
}
static void global_virq(unsigned int virq)
{
	(void)virq;
}
void (*send_global_virq)(unsigned int virq) = global_virq;
const struct domain_part *const domain_parts[] = {NULL};

static const struct domain_kind kind = {
	.domain_init = no_init,
	.domain_relinquish = no_relinquish,
	.domain_destroy = no_destroy,
};

static struct tasklet *scheduled;
static int ends;
void tasklet_schedule(struct tasklet *t, unsigned int cpu)
{
	(void)cpu;
	scheduled = t;
	ends++;
}

static struct domain *make(domid_t id)
{
	struct xen_domctl_createdomain cfg = {.max_vcpus = 1};
	struct domain *d;

	domain_kind_pv = &kind;
	if (domain_create(id, &cfg, false, &d))
		abort();
	return d;
}

static void finish(void)
{
	CHECK_EQ(ends, 1);
	if (scheduled)
		scheduled->fn(scheduled->data);
	scheduled = NULL;
	ends = 0;
}

static struct domain *found, *next;
static void look(void)
{
	found = get_domain(5);
	next = next_domain(1);
}

static void not_found_again(void)
{
	struct domain *d = make(5), *other = make(9);

	CHECK(get_domain(5) == d);
	CHECK_EQ(d->refs, 2);
	put_domain(d);
	CHECK(next_domain(3) == d);
	put_domain(d);
	/* The last reference has gone, and the list has it still. */
	another_cpu = look;
	put_domain(d);
	CHECK(!found);
	CHECK(next == other);
	finish();
	CHECK(!get_domain(5));
	put_domain(next);
	put_domain(other);
	finish();
}

static void one_number(void)
{
	struct xen_domctl_createdomain cfg = {.max_vcpus = 1};
	struct domain *d = make(5), *second;

	CHECK_EQ(domain_create(5, &cfg, false, &second), -EEXIST);
	put_domain(d);
	finish();
}

static void killed_once(void)
{
	struct domain *d = make(5);
	struct vcpu v = {.domain = NULL};

	this_cpu(current) = &v;
	hold_domain(d);
	CHECK_EQ(domain_kill(d), 0);
	CHECK_EQ(domain_kill(d), 0);
	CHECK_EQ(d->refs, 1);
	put_domain(d);
	finish();
}

static const struct test_case cases[] = {
	{"a domain without references is not found", not_found_again},
	{"a number has one domain", one_number},
	{"a domain is killed once", killed_once},
};

int main(void)
{
	return RUN_CASES(cases);
}
