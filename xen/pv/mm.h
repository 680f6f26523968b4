/* SPDX-License-Identifier: MIT */
/*
 * PV page tables (docs/pv.md, "Memory"). A guest writes its own tables, in
 * machine frames, and the processor walks them as they are; so each entry is
 * checked before it is in force, and what is a table cannot be written to.
 *
 * Rules:
 *   1. A frame has type FRAME_L1 … FRAME_L4 as long as something uses it as
 *      such: an entry of a valid table one level up, a pin, a vCPU's CR3. Each
 *      use is a reference and a type reference.
 *   2. Each present entry of a valid table holds what it maps: a type reference
 *      on the table below, or on a page a reference and, if it is writable
 *      there, a FRAME_WRITABLE type reference.
 *   3. Table types of a domain's frames are taken and given back under its
 *      pv_mm_domain.lock only, so a transition is never half seen. Others
 *      (grants, foreign maps) change references and FRAME_WRITABLE without it,
 *      one compare-and-swap each.
 *   4. Before a frame becomes a table, ceases to be one, or is freed, no CPU
 *      has a translation any more that an entry gave which has been changed
 *      since: pv_flush_stale(). Others' frames are held until then. An entry of
 *      level 1 counts only if it is marked as accessed, or was.
 *   5. Making and unmaking whole trees can be long: it is a stack of positions
 *      in the vCPU (struct pv_work), which the hypercall, executed again, goes
 *      on with. A table that is in such a stack has its type but not
 *      FRAME_VALIDATED, and nobody else gets it.
 */
#ifndef OSTLER_PV_MM_H
#define OSTLER_PV_MM_H

#include "domain/domain.h"
#include "mem/frame_word.h"

#define PTE_P     BIT(0)
#define PTE_RW    BIT(1)
#define PTE_US    BIT(2)
#define PTE_PWT   BIT(3)
#define PTE_PCD   BIT(4)
#define PTE_A     BIT(5)
#define PTE_D     BIT(6)
#define PTE_PS    BIT(7) /* in a level 1 entry: PAT */
#define PTE_G     BIT(8)
#define PTE_NX    BIT(63)
#define PTE_ADDR  GENMASK(51, 12)
#define PTE_CACHE (PTE_PWT | PTE_PCD | PTE_PS)

/* What the machine-to-physical table says of frames that are nobody's. */
#define INVALID_M2P_ENTRY (~0UL)

#define PV_LEVELS  4
#define GDT_FRAMES 14

/* One table on its way to be valid, or back. Entries from 0 to next - 1 hold
 * what they map. */
struct pv_position {
	mfn_t mfn;
	uint16_t next;
	uint8_t level;
	bool down;
};

struct pv_work {
	struct pv_position at[PV_LEVELS]; /* from the tree's root */
	unsigned int depth;               /* 0: nothing under way */
	int rc;                           /* why it went down */
	/* What finished after an interruption, for the call that is executed
	 * again: a table that is held for it, or one that is none. */
	mfn_t held, failed;
	uint8_t held_level, failed_level;
	int failed_rc; /* rc of later work is another */
};

/* Nothing is under way, or was. */
static inline bool pv_work_is_idle(const struct pv_work *w)
{
	return !w->depth && !~(mfn_x(w->held) & mfn_x(w->failed));
}

static inline void pv_work_init(struct pv_work *w)
{
	w->held = w->failed = INVALID_MFN;
}

struct pv_mm_vcpu {
	mfn_t cr3_kernel, cr3_user; /* FRAME_L4, held; or INVALID_MFN */
	struct pv_work work;
	mfn_t gdt[GDT_FRAMES]; /* FRAME_SEGDESC, held */
	unsigned int gdt_entries;
	uint64_t ldt_base;
	unsigned int ldt_entries;
	mfn_t ldt[16];
};

struct pv_mm_domain {
	spinlock_t lock; /* LOCK_PAGING */
	/* CPUs that may have translations of the domain's: those whose vCPU
	 * of it has not gone to sleep. Bits change atomically. */
	cpumask_t cpus;
	/* Entries changed that CPUs may remember, and how many of these they
	 * have forgotten since. */
	uint64_t changes, flushed;
	/* All its frames lie between these, once it has any. */
	uint64_t first_mfn, last_mfn;
	bool isolated; /* pv/isolate.h */
	unsigned int relinquish_step;
	uint64_t relinquish_mfn;
	/* Of calls by other domains: its builder, above all. */
	struct pv_work foreign_work;
};

static inline mfn_t pte_mfn(uint64_t pte)
{
	return maddr_to_mfn(pte & PTE_ADDR);
}

static inline enum frame_type level_type(unsigned int level)
{
	return (enum frame_type)(FRAME_L1 + level - 1);
}

/* A frame with that word is a finished level 1 table: its entries can be
 * changed. */
static inline bool pv_is_l1(uint64_t w)
{
	const uint64_t mask = FRAME_VALIDATED | FRAME_TYPE_MAX
							<< FRAME_TYPE_SHIFT;

	return (w & mask) ==
	       (FRAME_VALIDATED | (uint64_t)FRAME_L1 << FRAME_TYPE_SHIFT);
}

/* types.c: the lock is held in all of these. */

/* One more use of a frame of d's as a table of that level: 0; -EINVAL: it is
 * none; -EBUSY: another vCPU is at it; -ERESTART: not finished, w has it. */
int pv_table_get(struct domain *d, struct pv_work *w, mfn_t mfn,
		 unsigned int level);
/* One use less. -ERESTART: w has the rest, the caller's part is done. */
int pv_table_put(struct domain *d, struct pv_work *w, mfn_t mfn,
		 unsigned int level);
/* At the start of a call that needs tables: what an interrupted one left is
 * finished. -ERESTART: not yet. */
int pv_work_begin(struct domain *d, struct pv_work *w);
/* At its end, rc being its result: what was held for it goes. -EBUSY: it will
 * be executed again; others' work is gone on with, so that it can. */
void pv_work_end(struct domain *d, struct pv_work *w, int rc);
/* A frame of d's as a table of descriptors: reference and type, 0 or -EINVAL.
 * Its entries are checked. */
int pv_segdesc_get(struct domain *d, mfn_t mfn);
void pv_segdesc_put(mfn_t mfn);

/* Where v notes its progress on d's tables. */
struct pv_work *pv_own_work(struct vcpu *v, struct domain *d);

/* entries.c: the lock is held. */

/* What *pte, a level 1 entry of d's, maps is held, and *pte made what may be
 * written. owner is whose frames it may map. 0 or -EINVAL. */
int pv_l1_get(struct domain *d, domid_t owner, uint64_t *pte);
void pv_l1_put(struct domain *d, uint64_t pte);
/* What a level 1 entry of RAM held, when no CPU remembers the entry. */
void pv_put_mapped(uint64_t pte);
/* A level 1 entry was old until now: if processors may remember it, that is
 * noted. */
void pv_l1_changed(struct domain *d, uint64_t old);
/* -EINVAL, with a line for whoever wants to know. */
int pv_refuse_entry(const struct domain *d, unsigned int level, uint64_t pte);
/* What a present entry of a table of level 2 to 4 must not have. */
#define UPPER_DISALLOWED (PTE_PS | PTE_G)
/* Levels whose tables may map themselves, read-only. A level 4 table may not:
 * by such an entry our own slots are addresses of the guest's, and what we read
 * for it in ring 0 would be our memory. */
static inline bool pv_may_be_linear(unsigned int level)
{
	return level == 2 || level == 3;
}
/* Changes an entry of the valid table mfn. keep_ad: accessed and dirty stay. */
struct pv_change {
	struct domain *d;  /* whose tables */
	domid_t owner;     /* whose frames level 1 entries map */
	struct pv_work *w; /* the caller's */
	bool keep_ad;
	const uint64_t *expect; /* if set: what must stand there, or -EAGAIN */
};
int pv_change_entry(const struct pv_change *c, mfn_t table, unsigned int level,
		    unsigned int index, uint64_t val);
/* The same for one of level 1, which is no long work. */
int pv_change_l1(const struct pv_change *c, uint64_t *e, uint64_t val);
/* True for those entries of a level 4 table that are the guest's. */
static inline bool pv_guest_slot(unsigned int level, unsigned int index)
{
	return level != 4 || index < 256 || index > 271;
}

/* walk.c */

/* The entry of that level which v's kernel tables have for va; false if there
 * is none (a table above it is missing). The lock is held. */
bool pv_walk(const struct vcpu *v, uint64_t va, unsigned int level,
	     mfn_t *table, unsigned int *index);
/* The level 1 entry for va, in a table of that type: it can be changed. Or
 * NULL. */
uint64_t *pv_l1_at(const struct vcpu *v, uint64_t va);
bool pv_va_to_gfn(struct vcpu *v, uint64_t va, gfn_t *gfn);
bool pv_find_page(struct vcpu *v, uint64_t va, gfn_t *gfn);

/* access.c: the kind's copy functions, for the vCPU that is loaded here. */
int pv_copy_to_guest(struct vcpu *v, uint64_t va, const void *src, size_t len);
int pv_copy_from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len);
/* As much as can be read, in bytes: for instructions. */
size_t pv_fetch(uint64_t va, void *dst, size_t len);

/* tlb.c */
void pv_note_stale(struct domain *d); /* an entry was changed */
void pv_flush_stale(struct domain *d);
/* All of d's, or the page at va, on those of the CPUs that may have it; NULL:
 * all CPUs. */
void pv_flush_cpus(struct domain *d, const cpumask_t *cpus);
void pv_flush_page(struct domain *d, const cpumask_t *cpus, uint64_t va);
/* fn(data) on the CPUs that have d's tables, as smp_call() does. */
void pv_call_cpus(struct domain *d, void (*fn)(void *), void *data);
/* The CPUs of v's domain's vCPUs in a bitmap of so many bytes (at most
 * MAX_VCPUS bits) in its memory. 0 or -EFAULT. */
int pv_named_cpus(struct vcpu *v, uint64_t va, size_t bytes, cpumask_t *cpus);
void pv_flush_m2p(void); /* the machine-to-physical table, everywhere */
void pv_flush_local(void);
/* v's tables are in force on this CPU; ours are. */
void pv_tables_in(struct vcpu *v);
void pv_tables_out(struct vcpu *v);

/* late_put.c */

void pv_late_puts_init(void); /* at boot */
/* pv_put_mapped(pte), soon, of what an entry of d's held that is no more. */
void pv_put_late(struct domain *d, uint64_t pte);
/* All that wait are put when it returns. No lock but paging locks is held, and
 * interrupts are on. */
void pv_finish_puts(void);
/* Each that waits and was d's. */
void pv_for_each_late(const struct domain *d,
		      void (*fn)(const void *ctx, uint64_t pte),
		      const void *ctx);

/* m2p.c: the machine-to-physical table, which guests read. */
int pv_m2p_init(void); /* at boot; 0 or -ENOMEM */
int pv_m2p_set(mfn_t mfn, uint64_t pfn);
uint64_t pv_m2p_get(mfn_t mfn);
/* Our slots of a level 4 table. */
void pv_fill_slots(uint64_t *l4);

/* memory.c, grant.c, mmu_update.c, mmuext.c, ptwr.c */
int pv_mm_domain_init(struct domain *d);
/* Frames from mfn on became d's: its end looks for them. */
void pv_note_frames(struct domain *d, mfn_t mfn, uint64_t n);
/* The owner's own reference goes: false if it is not there. */
bool pv_release_frame(struct domain *d, mfn_t mfn);
int pv_mm_domain_relinquish(struct domain *d);
void pv_mm_vcpu_init(struct vcpu *v);
/* What uses tables goes, for good: nobody starts to any more. The lock is
 * held. */
static inline bool pv_is_ending(const struct domain *d)
{
	return unlikely(READ_ONCE(d->dying) != DOMDYING_ALIVE);
}
int pv_set_base(struct vcpu *v, uint64_t mfn, bool user);
/* The running guest writes its CR3: 0, -EINVAL or -ERESTART. */
int pv_new_base(struct vcpu *v, uint64_t mfn);
/* Both at once, for a new context; the vCPU is paused. */
int pv_mm_set_context(struct vcpu *v, uint64_t kernel, uint64_t user);
/* Pins its kernel's level 4 table, as a builder leaves it: 0 or -EINVAL. */
int pv_pin_base(struct vcpu *v);
long pv_mmu_update(struct vcpu *v, const uint64_t args[6]);
long pv_mmuext_op(struct vcpu *v, const uint64_t args[6]);
long pv_update_va_mapping(struct vcpu *v, const uint64_t args[6]);
long pv_update_va_mapping_otherdomain(struct vcpu *v, const uint64_t args[6]);
int pv_grant_map(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags);
int pv_grant_unmap(struct vcpu *v, uint64_t addr, mfn_t mfn, uint32_t flags);
int pv_grant_replace(struct vcpu *v, uint64_t addr, mfn_t mfn,
		     uint64_t new_addr, uint32_t flags);
void pv_grant_flush(struct domain *d);
/* A page fault of the guest's kernel on a table: the instruction is done for
 * it. False: it is the guest's own fault. */
bool pv_table_write(struct vcpu *v, uint64_t addr);

#endif
