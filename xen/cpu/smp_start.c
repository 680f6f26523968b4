/* SPDX-License-Identifier: MIT */
/*
 * Starting the other CPUs. INIT goes to all of them at once; then each gets its
 * start-up IPI and leaves the trampoline for its own stack before the next one
 * is started, while the rest of its initialisation goes on beside.
 */
#include "cpu/smp.h"
#include "cpu/acpi.h"
#include "cpu/apic.h"
#include "cpu/init.h"
#include "cpu/softirq.h"
#include "cpu/time.h"
#include "cpu/trampoline.h"
#include "console/printk.h"
#include "lib/atomic.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define STACK_ORDER 2

enum ap_stage { AP_SENT, AP_ARRIVED, AP_READY };

static uint32_t stage;  /* of the CPU that is being started */
static uint64_t ap_tsc; /* as it read on arrival */

static void idle_loop(void)
{
	local_irq_enable();
	for (;;) {
		softirq_run();
		cpu_idle();
	}
}

/* On the new CPU. */
static void ap_entry(unsigned long cpu)
{
	cpu_init_ap((unsigned int)cpu);
	ap_tsc = rdtsc();
	apic_init_ap();
	if (apic_id() != cpu_apic_id((unsigned int)cpu))
		/* One that was given up comes late. */
		for (;;)
			__asm__ volatile("cli; hlt");
	atomic_set(&stage, AP_ARRIVED);
	/* Until all are counted, nobody works with the set of CPUs. */
	while (atomic_read(&stage) != AP_READY)
		cpu_relax();
	if (smp_cpu_loop)
		smp_cpu_loop();
	idle_loop();
}

static bool wait_arrival(unsigned int us)
{
	for (unsigned int i = 0; i < us / 5; i++) {
		if (atomic_read(&stage) == AP_ARRIVED)
			return true;
		udelay(5);
	}
	return atomic_read(&stage) == AP_ARRIVED;
}

/* now() is one clock only if all TSCs run together. */
static void check_tsc(unsigned int cpu, uint64_t before)
{
	uint64_t after = rdtsc();

	if (ap_tsc < before || ap_tsc > after)
		printk(XENLOG_WARNING "CPU %u: its TSC is not CPU 0's (%#lx "
				      "outside %#lx to %#lx): time will "
				      "jump between CPUs\n",
		       cpu, ap_tsc, before, after);
}

static bool start_cpu(unsigned int cpu, uint32_t apic_id, uint32_t acpi_id)
{
	mfn_t stack = alloc_pages(STACK_ORDER, 0);
	uint8_t page = (uint8_t)(trampoline_phys >> PAGE_SHIFT);
	uint64_t before;

	if (mfn_eq(stack, INVALID_MFN) || !percpu_alloc(cpu)) {
		printk(XENLOG_ERR "CPU %u: no memory for it\n", cpu);
		return false;
	}
	smp_set_ids(cpu, apic_id, acpi_id);
	atomic_set(&stage, AP_SENT);
	trampoline_prepare((char *)mfn_to_virt(stack) +
				   (PAGE_SIZE << STACK_ORDER),
			   ap_entry, cpu);
	before = rdtsc();
	apic_send_startup(apic_id, page);
	/* Intel SDM Vol. 3, "MP Initialization": once more if it did not. */
	if (!wait_arrival(2000)) {
		apic_send_startup(apic_id, page);
		if (!wait_arrival(200000)) {
			printk(XENLOG_ERR "CPU with APIC ID %u does not "
					  "start: left out\n",
			       apic_id);
			return false;
		}
	}
	check_tsc(cpu, before);
	return true;
}

static void init_all(uint32_t self)
{
	for (unsigned int i = 0; i < acpi_info.nr_cpus; i++)
		if (acpi_info.cpu[i].apic_id != self)
			apic_send_init(acpi_info.cpu[i].apic_id);
	udelay(100);
}

void smp_start_all(unsigned int limit)
{
	uint32_t self = cpu_apic_id(0);
	unsigned int cpus = 1;

	if (!limit || limit > NR_CPUS)
		limit = NR_CPUS;
	if (limit > 1 && acpi_info.nr_cpus > 1 && trampoline_phys) {
		init_all(self);
		for (unsigned int i = 0; i < acpi_info.nr_cpus && cpus < limit;
		     i++)
			if (acpi_info.cpu[i].apic_id != self)
				cpus += start_cpu(cpus,
						  acpi_info.cpu[i].apic_id,
						  acpi_info.cpu[i].acpi_id);
	}
	for (unsigned int cpu = 1; cpu < cpus; cpu++)
		cpumask_set(&cpu_online_map, cpu);
	nr_cpus = cpus;
	atomic_set(&stage, AP_READY);
	printk(XENLOG_INFO "%u CPU%s of %u\n", cpus, cpus == 1 ? "" : "s",
	       max(acpi_info.nr_cpus, 1U));
}
