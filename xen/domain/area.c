/* SPDX-License-Identifier: MIT */
/*
 * Areas: structures in a guest's memory that we keep writing to (runstate,
 * time). Their frames are held from registration on, so that a write needs
 * neither the guest's page tables nor its being loaded.
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
