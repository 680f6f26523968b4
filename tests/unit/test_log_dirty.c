/* SPDX-License-Identifier: MIT */
/*
 * The log of written pages, on real nested tables: random writes by the guest
 * (which the p2m's types catch), by the hypervisor (noted) and by holders of a
 * frame, against a model that knows every write. Each look must give exactly
 * what was written since the one before. Then the same with a processor that
 * logs writes itself (VT-x).
 */
#include "harness.h"
#include "heap_stubs.h"
#include "table_stubs.h"

#include "domain/continuation.h"
#include "domain/log_dirty.h"
#include "hvm/vmx/vmx.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

#include <stdlib.h>

#define PAGES 4096 /* 8 leaves of 2 MiB */
#define MFN   0x100000UL

DEFINE_PER_CPU(uint64_t, softirq_pending);
static struct domain domain;
static bool written[PAGES];
static unsigned int held[PAGES], flushes;

unsigned int frame_type_count(mfn_t mfn)
{
	return held[mfn_x(mfn) - MFN];
}

#define LEAVES                                                                 \
	{                                                                      \
		[P2M_RAM_RW] = 3, [P2M_RAM_RW + 1 ... P2M_TYPES - 1] = 1,      \
	}

static const struct p2m_format format = {
	.name = "test",
	.leaf_bits = {LEAVES, LEAVES},
	.table_bits = 7,
	.max_leaf_level = 2,
};

static void flush(void *cookie)
{
	(void)cookie;
	flushes++;
}

/* A processor with a log, and the entries' bits that it looks at. */
#define EPT_WRITE BIT(1)
#define EPT_DIRTY BIT(9)
static bool processor_logs;
static unsigned int log_index, faults, logged;
struct vmx_caps vmx_caps;
static struct {
	struct hvm_vcpu hvm;
	struct vmx_vcpu vmx;
} arch;
static struct vcpu vcpu = {.domain = &domain, .arch = &arch.hvm};

static void make_writable(struct domain *d, gfn_t gfn)
{
	enum p2m_type t;
	mfn_t mfn = p2m_lookup(&d->p2m, gfn, &t, NULL);

	if (t == P2M_RAM_LOGDIRTY)
		CHECK_EQ(p2m_set(&d->p2m, gfn, mfn, 1, P2M_RAM_RW), 0);
}

static void drain(struct domain *d)
{
	p2m_lock(&d->p2m);
	vmx_drain_log(&vcpu, make_writable);
	p2m_unlock(&d->p2m);
}

static const struct domain_kind plain_kind = {.name = "plain"};
static const struct domain_kind logged_kind = {.name = "logged",
					       .log_sync = drain};

/* True: it was written without a fault. */
static bool processor_writes(uint64_t gfn)
{
	struct p2m_place at;

	p2m_find(&domain.p2m, _gfn(gfn), &at);
	if (!(*at.slot & EPT_WRITE))
		return false;
	if (*at.slot & EPT_DIRTY)
		return true;
	CHECK_EQ(at.level, 1);
	if (log_index >= 512) { /* it is full: that exits */
		drain(&domain);
		log_index = 511;
	}
	arch.vmx.pml[log_index--] = gfn << PAGE_SHIFT;
	*at.slot |= EPT_DIRTY;
	logged++;
	return true;
}

static void begin(void)
{
	memset(written, 0, sizeof(written));
	memset(held, 0, sizeof(held));
	flushes = 0;
	this_cpu(softirq_pending) = 0;
	domain = (struct domain){
		.kind = processor_logs ? &logged_kind : &plain_kind,
	};
	log_index = 511;
	faults = logged = 0;
	CHECK_EQ(p2m_init(&domain.p2m, processor_logs ? &ept_format : &format,
			  1, flush, NULL),
		 0);
	p2m_lock(&domain.p2m);
	CHECK_EQ(p2m_set(&domain.p2m, _gfn(0), _mfn(MFN), PAGES, P2M_RAM_RW),
		 0);
	p2m_unlock(&domain.p2m);
}

static void end(void)
{
	log_dirty_destroy(&domain);
	p2m_destroy(&domain.p2m);
}

static enum p2m_type type_of(uint64_t gfn)
{
	enum p2m_type t;

	p2m_lookup(&domain.p2m, _gfn(gfn), &t, NULL);
	return t;
}

void spin_lock(spinlock_t *l)
{
	(void)l;
}

void spin_unlock(spinlock_t *l)
{
	(void)l;
}

/* As hvm/vram.c does when the write exits. */
static void guest_writes(uint64_t gfn)
{
	if (!processor_logs || !processor_writes(gfn)) {
		faults++;
		p2m_lock(&domain.p2m);
		make_writable(&domain, _gfn(gfn));
		p2m_unlock(&domain.p2m);
	}
	written[gfn] = true;
}

static void hypervisor_writes(uint64_t gfn)
{
	log_dirty_note(&domain, _gfn(gfn));
	written[gfn] = true;
}

/* All of it, as often as it gives way. */
static int to_end(int (*fn)(struct domain *d))
{
	unsigned int tries = 0;
	int rc;

	do
		rc = fn(&domain);
	while (rc == -ERESTART && ++tries < 1000);
	return rc;
}

/* A look at everything gives what the model has, no more and no less. */
static void look(bool clean)
{
	static uint64_t bits[PAGES / 64];
	int found = 0, expected = 0, wrong = 0;

	memset(bits, 0, sizeof(bits));
	log_dirty_sync(&domain);
	for (uint64_t at = 0; at < PAGES; at += 1024)
		found += log_dirty_collect(&domain, at, 1024, bits + at / 64,
					   clean);
	for (uint64_t i = 0; i < PAGES; i++) {
		bool bit = bits[i / 64] >> (i % 64) & 1;

		wrong += bit != (written[i] || held[i]);
		expected += bit;
		if (clean) /* who holds it may write again */
			written[i] = held[i];
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(found, expected);
}

static void simple(void)
{
	begin();
	log_dirty_note(&domain, _gfn(1)); /* nobody asks */
	CHECK(!log_dirty_is_on(&domain));
	CHECK_EQ(log_dirty_disable(&domain), -EINVAL);
	CHECK_EQ(log_dirty_enable(&domain), 0);
	CHECK_EQ(log_dirty_enable(&domain), -EINVAL);
	CHECK(flushes > 0);
	CHECK_EQ(log_dirty_pages(&domain), PAGES);
	CHECK_EQ(domain.p2m.entries[P2M_RAM_LOGDIRTY], PAGES);
	CHECK_EQ(domain.p2m.tables, 3); /* nothing was split for it */
	look(true);
	guest_writes(5);
	guest_writes(4095);
	hypervisor_writes(700);
	look(false);
	look(true);
	look(true); /* nothing since */
	CHECK_EQ(type_of(5), P2M_RAM_LOGDIRTY);
	CHECK_EQ(log_dirty_disable(&domain), 0);
	CHECK_EQ(domain.p2m.entries[P2M_RAM_RW], PAGES);
	CHECK(!log_dirty_is_on(&domain));
	end();
}

/* A frame that is held counts as written until its holder has let go. */
static void holders(void)
{
	begin();
	held[7] = 1;
	CHECK_EQ(log_dirty_enable(&domain), 0);
	look(true);
	look(true);
	held[7] = 0;
	look(true); /* written before it was let go */
	CHECK(!written[7]);
	look(true);
	held[9] = 1; /* as get_guest_frame() does */
	log_dirty_note(&domain, _gfn(9));
	held[9] = 0;
	written[9] = true;
	look(true);
	look(true);
	end();
}

/* Memory that comes later is written; what goes is no more. */
static void changes(void)
{
	begin();
	CHECK_EQ(log_dirty_enable(&domain), 0);
	p2m_lock(&domain.p2m);
	CHECK_EQ(p2m_clear(&domain.p2m, _gfn(100), 1), 0);
	CHECK_EQ(
		p2m_set(&domain.p2m, _gfn(101), _mfn(MFN + 101), 1, P2M_RAM_RW),
		0);
	CHECK_EQ(
		p2m_set(&domain.p2m, _gfn(102), _mfn(MFN + 102), 1, P2M_RAM_RO),
		0);
	p2m_unlock(&domain.p2m);
	written[101] = true;
	look(true);
	look(true);
	CHECK_EQ(type_of(100), P2M_NONE);
	CHECK_EQ(type_of(102), P2M_RAM_RO);
	CHECK_EQ(log_dirty_disable(&domain), 0);
	CHECK_EQ(type_of(102), P2M_RAM_RO);
	end();
}

static void random_writes(void)
{
	begin();
	for (unsigned int i = 0; i < 300; i++)
		guest_writes((uint64_t)rand() % PAGES); /* small leaves */
	memset(written, 0, sizeof(written));
	this_cpu(softirq_pending) = 1; /* it gives way at each chance */
	for (unsigned int round = 0; round < 20; round++) {
		CHECK_EQ(to_end(log_dirty_enable), 0);
		for (unsigned int i = 0; i < 500; i++) {
			uint64_t gfn = (uint64_t)rand() % PAGES;

			switch (rand() % 8) {
			case 0:
				look(rand() % 2);
				break;
			case 1:
				hypervisor_writes(gfn);
				break;
			case 2:
				if (held[gfn]) {
					held[gfn]--;
				} else {
					held[gfn]++;
					hypervisor_writes(gfn);
				}
				break;
			default:
				guest_writes(gfn);
			}
		}
		CHECK_EQ(to_end(log_dirty_disable), 0);
		CHECK_EQ(domain.p2m.entries[P2M_RAM_RW], PAGES);
		memset(written, 0, sizeof(written));
		memset(held, 0, sizeof(held));
	}
	end();
}

/* What faults is the first write to each 2 MiB; all is found all the same. */
static void by_processor(void)
{
	processor_logs = vmx_caps.pml = vmx_caps.ept_2m = true;
	vmx_ept_init();
	CHECK_EQ(vmx_pml_init(&arch.vmx), 0);
	begin();
	CHECK_EQ(log_dirty_enable(&domain), 0);
	for (uint64_t gfn = 0; gfn < PAGES; gfn++)
		guest_writes(gfn);
	CHECK_EQ(faults, PAGES / 512);
	CHECK_EQ(logged, PAGES - PAGES / 512);
	look(true);
	guest_writes(9); /* the log is not of the next one */
	CHECK_EQ(log_dirty_disable(&domain), 0);
	CHECK_EQ(log_dirty_enable(&domain), 0);
	memset(written, 0, sizeof(written));
	look(true);
	end();
	simple();
	holders();
	changes();
	random_writes();
	CHECK(logged > faults);
	vmx_pml_destroy(&arch.vmx);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"log-dirty: enabled, looked at, cleaned, off", simple},
		{"log-dirty: frames that are held", holders},
		{"log-dirty: memory that comes and goes", changes},
		{"log-dirty: random writes against a model", random_writes},
		{"log-dirty: all that, by a processor that logs", by_processor},
	};

	return RUN_CASES(cases);
}
