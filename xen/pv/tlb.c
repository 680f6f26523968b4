/* SPDX-License-Identifier: MIT */
/*
 * Translations that processors remember. An entry that was changed may be known
 * wherever a vCPU of the domain is loaded; "stale" says that there is such an
 * entry, and everything that depends on its being forgotten flushes first.
 */
#include "pv/pv.h"

#include "lib/atomic.h"

/* No mapping of a guest's is global (entries.c): this forgets them all. */
void pv_flush_local(void)
{
	write_cr3(read_cr3());
}

static void flush_here(void *unused)
{
	(void)unused;
	pv_flush_local();
}

static void flush_page_here(void *va)
{
	invlpg(va);
}

void pv_note_stale(struct domain *d)
{
	if (!READ_ONCE(d_mm(d)->stale))
		atomic_set(&d_mm(d)->stale, true);
}

void pv_flush_cpus(const cpumask_t *cpus)
{
	smp_call(cpus, flush_here, NULL, true);
}

static cpumask_t loaded_cpus(const struct domain *d)
{
	cpumask_t cpus;

	for (unsigned int i = 0; i < ARRAY_SIZE(cpus.bits); i++)
		cpus.bits[i] = READ_ONCE(d_mm(d)->cpus.bits[i]);
	return cpus;
}

void pv_flush_all(struct domain *d)
{
	cpumask_t cpus;

	smp_mb();
	cpus = loaded_cpus(d);
	pv_flush_cpus(&cpus);
}

/* The flag goes before the flush: an entry that is changed meanwhile sets it
 * again. */
void pv_flush_stale(struct domain *d)
{
	if (likely(!READ_ONCE(d_mm(d)->stale)))
		return;
	atomic_set(&d_mm(d)->stale, false);
	smp_mb();
	pv_flush_all(d);
}

void pv_flush_page(struct domain *d, const cpumask_t *cpus, uint64_t va)
{
	(void)d;
	smp_call(cpus, flush_page_here, (void *)va, true);
}
