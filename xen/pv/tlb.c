/* SPDX-License-Identifier: MIT */
/*
 * Translations that processors remember. An entry that was changed may be known
 * wherever a vCPU of the domain is loaded; changes are counted, and everything
 * that depends on their being forgotten flushes first if there were any since.
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

/* After the change; a barrier between it and what the caller looks at next. */
void pv_note_stale(struct domain *d)
{
	atomic_add(&d_mm(d)->changes, 1);
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

/*
 * What was changed before this call is forgotten when it returns. Two CPUs may
 * be here at once, and neither relies on what the other has not finished: a
 * change counts as forgotten only after a flush that began after it.
 */
void pv_flush_stale(struct domain *d)
{
	struct pv_mm_domain *mm = d_mm(d);
	uint64_t changes = atomic_read(&mm->changes);
	uint64_t done = atomic_read(&mm->flushed);

	if (likely(done >= changes))
		return;
	pv_flush_all(d);
	while (done < changes && !atomic_cas(&mm->flushed, &done, changes))
		;
}

void pv_flush_page(struct domain *d, const cpumask_t *cpus, uint64_t va)
{
	(void)d;
	smp_call(cpus, flush_page_here, (void *)va, true);
}
