/* SPDX-License-Identifier: MIT */
/*
 * Memory for the hypervisor and for domains. Pages come from one buddy
 * allocator (LOCK_HEAP); objects smaller than a page from the heap on top.
 * Every function may be called with interrupts on, none from an interrupt.
 */
#ifndef OSTLER_MEM_ALLOC_H
#define OSTLER_MEM_ALLOC_H

#include "lib/types.h"

#define MAX_ORDER 18 /* 1 GiB */

/* Flags of alloc_pages(). */
#define ALLOC_ZERO BIT(0) /* cleared */
#define ALLOC_UNCLEARED                                                        \
	BIT(2)                /* domain pages: dom0's, or overwritten at once */
#define ALLOC_BELOW_4G BIT(1) /* for devices with 32-bit addresses */

/*
 * 2^order frames, aligned to their size, owned by DOMID_XEN with one reference,
 * or INVALID_MFN. Free them with free_pages() of the same order.
 */
mfn_t alloc_pages(unsigned int order, unsigned int flags);
void free_pages(mfn_t mfn, unsigned int order);

/* One page of the hypervisor's own, by address; NULL if there is none. */
void *alloc_page_virt(unsigned int flags);
void free_page_virt(void *p);

/*
 * 2^order frames without owner, to be handed to a domain with frame_assign()
 * (mem/frame.h); never the last few, which are kept for ourselves. Cleared,
 * whatever stood there before, unless ALLOC_UNCLEARED says otherwise.
 */
mfn_t alloc_domain_pages(unsigned int order, unsigned int flags);
void free_domain_pages(mfn_t mfn, unsigned int order);
/* The very frames from mfn on; false unless all of them are free. */
bool alloc_domain_pages_at(mfn_t mfn, unsigned int order, unsigned int flags);

/* Pages free, pages in all (of RAM that the loader gave), in 4 KiB. */
uint64_t free_page_count(void);
uint64_t total_page_count(void);
/* Pages that alloc_pages() gave and that are not freed. */
uint64_t own_page_count(void);

/* Objects: aligned to 16 bytes; NULL when memory is short. */
void *xmalloc(size_t size);
void *xzalloc(size_t size);
void xfree(void *p);
#define xnew(type)          ((type *)xzalloc(sizeof(type)))
#define xnew_array(type, n) ((type *)xzalloc_array(sizeof(type), n))
/* NULL as well if size * n does not fit. */
void *xzalloc_array(size_t size, size_t n);

#endif
