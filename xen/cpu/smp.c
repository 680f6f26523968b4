/* SPDX-License-Identifier: MIT */
/*
 * Talking between CPUs: a kick that makes one look at its softirqs, and a call
 * that runs a function on a set of them. There is one call at a time; its lock
 * is waited for with interrupts on, so that two callers serve each other.
 */
#include "cpu/smp.h"
#include "cpu/acpi.h"
#include "cpu/apic.h"
#include "cpu/softirq.h"
#include "cpu/traps.h"
#include "console/printk.h"
#include "lib/atomic.h"
#include "lib/lock.h"

void (*smp_cpu_loop)(void);

static uint32_t apic_ids[NR_CPUS], acpi_ids[NR_CPUS];

static struct {
	spinlock_t lock;
	void (*fn)(void *data);
	void *data;
	bool wait;
	uint32_t left; /* CPUs that have not answered */
} call = {.lock = SPINLOCK_INIT(LOCK_SMP)};

static uint32_t stopping;

void smp_set_ids(unsigned int cpu, uint32_t apic_id, uint32_t acpi_id)
{
	apic_ids[cpu] = apic_id;
	acpi_ids[cpu] = acpi_id;
}

uint32_t cpu_apic_id(unsigned int cpu)
{
	return apic_ids[cpu];
}

uint32_t cpu_acpi_id(unsigned int cpu)
{
	return acpi_ids[cpu];
}

void smp_kick(unsigned int cpu)
{
	apic_send_ipi(apic_ids[cpu], VECTOR_KICK);
}

/* The interrupt itself ends a guest's run or a HLT. */
static void handle_kick(struct cpu_regs *regs)
{
	(void)regs;
	apic_eoi();
}

static void handle_call(struct cpu_regs *regs)
{
	void (*fn)(void *) = call.fn;
	void *data = call.data;
	bool wait = call.wait;

	(void)regs;
	apic_eoi();
	if (!wait)
		atomic_sub(&call.left, 1);
	fn(data);
	if (wait)
		atomic_sub(&call.left, 1);
}

static void ask_others(const cpumask_t *cpus, unsigned int self)
{
	unsigned int cpu;
	uint32_t n = 0;

	for_each_cpu(cpu, cpus)
		n += cpu != self && cpumask_test(&cpu_online_map, cpu);
	atomic_set(&call.left, n);
	for_each_cpu(cpu, cpus) if (cpu != self &&
				    cpumask_test(&cpu_online_map, cpu))
		apic_send_ipi(apic_ids[cpu], VECTOR_CALL);
}

static bool has_others(const cpumask_t *cpus, unsigned int self)
{
	uint64_t others = 0;

	for (unsigned int i = 0; i * 64 < nr_cpus; i++)
		others |= cpus->bits[i] &
			  ~(i == self / 64 ? BIT(self % 64) : 0);
	return others;
}

static __attribute__((noinline)) void call_others(const cpumask_t *cpus,
						  unsigned int self,
						  void (*fn)(void *),
						  void *data, bool wait)
{
	while (!spin_trylock(&call.lock))
		cpu_relax();
	call.fn = fn;
	call.data = data;
	call.wait = wait;
	ask_others(cpus, self);
	while (atomic_read(&call.left))
		cpu_relax();
	spin_unlock(&call.lock);
}

void smp_call(const cpumask_t *cpus, void (*fn)(void *), void *data, bool wait)
{
	unsigned int self = smp_processor_id();

	ASSERT(local_irq_is_enabled());
	/* Before the lock is taken, so that fn may take others. */
	if (cpumask_test(cpus, self)) {
		local_irq_disable();
		fn(data);
		local_irq_enable();
	}
	if (has_others(cpus, self))
		call_others(cpus, self, fn, data, wait);
}

bool smp_stopping(void)
{
	return atomic_read(&stopping);
}

void smp_stop_others(void)
{
	unsigned int self = smp_processor_id();

	if (atomic_xchg(&stopping, 1))
		return;
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		if (cpu != self)
			apic_send_nmi(apic_ids[cpu]);
}

/* STI takes effect after the next instruction: an interrupt cannot slip in
 * between the look and the halt. */
void cpu_idle(void)
{
	local_irq_disable();
	if (softirq_is_pending())
		local_irq_enable();
	else
		__asm__ volatile("sti; hlt" ::: "memory");
}

void smp_init(void)
{
	trap_set_vector(VECTOR_KICK, handle_kick);
	trap_set_vector(VECTOR_CALL, handle_call);
	apic_ids[0] = apic_id();
	for (unsigned int i = 0; i < acpi_info.nr_cpus; i++)
		if (acpi_info.cpu[i].apic_id == apic_ids[0])
			acpi_ids[0] = acpi_info.cpu[i].acpi_id;
}
