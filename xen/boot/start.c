/* SPDX-License-Identifier: MIT */
/*
 * The start sequence, from the entry code to the first domain: each subsystem's
 * initialisation, in the one order in which it works.
 */
#include "boot/boot.h"
#include "boot/dom0.h"
#include "console/console.h"
#include "console/printk.h"
#include "console/serial.h"
#include "control/control.h"
#include "cpu/acpi.h"
#include "cpu/efi.h"
#include "cpu/init.h"
#include "cpu/irq.h"
#include "cpu/panic.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "cpu/time.h"
#include "domain/cpu_policy.h"
#include "hvm/hvm.h"
#include "hypercall/hypercall.h"
#include "lib/atomic.h"
#include "lib/param.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "mem/layout.h"
#include "mem/memory.h"
#include "pv/pv.h"
#include "sched/sched.h"

#define VERSION "0.1.0"

void start(uint32_t magic, uint32_t info, uint32_t base) __noreturn;

static __initdata struct boot_info boot_info;

extern const struct param image_param_start[], image_param_end[];

static void __init report_word(const char *what, const char *word)
{
	if (strcmp(what, "unknown") == 0)
		printk(XENLOG_WARNING "Command line: unknown word \"%s\"\n",
		       word);
	else
		printk(XENLOG_ERR "Command line: \"%s\" is malformed: the "
				  "default stays\n",
		       word);
}

static void __init print_boot_info(const struct boot_info *bi)
{
	printk("Ostler " VERSION " (%s), built with " __VERSION__ "\n",
#ifdef OSTLER_DEBUG
	       "debug"
#else
	       "release"
#endif
	);
	printk("Boot loader: %s (%s%s), image at %#lx\n", bi->loader,
	       bi->protocol, bi->efi ? ", UEFI" : "", image_phys_start);
	printk("Command line: %s\n", bi->command_line);
	for (unsigned int i = 0; i < bi->nr_modules; i++)
		printk("Module %u: %lu KiB at %#lx: %s\n", i,
		       (bi->module[i].end - bi->module[i].start) >> 10,
		       bi->module[i].start, bi->module[i].words);
}

static void serial_interrupt(void *data, unsigned int irq)
{
	(void)data;
	(void)irq;
	serial_poll();
}

/* The console, from options to output; then who we are. */
static void __init start_console(const struct boot_info *bi)
{
	/* Messages wait in the ring until the console's options are known. */
	param_parse_line(bi->command_line, image_param_start, image_param_end,
			 report_word);
	console_init();
	print_boot_info(bi);
}

static void __init start_memory(const struct boot_info *bi)
{
	for (unsigned int i = 0; i < bi->nr_modules; i++)
		memory_reserve(bi->module[i].start, bi->module[i].end);
	dom0_keep_zone();
	memory_init(&bi->memory);
	trampoline_init(bi);
}

/* It has to be mapped, so it comes when there is memory. */
static void __init start_screen(const struct boot_info *bi)
{
	screen_find(&bi->framebuffer, bi->efi);
	console_init_screen();
}

static void __init start_machine(const struct boot_info *bi)
{
	unsigned int line;

	efi_init(bi->efi_table);
	if (!acpi_init(bi->rsdp))
		printk(XENLOG_WARNING "No ACPI tables: one CPU, no I/O APIC\n");
	panic_reboot = machine_reboot;
	cpu_print_features();
	time_init();
	console_clock = now;
	apic_init();
	ioapic_init();
	softirq_init();
	local_irq_enable();
	line = serial_enable_irq();
	if (line && irq_request_isa(line, serial_interrupt, NULL))
		printk(XENLOG_WARNING "No interrupt from the serial line: no "
				      "input\n");
}

static uint32_t maxcpus;
PARAM_UINT("maxcpus", maxcpus, 1, NR_CPUS, "how many CPUs to use");

static void (*scheduler_loop)(void);

static uint32_t others_ready;

/* On each other CPU, when it is up. */
static void run_other_cpu(void)
{
	if (hvm_ops && hvm_init_cpu())
		panic("CPU %u cannot run hardware containers, but CPU 0 can",
		      smp_processor_id());
	if (domain_kind_pv && pv_init_cpu())
		panic("CPU %u: no memory for PV domains", smp_processor_id());
	atomic_add(&others_ready, 1);
	scheduler_loop();
}

static void __init start_cpus(const struct boot_info *bi)
{
	hvm_init();
	pv_init();
	sched_init();
	scheduler_loop = smp_cpu_loop;
	smp_cpu_loop = run_other_cpu;
	smp_start_all(maxcpus);
	/* They allocate, too: none may take a page that dom0's kernel wants. */
	while (atomic_read(&others_ready) != nr_cpus - 1)
		cpu_relax();
	trampoline_done(bi);
}

static void tell_dom0_of_input(void)
{
	send_global_virq(VIRQ_CONSOLE);
}

/* Tools read it (XENVER_commandline) when boot_info is long gone. */
static void __init keep_command_line(const struct boot_info *bi)
{
	static char kept[1024];

	memcpy(kept, bi->command_line,
	       min(strlen(bi->command_line), sizeof(kept) - 1));
	hypervisor_cmdline = kept;
}

static void __init start_domains(struct boot_info *bi)
{
	cpu_policy_init();
	domain_init();
	control_init();
	hypercall_init();
	hvm_op_hook = hvm_op;
	keep_command_line(bi);
	build_dom0(bi);
	console_input_notify = tell_dom0_of_input;
}

/* Not __init: from here on only what stays is left. */
static void __noreturn __attribute__((noinline)) run(void)
{
	memory_free_init();
	printk("Domain 0 starts %ld ms after us\n", now() / 1000000);
	console_release_screen();
	sched_loop();
}

void __init start(uint32_t magic, uint32_t info, uint32_t base)
{
	struct boot_info *bi = &boot_info;

	image_phys_start = base;
	cpu_init_bsp();
	traps_init();
	if (!boot_info_parse(bi, magic, info))
		panic("started by an unknown boot protocol (EAX %#x)", magic);
	start_console(bi);
	start_memory(bi);
	start_screen(bi);
	start_machine(bi);
	start_cpus(bi);
	start_domains(bi);
	run();
}
