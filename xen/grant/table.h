/* SPDX-License-Identifier: MIT */
/*
 * A domain's grant table, as the files of grant/ see it: what it grants (the
 * entries it shares with us, and who uses them), and what it has mapped.
 */
#ifndef OSTLER_GRANT_TABLE_H
#define OSTLER_GRANT_TABLE_H

#include "domain/guest_access.h"
#include "grant/grant.h"
#include "lib/errno.h"

#define ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(struct grant_entry_v1))

/*
 * Who uses an entry, and the frame that it stood for when that began. It stands
 * for the same the next time, too, if it names the same gfn and nothing has
 * left the granter's p2m since (struct p2m, ram_left).
 */
struct pin {
	uint64_t uses; /* four counts, see below */
	mfn_t mfn;
	uint64_t generation; /* NOT_PLAIN: no plain memory, look again */
	uint32_t gfn;
	domid_t user;
};
#define NOT_PLAIN     UINT64_MAX
#define PINS_PER_PAGE (PAGE_SIZE / sizeof(struct pin))

/* 16 bits each: read-only and writable mappings by CPUs (and copies under way),
 * the same by devices. */
#define PIN_HOST_RO 0
#define PIN_HOST_RW 16
#define PIN_DEV_RO  32
#define PIN_DEV_RW  48
#define PIN_WRITES  (0xffffUL << PIN_HOST_RW | 0xffffUL << PIN_DEV_RW)

static inline uint16_t pin_count(const struct pin *p, unsigned int shift)
{
	return (uint16_t)(p->uses >> shift);
}
static inline bool pin_writes(const struct pin *p)
{
	return p->uses & PIN_WRITES;
}
static inline bool pin_used(const struct pin *p)
{
	return p->uses;
}

/*
 * What a handle stands for. It holds one reference on the frame (a writable one
 * unless GNTMAP_readonly) and one on the granter. Nobody else changes a handle
 * that is being made; who looks at it takes it for a free one until it has a
 * granter.
 */
struct mapping {
	struct domain *granter; /* NULL: the handle is free */
	mfn_t mfn;
	uint32_t ref;   /* free: the next free handle */
	uint32_t flags; /* GNTMAP_*; neither host nor device: being unmapped */
};
#define MAPPINGS_PER_PAGE (PAGE_SIZE / sizeof(struct mapping))
#define NO_HANDLE         UINT32_MAX

struct grant_table {
	spinlock_t lock; /* LOCK_GRANT */

	uint32_t nr_frames, max_frames;
	struct grant_entry_v1 **shared; /* by frame */
	struct pin **pins;              /* by page */

	uint32_t nr_handles;   /* that have a struct mapping */
	uint32_t max_maptrack; /* pages */
	uint32_t free_handle;
	uint32_t mapped;           /* handles in use */
	struct mapping **maptrack; /* by page; NULL until the first */
	uint32_t release_next;
};

/* entry.c: one use of entry ref by domain user, GNTMAP_* flags saying how. */
struct grant_use {
	struct domain *granter;
	domid_t user;
	uint32_t ref, flags;
	mfn_t mfn; /* held: a reference, a writable one unless readonly */
};
/* GNTST_*; u->mfn is filled and held. Takes the granter's lock. */
int grant_use(struct grant_use *u);
/* Ends it; what of flags is set (host, device) ends, the frame is let go if
 * last. Takes the granter's lock. */
void grant_unuse(const struct grant_use *u, uint32_t flags, bool last);

static inline uint32_t grant_entries(const struct grant_table *t)
{
	return t->nr_frames * (uint32_t)ENTRIES_PER_FRAME;
}
/* The shared entry and its pin; ref is in use, lock held. */
static inline struct grant_entry_v1 *grant_used_entry(struct grant_table *t,
						      uint32_t ref)
{
	return &t->shared[ref / ENTRIES_PER_FRAME][ref % ENTRIES_PER_FRAME];
}
static inline struct pin *grant_used_pin(struct grant_table *t, uint32_t ref)
{
	return &t->pins[ref / PINS_PER_PAGE][ref % PINS_PER_PAGE];
}
/* The same of a ref that somebody named: it is below the table's end. */
static inline struct grant_entry_v1 *grant_entry(struct grant_table *t,
						 uint32_t ref)
{
	return grant_used_entry(t,
				(uint32_t)index_nospec(ref, grant_entries(t)));
}
static inline struct pin *grant_pin(struct grant_table *t, uint32_t ref)
{
	return grant_used_pin(t, (uint32_t)index_nospec(ref, grant_entries(t)));
}
/* table.c: makes the table at least that long. Lock held. -ENOMEM, -EINVAL:
 * above the limit. */
int grant_grow(struct domain *d, uint32_t frames);

/* maptrack.c; the first two take the lock. A free handle, without a granter
 * yet, or NULL. */
struct mapping *mapping_new(struct grant_table *t, uint32_t *handle);
void mapping_free(struct grant_table *t, uint32_t handle, struct mapping *m);
/* Without the lock, which the caller holds: NULL if it is not in use. */
static inline struct mapping *mapping_at(struct grant_table *t, uint32_t handle)
{
	return &t->maptrack[handle / MAPPINGS_PER_PAGE]
			   [handle % MAPPINGS_PER_PAGE];
}
static inline struct mapping *mapping_get(struct grant_table *t,
					  uint32_t handle)
{
	struct mapping *m;

	if (handle >= t->nr_handles)
		return NULL;
	m = mapping_at(t, (uint32_t)index_nospec(handle, t->nr_handles));
	return m->granter ? m : NULL;
}
void maptrack_destroy(struct grant_table *t);

/*
 * The operations on an array of count elements at uop: 0, an error, or
 * -ERESTART from grant_give_way(), which has the rest done later.
 */
typedef long grant_array_fn(struct vcpu *v, uint64_t uop, uint32_t count);
grant_array_fn grant_map_array, grant_unmap_array, grant_replace_array;
grant_array_fn grant_copy_array;
grant_array_fn grant_swap_array, grant_transfer_array, grant_flush_array;
long grant_give_way(struct vcpu *v, uint64_t uop, uint32_t count);

/* The next n elements, which are few; an address that wraps is none. */
static inline int grant_copy_in(void *op, uint64_t uop, uint32_t n, size_t size)
{
	if (unlikely(uop + n * size < uop))
		return -EFAULT;
	return copy_from_guest(op, uop, n * size);
}

#endif
