/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines: binding, moving, running out of vectors, masking of level-
 * triggered ones; with an I/O APIC of 24 inputs and three CPUs that are not
 * there.
 */
#include "harness.h"
#include "cpu_stubs.h"
#include "heap_stubs.h"

#include "cpu/apic.h"
#include "cpu/ioapic.h"
#include "cpu/irq.h"
#include "cpu/smp.h"
#include "cpu/traps.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#define GSIS 24

DEFINE_PER_CPU(uint64_t, cpu_number);
cpumask_t cpu_online_map;
unsigned int nr_cpus = 3;

static struct {
	uint8_t vector;
	uint32_t dest;
	bool masked, level, low;
} rte[GSIS];
static void (*handlers[256])(struct cpu_regs *);
static unsigned int eois;

bool ioapic_has(unsigned int gsi)
{
	return gsi < GSIS && gsi != 5;
}
void ioapic_route(unsigned int gsi, uint8_t vector, uint32_t apic_id,
		  bool level, bool active_low)
{
	rte[gsi].vector = vector;
	rte[gsi].dest = apic_id;
	rte[gsi].level = level;
	rte[gsi].low = active_low;
	rte[gsi].masked = true;
}
void ioapic_mask(unsigned int gsi, bool masked)
{
	rte[gsi].masked = masked;
}
unsigned int ioapic_isa_gsi(unsigned int line, bool *level, bool *active_low)
{
	*level = *active_low = false;
	return line ? line : 2;
}
void trap_set_vector(uint8_t vector, void (*fn)(struct cpu_regs *regs))
{
	handlers[vector] = fn;
}
void apic_eoi(void)
{
	eois++;
}
uint32_t cpu_apic_id(unsigned int cpu)
{
	return 10 + cpu;
}
void smp_call(const cpumask_t *cpus, void (*fn)(void *), void *data, bool wait)
{
	(void)cpus;
	(void)wait;
	fn(data);
}

static unsigned int got[4], last_irq;
static void count(void *data, unsigned int irq)
{
	++*(unsigned int *)data;
	last_irq = irq;
}

static void raise_vector(unsigned int cpu, uint8_t vector)
{
	struct cpu_regs regs = {.entry_vector = vector};

	percpu_cpu_number = cpu;
	handlers[vector](&regs);
}

static void errors(void)
{
	CHECK_EQ(irq_bind_gsi(GSIS, false, false, 0, count, got), -EINVAL);
	CHECK_EQ(irq_bind_gsi(5, false, false, 0, count, got), -EINVAL);
	CHECK_EQ(irq_bind_gsi(4, false, false, 3, count, got), -EINVAL);
	CHECK_EQ(irq_set_affinity_gsi(4, 0), -EINVAL);
	CHECK_EQ(irq_bind_gsi(4, false, false, 0, count, got), 0);
	CHECK_EQ(irq_bind_gsi(4, true, false, 0, count, got), -EBUSY);
	irq_unbind_gsi(4);
	irq_unbind_gsi(4);
	CHECK_EQ(irq_bind_gsi(4, true, false, 0, count, got), 0);
	irq_unbind_gsi(4);
	CHECK(rte[4].masked);
	irq_mask_gsi(1000, false);
	irq_eoi_gsi(1000);
	irq_free_msi(7);
}

static void edge(void)
{
	got[0] = 0;
	CHECK_EQ(irq_bind_gsi(4, false, false, 1, count, &got[0]), 0);
	CHECK(rte[4].masked && rte[4].dest == 11);
	irq_mask_gsi(4, false);
	CHECK(!rte[4].masked);
	raise_vector(1, rte[4].vector);
	CHECK_EQ(got[0], 1);
	CHECK_EQ(last_irq, 4);
	CHECK(!rte[4].masked);
	irq_unbind_gsi(4);
	raise_vector(1, rte[4].vector); /* late: nobody is called */
	CHECK_EQ(got[0], 1);
}

static void level(void)
{
	unsigned int before = eois;

	got[0] = 0;
	CHECK_EQ(irq_bind_gsi(11, true, true, 0, count, &got[0]), 0);
	CHECK(rte[11].level && rte[11].low);
	irq_mask_gsi(11, false);
	raise_vector(0, rte[11].vector);
	CHECK_EQ(got[0], 1);
	CHECK_EQ(eois, before + 1);
	CHECK(rte[11].masked);
	irq_eoi_gsi(11);
	CHECK(!rte[11].masked);
	/* Masked by its owner meanwhile, it stays so. */
	raise_vector(0, rte[11].vector);
	irq_mask_gsi(11, true);
	irq_eoi_gsi(11);
	CHECK(rte[11].masked);
	/* And unmasking does not open it before the EOI. */
	irq_mask_gsi(11, false);
	raise_vector(0, rte[11].vector);
	irq_mask_gsi(11, false);
	CHECK(rte[11].masked);
	irq_eoi_gsi(11);
	CHECK(!rte[11].masked);
	irq_unbind_gsi(11);
}

static void moving(void)
{
	uint8_t first, second;

	got[0] = 0;
	CHECK_EQ(irq_bind_gsi(9, false, false, 0, count, &got[0]), 0);
	irq_mask_gsi(9, false);
	first = rte[9].vector;
	CHECK_EQ(irq_set_affinity_gsi(9, 2), 0);
	second = rte[9].vector;
	CHECK_EQ(rte[9].dest, 12);
	CHECK(!rte[9].masked);
	raise_vector(0, first); /* was under way */
	raise_vector(2, second);
	CHECK_EQ(got[0], 2);
	CHECK_EQ(irq_set_affinity_gsi(9, 1), 0);
	raise_vector(2, second);
	CHECK_EQ(got[0], 3);
	raise_vector(0, first); /* long gone */
	CHECK_EQ(got[0], 3);
	CHECK_EQ(irq_set_affinity_gsi(9, 3), -EINVAL);
	irq_unbind_gsi(9);
}

#define PER_CPU (VECTOR_LAST_DYNAMIC - VECTOR_FIRST_DYNAMIC + 1)

static void vectors_run_out(void)
{
	unsigned int irq[PER_CPU + 1], other;
	struct msi_msg msg, moved;
	bool used[256] = {false};

	for (unsigned int i = 0; i < PER_CPU; i++) {
		REQUIRE(irq_alloc_msi(0, count, &got[1], &irq[i], &msg) == 0);
		CHECK_EQ(msg.address, 0xfee00000 | 10 << 12);
		CHECK(msg.data >= VECTOR_FIRST_DYNAMIC &&
		      msg.data <= VECTOR_LAST_DYNAMIC);
		CHECK(!used[msg.data]);
		used[msg.data] = true;
		CHECK(irq[i] >= nr_gsis());
	}
	CHECK_EQ(irq_alloc_msi(0, count, got, &irq[PER_CPU], &msg), -ENOSPC);
	CHECK_EQ(irq_bind_gsi(4, false, false, 0, count, got), -ENOSPC);
	CHECK_EQ(irq_alloc_msi(1, count, got, &other, &msg), 0);
	CHECK_EQ(irq_set_affinity_msi(other, 0, &moved), -ENOSPC);
	irq_free_msi(irq[7]);
	CHECK_EQ(irq_set_affinity_msi(other, 0, &moved), 0);
	CHECK_EQ(moved.address, 0xfee00000 | 10 << 12);
	irq_free_msi(other);
	CHECK_EQ(irq_alloc_msi(0, count, &got[1], &irq[7], &msg), 0);
	got[1] = 0;
	raise_vector(0, (uint8_t)msg.data);
	CHECK_EQ(got[1], 1);
	CHECK_EQ(last_irq, irq[7]);
	for (unsigned int i = 0; i < PER_CPU; i++)
		irq_free_msi(irq[i]);
	CHECK_EQ(irq_set_affinity_msi(irq[3], 1, &moved), -EINVAL);
}

static void isa(void)
{
	CHECK_EQ(irq_request_isa(4, count, &got[2]), 0);
	CHECK(!rte[4].masked);
	CHECK_EQ(irq_bind_gsi(4, false, false, 0, count, got), -EBUSY);
	irq_unbind_gsi(4);
	CHECK_EQ(irq_request_isa(0, count, &got[2]), 0);
	CHECK(!rte[2].masked); /* the timer's override */
	irq_unbind_gsi(2);
}

static const struct test_case cases[] = {
	{"errors", errors},
	{"an edge-triggered line", edge},
	{"a level-triggered line waits for its EOI", level},
	{"a moved line keeps its old vector for a while", moving},
	{"vectors run out", vectors_run_out},
	{"ISA lines", isa},
};

int main(void)
{
	irq_init(GSIS);
	return RUN_CASES(cases);
}
