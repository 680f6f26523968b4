/* SPDX-License-Identifier: MIT */
/*
 * The local APIC that a PVH guest has: its registers by memory and the timer,
 * interrupts to oneself, their priorities against the task priority, and end
 * of interrupt; then the same by MSRs, as x2APIC.
 */
#include "test.h"
#include <xen/sched.h>

const char guest_name[] = "apic";

#define APIC(reg)    (*(volatile uint32_t *)(0xfee00000ul + (reg)))
#define ID           0x20
#define VERSION_REG  0x30
#define TPR          0x80
#define EOI          0xb0
#define SPURIOUS     0xf0
#define IRR(v)       (0x200 + (v) / 32 * 0x10)
#define ICR_LOW      0x300
#define LVT_TIMER    0x320
#define TIMER_COUNT  0x380
#define TIMER_NOW    0x390
#define TIMER_DIVIDE 0x3e0
#define SELF_FIXED   0x40000

static volatile unsigned int low, high, last;

static void on_low(struct trap_frame *f)
{
	low++;
	last = (unsigned int)f->vector;
	APIC(EOI) = 0;
}

static void on_high(struct trap_frame *f)
{
	high++;
	last = (unsigned int)f->vector;
	APIC(EOI) = 0;
}

static void registers(void)
{
	note("version register %x, ID %x", APIC(VERSION_REG), APIC(ID));
	check((APIC(VERSION_REG) & 0xff) >= 0x10, "it has a version");
	check(APIC(ID) >> 24 == 0, "the first CPU's number is 0");
	check(rdmsr(0x1b) & 1u << 11, "it is enabled");
	APIC(SPURIOUS) = 0x1ff;
	check((APIC(SPURIOUS) & 0x1ff) == 0x1ff, "and by software too");
	APIC(TPR) = 0x35;
	check(APIC(TPR) == 0x35, "the task priority keeps its value");
	APIC(TPR) = 0;
}

static void self_interrupts(void)
{
	trap_handler(0x51, on_low);
	trap_handler(0x91, on_high);
	irq_enable();
	APIC(ICR_LOW) = SELF_FIXED | 0x51;
	check(low == 1, "an interrupt to oneself (%u)", low);
	APIC(TPR) = 0x60;
	APIC(ICR_LOW) = SELF_FIXED | 0x51;
	check(low == 1, "the task priority holds a lower one back");
	check(APIC(IRR(0x51)) & 1u << (0x51 % 32), "it is requested");
	APIC(ICR_LOW) = SELF_FIXED | 0x91;
	check(high == 1, "but not a higher one");
	APIC(TPR) = 0;
	check(low == 2, "it comes when the priority goes down");
	irq_disable();
	APIC(ICR_LOW) = SELF_FIXED | 0x51;
	APIC(ICR_LOW) = SELF_FIXED | 0x91;
	check(low == 2 && high == 1, "none with interrupts off");
	irq_enable();
	check(low == 3 && high == 2, "both when they go on");
	check(last == 0x51, "the higher one first");
	irq_disable();
}

static void timer(void)
{
	unsigned int before = low;
	uint64_t limit;

	event_init();
	APIC(TIMER_DIVIDE) = 0xb;
	APIC(LVT_TIMER) = 0x51;
	APIC(TIMER_COUNT) = 1000000;
	check(APIC(TIMER_NOW) <= 1000000, "the timer counts down");
	limit = system_time() + 2000000000ul;
	irq_enable();
	while (low == before && system_time() < limit)
		cpu_relax();
	check(low == before + 1, "and fires once");
	check(APIC(TIMER_NOW) == 0, "then it stands");
	APIC(TIMER_COUNT) = 10000000;
	while (low == before + 1 && system_time() < limit)
		__asm__ volatile("hlt");
	check(low == before + 2, "it wakes from HLT");
	irq_disable();
	APIC(LVT_TIMER) = 1u << 16;
}

/* The same by MSRs: it never goes back. */
#define X2APIC(reg) (0x800u + (reg) / 0x10)

static volatile unsigned int x_low, x_high;

static void on_x_low(struct trap_frame *f)
{
	x_low++;
	last = (unsigned int)f->vector;
	wrmsr(X2APIC(EOI), 0);
}

static void on_x_high(struct trap_frame *f)
{
	x_high++;
	last = (unsigned int)f->vector;
	wrmsr(X2APIC(EOI), 0);
}

static void bad_eoi(void *p)
{
	(void)p;
	wrmsr(X2APIC(EOI), 1);
}

static void read_reserved(void *p)
{
	(void)p;
	rdmsr(0x831);
}

static void by_msr(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	if (!check(r[2] & 1u << 21, "CPUID offers the x2APIC"))
		return;
	wrmsr(0x1b, rdmsr(0x1b) | 1u << 10);
	check(rdmsr(X2APIC(ID)) == 0, "it has its number");
	check((rdmsr(X2APIC(VERSION_REG)) & 0xff) >= 0x10, "and a version");
	wrmsr(X2APIC(SPURIOUS), 0x1ff);
	trap_handler(0x52, on_x_low);
	trap_handler(0x92, on_x_high);
	irq_enable();
	wrmsr(0x83f, 0x52);
	check(x_low == 1, "an interrupt to oneself by its register");
	wrmsr(X2APIC(ICR_LOW), SELF_FIXED | 0x92);
	check(x_high == 1, "and by the command register");
	wrmsr(X2APIC(TPR), 0x60);
	check(rdmsr(X2APIC(TPR)) == 0x60, "the task priority");
	check((rdmsr(0x80a) & 0xf0) == 0x60, "makes the processor's");
	wrmsr(0x83f, 0x52);
	check(x_low == 1, "and holds an interrupt back");
	check(rdmsr(X2APIC(IRR(0x52))) & 1u << (0x52 % 32), "requested");
	wrmsr(X2APIC(TPR), 0);
	check(x_low == 2, "until it goes down");
	irq_disable();
	wrmsr(0x83f, 0x52);
	wrmsr(0x83f, 0x92);
	irq_enable();
	check(x_low == 3 && x_high == 2, "two come together");
	check(last == 0x52, "the higher one first");
	irq_disable();
	check(try_call(bad_eoi, NULL) == 13, "#GP of an EOI that is not 0");
	check(try_call(read_reserved, NULL) == 13, "#GP of what is reserved");
}

void guest_main(void)
{
	registers();
	self_interrupts();
	timer();
	by_msr();
}
