/* SPDX-License-Identifier: MIT */
/*
 * A guest's memory. A guest may change it at any moment: copy once into a
 * local, check the local, use the local. Addresses are the calling vCPU's
 * virtual ones, as in every hypercall argument, translated by its own page
 * tables with its privilege; nothing here faults.
 */
#ifndef OSTLER_DOMAIN_GUEST_ACCESS_H
#define OSTLER_DOMAIN_GUEST_ACCESS_H

#include "domain/domain.h"

/* Where a handler finds the argument of a 32-bit guest's call, widened: no
 * guest has such an address. */
#define COMPAT_VA (1UL << 63)

/* 0 or -EFAULT (part may have been copied). */
int __must_check copy_from_guest(void *dst, uint64_t va, size_t len);
int __must_check copy_to_guest(uint64_t va, const void *src, size_t len);

/* The i-th element of an array in the guest; va + i * size cannot wrap
 * unseen. */
#define copy_elem_from_guest(dst, va, i)                                       \
	copy_array_from_guest(dst, va, i, 1, sizeof(*(dst)))
#define copy_elem_to_guest(va, i, src)                                         \
	copy_array_to_guest(va, i, src, 1, sizeof(*(src)))
int __must_check copy_array_from_guest(void *dst, uint64_t va, uint64_t first,
				       size_t n, size_t size);
int __must_check copy_array_to_guest(uint64_t va, uint64_t first,
				     const void *src, size_t n, size_t size);
#define guest_handle_va(h) ((uint64_t)(uintptr_t)(h).p)

/*
 * A domain's frame, held, by guest frame number: reference (and a writable type
 * reference if write) taken, or INVALID_MFN with nothing held. *owner is whose
 * it is (a foreign or granted page belongs to another). put_guest_frame()
 * gives both back. Memory through mfn_to_virt().
 */
mfn_t get_guest_frame(struct domain *d, gfn_t gfn, bool write,
		      enum p2m_type *type);
void put_guest_frame(mfn_t mfn, bool write);

/* Guest-physical copies, any domain. 0 or -EFAULT. */
int copy_from_gpa(struct domain *d, void *dst, gpa_t gpa, size_t len);
int copy_to_gpa(struct domain *d, gpa_t gpa, const void *src, size_t len);

#endif
