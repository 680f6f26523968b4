/* SPDX-License-Identifier: MIT */
/*
 * The local APIC. x2APIC is used where the CPU has it (interrupt remapping is
 * not needed as long as no APIC ID is above 254); else the registers in memory.
 * The timer runs in TSC-deadline mode where offered, else as a one-shot counter
 * whose rate is measured once against the TSC.
 */
#include "cpu/apic.h"
#include "cpu/init.h"
#include "cpu/ioapic.h"
#include "cpu/msr.h"
#include "cpu/time.h"
#include "cpu/timer.h"
#include "cpu/traps.h"
#include "console/printk.h"
#include "mem/map.h"

/* Offsets of the registers in memory; in x2APIC mode MSR 0x800 + offset / 16.
 * Intel SDM Vol. 3, "Advanced Programmable Interrupt Controller". */
enum apic_reg {
	APIC_ID = 0x20,
	APIC_TPR = 0x80,
	APIC_EOI = 0xb0,
	APIC_LDR = 0xd0,
	APIC_SVR = 0xf0,
	APIC_ESR = 0x280,
	APIC_ICR = 0x300,
	APIC_ICR_HIGH = 0x310,
	APIC_LVT_TIMER = 0x320,
	APIC_LVT_THERMAL = 0x330,
	APIC_LVT_PERF = 0x340,
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_LVT_ERROR = 0x370,
	APIC_TIMER_INIT = 0x380,
	APIC_TIMER_COUNT = 0x390,
	APIC_TIMER_DIVIDE = 0x3e0,
};

#define LVT_MASKED          BIT(16)
#define LVT_TSC_DEADLINE    (2U << 17)
#define SVR_ENABLE          BIT(8)
#define ICR_NMI             (4U << 8)
#define ICR_INIT            (5U << 8)
#define ICR_STARTUP         (6U << 8)
#define ICR_PENDING         BIT(12)
#define ICR_ASSERT          BIT(14)
#define DIVIDE_BY_1         0xb
#define APIC_BASE_ENABLE    BIT(11)
#define APIC_BASE_X2APIC    BIT(10)
#define APIC_BASE_ADDR(v)   ((v)&GENMASK(51, 12))
#define APIC_VERSION_LVT(v) (((v) >> 16) & 0xff)

bool x2apic_on;
static volatile uint32_t *apic_regs;
/* Timer counts a nanosecond, as a pvclock pair; 0: TSC-deadline mode. */
static uint32_t timer_mul;
static int8_t timer_shift;

static uint32_t apic_read(enum apic_reg r)
{
	if (x2apic_on)
		return (uint32_t)rdmsr(MSR_X2APIC + r / 16);
	return apic_regs[r / 4];
}

static void apic_write(enum apic_reg r, uint32_t v)
{
	if (x2apic_on)
		wrmsr(MSR_X2APIC + r / 16, v);
	else
		apic_regs[r / 4] = v;
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return x2apic_on ? id : id >> 24;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/*
 * The command register is two words: an interrupt in between, whose handler
 * sends one, would spoil it. So both are written with interrupts off.
 */
static void apic_command(uint32_t dest, uint32_t low)
{
	unsigned long flags;

	if (x2apic_on) {
		/* A WRMSR to the x2APIC does not wait for earlier stores. */
		__asm__ volatile("mfence; lfence" ::: "memory");
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)dest << 32 | low);
		return;
	}
	flags = local_irq_save();
	while (apic_read(APIC_ICR) & ICR_PENDING)
		__asm__ volatile("pause");
	apic_write(APIC_ICR_HIGH, dest << 24);
	apic_write(APIC_ICR, low);
	local_irq_restore(flags);
}

void apic_send_ipi(uint32_t dest, uint8_t vector)
{
	apic_command(dest, vector | ICR_ASSERT);
}

void apic_send_nmi(uint32_t dest)
{
	apic_command(dest, ICR_NMI | ICR_ASSERT);
}

void apic_send_init(uint32_t dest)
{
	apic_command(dest, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(uint32_t dest, uint8_t page)
{
	apic_command(dest, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_timer_arm(s_time_t t)
{
	s_time_t delta;
	uint64_t count;

	if (!timer_mul) {
		/* 0 would disarm it; the past fires at once. */
		wrmsr(MSR_TSC_DEADLINE, t > 0 ? system_to_tsc(t) : 1);
		return;
	}
	delta = t - now();
	count = delta > 0 ? scale_ticks((uint64_t)min(delta, SECONDS(1)),
					timer_mul, timer_shift)
			  : 0;
	apic_write(APIC_TIMER_INIT,
		   (uint32_t)min(count + 1, (uint64_t)UINT32_MAX));
}

static void handle_error(struct cpu_regs *regs)
{
	uint32_t status;

	(void)regs;
	apic_write(APIC_ESR, 0);
	status = apic_read(APIC_ESR);
	apic_eoi();
	printk(XENLOG_WARNING "CPU %u: APIC error, status %02x\n",
	       smp_processor_id(), status);
}

/* By the rules of the APIC, a spurious interrupt gets no EOI. */
static void handle_spurious(struct cpu_regs *regs)
{
	(void)regs;
}

/* The same on every CPU. */
static void apic_enable(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);
	unsigned int lvts;

	base |= APIC_BASE_ENABLE;
	wrmsr(MSR_APIC_BASE, base);
	if (x2apic_on)
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
	lvts = APIC_VERSION_LVT(apic_read(0x30));
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, ICR_NMI);
	if (lvts >= 4)
		apic_write(APIC_LVT_PERF, LVT_MASKED);
	if (lvts >= 5)
		apic_write(APIC_LVT_THERMAL, LVT_MASKED);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
}

static void timer_enable(void)
{
	if (cpu_features.tsc_deadline) {
		apic_write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_TSC_DEADLINE);
		/* Intel SDM Vol. 3, "TSC-Deadline Mode": in xAPIC mode the LVT
		 * write must be seen before the MSR is written. */
		__asm__ volatile("mfence" ::: "memory");
		return;
	}
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, 0);
}

/* The counter and the TSC together, read as close as can be. */
static void sample(uint32_t *count, uint64_t *tsc)
{
	uint64_t best = ~0UL;

	for (unsigned int i = 0; i < 5; i++) {
		uint64_t before = rdtsc();
		uint32_t c = apic_read(APIC_TIMER_COUNT);
		uint64_t after = rdtsc();

		if (after - before >= best)
			continue;
		best = after - before;
		*count = c;
		*tsc = before + best / 2;
	}
}

/* Measures the counter for two milliseconds: a timer a little early or late is
 * no harm, since the softirq looks at the clock. */
static void timer_calibrate(void)
{
	uint32_t c0, c1;
	uint64_t t0, t1, ns, khz;

	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_TIMER_INIT, UINT32_MAX);
	sample(&c0, &t0);
	udelay(2000);
	sample(&c1, &t1);
	ns = scale_ticks(t1 - t0, tsc_mul, tsc_shift);
	khz = (uint64_t)(c0 - c1) * 1000000 / ns;
	if (c0 <= c1 || !khz)
		panic("the local APIC's timer does not count (%#x then %#x)",
		      c0, c1);
	/* counts = ns * khz / 10^6 */
	scale_ratio(khz, 1000000, &timer_mul, &timer_shift);
	printk(XENLOG_INFO "APIC timer: %lu.%03lu MHz\n", khz / 1000,
	       khz % 1000);
}

void apic_init(void)
{
	paddr_t base = APIC_BASE_ADDR(rdmsr(MSR_APIC_BASE));

	x2apic_on = cpu_features.x2apic;
	if (!x2apic_on) {
		apic_regs = map_mmio(base, PAGE_SIZE);
		if (!apic_regs)
			panic("no room to map the local APIC at %#lx", base);
	}
	trap_set_vector(VECTOR_ERROR, handle_error);
	trap_set_vector(VECTOR_SPURIOUS, handle_spurious);
	trap_set_vector(VECTOR_TIMER, timer_interrupt);
	pic_disable();
	apic_enable();
	if (cpu_features.tsc_deadline)
		printk(XENLOG_INFO "APIC timer: TSC deadline\n");
	else
		timer_calibrate();
	timer_enable();
	printk(XENLOG_INFO "APIC: %s mode, CPU 0 has ID %u\n",
	       x2apic_on ? "x2APIC" : "xAPIC", apic_id());
}

void apic_init_ap(void)
{
	apic_enable();
	timer_enable();
}
