/* SPDX-License-Identifier: MIT */
/*
 * PV domains for tests of xen/pv's memory half: the real sources, frames of
 * host_ram.c, hypercalls from this process's memory, and a processor that
 * remembers every translation it ever could have seen until it is told to
 * forget.
 *
 * Domain 0 is privileged, domain i is loaded on CPU i; each has WORLD_FRAMES
 * frames from FIRST(id) on.
 */
#ifndef OSTLER_TESTS_UNIT_PV_WORLD_H
#define OSTLER_TESTS_UNIT_PV_WORLD_H

#include "host_ram.h"

/* Of mem/internal.h; pv/mm.h has the same and more. */
#undef PTE_P
#undef PTE_RW
#undef PTE_PWT
#undef PTE_PCD
#undef PTE_A
#undef PTE_D
#undef PTE_PS
#undef PTE_G
#undef PTE_NX
#undef PTE_ADDR

#include "pv/check.h"

#define WORLD_DOMAINS 3
#define WORLD_VCPUS   2
#define WORLD_FRAMES  48
#define FIRST(id)     (0x200UL + (id)*0x40UL)

struct world_domain {
	struct domain d;
	struct vcpu vcpus[WORLD_VCPUS];
	struct vcpu *vcpu_table[WORLD_VCPUS];
	struct pv_vcpu pv[WORLD_VCPUS];
	struct pv_domain pd;
};
extern struct world_domain world[WORLD_DOMAINS];
extern const struct domain_kind world_kind;

/* A frame's references that are not its domain's own: what the case took. */
extern struct pv_uses world_others[WORLD_DOMAINS][WORLD_FRAMES];

void world_start(void);
/* All domains die. How many things are wrong then: counts, frames and pages
 * not given back. */
int world_end(void);
/* The counts of all frames are exactly what uses them, and no translation is
 * remembered that may not be; the number of frames of which that is not true,
 * told on standard output. */
int world_check(void);

static inline mfn_t frame(unsigned int domain, unsigned int i)
{
	return _mfn(FIRST(domain) + i);
}
static inline uint64_t *table(mfn_t mfn)
{
	return mfn_to_virt(mfn);
}
static inline uint64_t entry(mfn_t mfn, uint64_t flags)
{
	return mfn_to_maddr(mfn) | flags;
}
static inline struct vcpu *vcpu(unsigned int domain, unsigned int i)
{
	return &world[domain].vcpus[i];
}

#define RO (PTE_P | PTE_US | PTE_A)
#define RW (RO | PTE_RW | PTE_D)

/*
 * Hypercalls by a vCPU. They give way after each batch of work while
 * world_yields is not zero, which goes down by one each time; they are executed
 * again until they are done, or given up when world_restarts reaches zero:
 * -ERESTART then.
 */
extern unsigned int world_yields, world_restarts;
extern unsigned long world_calls, world_accepted; /* since the start */
long world_call(struct vcpu *v, long (*fn)(struct vcpu *, const uint64_t *),
		const uint64_t args[6]);
long update(struct vcpu *v, mfn_t table, unsigned int index, uint64_t val);
long update_for(struct vcpu *v, uint32_t parties, uint64_t ptr, uint64_t val);
long update_va(struct vcpu *v, uint64_t va, uint64_t val);
long ext(struct vcpu *v, unsigned int cmd, mfn_t mfn);
long ext_for(struct vcpu *v, domid_t d, unsigned int cmd, uint64_t arg1);
/* Four tables one above the other, level 4 in frame n of the vCPU's domain …
 * level 1 in frame n + 3, plain memory still; address 0 on is in the last. */
void build_tree(unsigned int domain, unsigned int n);

/* Set to go off, if any. */
extern struct timer *world_timer;

/* smp_call() calls, instead of counting as a flush. */
extern bool world_runs_calls;

/* Flushes that were asked for. */
extern unsigned int world_flushes;

#endif
