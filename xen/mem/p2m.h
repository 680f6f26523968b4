/* SPDX-License-Identifier: MIT */
/*
 * A guest's physical memory: the nested page tables, one walker for NPT and
 * EPT; the vendor gives the entry format. Leaves of 4 KiB, 2 MiB and 1 GiB,
 * split when a part changes, merged when it pays. Lookups take no lock (tables
 * are freed only after every CPU has left them, at domain death); changes take
 * p2m->lock (LOCK_P2M). Invalidations are collected and sent by p2m_flush().
 *
 * The p2m holds no page references of its own for a domain's own RAM (the
 * "allocated" reference covers it); for foreign and grant entries whoever
 * enters them passes in a reference, which removal hands back.
 */
#ifndef OSTLER_MEM_P2M_H
#define OSTLER_MEM_P2M_H

#include "lib/lock.h"
#include "lib/types.h"
#include <xen/xen.h>

enum p2m_type {
	P2M_NONE,         /* nothing there */
	P2M_RAM_RW,       /* the domain's own memory */
	P2M_RAM_RO,       /* … read-only (ROMs) */
	P2M_RAM_LOGDIRTY, /* … write-protected to note writes */
	P2M_MMIO_DIRECT,  /* a device's registers, given to the domain */
	P2M_MMIO_DM,      /* emulated: by us or by a device model */
	P2M_SHARED,       /* a hypervisor page: shared info, grant table … */
	P2M_FOREIGN,      /* another domain's page (XENMAPSPACE_gmfn_foreign) */
	P2M_GRANT_RW,     /* granted by another domain */
	P2M_GRANT_RO,
	P2M_TYPES,
};

static inline bool p2m_is_ram(enum p2m_type t)
{
	return t == P2M_RAM_RW || t == P2M_RAM_RO || t == P2M_RAM_LOGDIRTY;
}
static inline bool p2m_is_grant(enum p2m_type t)
{
	return t == P2M_GRANT_RW || t == P2M_GRANT_RO;
}
/* Types behind which stands a frame that a copy may read (or write). */
static inline bool p2m_is_readable(enum p2m_type t)
{
	return p2m_is_ram(t) || t == P2M_SHARED || t == P2M_FOREIGN ||
	       p2m_is_grant(t);
}
static inline bool p2m_is_writable(enum p2m_type t)
{
	return p2m_is_readable(t) && t != P2M_RAM_RO && t != P2M_GRANT_RO;
}

/*
 * An entry is what the hardware reads, with the type in bits 52 to 55, which
 * both vendors leave to software. Address (bits 12 to 51) and page-size bit (7)
 * are where both have them, so a lookup needs no vendor; the vendor's format
 * says which permission and memory-type bits go with a type.
 */
#define P2M_TYPE_SHIFT 52
#define P2M_TYPE_TABLE 15UL /* in the type field: points to a lower table */
#define P2M_ADDR_MASK  GENMASK(51, 12)
#define P2M_PS         BIT(7)

/* Level 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB. */
struct p2m_format {
	const char *name;
	/* Bits of a leaf other than address, PS and type, of 4 KiB and of more.
	 * 0: not present. */
	uint64_t leaf_bits[2][P2M_TYPES];
	uint64_t table_bits;
	/* What the processor sets in an entry before it remembers what that
	 * maps; 0: nothing. A leaf has it from the start, or it is of use that
	 * it has not. */
	uint64_t accessed;
	unsigned int max_leaf_level;
};

struct p2m {
	spinlock_t lock;
	const struct p2m_format *fmt;
	mfn_t root;
	domid_t domid;
	/* Pages that tables take, and may take (0: as many as there are). A
	 * guest needs no memory to have some made: the same page may be at any
	 * number of places, each in a table of its own. */
	uint64_t tables, max_tables;
	void *retired; /* tables replaced by larger leaves, to reuse */
	/* The table of the 512 pages where p2m_find() last was, and these
	 * pages' number; ~0: none. */
	uint64_t *near, near_pages;
	gfn_t max_gfn;               /* the highest that ever held something */
	uint64_t entries[P2M_TYPES]; /* 4 KiB pages by type */
	/* Counts the changes to what a TLB may hold, under the lock; how many
	 * of them every CPU has forgotten. */
	uint64_t changes, flushed;
	/* Counts what was RAM and is no more: pointers to RAM that were looked
	 * up before are to be looked up again. */
	uint64_t ram_left;
	bool closed; /* its domain gives up what it has: nothing comes in */
	void (*flush)(void *cookie); /* every CPU forgets this p2m */
	void *cookie;
};

int p2m_init(struct p2m *p, const struct p2m_format *fmt, domid_t domid,
	     void (*flush)(void *), void *cookie);
/* Frees the tables; the caller has emptied it or does not care. */
void p2m_destroy(struct p2m *p);

/*
 * What is at gfn. *type and *order (how large the leaf is: 0, 9, 18) may be
 * NULL. INVALID_MFN for nothing or MMIO_DM.
 */
mfn_t p2m_lookup(struct p2m *p, gfn_t gfn, enum p2m_type *type,
		 unsigned int *order);

/* The same, for who is about to use the frame as a processor does, without a
 * reference and with interrupts off: it counts as accessed, so that p2m_flush()
 * waits for him. */
mfn_t p2m_access(struct p2m *p, gfn_t gfn, enum p2m_type *type);

/*
 * Enters nr frames (gfn and mfn aligned or not:
 * the largest leaves that fit are used). Replaces what was there: the caller
 * has looked. 0, -ENOMEM (a part may be in; set it again or clear it), -EINVAL
 * for an address beyond the tables, -ESRCH where it is closed. mfn is ignored
 * for types without a frame. Lock held.
 */
int p2m_set(struct p2m *p, gfn_t gfn, mfn_t mfn, uint64_t nr,
	    enum p2m_type type);
/* Removes nr entries from gfn on. Lock held. */
int p2m_clear(struct p2m *p, gfn_t gfn, uint64_t nr);

/*
 * One page, looked at and then changed, with one walk for both. p2m_find() says
 * what is there (as p2m_lookup() does) and where; p2m_replace() enters mfn, or
 * with P2M_NONE removes what is there. Lock held from the one to the other.
 */
struct p2m_place {
	gfn_t gfn;
	uint64_t *slot; /* the lowest there is for gfn */
	unsigned int level;
	enum p2m_type type;
	mfn_t mfn;
};
void p2m_find(struct p2m *p, gfn_t gfn, struct p2m_place *at);
/* 0, -ENOMEM, -EINVAL, -ESRCH as p2m_set(). */
int p2m_replace(struct p2m *p, const struct p2m_place *at, mfn_t mfn,
		enum p2m_type type);
/* Sends the invalidations owed. With or without the lock. */
void p2m_flush(struct p2m *p);

static inline void p2m_lock(struct p2m *p)
{
	spin_lock(&p->lock);
}
static inline void p2m_unlock(struct p2m *p)
{
	spin_unlock(&p->lock);
}

/*
 * Walks all leaves upwards from *gfn; fn's non-zero answer ends the walk and is
 * returned, with *gfn where it stood (so that it can go on). Lock held.
 */
int p2m_walk(struct p2m *p, gfn_t *gfn,
	     int (*fn)(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type type,
		       unsigned int order, void *cookie),
	     void *cookie);

#endif
