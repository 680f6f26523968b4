/* SPDX-License-Identifier: MIT */
/*
 * Translations that processors remember. An entry that was changed may be known
 * wherever a vCPU of the domain is loaded; changes are counted, and everything
 * that depends on their being forgotten flushes first if there were any since.
 */
#include "pv/pv.h"

#include "domain/guest_access.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "mem/map.h"
#include "pv/isolate.h"

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

/* CPUs that have the tables of any PV domain's. */
static cpumask_t in_use;

/*
 * While a vCPU waits, its CPU has our tables: with nothing to do it is left
 * alone by those who change the guest's.
 */
void pv_tables_in(struct vcpu *v)
{
	unsigned int cpu = smp_processor_id();

	set_bit(cpu, d_mm(v->domain)->cpus.bits);
	set_bit(cpu, in_use.bits);
	/* Whoever does not see it there has made his change before. */
	smp_mb();
	pv_load_cr3(v);
	pv_vcpu(v)->has_tables = true;
}

void pv_tables_out(struct vcpu *v)
{
	unsigned int cpu = smp_processor_id();

	write_cr3(host_cr3);
	if (unlikely(pv_is_isolated(v->domain)))
		pv_isolate_end();
	pv_vcpu(v)->has_tables = false;
	clear_bit(cpu, d_mm(v->domain)->cpus.bits);
	clear_bit(cpu, in_use.bits);
}

/* After the change; a barrier between it and what the caller looks at next. */
void pv_note_stale(struct domain *d)
{
	atomic_add(&d_mm(d)->changes, 1);
}

/* Those of the CPUs that have something to forget. */
static void call(const cpumask_t *have, const cpumask_t *cpus,
		 void (*fn)(void *), void *data)
{
	cpumask_t some;

	smp_mb();
	/* What is behind the last CPU nobody looks at. */
	for (unsigned int i = 0; i * 64 < nr_cpus; i++)
		some.bits[i] = READ_ONCE(have->bits[i]) &
			       (cpus ? cpus->bits[i] : ~0UL);
	smp_call(&some, fn, data, true);
}

void pv_flush_m2p(void)
{
	call(&in_use, NULL, flush_here, NULL);
}

void pv_flush_cpus(struct domain *d, const cpumask_t *cpus)
{
	call(&d_mm(d)->cpus, cpus, flush_here, NULL);
}

void pv_call_cpus(struct domain *d, void (*fn)(void *), void *data)
{
	call(&d_mm(d)->cpus, NULL, fn, data);
}

void pv_flush_page(struct domain *d, const cpumask_t *cpus, uint64_t va)
{
	call(&d_mm(d)->cpus, cpus, flush_page_here, (void *)va);
}

int pv_named_cpus(struct vcpu *v, uint64_t va, size_t bytes, cpumask_t *cpus)
{
	uint8_t map[MAX_VCPUS / 8] = {};
	struct vcpu *o;

	if (copy_from_guest(map, va, bytes))
		return -EFAULT;
	*cpus = (cpumask_t){};
	for_each_vcpu(v->domain, o)
		if ((map[o->id / 8] >> (o->id % 8)) & 1 &&
		    sched_unit_is_loaded(&o->unit))
			cpumask_set(cpus, READ_ONCE(o->unit.cpu));
	return 0;
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
	pv_flush_cpus(d, NULL);
	while (done < changes && !atomic_cas(&mm->flushed, &done, changes))
		;
}
