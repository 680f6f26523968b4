/* SPDX-License-Identifier: MIT */
/*
 * Frames: every 4 KiB of RAM has one owner, a reference count, and a type with
 * a type count (docs/memory.md). The whole state is one 64-bit word, changed
 * only by compare-and-swap, so that no state is ever half seen; at 8 bytes a
 * frame a 4 GiB machine needs 8 MiB.
 *
 *   count    references of any kind; the frame is freed when the last one goes
 *   type     what the frame may be used as while its type count is not zero
 *   "allocated" is the owner's own reference, dropped once, by frame_release().
 *
 * All functions may be called from any context and take no lock, but for the
 * last put, which frees (LOCK_PAGES, LOCK_HEAP).
 */
#ifndef OSTLER_MEM_FRAME_H
#define OSTLER_MEM_FRAME_H

#include "lib/types.h"
#include <xen/xen.h>

enum frame_type {
	FRAME_NONE,     /* no type: nobody has it writable or as a table */
	FRAME_WRITABLE, /* mapped writable somewhere */
	FRAME_L1,       /* PV page tables */
	FRAME_L2,
	FRAME_L3,
	FRAME_L4,
	FRAME_SEGDESC, /* PV descriptor tables */
	FRAME_SHARED,  /* hypervisor page given to a domain (shared info, grant
			  table, vcpu info ...): maps in guests, never freed by
			  a guest, type never changes */
	FRAME_IOMMU,   /* IOMMU tables */
};

struct frame {
	uint64_t word;
};

#define FRAME_COUNT_SHIFT  0  /* 20 bits */
#define FRAME_TCOUNT_SHIFT 20 /* 20 bits */
#define FRAME_COUNT_MAX    (BIT(20) - 1)
#define FRAME_TYPE_SHIFT   40      /* 4 bits */
#define FRAME_VALIDATED    BIT(44) /* type checks are complete */
#define FRAME_PINNED       BIT(45) /* PV: type held by MMUEXT_PIN */
#define FRAME_ALLOCATED    BIT(46) /* the owner's own reference exists */
#define FRAME_PARTIAL      BIT(47) /* PV: validation under way */
#define FRAME_BROKEN       BIT(48)
#define FRAME_OWNER_SHIFT  49 /* 15 bits: a domid_t; DOMID_XEN: ourselves */

/* True if the frame is RAM that we manage (not a hole, not a device). */
bool mfn_valid(mfn_t mfn);
/* The highest frame of RAM. */
mfn_t max_mfn(void);
struct frame *mfn_to_frame(mfn_t mfn);
mfn_t frame_to_mfn(const struct frame *f);
domid_t frame_owner(mfn_t mfn);
enum frame_type frame_type(mfn_t mfn);
unsigned int frame_count(mfn_t mfn);
unsigned int frame_type_count(mfn_t mfn);
bool frame_is_allocated(mfn_t mfn);

/*
 * Takes a reference on a frame that belongs to owner. False (nothing held) if
 * it is not RAM, is free, belongs to someone else, or has too many references.
 */
bool __must_check get_page(mfn_t mfn, domid_t owner);
/* The same whoever owns it; *owner tells. Not for free or our own frames. */
bool __must_check get_page_any(mfn_t mfn, domid_t *owner);
void put_page(mfn_t mfn);

/*
 * A reference plus a type reference. Only FRAME_WRITABLE and FRAME_NONE here;
 * pv/ has the table types. Fails if the type is another with a count, or
 * FRAME_SHARED (get_page() is enough to map those).
 */
bool __must_check get_page_and_type(mfn_t mfn, domid_t owner,
				    enum frame_type t);
void put_page_and_type(mfn_t mfn);
bool __must_check get_page_type(mfn_t mfn, enum frame_type t);
void put_page_type(mfn_t mfn);

/*
 * 2^order frames from alloc_domain_pages() become owner's, each with one
 * reference, FRAME_ALLOCATED. The caller has charged them to the domain.
 */
void frame_assign(mfn_t mfn, unsigned int order, domid_t owner);
/*
 * Drops the owner's own reference, once: false if somebody did before. The
 * frame is freed when all other references have gone, too.
 */
bool frame_release(mfn_t mfn, domid_t owner);

/*
 * Gives one of our own pages (alloc_page_virt()) to a domain to map: owner
 * becomes the domain, type FRAME_SHARED, and our one reference stays.
 * frame_unshare() drops that reference, and nobody gets another; the page is
 * freed to us, uncounted by frame_freed, at once or when the last who maps it
 * lets go.
 */
void frame_share(mfn_t mfn, domid_t owner);
void frame_unshare(mfn_t mfn);

/*
 * Called when a domain's frame has been freed, so that domain/ can account it.
 * Set once at boot.
 */
extern void (*frame_freed)(domid_t owner, unsigned int order);

#endif
