/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts. A line (a GSI or an MSI) has a vector on one CPU. When it
 * moves, the old vector stays its own until the next move or until it is freed,
 * so that an interrupt that was on its way still finds the handler.
 *
 * A line's fields are guarded by irq_lock (bindings are rare); the handler runs
 * from the vector without it; free_line() waits until none can.
 */
#include "cpu/irq.h"
#include "cpu/apic.h"
#include "cpu/ioapic.h"
#include "cpu/smp.h"
#include "cpu/traps.h"
#include "console/printk.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "mem/alloc.h"

#define NR_MSIS     1024
#define NR_VECTORS  (VECTOR_LAST_DYNAMIC - VECTOR_FIRST_DYNAMIC + 1)
#define MSI_ADDRESS 0xfee00000UL

struct line {
	irq_handler *fn;
	void *data;
	unsigned int irq; /* a GSI, or nr_gsis() + the MSI's index */
	unsigned int cpu, old_cpu;
	uint8_t vector, old_vector; /* 0: none */
	bool is_gsi, level, active_low;
	bool guest_masked; /* irq_mask_gsi() */
	bool awaiting_eoi; /* masked since its interrupt */
};

static spinlock_t irq_lock = SPINLOCK_INIT(LOCK_IRQ);
static struct line **gsis, *msis[NR_MSIS];
static unsigned int gsi_count;
/* Whose vector it is, by CPU; a table is made when a CPU gets its first. */
static struct line **vectors[NR_CPUS];

unsigned int nr_gsis(void)
{
	return gsi_count;
}

static void handle_line(struct cpu_regs *regs)
{
	unsigned int vector = regs->entry_vector;
	struct line **table = vectors[smp_processor_id()];
	struct line *l;

	l = table ? READ_ONCE(table[vector - VECTOR_FIRST_DYNAMIC]) : NULL;
	if (!l) {
		apic_eoi();
		return; /* freed a moment ago */
	}
	if (l->level) {
		WRITE_ONCE(l->awaiting_eoi, true);
		ioapic_mask(l->irq, true);
	}
	apic_eoi();
	l->fn(l->data, l->irq);
}

/* irq_lock held. A vector for l on cpu: 0, -ENOSPC, -ENOMEM. The search goes on
 * where the last one ended, so that a vector rests before it is used again. */
static int take_vector(struct line *l, unsigned int cpu, uint8_t *vector)
{
	static unsigned int next;
	struct line **table = vectors[cpu];

	if (!table)
		return -ENOMEM;
	for (unsigned int i = 0; i < NR_VECTORS; i++) {
		unsigned int n = (next + i) % NR_VECTORS;

		if (table[n])
			continue;
		next = n + 1;
		WRITE_ONCE(table[n], l);
		*vector = (uint8_t)(VECTOR_FIRST_DYNAMIC + n);
		return 0;
	}
	return -ENOSPC;
}

static void give_vector(unsigned int cpu, uint8_t vector)
{
	if (vector)
		WRITE_ONCE(vectors[cpu][vector - VECTOR_FIRST_DYNAMIC], NULL);
}

/* The table for cpu, made outside irq_lock. -EINVAL: no such CPU online. */
static int prepare_cpu(unsigned int cpu)
{
	struct line **table, **none = NULL;

	if (cpu >= nr_cpus)
		return -EINVAL;
	if (cpu_apic_id(cpu) > 254)
		return -EINVAL; /* needs interrupt remapping */
	if (vectors[cpu])
		return 0;
	table = xnew_array(struct line *, NR_VECTORS);
	if (!table)
		return -ENOMEM;
	if (!atomic_cas(&vectors[cpu], &none, table))
		xfree(table);
	return 0;
}

static int move_line(struct line *l, unsigned int cpu)
{
	uint8_t vector;
	int rc;

	if (cpu == l->cpu)
		return 0;
	rc = take_vector(l, cpu, &vector);
	if (rc)
		return rc;
	give_vector(l->old_cpu, l->old_vector);
	l->old_cpu = l->cpu;
	l->old_vector = l->vector;
	l->cpu = cpu;
	l->vector = vector;
	return 0;
}

/* A new line with a vector on cpu, not entered anywhere yet. */
static int make_line(unsigned int cpu, irq_handler *fn, void *data,
		     struct line **out)
{
	struct line *l;
	unsigned long flags;
	int rc = prepare_cpu(cpu);

	if (rc)
		return rc;
	l = xnew(struct line);
	if (!l)
		return -ENOMEM;
	l->fn = fn;
	l->data = data;
	l->cpu = cpu;
	flags = spin_lock_irqsave(&irq_lock);
	rc = take_vector(l, cpu, &l->vector);
	spin_unlock_irqrestore(&irq_lock, flags);
	if (rc)
		xfree(l);
	else
		*out = l;
	return rc;
}

static void nothing(void *data)
{
	(void)data;
}

/* No CPU finds the line any more once its vectors are given back and every CPU
 * has taken a call: the handler runs with interrupts off. */
static void free_line(struct line *l)
{
	unsigned long flags = spin_lock_irqsave(&irq_lock);

	give_vector(l->cpu, l->vector);
	give_vector(l->old_cpu, l->old_vector);
	spin_unlock_irqrestore(&irq_lock, flags);
	smp_call(&cpu_online_map, nothing, NULL, true);
	xfree(l);
}

static void route(const struct line *l)
{
	ioapic_route(l->irq, l->vector, cpu_apic_id(l->cpu), l->level,
		     l->active_low);
}

int irq_bind_gsi(unsigned int gsi, bool level, bool active_low,
		 unsigned int cpu, irq_handler *fn, void *data)
{
	struct line *l;
	unsigned long flags;
	int rc;

	if (gsi >= gsi_count || !ioapic_has(gsi))
		return -EINVAL;
	rc = make_line(cpu, fn, data, &l);
	if (rc)
		return rc;
	l->irq = gsi;
	l->is_gsi = l->guest_masked = true;
	l->level = level;
	l->active_low = active_low;
	flags = spin_lock_irqsave(&irq_lock);
	if (gsis[gsi]) {
		spin_unlock_irqrestore(&irq_lock, flags);
		free_line(l);
		return -EBUSY;
	}
	gsis[gsi] = l;
	route(l);
	spin_unlock_irqrestore(&irq_lock, flags);
	return 0;
}

/* The line of a bound GSI, with irq_lock taken; NULL: without. */
static struct line *lock_gsi(unsigned int gsi, unsigned long *flags)
{
	if (gsi >= gsi_count)
		return NULL;
	*flags = spin_lock_irqsave(&irq_lock);
	if (gsis[gsi])
		return gsis[gsi];
	spin_unlock_irqrestore(&irq_lock, *flags);
	return NULL;
}

void irq_unbind_gsi(unsigned int gsi)
{
	unsigned long flags;
	struct line *l = lock_gsi(gsi, &flags);

	if (!l)
		return;
	ioapic_mask(gsi, true);
	gsis[gsi] = NULL;
	spin_unlock_irqrestore(&irq_lock, flags);
	free_line(l);
}

static void update_mask(const struct line *l)
{
	ioapic_mask(l->irq, l->guest_masked || l->awaiting_eoi);
}

void irq_mask_gsi(unsigned int gsi, bool masked)
{
	unsigned long flags;
	struct line *l = lock_gsi(gsi, &flags);

	if (!l)
		return;
	l->guest_masked = masked;
	update_mask(l);
	spin_unlock_irqrestore(&irq_lock, flags);
}

void irq_eoi_gsi(unsigned int gsi)
{
	unsigned long flags;
	struct line *l = lock_gsi(gsi, &flags);

	if (!l)
		return;
	if (l->awaiting_eoi) {
		l->awaiting_eoi = false;
		update_mask(l);
	}
	spin_unlock_irqrestore(&irq_lock, flags);
}

int irq_set_affinity_gsi(unsigned int gsi, unsigned int cpu)
{
	unsigned long flags;
	struct line *l;
	int rc = prepare_cpu(cpu);

	if (rc)
		return rc;
	l = lock_gsi(gsi, &flags);
	if (!l)
		return -EINVAL;
	if (l->cpu != cpu) {
		rc = move_line(l, cpu);
		if (!rc) {
			route(l);
			update_mask(l);
		}
	}
	spin_unlock_irqrestore(&irq_lock, flags);
	return rc;
}

/* Intel SDM Vol. 3, "Message Signalled Interrupts": fixed delivery, physical
 * destination, edge. */
static struct msi_msg compose(const struct line *l)
{
	return (struct msi_msg){
		.address = MSI_ADDRESS | cpu_apic_id(l->cpu) << 12,
		.data = l->vector,
	};
}

static struct line *find_msi(unsigned int irq)
{
	unsigned int i = irq - gsi_count;

	return irq >= gsi_count && i < NR_MSIS ? msis[i] : NULL;
}

int irq_alloc_msi(unsigned int cpu, irq_handler *fn, void *data,
		  unsigned int *irq, struct msi_msg *msg)
{
	struct line *l;
	unsigned long flags;
	unsigned int i = 0;
	int rc = make_line(cpu, fn, data, &l);

	if (rc)
		return rc;
	flags = spin_lock_irqsave(&irq_lock);
	while (i < NR_MSIS && msis[i])
		i++;
	if (i == NR_MSIS) {
		spin_unlock_irqrestore(&irq_lock, flags);
		free_line(l);
		return -ENOSPC;
	}
	l->irq = *irq = gsi_count + i;
	msis[i] = l;
	*msg = compose(l);
	spin_unlock_irqrestore(&irq_lock, flags);
	return 0;
}

int irq_set_affinity_msi(unsigned int irq, unsigned int cpu,
			 struct msi_msg *msg)
{
	struct line *l;
	unsigned long flags;
	int rc = prepare_cpu(cpu);

	if (rc)
		return rc;
	flags = spin_lock_irqsave(&irq_lock);
	l = find_msi(irq);
	rc = l ? move_line(l, cpu) : -EINVAL;
	if (!rc)
		*msg = compose(l);
	spin_unlock_irqrestore(&irq_lock, flags);
	return rc;
}

void irq_free_msi(unsigned int irq)
{
	unsigned long flags = spin_lock_irqsave(&irq_lock);
	struct line *l = find_msi(irq);

	if (l)
		msis[irq - gsi_count] = NULL;
	spin_unlock_irqrestore(&irq_lock, flags);
	if (l)
		free_line(l);
}

int irq_request_isa(unsigned int line, irq_handler *fn, void *data)
{
	bool level, active_low;
	unsigned int gsi = ioapic_isa_gsi(line, &level, &active_low);
	int rc;

	/* Ours does its own EOI at once, which level would need from us. */
	rc = irq_bind_gsi(gsi, false, active_low, 0, fn, data);
	if (!rc)
		irq_mask_gsi(gsi, false);
	return rc;
}

void irq_init(unsigned int count)
{
	gsis = xnew_array(struct line *, count ? count : 1);
	if (!gsis)
		panic("no memory for %u interrupt lines", count);
	gsi_count = count;
	for (unsigned int v = VECTOR_FIRST_DYNAMIC; v <= VECTOR_LAST_DYNAMIC;
	     v++)
		trap_set_vector((uint8_t)v, handle_line);
}
