/* SPDX-License-Identifier: MIT */
/*
 * Isolated PV domains (xpti=): while such a guest runs, page tables are in
 * force that have next to nothing of the hypervisor, so that a processor that
 * reads ahead of its permission checks (Meltdown, CVE-2017-5754) finds nothing.
 *
 * Each CPU has two level 4 tables of its own, one for a guest's kernel and one
 * for its processes. The guest's slots in them are copies of those in the table
 * that the guest gave; ours have the machine-to-physical table, which is the
 * guest's to read, and what the processor needs between ring 3 and the write to
 * CR3: the sections called "entry", this CPU's, and the descriptor tables. The
 * guest's own table has all of us and is used from there on (trap_full_cr3).
 *
 * A CPU keeps its copies while the vCPU's tables are in force
 * (pv_tables_in() to pv_tables_out()); an entry of a level 4 table that changes
 * meanwhile is changed in them too. Every way in and out writes CR3, and no
 * translation of ours is global, so none is left over.
 */
#ifndef OSTLER_PV_ISOLATE_H
#define OSTLER_PV_ISOLATE_H

#include "pv/pv.h"

static inline bool pv_is_isolated(const struct domain *d)
{
	return d_mm(d)->isolated;
}

/* isolate_tables.c */

/* At boot, once: which domains are to be isolated, said on the console. */
void pv_isolate_init(void);
/* Whether any domain may be, and whether this one, which is new, will be. */
bool pv_may_isolate(void);
bool pv_wants_isolation(const struct domain *d);
/* This CPU's tables; 0 or -ENOMEM. */
int pv_isolate_init_cpu(void);
/* Has this CPU's tables map so many pages at va as the host's do: the first
 * one's entry, all being in one level 1 table, or NULL: no memory. */
uint64_t *pv_isolate_show(uint64_t va, unsigned int pages);
/* Where the processor pushes when such a guest is left: the value of RSP0. */
uint64_t pv_isolated_stack(void);
/* Where the processor goes when a guest makes a system call. */
struct pv_entries {
	void (*syscall)(void);
	void (*compat_syscall)(void);
	void (*sysenter)(void);
};
const struct pv_entries *pv_entries_of(const struct domain *d);

/* isolate.c */

/* A CPU's copy: the table itself, and what it is a copy of or INVALID_MFN. */
struct pv_copy {
	uint64_t *l4;
	mfn_t of;
};
struct pv_copies {
	struct pv_copy user, kernel;
};
DECLARE_PER_CPU(struct pv_copies, pv_copies);

/* The next way out goes to the copy of base, which becomes one if it is not. */
void pv_isolate(mfn_t base, bool kernel);
/* The guest is given another table of this sort: what is there is no copy. */
void pv_isolate_forget(bool kernel);
/* The vCPU's tables are not in force here any more. */
void pv_isolate_end(void);
/* An entry of a level 4 table of d's has changed. A paging lock is held. */
void pv_isolate_entry(struct domain *d, mfn_t table, unsigned int index);

/* entry.S: as those without "isolated". */
void pv_isolated_trap_entry(void);
void pv_isolated_syscall_entry(void);
void pv_isolated_compat_syscall_entry(void);
void pv_isolated_sysenter_entry(void);

#endif
