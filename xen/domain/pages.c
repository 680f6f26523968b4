/* SPDX-License-Identifier: MIT */
/*
 * How much memory a domain has and may have. A domain with pages holds one
 * reference to itself, so that whoever still maps one of them may give it back
 * after the domain's death.
 */
#include "domain/domain.h"

#include "console/printk.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

static uint64_t claimed_pages; /* all domains' outstanding_pages */
static spinlock_t claim_lock = SPINLOCK_INIT(LOCK_CLAIM);

uint64_t claimed_page_count(void)
{
	return READ_ONCE(claimed_pages);
}

static void change_claimed(struct domain *d, uint64_t pages)
{
	spin_lock(&claim_lock);
	claimed_pages += pages - d->outstanding_pages;
	d->outstanding_pages = pages;
	spin_unlock(&claim_lock);
}

static bool charge(struct domain *d, uint64_t pages, bool beyond_max)
{
	bool ok;

	spin_lock(&d->pages_lock);
	ok = d->dying == DOMDYING_ALIVE &&
	     (beyond_max || (d->tot_pages <= d->max_pages &&
			     pages <= d->max_pages - d->tot_pages));
	if (ok) {
		if (!d->tot_pages && pages)
			hold_domain(d);
		d->tot_pages += pages;
		if (d->outstanding_pages)
			change_claimed(
				d, d->outstanding_pages -
					   min(d->outstanding_pages, pages));
	}
	spin_unlock(&d->pages_lock);
	return ok;
}

bool domain_charge(struct domain *d, uint64_t pages)
{
	return charge(d, pages, false);
}

void domain_uncharge(struct domain *d, uint64_t pages)
{
	bool last;

	spin_lock(&d->pages_lock);
	ASSERT(d->tot_pages >= pages);
	d->tot_pages -= pages;
	last = pages && !d->tot_pages;
	spin_unlock(&d->pages_lock);
	if (last)
		put_domain(d);
}

/*
 * What a guest with all its memory in pieces of 4 KiB takes, four times, and
 * something for what is not memory; or more if its tools say so. dom0 has the
 * machine's.
 */
#define TABLES_AT_LEAST 1024
#define PAGES_PER_TABLE 128

void domain_limit_tables(struct domain *d)
{
	if (!d->privileged)
		d->p2m.max_tables =
			max(d->paging_pages,
			    TABLES_AT_LEAST + d->max_pages / PAGES_PER_TABLE);
}

int domain_claim(struct domain *d, uint64_t pages)
{
	int rc = 0;

	spin_lock(&d->pages_lock);
	if (!pages) {
		change_claimed(d, 0);
	} else if (d->outstanding_pages || pages <= d->tot_pages ||
		   pages > d->max_pages) {
		rc = -EINVAL;
	} else {
		uint64_t more = pages - d->tot_pages;

		if (free_page_count() < claimed_page_count() ||
		    free_page_count() - claimed_page_count() < more)
			rc = -ENOMEM;
		else
			change_claimed(d, more);
	}
	spin_unlock(&d->pages_lock);
	return rc;
}

/* What others have claimed is not this domain's to take. */
static bool may_allocate(const struct domain *d, uint64_t pages)
{
	uint64_t claimed = claimed_page_count();
	uint64_t own = READ_ONCE(d->outstanding_pages);
	uint64_t others = claimed > own ? claimed - own : 0;
	uint64_t avail = free_page_count();

	return avail >= others && avail - others >= pages;
}

mfn_t domain_alloc_pages(struct domain *d, unsigned int order,
			 unsigned int flags)
{
	uint64_t pages = 1UL << order;
	mfn_t mfn;

	if (!may_allocate(d, pages) ||
	    !charge(d, pages, flags & DOMAIN_ALLOC_BEYOND_MAX))
		return INVALID_MFN;
	mfn = alloc_domain_pages(order, flags & ~DOMAIN_ALLOC_BEYOND_MAX);
	if (mfn_eq(mfn, INVALID_MFN)) {
		domain_uncharge(d, pages);
		return mfn;
	}
	frame_assign(mfn, order, d->id);
	return mfn;
}

mfn_t domain_alloc_at(struct domain *d, mfn_t mfn, unsigned int order)
{
	if (!domain_charge(d, 1UL << order))
		return INVALID_MFN;
	if (!alloc_domain_pages_at(mfn, order, 0)) {
		domain_uncharge(d, 1UL << order);
		return INVALID_MFN;
	}
	frame_assign(mfn, order, d->id);
	return mfn;
}

void *domain_shared_page(struct domain *d)
{
	void *page = alloc_page_virt(ALLOC_ZERO);

	if (page)
		frame_share(virt_to_mfn(page), d->id);
	return page;
}

void domain_put_shared_page(void *page)
{
	frame_unshare(virt_to_mfn(page));
}
