/* SPDX-License-Identifier: MIT */
/*
 * One entry of version 1: the granter writes it, we set its "reading" and
 * "writing" bits with compare-and-swap while somebody uses the frame
 * (public/grant_table.h, "GRANT TABLE REPRESENTATION").
 *
 * The first use fixes the user and the frame; what the granter writes into the
 * entry afterwards changes nothing until the last use has ended.
 */
#include "domain/guest_access.h"
#include "grant/table.h"
#include "lib/errno.h"
#include "mem/frame_word.h"

/* A guest can change its entry faster than we can compare and swap. */
#define ENTRY_TRIES 5

/* Flags and user of an entry in one word. */
static uint32_t entry_word(uint16_t flags, domid_t user)
{
	return flags | (uint32_t)user << 16;
}

/* Sets the bits in the entry, if it says (or said, when it was pinned) that
 * user may. */
static inline int mark_entry(struct grant_entry_v1 *e, bool pinned,
			     domid_t user, bool readonly)
{
	uint32_t *word = (uint32_t *)(void *)e, old = atomic_read(word);
	uint32_t bits = GTF_reading | (readonly ? 0 : GTF_writing);

	for (int i = 0; i < ENTRY_TRIES; i++) {
		if (!pinned && (old & entry_word(GTF_type_mask | GTF_sub_page,
						 UINT16_MAX)) !=
				       entry_word(GTF_permit_access, user))
			return GNTST_general_error;
		if (!readonly && (old & GTF_readonly))
			return GNTST_general_error;
		if (atomic_cas(word, &old, old | bits))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

/* Clears what no use needs any more; a use that was readonly has ended. */
static inline void unmark_entry(struct grant_entry_v1 *e, const struct pin *p,
				bool readonly)
{
	uint16_t bits = pin_used(p) ? 0 : GTF_reading;

	if (!readonly && !pin_writes(p))
		bits |= GTF_writing;
	if (bits)
		atomic_and(&e->flags, (uint16_t)~bits);
}

/* A frame that was held before: it exists. */
static inline bool hold(const struct domain *granter, mfn_t mfn, bool readonly)
{
	return readonly ? get_page(mfn, granter->id)
			: get_writable_page(mfn, granter->id);
}

static inline void let_go(mfn_t mfn, bool readonly)
{
	uint64_t w = READ_ONCE(frame_table[mfn_x(mfn)].word);

	if (likely(!readonly && word_type(w) == FRAME_WRITABLE))
		put_writable_page(mfn);
	else
		put_guest_frame(mfn, !readonly);
}

/* The frame that gfn is, looked up and held, and noted in the pin. */
static __attribute__((noinline)) int hold_looked_up(struct domain *granter,
						    struct pin *p, gfn_t gfn,
						    bool readonly, mfn_t *mfn)
{
	uint64_t generation = READ_ONCE(granter->p2m.ram_left);
	enum p2m_type type;

	/* The generation is read first: what is looked up may be newer. */
	smp_rmb();
	*mfn = get_guest_frame(granter, gfn, !readonly, &type);
	if (mfn_eq(*mfn, INVALID_MFN))
		return GNTST_bad_page;
	/* Only its own memory is a domain's to grant. */
	if (!p2m_is_ram(type)) {
		put_guest_frame(*mfn, !readonly);
		return GNTST_bad_page;
	}
	p->mfn = *mfn;
	p->gfn = (uint32_t)gfn_x(gfn);
	p->generation = type == P2M_RAM_RW ? generation : NOT_PLAIN;
	return GNTST_okay;
}

/* The frame that the entry names, held; the pin, which nobody uses, has it. */
static inline int hold_named(struct domain *granter,
			     const struct grant_entry_v1 *e, struct pin *p,
			     bool readonly, mfn_t *mfn)
{
	uint32_t gfn = READ_ONCE(e->frame);

	if (likely(p->gfn == gfn &&
		   p->generation == READ_ONCE(granter->p2m.ram_left))) {
		*mfn = p->mfn;
		if (likely(hold(granter, *mfn, readonly))) {
			/* Held, it cannot leave without being counted. */
			if (p->generation == READ_ONCE(granter->p2m.ram_left))
				return GNTST_okay;
			put_guest_frame(*mfn, !readonly);
		}
	}
	return hold_looked_up(granter, p, _gfn(gfn), readonly, mfn);
}

/* The pinned frame, held once more. */
static int hold_pinned(struct domain *granter, const struct pin *p,
		       bool readonly, mfn_t *mfn)
{
	*mfn = p->mfn;
	return hold(granter, *mfn, readonly) ? GNTST_okay : GNTST_general_error;
}

static bool pin_would_overflow(const struct pin *p)
{
	return pin_count(p, PIN_HOST_RO) == UINT16_MAX ||
	       pin_count(p, PIN_HOST_RW) == UINT16_MAX ||
	       pin_count(p, PIN_DEV_RO) == UINT16_MAX ||
	       pin_count(p, PIN_DEV_RW) == UINT16_MAX;
}

/* One more of each of the counts that flags (GNTMAP_*) ask for. */
static inline uint64_t one_use(uint32_t flags)
{
	const uint32_t both = GNTMAP_host_map | GNTMAP_device_map;
	static const uint64_t one[] = {
		[GNTMAP_host_map] = 1UL << PIN_HOST_RW,
		[GNTMAP_device_map] = 1UL << PIN_DEV_RW,
		[both] = 1UL << PIN_HOST_RW | 1UL << PIN_DEV_RW,
		[GNTMAP_readonly | GNTMAP_host_map] = 1UL << PIN_HOST_RO,
		[GNTMAP_readonly | GNTMAP_device_map] = 1UL << PIN_DEV_RO,
		[GNTMAP_readonly | both] = 1UL << PIN_HOST_RO |
					   1UL << PIN_DEV_RO,
	};

	return one[flags & (GNTMAP_readonly | both)];
}

/* The first use fixes user and frame. Lock held. */
static inline int use_first(struct grant_use *u, struct grant_entry_v1 *e,
			    struct pin *p, bool readonly)
{
	int err = mark_entry(e, false, u->user, readonly);

	if (unlikely(err))
		return err;
	err = hold_named(u->granter, e, p, readonly, &u->mfn);
	if (unlikely(err)) {
		unmark_entry(e, p, readonly);
		return err;
	}
	p->user = u->user;
	return GNTST_okay;
}

static __attribute__((noinline)) int use_again(struct grant_use *u,
					       struct grant_entry_v1 *e,
					       struct pin *p, bool readonly)
{
	int err = GNTST_okay;

	if (p->user != u->user || pin_would_overflow(p))
		return GNTST_general_error;
	if (!readonly && !pin_writes(p))
		err = mark_entry(e, true, u->user, readonly);
	if (err)
		return err;
	err = hold_pinned(u->granter, p, readonly, &u->mfn);
	if (err)
		unmark_entry(e, p, readonly);
	return err;
}

/* Lock held. */
static inline int use_locked(struct grant_table *t, struct grant_use *u)
{
	bool readonly = u->flags & GNTMAP_readonly;
	struct grant_entry_v1 *e;
	struct pin *p;
	int err;

	if (u->ref >= grant_entries(t))
		return GNTST_bad_gntref;
	e = grant_entry(t, u->ref);
	p = grant_pin(t, u->ref);
	err = likely(!pin_used(p)) ? use_first(u, e, p, readonly)
				   : use_again(u, e, p, readonly);
	if (likely(!err))
		p->uses += one_use(u->flags);
	return err;
}

int grant_use(struct grant_use *u)
{
	struct grant_table *t = u->granter->grants;
	int err;

	spin_lock(&t->lock);
	err = use_locked(t, u);
	spin_unlock(&t->lock);
	return err;
}

void grant_unuse(const struct grant_use *u, uint32_t flags, bool last)
{
	bool readonly = u->flags & GNTMAP_readonly;
	struct grant_table *t = u->granter->grants;
	struct pin *p;

	/* The frame first: the entry's bits tell the granter that he may use
	 * it for other things. */
	if (last)
		let_go(u->mfn, readonly);
	spin_lock(&t->lock);
	p = grant_used_pin(t, u->ref);
	p->uses -= one_use(flags | (u->flags & GNTMAP_readonly));
	unmark_entry(grant_used_entry(t, u->ref), p, readonly);
	spin_unlock(&t->lock);
}
