/* SPDX-License-Identifier: MIT */
/*
 * A domain's grant table: frames of entries that the domain writes, which grow
 * on demand up to a limit set at its creation and never shrink.
 */
#include "grant/table.h"

#include "console/printk.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "mem/alloc.h"
#include "mem/layout.h"

_Static_assert(sizeof(struct grant_entry_v1) == 8, "public/grant_table.h");
_Static_assert(sizeof(struct pin) == 32, "four pages of pins for a frame");

static uint32_t limit_frames = 64, limit_maptrack = 1024;
PARAM_UINT("gnttab_max_frames", limit_frames, 1, 4096,
	   "frames that a domain's grant table may have");
PARAM_UINT("gnttab_max_maptrack_frames", limit_maptrack, 0, 16384,
	   "pages in which a domain's grant mappings are noted");

#define PIN_PAGES_PER_FRAME (ENTRIES_PER_FRAME / PINS_PER_PAGE)

/* One frame more. */
static int add_frame(struct domain *d, struct grant_table *t)
{
	struct pin **pins = &t->pins[t->nr_frames * PIN_PAGES_PER_FRAME];

	/* What a try that failed has left is used again. */
	for (unsigned int i = 0; i < PIN_PAGES_PER_FRAME; i++) {
		if (!pins[i])
			pins[i] = alloc_page_virt(ALLOC_ZERO);
		if (!pins[i])
			return -ENOMEM;
	}
	t->shared[t->nr_frames] = domain_shared_page(d);
	if (!t->shared[t->nr_frames])
		return -ENOMEM;
	t->nr_frames++;
	return 0;
}

int grant_grow(struct domain *d, uint32_t frames)
{
	struct grant_table *t = d->grants;
	int err = frames > t->max_frames ? -EINVAL : 0;

	while (!err && t->nr_frames < frames)
		err = add_frame(d, t);
	return err;
}

int grant_init(struct domain *d, int max_frames, int max_maptrack,
	       unsigned int max_version)
{
	uint32_t frames = max_frames < 0 ? limit_frames : (uint32_t)max_frames;
	uint32_t maptrack = max_maptrack < 0 ? limit_maptrack
					     : (uint32_t)max_maptrack;
	struct grant_table *t;
	int err;

	if (max_version != 1 || !frames || frames > limit_frames ||
	    maptrack > limit_maptrack)
		return -EINVAL;
	t = xnew(struct grant_table);
	if (!t)
		return -ENOMEM;
	d->grants = t;
	spin_lock_init(&t->lock, LOCK_GRANT);
	t->max_frames = frames;
	t->max_maptrack = maptrack;
	t->free_handle = NO_HANDLE;
	t->shared = xnew_array(struct grant_entry_v1 *, frames);
	t->pins = xnew_array(struct pin *, frames * PIN_PAGES_PER_FRAME);
	err = t->shared && t->pins ? grant_grow(d, 1) : -ENOMEM;
	if (err)
		grant_destroy(d);
	return err;
}

void grant_destroy(struct domain *d)
{
	struct grant_table *t = d->grants;

	if (!t)
		return;
	for (uint32_t i = 0; i < t->nr_frames; i++)
		domain_put_shared_page(t->shared[i]);
	for (uint32_t i = 0; t->pins && i < t->max_frames * PIN_PAGES_PER_FRAME;
	     i++)
		if (t->pins[i])
			free_page_virt(t->pins[i]);
	xfree(t->shared);
	xfree(t->pins);
	maptrack_destroy(t);
	xfree(t);
	d->grants = NULL;
}

uint32_t grant_max_frames(const struct domain *d)
{
	return d->grants->max_frames;
}

int grant_table_frame(struct domain *d, unsigned long idx, mfn_t *mfn)
{
	struct grant_table *t = d->grants;
	int err = -EINVAL;

	/* Also what XENMAPIDX_grant_table_status marks: there is no status. */
	if (idx >= t->max_frames)
		return -EINVAL;
	spin_lock(&t->lock);
	/* Growing may have gone far enough even if it ran out of memory. */
	grant_grow(d, (uint32_t)idx + 1);
	if (idx < t->nr_frames) {
		*mfn = virt_to_mfn(t->shared[index_nospec(idx, t->nr_frames)]);
		err = 0;
	}
	spin_unlock(&t->lock);
	return err;
}

int grant_set_entry(struct domain *d, unsigned int i, domid_t to, gfn_t gfn)
{
	struct grant_table *t = d->grants;
	int err = -EINVAL;

	spin_lock(&t->lock);
	if (i < grant_entries(t) && gfn_x(gfn) <= UINT32_MAX) {
		struct grant_entry_v1 *e = grant_entry(t, i);

		e->frame = (uint32_t)gfn_x(gfn);
		e->domid = to;
		atomic_set(&e->flags, (uint16_t)GTF_permit_access);
		err = 0;
	}
	spin_unlock(&t->lock);
	return err;
}

static void dump_domain(struct domain *d)
{
	struct grant_table *t = d->grants;

	spin_lock(&t->lock);
	printk("d%u: grant table: %u of %u frames, %u mapped by it\n", d->id,
	       t->nr_frames, t->max_frames, t->mapped);
	for (uint32_t i = 0; i < grant_entries(t); i++) {
		const struct pin *p = grant_pin(t, i);

		if (pin_used(p))
			printk("  %5u mfn %#lx flags %#x for d%u: host %u/%u "
			       "device %u/%u (ro/rw)\n",
			       i, mfn_x(p->mfn), grant_entry(t, i)->flags,
			       p->user, pin_count(p, PIN_HOST_RO),
			       pin_count(p, PIN_HOST_RW),
			       pin_count(p, PIN_DEV_RO),
			       pin_count(p, PIN_DEV_RW));
	}
	spin_unlock(&t->lock);
}

void grant_dump(void)
{
	struct domain *d;

	for (unsigned int id = 0; (d = next_domain(id)) != NULL; id++) {
		id = d->id;
		if (d->grants)
			dump_domain(d);
		put_domain(d);
	}
}
