/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables and the dispatch of exceptions and interrupt vectors.
 * An exception of our own is a bug unless the exception table says where to go
 * on; then it ends the machine with registers and stack.
 */
#include "cpu/traps.h"
#include "cpu/apic.h"
#include "cpu/init.h"
#include "cpu/panic.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "console/printk.h"
#include "lib/atomic.h"
#include "lib/lock.h"

#define IST_STACK 4096

DEFINE_PER_CPU_PAGE(uint64_t[PAGE_SIZE / 8], gdt_page);
DEFINE_PER_CPU_ENTRY(struct tss, tss) __aligned(128);
#define NR_IST 4
static DEFINE_PER_CPU_ENTRY(uint8_t[NR_IST][IST_STACK], ist_stacks)
	__aligned(IST_STACK);

struct idt_gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};
static struct idt_gate idt[256] __entry_data __aligned(4096);
extern const char trap_stubs[256][16];

struct table_register {
	uint16_t limit;
	uint64_t base;
} __packed;

static void (*vector_handler[256])(struct cpu_regs *regs);
void (*trap_from_guest)(void) __entry_data;
uint64_t trap_guest_iret __entry_data, trap_guest_flags;
/* A place for a register before there is a stack (entry.S, pv/entry.S). */
DEFINE_PER_CPU_ENTRY(uint64_t, trap_scratch);
DEFINE_PER_CPU_ENTRY(uint64_t, trap_full_cr3);
DEFINE_PER_CPU(struct iret_fault, trap_of_iret);

static const char *const exception_name[32] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range",
	"invalid opcode",
	"device not available",
	"double fault",
	"coprocessor segment",
	"invalid TSS",
	"segment not present",
	"stack fault",
	"general protection",
	"page fault",
	"reserved",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualisation",
	"control protection",
	[28] = "hypervisor injection",
	[29] = "VMM communication",
	[30] = "security",
};

struct fixup {
	int32_t insn, target; /* distances from each field */
};
extern const struct fixup image_fixup_start[], image_fixup_end[];

uint64_t trap_fixup(uint64_t rip)
{
	for (const struct fixup *f = image_fixup_start; f < image_fixup_end;
	     f++)
		if ((uint64_t)&f->insn + (int64_t)f->insn == rip)
			return (uint64_t)&f->target + (int64_t)f->target;
	return 0;
}

bool rdmsr_safe(uint32_t msr, uint64_t *v)
{
	uint32_t lo, hi, bad = 1;

	__asm__ volatile("1: rdmsr\n\t"
			 "xorl %[bad], %[bad]\n"
			 "2:\n" EX_TABLE("1b", "2b")
			 : "=a"(lo), "=d"(hi), [bad] "+r"(bad)
			 : "c"(msr));
	if (!bad)
		*v = lo | (uint64_t)hi << 32;
	return !bad;
}

bool wrmsr_safe(uint32_t msr, uint64_t v)
{
	uint32_t bad = 1;

	__asm__ volatile("1: wrmsr\n\t"
			 "xorl %[bad], %[bad]\n"
			 "2:\n" EX_TABLE("1b", "2b")
			 : [bad] "+r"(bad)
			 : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
	return !bad;
}

static void __noreturn fatal_exception(const struct cpu_regs *r)
{
	const char *name = exception_name[r->entry_vector];

	panic_regs(r, "%s (vector %u, error code %04x) at %016lx",
		   name ? name : "exception", r->entry_vector, r->error_code,
		   r->rip);
}

static struct {
	uint32_t count, cpu, port61; /* how many untold, where the last was */
} nmis;

static void report_nmis(void *unused)
{
	uint32_t n = atomic_xchg(&nmis.count, 0);

	(void)unused;
	printk(XENLOG_WARNING "CPU %u: NMI (port 0x61 reads %02x), %u in all\n",
	       READ_ONCE(nmis.cpu), READ_ONCE(nmis.port61), n);
}
static struct tasklet nmi_report = {.fn = report_nmis};

/*
 * The only NMI that we send stops the CPU for good. Others are the machine's
 * (a watchdog, a parity error): reported, since nobody else will; later, as the
 * console's lock may be this CPU's already.
 */
static void handle_nmi(void)
{
	if (smp_stopping())
		for (;;)
			__asm__ volatile("cli; hlt");
	WRITE_ONCE(nmis.cpu, smp_processor_id());
	WRITE_ONCE(nmis.port61, inb(0x61));
	atomic_add(&nmis.count, 1U);
	tasklet_schedule(&nmi_report, smp_processor_id());
}

void trap_interrupt(struct cpu_regs *regs)
{
	uint64_t held = lock_irq_enter();

	vector_handler[regs->entry_vector](regs);
	lock_irq_leave(held);
}

void trap_dispatch(struct cpu_regs *regs);
void trap_dispatch(struct cpu_regs *regs)
{
	unsigned int vector = regs->entry_vector;
	uint64_t to;

	if (likely(vector >= 32)) {
		trap_interrupt(regs);
		return;
	}
	/* A guest's breakpoint on the way in, or its single step: over. */
	if (vector == TRAP_DB) {
		__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0UL));
		if (regs->rip == trap_guest_flags)
			regs->rflags &= ~(uint64_t)BIT(8); /* TF */
		return;
	}
	if (vector == TRAP_NMI) {
		handle_nmi();
		return;
	}
	to = vector == TRAP_DF || vector == TRAP_MC ? 0 : trap_fixup(regs->rip);
	if (!to)
		fatal_exception(regs);
	if (regs->rip == trap_guest_iret)
		this_cpu(trap_of_iret) =
			(struct iret_fault){(uint8_t)vector, regs->error_code};
	regs->rip = to;
}

/* Legacy 8259s may raise one although masked; nothing is to be answered. */
static void unexpected_vector(struct cpu_regs *regs)
{
	static uint32_t seen;

	if (regs->entry_vector >= VECTOR_FIRST_EXTERNAL)
		apic_eoi();
	if (atomic_add(&seen, 1) <= 10)
		printk(XENLOG_WARNING "CPU %u: unexpected vector %02x\n",
		       smp_processor_id(), regs->entry_vector);
}

void trap_set_vector(uint8_t vector, void (*fn)(struct cpu_regs *regs))
{
	vector_handler[vector] = fn;
}

static void set_gate(unsigned int vector, uint8_t ist)
{
	uint64_t at = (uint64_t)trap_stubs[vector];

	idt[vector] = (struct idt_gate){
		.offset_low = (uint16_t)at,
		.selector = SEL_HYPER_CS,
		.ist = ist,
		/* Present, interrupt gate; INT3 and INTO are anybody's. */
		.type = vector == 3 || vector == 4 ? 0xee : 0x8e,
		.offset_mid = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

static void fill_gdt(uint64_t *gdt, const struct tss *tss)
{
	uint64_t base = (uint64_t)tss;

#define ENTRY(sel) gdt[((sel)-GDT_RESERVED_BYTE) / 8]
	ENTRY(SEL_HYPER_CS) = 0x00af9b000000ffff;
	ENTRY(SEL_HYPER_DS) = 0x00cf93000000ffff;
	ENTRY(SEL_GUEST_CS32) = 0x00cffb000000ffff;
	ENTRY(SEL_GUEST_DS) = 0x00cff3000000ffff;
	ENTRY(SEL_GUEST_CS64) = 0x00affb000000ffff;
	ENTRY(SEL_TSS) = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 |
			 0x89UL << 40 | ((base >> 24) & 0xff) << 56;
	ENTRY(SEL_TSS + 8) = base >> 32;
#undef ENTRY
}

/* The code segment can be changed by a far return only. */
static void load_segments(const struct table_register *gdtr)
{
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1: movl %2, %%eax\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "movl %%eax, %%ss\n\t"
			 :
			 : "m"(*gdtr), "i"(SEL_HYPER_CS), "i"(SEL_HYPER_DS)
			 : "rax", "memory");
}

/* The top of each has what GS.base is on this CPU: whoever comes there does not
 * know which is in place (entry.S). */
static uint64_t ist_top(unsigned int cpu, unsigned int i)
{
	uint64_t *top = (uint64_t *)per_cpu(ist_stacks, cpu)[i + 1];

	top[-1] = IST_MARK;
	top[-2] = percpu_offset[cpu];
	return (uint64_t)&top[-2];
}

void traps_load(unsigned int cpu)
{
	struct tss *tss = &per_cpu(tss, cpu);
	uint64_t *gdt = per_cpu(gdt_page, cpu);
	/* Selectors start at 0xe000: what lies before is never referred to. */
	struct table_register gdtr = {GDT_RESERVED_BYTE + PAGE_SIZE - 1,
				      (uint64_t)gdt - GDT_RESERVED_BYTE};
	struct table_register idtr = {sizeof(idt) - 1, (uint64_t)idt};

	for (unsigned int i = 0; i < NR_IST; i++)
		tss->ist[i] = ist_top(cpu, i);
	tss->iomap = sizeof(*tss);
	fill_gdt(gdt, tss);
	load_segments(&gdtr);
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void traps_init(void)
{
	for (unsigned int i = 0; i < 256; i++) {
		set_gate(i, i == TRAP_DB    ? IST_DB
			    : i == TRAP_DF  ? IST_DF
			    : i == TRAP_NMI ? IST_NMI
			    : i == TRAP_MC  ? IST_MC
					    : 0);
		vector_handler[i] = unexpected_vector;
	}
	traps_load(0);
}
