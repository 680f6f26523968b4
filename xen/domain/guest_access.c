/* SPDX-License-Identifier: MIT */
/*
 * The one place where a guest's addresses become the hypervisor's.
 */
#include "domain/guest_access.h"

#include "domain/log_dirty.h"

#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/frame_word.h"
#include "mem/layout.h"

/* The widened argument, all of it from va on; NULL: va is the guest's. */
static inline void *compat_arg(const struct vcpu *v, uint64_t va, size_t len)
{
	uint64_t offset = va - COMPAT_VA;

	/* READ_ONCE: one comparison with 0, which it mostly is. */
	if (likely(!READ_ONCE(v->compat_size)) || offset >= v->compat_size)
		return NULL;
	return len <= v->compat_size - offset ? (char *)v->compat_arg + offset
					      : NULL;
}

int copy_from_guest(void *dst, uint64_t va, size_t len)
{
	struct vcpu *v = current;
	const void *arg = compat_arg(v, va, len);

	if (unlikely(arg)) {
		memcpy(dst, arg, len);
		return 0;
	}
	return v->domain->kind->copy_from_guest(v, dst, va, len);
}

int copy_to_guest(uint64_t va, const void *src, size_t len)
{
	struct vcpu *v = current;
	void *arg = compat_arg(v, va, len);

	if (unlikely(arg)) {
		memcpy(arg, src, len);
		return 0;
	}
	return v->domain->kind->copy_to_guest(v, va, src, len);
}

/* Bytes from the array's start to element first and the bytes in n elements;
 * false if either is not a 64-bit number of bytes after va. */
static bool array_range(uint64_t *va, uint64_t first, size_t n, size_t size,
			size_t *len)
{
	uint64_t offset;

	return !__builtin_mul_overflow(first, size, &offset) &&
	       !__builtin_mul_overflow(n, size, len) &&
	       !__builtin_add_overflow(*va, offset, va) && *va + *len >= *va;
}

int copy_array_from_guest(void *dst, uint64_t va, uint64_t first, size_t n,
			  size_t size)
{
	size_t len;

	if (!array_range(&va, first, n, size, &len))
		return -EFAULT;
	return copy_from_guest(dst, va, len);
}

int copy_array_to_guest(uint64_t va, uint64_t first, const void *src, size_t n,
			size_t size)
{
	size_t len;

	if (!array_range(&va, first, n, size, &len))
		return -EFAULT;
	return copy_to_guest(va, src, len);
}

static bool hold_frame(mfn_t mfn, domid_t owner, bool write)
{
	if (!write)
		return get_page(mfn, owner);
	if (unlikely(!frame_exists(mfn_x(mfn))))
		return false;
	if (likely(get_writable_page(mfn, owner)))
		return true;
	/* Hypervisor pages have one type for good: a reference is enough. */
	if (!get_page(mfn, owner))
		return false;
	if (frame_type(mfn) == FRAME_SHARED)
		return true;
	put_page(mfn);
	return false;
}

/*
 * What the p2m maps of others it holds, but only as long as it does: another
 * CPU may have let go of the frame since the look, and it may be anybody's.
 * Held, it is what was looked for if it is there still. In a domain that ends
 * entries may be left of what is held no more.
 */
static __attribute__((noinline)) bool
hold_others(struct domain *d, gfn_t gfn, mfn_t mfn, enum p2m_type t, bool write)
{
	enum p2m_type still;
	domid_t owner;
	bool ok;

	if (READ_ONCE(d->dying) != DOMDYING_ALIVE || !get_page_any(mfn, &owner))
		return false;
	ok = hold_frame(mfn, owner, write);
	put_page(mfn);
	if (!ok)
		return false;
	if (mfn_eq(p2m_lookup(&d->p2m, gfn, &still, NULL), mfn) && still == t)
		return true;
	put_guest_frame(mfn, write);
	return false;
}

mfn_t get_guest_frame(struct domain *d, gfn_t gfn, bool write,
		      enum p2m_type *type)
{
	enum p2m_type t = P2M_RAM_RW;
	mfn_t mfn = _mfn(gfn_x(gfn));
	bool ok;

	if (d->kind->translated) {
		mfn = p2m_lookup(&d->p2m, gfn, &t, NULL);
		if (!p2m_is_readable(t) || (write && !p2m_is_writable(t)))
			return INVALID_MFN;
	}
	if (unlikely(t == P2M_FOREIGN || p2m_is_grant(t)))
		ok = hold_others(d, gfn, mfn, t, write);
	else
		ok = hold_frame(mfn, d->id, write);
	if (!ok)
		return INVALID_MFN;
	if (write && p2m_is_ram(t))
		log_dirty_note(d, gfn);
	if (type)
		*type = t;
	return mfn;
}

void put_guest_frame(mfn_t mfn, bool write)
{
	/* It is held, so it has a word. */
	if (write &&
	    word_type(READ_ONCE(mfn_to_frame(mfn)->word)) != FRAME_SHARED)
		put_writable_page(mfn);
	else
		put_page(mfn);
}

static int copy_gpa(struct domain *d, void *buf, gpa_t gpa, size_t len,
		    bool write)
{
	char *p = buf;

	while (len) {
		size_t offset = gpa & ~PAGE_MASK;
		size_t n = min(len, PAGE_SIZE - offset);
		mfn_t mfn = get_guest_frame(d, gpa_to_gfn(gpa), write, NULL);
		char *page;

		if (mfn_eq(mfn, INVALID_MFN))
			return -EFAULT;
		page = (char *)mfn_to_virt(mfn) + offset;
		if (write)
			memcpy(page, p, n);
		else
			memcpy(p, page, n);
		put_guest_frame(mfn, write);
		gpa += n;
		p += n;
		len -= n;
	}
	return 0;
}

int copy_from_gpa(struct domain *d, void *dst, gpa_t gpa, size_t len)
{
	return copy_gpa(d, dst, gpa, len, false);
}

int copy_to_gpa(struct domain *d, gpa_t gpa, const void *src, size_t len)
{
	return copy_gpa(d, (void *)(uintptr_t)src, gpa, len, true);
}
