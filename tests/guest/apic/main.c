/* SPDX-License-Identifier: MIT */
/*
 * The local APIC that a PVH guest has: its registers by memory and the timer,
 * interrupts to oneself, their priorities against the task priority, and end
 * of interrupt.
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

void guest_main(void)
{
	registers();
	self_interrupts();
	timer();
}
