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

void guest_area_release(struct guest_area *a)
{
	struct guest_area old = *a;

	if (!old.size)
		return;
	a->size = 0;
	for (unsigned int i = 0; i < 2; i++)
		if (!mfn_eq(old.mfn[i], INVALID_MFN))
			put_guest_frame(old.mfn[i], true);
}

int guest_area_register(struct vcpu *v, struct guest_area *a, uint64_t va,
			size_t size)
{
	struct guest_area new = {.mfn = {INVALID_MFN, INVALID_MFN},
				 .offset = va & ~PAGE_MASK,
				 .size = (uint16_t)size};

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t page = (va & PAGE_MASK) + i * PAGE_SIZE;
		gfn_t gfn;

		if (i && new.offset + size <= PAGE_SIZE)
			break;
		if (v->domain->kind->va_to_gfn(v, page, &gfn))
			new.mfn[i] =
				get_guest_frame(v->domain, gfn, true, NULL);
		if (mfn_eq(new.mfn[i], INVALID_MFN)) {
			guest_area_release(&new);
			return -EFAULT;
		}
	}
	guest_area_release(a);
	*a = new;
	return 0;
}

void guest_area_write(const struct guest_area *a, size_t offset,
		      const void *src, size_t len)
{
	const char *from = src;

	if (!a->size)
		return;
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

int vcpu_move_info(struct vcpu *v, gfn_t gfn, unsigned int offset)
{
	struct domain *d = v->domain;
	struct vcpu_info *old = v->info, *new;
	mfn_t mfn;

	if (offset > PAGE_SIZE - sizeof(*new) || offset & 7)
		return -EINVAL;
	if (!mfn_eq(v->info_mfn, INVALID_MFN))
		return -EINVAL;
	if (v != current && READ_ONCE(v->online))
		return -EINVAL;
	mfn = d->kind->translated ? p2m_lookup(&d->p2m, gfn, NULL, NULL)
				  : _mfn(gfn_x(gfn));
	if (!get_page_and_type(mfn, d->id, FRAME_WRITABLE))
		return -EINVAL;
	new = (struct vcpu_info *)((char *)mfn_to_virt(mfn) + offset);
	if (old) {
		memcpy(new, old, sizeof(*new));
	} else {
		memset(new, 0, sizeof(*new));
		new->evtchn_upcall_mask = 1;
	}
	v->info_mfn = mfn;
	smp_wmb();
	WRITE_ONCE(v->info, new);
	smp_mb();
	/* What was sent to the old place meanwhile is looked for again. */
	for (unsigned int i = 0; domain_parts[i]; i++)
		if (domain_parts[i]->vcpu_moved)
			domain_parts[i]->vcpu_moved(v);
	vcpu_update_time(v);
	return 0;
}
