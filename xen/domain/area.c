/* SPDX-License-Identifier: MIT */
/*
 * Areas: structures in a guest's memory that we keep writing to (runstate,
 * time, vcpu_info). Their frames are held from registration on, so that a write
 * needs neither the guest's page tables nor its being loaded.
 */
#include "domain/domain.h"
#include "domain/guest_access.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "mem/layout.h"

void guest_area_init(struct guest_area *a)
{
	spin_lock_init(&a->lock, LOCK_AREA);
}

static void put_frames(const mfn_t mfn[2])
{
	for (unsigned int i = 0; i < 2; i++)
		if (!mfn_eq(mfn[i], INVALID_MFN))
			put_guest_frame(mfn[i], true);
}

/* The new frames are in place, and nobody writes to the old ones, before these
 * go. */
static void replace(struct guest_area *a, const mfn_t new[2], uint16_t offset,
		    uint16_t size)
{
	unsigned long flags = spin_lock_irqsave(&a->lock);
	const mfn_t old[2] = {a->mfn[0], a->mfn[1]};
	bool was = a->size;

	a->mfn[0] = new[0];
	a->mfn[1] = new[1];
	a->offset = offset;
	WRITE_ONCE(a->size, size);
	spin_unlock_irqrestore(&a->lock, flags);
	if (was)
		put_frames(old);
}

void guest_area_release(struct guest_area *a)
{
	const mfn_t none[2] = {INVALID_MFN, INVALID_MFN};

	replace(a, none, 0, 0);
}

/* Memory of the domain's own: what it has mapped of another's it may lose. */
static mfn_t hold_own(struct vcpu *v, uint64_t va)
{
	enum p2m_type type;
	gfn_t gfn;
	mfn_t mfn;

	if (!v->domain->kind->va_to_gfn(v, va, &gfn))
		return INVALID_MFN;
	mfn = get_guest_frame(v->domain, gfn, true, &type);
	if (!mfn_eq(mfn, INVALID_MFN) && !p2m_is_ram(type)) {
		put_guest_frame(mfn, true);
		mfn = INVALID_MFN;
	}
	return mfn;
}

int guest_area_register(struct vcpu *v, struct guest_area *a, uint64_t va,
			size_t size)
{
	mfn_t new[2] = {INVALID_MFN, INVALID_MFN};
	unsigned int offset = va & ~PAGE_MASK;

	for (unsigned int i = 0; i < 2; i++) {
		if (i && offset + size <= PAGE_SIZE)
			break;
		new[i] = hold_own(v, (va & PAGE_MASK) + i * PAGE_SIZE);
		if (mfn_eq(new[i], INVALID_MFN)) {
			put_frames(new);
			return -EFAULT;
		}
	}
	replace(a, new, (uint16_t)offset, (uint16_t)size);
	return 0;
}

/* The lock is held. */
static void write_locked(const struct guest_area *a, size_t offset,
			 const void *src, size_t len)
{
	const char *from = src;

	offset += a->offset;
	while (len) {
		size_t in = offset & ~PAGE_MASK;
		size_t n = min(len, PAGE_SIZE - in);

		memcpy((char *)mfn_to_virt(a->mfn[offset >> PAGE_SHIFT]) + in,
		       from, n);
		offset += n;
		from += n;
		len -= n;
	}
}

void guest_area_write(struct guest_area *a, size_t offset, const void *src,
		      size_t len)
{
	unsigned long flags;

	if (!READ_ONCE(a->size))
		return;
	flags = spin_lock_irqsave(&a->lock);
	if (a->size)
		write_locked(a, offset, src, len);
	spin_unlock_irqrestore(&a->lock, flags);
}

/* Once in a vCPU's life. The lock is held. */
static void use_info(struct vcpu *v, mfn_t mfn, struct vcpu_info *new)
{
	struct vcpu_info *old = v->info;

	if (old) {
		memcpy(new, old, sizeof(*new));
	} else {
		memset(new, 0, sizeof(*new));
		new->evtchn_upcall_mask = 1;
	}
	v->info_mfn = mfn;
	smp_wmb();
	WRITE_ONCE(v->info, new);
}

int vcpu_move_info(struct vcpu *v, gfn_t gfn, unsigned int offset)
{
	struct domain *d = v->domain;
	mfn_t mfn;
	bool ok;

	if (offset > PAGE_SIZE - sizeof(struct vcpu_info) || offset & 7)
		return -EINVAL;
	if (v != current && READ_ONCE(v->online))
		return -EINVAL;
	mfn = d->kind->translated ? p2m_lookup(&d->p2m, gfn, NULL, NULL)
				  : _mfn(gfn_x(gfn));
	if (!get_page_and_type(mfn, d->id, FRAME_WRITABLE))
		return -EINVAL;
	spin_lock(&d->lock);
	ok = mfn_eq(v->info_mfn, INVALID_MFN);
	if (ok)
		use_info(v, mfn, (void *)((char *)mfn_to_virt(mfn) + offset));
	spin_unlock(&d->lock);
	if (!ok) {
		put_page_and_type(mfn);
		return -EINVAL;
	}
	smp_mb();
	/* What was sent to the old place meanwhile is looked for again. */
	for (unsigned int i = 0; domain_parts[i]; i++)
		if (domain_parts[i]->vcpu_moved)
			domain_parts[i]->vcpu_moved(v);
	vcpu_update_time(v);
	return 0;
}
