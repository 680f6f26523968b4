/* SPDX-License-Identifier: MIT */
/*
 * A world for the unit tests of event/ and grant/: domains whose memory is this
 * process's, frames that count their references, a p2m that is an array.
 * fake_start() … fake_end() surround a case; fake_end() checks that all memory
 * and all references have come back.
 */
#ifndef OSTLER_TESTS_UNIT_FAKE_H
#define OSTLER_TESTS_UNIT_FAKE_H

#include "domain/domain.h"
#include "mem/frame.h"
#include "mem/layout.h"

#define FAKE_FRAMES  1024
#define FAKE_GFNS    256 /* of each domain */
#define FAKE_RAM     64  /* gfns below are its RAM from the start */
#define FAKE_DOMAINS 4   /* ids 0 to 3; 0 is dom0 */
#define FAKE_VCPUS   3

struct fake_frame {
	bool used, writable_only;
	domid_t owner;
	int refs, type_refs;
	bool shared, owners_ref;
};

struct fake_p2m_entry {
	mfn_t mfn;
	enum p2m_type type;
};

struct fake_domain {
	struct domain d;
	struct vcpu vcpus[FAKE_VCPUS];
	struct vcpu *vcpu_table[FAKE_VCPUS];
	struct fake_p2m_entry p2m[FAKE_GFNS];
	unsigned int notified[FAKE_VCPUS], woken[FAKE_VCPUS];
	unsigned int flushes, crashes;
	bool frozen; /* no longer found by number */
};

extern struct fake_domain *fake_domains[FAKE_DOMAINS];
extern struct fake_frame fake_frames[FAKE_FRAMES];
extern struct domain_kind fake_kind;
/* domain_pause() less domain_unpause(). */
extern int fake_paused;
/* Allocations to come before one fails; below 0: never. */
extern int fake_alloc_budget;

/* Called once, by get_page_any() before it looks: another CPU. */
extern void (*fake_another_cpu)(void);

void fake_start(void);
/* The parts' relinquish and destroy for all domains, then the checks; the
 * number of things that were not as at the start. */
int fake_end(const struct domain_part *part);
/* Makes domain id's part; aborts if it cannot. */
struct domain *fake_domain(unsigned int id, const struct domain_part *part);

/* Guest memory for hypercall arguments: its address is what the guest passes.
 * All else is -EFAULT. */
extern char fake_guest_memory[65536];
/* Where a domain's frame is in this process; its mfn. */
void *fake_page(struct domain *d, uint64_t gfn);
mfn_t fake_mfn(struct domain *d, uint64_t gfn);
static inline struct fake_frame *fake_frame(mfn_t mfn)
{
	return &fake_frames[mfn_x(mfn)];
}

#endif
