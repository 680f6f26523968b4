/* SPDX-License-Identifier: MIT */
/*
 * Video memory is made read-only in the p2m (P2M_RAM_LOGDIRTY); the first
 * write to a page exits, is noted and makes the page writable again, until the
 * device model has asked; or the processor notes it without an exit, and is
 * asked first. The p2m's lock protects all.
 */
#include "hvm/vram.h"

#include "domain/guest_access.h"
#include "domain/log_dirty.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

#define MAX_PAGES 0x10000U /* 256 MiB */

struct vram {
	gfn_t first;
	uint32_t nr;
	uint64_t dirty[];
};

/* Page i from RAM to tracked, or back. Lock held. */
static int set_type(struct domain *d, gfn_t gfn, enum p2m_type from,
		    enum p2m_type to)
{
	enum p2m_type t;
	mfn_t mfn = p2m_lookup(&d->p2m, gfn, &t, NULL);

	return t == from ? p2m_set(&d->p2m, gfn, mfn, 1, to) : 0;
}

/* Lock held. */
static struct vram *stop(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vram *r = hd->vram;

	for (uint32_t i = 0; r && i < r->nr; i++)
		set_type(d, _gfn(gfn_x(r->first) + i), P2M_RAM_LOGDIRTY,
			 P2M_RAM_RW);
	hd->vram = NULL;
	return r;
}

static int start(struct domain *d, gfn_t first, uint32_t nr)
{
	size_t words = DIV_ROUND_UP(nr, 64U);
	struct vram *r = xzalloc(sizeof(*r) + words * sizeof(uint64_t));
	struct vram *old;

	if (!r)
		return -ENOMEM;
	r->first = first;
	r->nr = nr;
	for (uint32_t i = 0; i < nr; i++)
		set_bit(i, r->dirty);
	p2m_lock(&d->p2m);
	old = stop(d);
	hvm_domain(d)->vram = r;
	p2m_unlock(&d->p2m);
	xfree(old);
	return 0;
}

/* Who stops logging all of the domain's writes makes all pages writable. */
static void note_writable(struct domain *d, struct vram *r, uint32_t w)
{
	for (uint32_t i = w * 64; i < r->nr && i < (w + 1) * 64; i++) {
		enum p2m_type t;

		p2m_lookup(&d->p2m, gfn_add(r->first, i), &t, NULL);
		if (t == P2M_RAM_RW)
			set_bit(i, r->dirty);
	}
}

static bool is_tracked(const struct vram *r, gfn_t first, uint32_t nr)
{
	return r && r->nr == nr && gfn_eq(r->first, first);
}

/* 64 pages from bit w * 64 on: which were written; they are watched again,
 * unless that would hide it from the log of all writes. */
static uint64_t collect(struct domain *d, struct vram *r, uint32_t w)
{
	uint64_t bits;

	if (d->log_dirty)
		note_writable(d, r, w);
	bits = r->dirty[w];
	if (log_dirty_is_on(d))
		return bits;
	r->dirty[w] = 0;
	for (uint64_t b = bits; b; b &= b - 1) {
		uint32_t i = w * 64 + (uint32_t)__builtin_ctzl(b);

		/* What cannot be watched counts as written. */
		if (set_type(d, _gfn(gfn_x(r->first) + i), P2M_RAM_RW,
			     P2M_RAM_LOGDIRTY))
			set_bit(i, r->dirty);
	}
	return bits;
}

int vram_track(struct domain *d, gfn_t first, uint32_t nr, uint64_t bitmap)
{
	struct hvm_domain *hd = hvm_domain(d);
	uint64_t *bits;
	bool known;
	int rc = 0;

	if (nr > MAX_PAGES || gfn_x(first) + nr < gfn_x(first))
		return -EINVAL;
	if (!nr) {
		struct vram *old;

		p2m_lock(&d->p2m);
		old = stop(d);
		p2m_unlock(&d->p2m);
		p2m_flush(&d->p2m);
		xfree(old);
		return 0;
	}
	bits = xnew_array(uint64_t, DIV_ROUND_UP(nr, 64U));
	if (!bits)
		return -ENOMEM;
	p2m_lock(&d->p2m);
	known = is_tracked(hd->vram, first, nr);
	p2m_unlock(&d->p2m);
	if (!known)
		rc = start(d, first, nr);
	if (!rc) {
		vram_sync(d);
		p2m_lock(&d->p2m);
		/* Another tool may have begun with others meanwhile. */
		known = is_tracked(hd->vram, first, nr);
		for (uint32_t w = 0; known && w * 64 < nr; w++)
			bits[w] = collect(d, hd->vram, w);
		p2m_unlock(&d->p2m);
		p2m_flush(&d->p2m);
		rc = copy_to_guest(bitmap, bits, DIV_ROUND_UP(nr, 8U));
	}
	xfree(bits);
	return rc;
}

/* Lock held. */
static void written(struct domain *d, gfn_t gfn)
{
	struct vram *r = hvm_domain(d)->vram;

	if (r && gfn_x(gfn) - gfn_x(r->first) < r->nr)
		set_bit((unsigned int)(gfn_x(gfn) - gfn_x(r->first)), r->dirty);
	/* Who still thinks it is read-only finds out at his own write. A page
	 * that cannot be made writable for want of memory stays in the log. */
	if (set_type(d, gfn, P2M_RAM_LOGDIRTY, P2M_RAM_RW))
		log_dirty_note(d, gfn);
}

void vram_written(struct domain *d, gfn_t gfn)
{
	p2m_lock(&d->p2m);
	written(d, gfn);
	p2m_unlock(&d->p2m);
}

void vram_drain(struct vcpu *v)
{
	p2m_lock(&v->domain->p2m);
	hvm_ops->drain_log(v, written);
	p2m_unlock(&v->domain->p2m);
}

/* Who has left the guest once has logged all that he had written. */
void vram_sync(struct domain *d)
{
	struct vcpu *v;

	if (!hvm_ops->drain_log)
		return;
	hvm_flush(d);
	for_each_vcpu(d, v)
		vram_drain(v);
}

void vram_modified(struct domain *d, gfn_t first, uint64_t nr)
{
	struct vram *r;

	for (uint64_t i = 0; log_dirty_is_on(d) && i < nr; i++)
		log_dirty_note(d, gfn_add(first, i));
	p2m_lock(&d->p2m);
	r = hvm_domain(d)->vram;
	if (r) {
		uint64_t from = max(gfn_x(first), gfn_x(r->first));
		uint64_t to = min(gfn_x(first) + nr, gfn_x(r->first) + r->nr);

		for (; from < to; from++)
			set_bit((unsigned int)(from - gfn_x(r->first)),
				r->dirty);
	}
	p2m_unlock(&d->p2m);
}

void vram_destroy(struct domain *d)
{
	xfree(hvm_domain(d)->vram);
	hvm_domain(d)->vram = NULL;
}
