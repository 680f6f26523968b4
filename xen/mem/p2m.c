/* SPDX-License-Identifier: MIT */
/*
 * The nested page tables of a guest, one walker for both vendors.
 *
 * Lookups run without a lock against changes: an entry is one aligned word,
 * written once; a table that goes out of use is not given back to the page
 * allocator before the domain dies, only used again within the same tables.
 * A lookup that loses a race sees the old or the new frame, never another
 * domain's; whoever uses the frame takes a reference, which checks the owner.
 */
#include "mem/p2m.h"

#include "console/printk.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define LEVELS      4
#define ENTRY_TABLE (P2M_TYPE_TABLE << P2M_TYPE_SHIFT)

static inline unsigned int entry_type(uint64_t e)
{
	return (e >> P2M_TYPE_SHIFT) & 15;
}

static inline bool entry_is_table(uint64_t e)
{
	return entry_type(e) == P2M_TYPE_TABLE;
}

static inline mfn_t entry_mfn(uint64_t e)
{
	return _mfn((e & P2M_ADDR_MASK) >> PAGE_SHIFT);
}

static inline unsigned int level_order(unsigned int level)
{
	return (level - 1) * 9;
}

static inline unsigned int level_index(gfn_t gfn, unsigned int level)
{
	return (gfn_x(gfn) >> level_order(level)) & 511;
}

static inline bool type_has_frame(enum p2m_type t)
{
	return t != P2M_NONE && t != P2M_MMIO_DM;
}

static uint64_t make_leaf(const struct p2m *p, mfn_t mfn, enum p2m_type type,
			  unsigned int level)
{
	uint64_t e = (uint64_t)type << P2M_TYPE_SHIFT;

	if (!type_has_frame(type))
		return e;
	e |= mfn_to_maddr(mfn) | p->fmt->leaf_bits[level > 1][type];
	return level > 1 ? e | P2M_PS : e;
}

/*
 * Tables out of use are linked by their first words. A lookup that lost a race
 * may be about to read that as an entry, as the processor may: it is one of
 * P2M_NONE, an address and nothing else.
 */
static void *next_retired(const void *t)
{
	uint64_t link = *(const uint64_t *)t;

	return link ? maddr_to_virt(link) : NULL;
}

static void *new_table(struct p2m *p)
{
	void *t = p->retired;

	if (t) {
		p->retired = next_retired(t);
		memset(t, 0, PAGE_SIZE);
		return t;
	}
	if (p->max_tables && p->tables >= p->max_tables)
		return NULL;
	t = alloc_page_virt(ALLOC_ZERO);
	if (t)
		p->tables++;
	return t;
}

static void retire_table(struct p2m *p, void *t)
{
	if (t == p->near)
		p->near_pages = ~0UL;
	WRITE_ONCE(*(uint64_t *)t, p->retired ? virt_to_maddr(p->retired) : 0);
	p->retired = t;
}

/* Takes a subtree's leaves off the counts and retires its tables. */
static void drop_entry(struct p2m *p, uint64_t e, unsigned int level)
{
	uint64_t *t;

	if (!entry_is_table(e)) {
		p->entries[entry_type(e)] -= 1UL << level_order(level);
		return;
	}
	t = mfn_to_virt(entry_mfn(e));
	for (unsigned int i = 0; i < 512; i++)
		if (t[i])
			drop_entry(p, t[i], level - 1);
	retire_table(p, t);
}

/* The entry at level for gfn's range stops being a leaf: 512 smaller ones. */
static uint64_t *split_entry(struct p2m *p, uint64_t *slot, unsigned int level)
{
	uint64_t old = *slot;
	uint64_t *t = new_table(p);

	if (!t)
		return NULL;
	if (old)
		for (unsigned int i = 0; i < 512; i++)
			t[i] = make_leaf(
				p,
				mfn_add(entry_mfn(old),
					(uint64_t)i << level_order(level - 1)),
				entry_type(old), level - 1);
	WRITE_ONCE(*slot, mfn_to_maddr(virt_to_mfn(t)) | p->fmt->table_bits |
				  ENTRY_TABLE);
	return t;
}

/* The slot for gfn at a level, tables made on the way; NULL: out of memory. */
static uint64_t *get_slot(struct p2m *p, gfn_t gfn, unsigned int level)
{
	uint64_t *t = mfn_to_virt(p->root);

	for (unsigned int l = LEVELS; l > level; l--) {
		uint64_t *slot = &t[level_index(gfn, l)];

		if (entry_is_table(*slot))
			t = mfn_to_virt(entry_mfn(*slot));
		else
			t = split_entry(p, slot, l);
		if (!t)
			return NULL;
	}
	return &t[level_index(gfn, level)];
}

/* The entry is not old any more: after this whoever looks up RAM finds out.
 * What was never accessed no TLB has. */
static void note_change(struct p2m *p, uint64_t old)
{
	uint64_t accessed = p->fmt->accessed;
	bool table = entry_is_table(old);

	if (table ||
	    (type_has_frame(entry_type(old)) && (old & accessed) == accessed))
		WRITE_ONCE(p->changes, p->changes + 1);
	if (table || entry_type(old) == P2M_RAM_RW) {
		smp_wmb();
		WRITE_ONCE(p->ram_left, p->ram_left + 1);
	}
}

static inline void replace_entry(struct p2m *p, uint64_t *slot, uint64_t e,
				 unsigned int level)
{
	/* The processor may mark it as accessed up to this moment. */
	uint64_t old = atomic_xchg(slot, e);

	if (e)
		p->entries[entry_type(e)] += 1UL << level_order(level);
	if (!old)
		return;
	if (unlikely(entry_is_table(old)))
		drop_entry(p, old, level);
	else
		p->entries[entry_type(old)] -= 1UL << level_order(level);
	note_change(p, old);
}

/* The largest level at which both frames are aligned and nr covers a leaf. */
static unsigned int fit_level(const struct p2m *p, gfn_t gfn, mfn_t mfn,
			      uint64_t nr, bool frames)
{
	unsigned int level = p->fmt->max_leaf_level;

	for (; level > 1; level--) {
		uint64_t size = 1UL << level_order(level);
		uint64_t bits = gfn_x(gfn) | (frames ? mfn_x(mfn) : 0);

		if (!(bits & (size - 1)) && nr >= size)
			break;
	}
	return level;
}

int p2m_set(struct p2m *p, gfn_t gfn, mfn_t mfn, uint64_t nr,
	    enum p2m_type type)
{
	bool frames = type_has_frame(type);
	uint64_t limit = 1UL << (LEVELS * 9);

	if (gfn_x(gfn) >= limit || nr > limit - gfn_x(gfn))
		return -EINVAL;
	if (unlikely(p->closed) && type != P2M_NONE)
		return -ESRCH;
	while (nr) {
		unsigned int level = fit_level(p, gfn, mfn, nr, frames);
		uint64_t *slot = get_slot(p, gfn, level);
		uint64_t size = 1UL << level_order(level);

		if (!slot)
			return -ENOMEM;
		replace_entry(p, slot, make_leaf(p, mfn, type, level), level);
		gfn = gfn_add(gfn, size);
		if (frames)
			mfn = mfn_add(mfn, size);
		nr -= size;
	}
	if (frames && gfn_x(gfn) - 1 > gfn_x(p->max_gfn))
		p->max_gfn = _gfn(gfn_x(gfn) - 1);
	return 0;
}

/* The lowest entry there is for gfn, which is a table only if the lock is not
 * held and a race was lost: the page became one. */
static inline uint64_t lowest_entry(const struct p2m *p, gfn_t gfn,
				    unsigned int *level, uint64_t **slot)
{
	uint64_t *t = mfn_to_virt(p->root), e = 0;

	*level = LEVELS;
	*slot = NULL;
	if (unlikely(gfn_x(gfn) >> (LEVELS * 9)))
		return 0;
#pragma GCC unroll 4
	for (unsigned int l = LEVELS; l >= 1; l--) {
		*level = l;
		*slot = &t[level_index(gfn, l)];
		e = READ_ONCE(**slot);
		if (l == 1 || !entry_is_table(e))
			break;
		t = mfn_to_virt(entry_mfn(e));
	}
	return e;
}

/* What an entry of that level has for gfn. */
static inline mfn_t frame_in(uint64_t e, unsigned int level, gfn_t gfn)
{
	if (!type_has_frame(entry_type(e)))
		return INVALID_MFN;
	return mfn_add(entry_mfn(e),
		       gfn_x(gfn) & (BIT(level_order(level)) - 1));
}

void p2m_find(struct p2m *p, gfn_t gfn, struct p2m_place *at)
{
	uint64_t e;

	at->gfn = gfn;
	if (likely(gfn_x(gfn) / 512 == p->near_pages)) {
		at->level = 1;
		at->slot = &p->near[gfn_x(gfn) % 512];
		e = *at->slot;
	} else {
		e = lowest_entry(p, gfn, &at->level, &at->slot);
		if (at->level == 1) {
			p->near = at->slot - gfn_x(gfn) % 512;
			p->near_pages = gfn_x(gfn) / 512;
		}
	}
	at->type = entry_type(e);
	at->mfn = frame_in(e, at->level, gfn);
}

int p2m_replace(struct p2m *p, const struct p2m_place *at, mfn_t mfn,
		enum p2m_type type)
{
	/* A large leaf is split; a table that is missing is made. */
	if (unlikely(at->level > 1))
		return p2m_set(p, at->gfn, mfn, 1, type);
	if (unlikely(p->closed) && type != P2M_NONE)
		return -ESRCH;
	replace_entry(p, at->slot, make_leaf(p, mfn, type, 1), 1);
	if (type_has_frame(type) && gfn_x(at->gfn) > gfn_x(p->max_gfn))
		p->max_gfn = at->gfn;
	return 0;
}

int p2m_clear(struct p2m *p, gfn_t gfn, uint64_t nr)
{
	return p2m_set(p, gfn, INVALID_MFN, nr, P2M_NONE);
}

mfn_t p2m_lookup(struct p2m *p, gfn_t gfn, enum p2m_type *type,
		 unsigned int *order)
{
	unsigned int level;
	uint64_t *slot, e = lowest_entry(p, gfn, &level, &slot);

	if (unlikely(entry_is_table(e)))
		e = 0;
	if (type)
		*type = entry_type(e);
	if (order)
		*order = level_order(level);
	return frame_in(e, level, gfn);
}

mfn_t p2m_access(struct p2m *p, gfn_t gfn, enum p2m_type *type)
{
	uint64_t accessed = p->fmt->accessed, *slot, e;
	unsigned int level;

	/* One that changes meanwhile is looked up again. */
	do {
		e = lowest_entry(p, gfn, &level, &slot);
		if (unlikely(entry_is_table(e)))
			e = 0;
	} while (type_has_frame(entry_type(e)) && (e & accessed) != accessed &&
		 !atomic_cas(slot, &e, e | accessed));
	*type = entry_type(e);
	return frame_in(e, level, gfn);
}

void p2m_flush(struct p2m *p)
{
	uint64_t changes = READ_ONCE(p->changes), was = READ_ONCE(p->flushed);

	if (was >= changes)
		return;
	p->flush(p->cookie);
	/* Only now: another CPU that has made a change of these must not go on
	 * before all have forgotten it. */
	while (was < changes && !atomic_cas(&p->flushed, &was, changes))
		;
}

typedef int walk_fn(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		    unsigned int order, void *cookie);

static int walk_table(struct p2m *p, uint64_t *t, unsigned int level,
		      gfn_t base, gfn_t *from, walk_fn *fn, void *cookie)
{
	unsigned int i = 0;
	int rc = 0;

	if (gfn_x(*from) > gfn_x(base))
		i = level_index(*from, level);
	for (; !rc && i < 512; i++) {
		gfn_t g = gfn_add(base, (uint64_t)i << level_order(level));
		uint64_t e = t[i];

		if (entry_is_table(e)) {
			rc = walk_table(p, mfn_to_virt(entry_mfn(e)), level - 1,
					g, from, fn, cookie);
		} else if (e) {
			*from = g;
			rc = fn(p, g,
				type_has_frame(entry_type(e)) ? entry_mfn(e)
							      : INVALID_MFN,
				entry_type(e), level_order(level), cookie);
		}
	}
	return rc;
}

int p2m_walk(struct p2m *p, gfn_t *gfn, walk_fn *fn, void *cookie)
{
	return walk_table(p, mfn_to_virt(p->root), LEVELS, _gfn(0), gfn, fn,
			  cookie);
}

int p2m_init(struct p2m *p, const struct p2m_format *fmt, domid_t domid,
	     void (*flush)(void *), void *cookie)
{
	void *root;

	*p = (struct p2m){
		.lock = SPINLOCK_INIT(LOCK_P2M),
		.fmt = fmt,
		.domid = domid,
		.near_pages = ~0UL,
		.flush = flush,
		.cookie = cookie,
	};
	root = new_table(p);
	if (!root)
		return -ENOMEM;
	p->root = virt_to_mfn(root);
	return 0;
}

void p2m_destroy(struct p2m *p)
{
	uint64_t *root;

	if (!p->tables)
		return;
	root = mfn_to_virt(p->root);
	for (unsigned int i = 0; i < 512; i++)
		if (root[i])
			drop_entry(p, root[i], LEVELS);
	retire_table(p, root);
	while (p->retired) {
		void *t = p->retired;

		p->retired = next_retired(t);
		free_page_virt(t);
		p->tables--;
	}
	ASSERT(!p->tables);
}
