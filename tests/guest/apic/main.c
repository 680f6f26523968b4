/* SPDX-License-Identifier: MIT */
/*
 * The local APIC that a PVH guest has: its registers by memory and the timer,
 * interrupts to oneself, an NMI during another, their priorities against the
 * task priority, and end of interrupt; then the same by MSRs, as x2APIC. Both
 * ways, a hundred interrupts to oneself, a hundred to the other vCPU and a
 * hundred of the timer are all taken; as dom0 it says how many exits they were,
 * where the hypervisor counts them (tests/rig/bochs.py compares).
 */
#include "test.h"
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

const char guest_name[] = "apic";

#define APIC(reg)    (*(volatile uint32_t *)(0xfee00000ul + (reg)))
#define ID           0x20
#define VERSION_REG  0x30
#define TPR          0x80
#define EOI          0xb0
#define SPURIOUS     0xf0
#define IRR(v)       (0x200 + (v) / 32 * 0x10)
#define ICR_LOW      0x300
#define ICR_HIGH     0x310
#define LVT_TIMER    0x320
#define TIMER_COUNT  0x380
#define TIMER_NOW    0x390
#define TIMER_DIVIDE 0x3e0
#define SELF_FIXED   0x40000
#define X2APIC(reg)  (0x800u + (reg) / 0x10)

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

/* With the address in the instruction (A3, A1), a constant (C7), and through a
 * register (89, 8B), each several times from the same place. */
static void forms(void)
{
	unsigned int good = 0;

	for (uint64_t i = 1; i <= 4; i++) {
		uint64_t rax = ~0ul, rcx = ~0ul, val = ~0ul;

		__asm__ volatile("movabsl %%eax, 0xfee00080\n\t"
				 "movl %%ecx, %%eax\n\t"
				 "movabsl 0xfee00080, %%eax"
				 : "+a"(rax)
				 : "c"(0)
				 : "memory");
		good += rax == 0xff; /* as much as TPR keeps */
		__asm__ volatile("movl %%ecx, (%1)\n\t"
				 "movl (%1), %%ecx"
				 : "+c"(rcx)
				 : "r"(0xfee00080ul)
				 : "memory");
		good += rcx == 0xff;
		__asm__ volatile("movl $0x25, (%1)\n\t"
				 "movl (%1), %k0"
				 : "=&r"(val)
				 : "r"(0xfee00080ul)
				 : "memory");
		good += val == 0x25;
		APIC(TPR) = (uint32_t)i;
		good += APIC(TPR) == i;
	}
	check(good == 16, "each form of a move, again and again (%u)", good);
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

static volatile unsigned int nmis, depth, deepest;

static void send_nmi(void)
{
	APIC(ICR_HIGH) = 0;
	APIC(ICR_LOW) = 0x400;
}

/* The first sends another, which waits until this one is over. */
static void on_nmi(struct trap_frame *f)
{
	(void)f;
	if (++depth > deepest)
		deepest = depth;
	if (!nmis++)
		send_nmi();
	xen_version(XENVER_version, NULL);
	depth--;
}

static void nmi(void)
{
	uint64_t limit = system_time() + 1000000000ul;

	trap_handler(2, on_nmi);
	send_nmi();
	while (nmis < 2 && system_time() < limit)
		cpu_relax();
	check(nmis == 2, "an NMI, and one that came meanwhile (%u)", nmis);
	check(deepest == 1, "one after the other");
	send_nmi();
	check(nmis == 3, "and once more");
}

/* All exits so far but for those of asking; 0: nobody counts. */
#define COUNTERS 512
static uint64_t exits(void)
{
	static struct xen_sysctl_perfc_desc names[COUNTERS];
	static xen_sysctl_perfc_val_t values[COUNTERS];
	static uint64_t asked;
	struct xen_sysctl op = {
		.cmd = XEN_SYSCTL_perfc_op,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
		.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query,
	};
	uint64_t sum = 0;

	if (!is_dom0 || hc(__HYPERVISOR_sysctl, &op) ||
	    op.u.perfc_op.nr_counters > COUNTERS)
		return 0;
	op.u.perfc_op.desc.p = names;
	op.u.perfc_op.val.p = values;
	if (hc(__HYPERVISOR_sysctl, &op))
		return 0;
	asked += 2;
	for (unsigned int i = 0; i < op.u.perfc_op.nr_counters; i++)
		if (!memcmp(names[i].name, "exit ", 5))
			sum += values[i];
	return sum - asked;
}

#define ROUNDS       100
#define OTHER_ROUNDS 20 /* each wakes a CPU: slow in an emulator */
static volatile unsigned int taken, others;
static volatile uint32_t other_id; /* the second vCPU's APIC number, plus 1 */

/* What the second vCPU does: it sleeps between its interrupts, which are by
 * memory until it is told to switch to the other mode, and woken. */
static volatile bool to_x2apic, in_x2apic;
static void on_other(struct trap_frame *f)
{
	(void)f;
	others++;
	if (in_x2apic)
		wrmsr(X2APIC(EOI), 0);
	else
		APIC(EOI) = 0;
}

static void second(unsigned int id)
{
	uint32_t r[4];

	(void)id;
	cpuid(1, 0, r);
	APIC(SPURIOUS) = 0x1ff;
	other_id = (r[1] >> 24) + 1;
	while (!to_x2apic)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	wrmsr(0x1b, rdmsr(0x1b) | 1u << 10);
	in_x2apic = true;
	other_id = rdmsr(X2APIC(ID)) + 1;
	for (;;)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* Until it is so, or a second has gone; the other vCPU may need our CPU. */
static bool until(bool (*so)(unsigned int), unsigned int n)
{
	uint64_t limit = system_time() + 1000000000ul;

	while (!so(n) && system_time() < limit)
		sched_op(SCHEDOP_yield, NULL);
	return so(n);
}

static bool is_there(unsigned int mode)
{
	return other_id && in_x2apic == mode;
}

static bool has_taken(unsigned int n)
{
	return others == n;
}

/* To the second vCPU, one after the other. */
static void to_other(const char *mode, void (*send)(uint32_t), uint32_t vector)
{
	uint64_t from = exits(), n;
	unsigned int i;

	others = 0;
	for (i = 0; i < OTHER_ROUNDS; i++) {
		uint64_t limit = system_time() + 20000000ul;

		send(vector);
		while (others == i && system_time() < limit)
			barrier(); /* PAUSE might exit */
		if (others == i && !until(has_taken, i + 1))
			break;
	}
	n = exits() - from;
	check(others == OTHER_ROUNDS, "%s: %u interrupts to another", mode,
	      others);
	if (from)
		note("%s: %lu exits for %u to another", mode, n, OTHER_ROUNDS);
}

/* Interrupts to oneself, then of the timer, by the mode that write() is for;
 * vector's handler counts in taken and ends each. */
static void rounds(const char *mode, void (*write)(unsigned int, uint32_t),
		   uint32_t vector)
{
	uint64_t from = exits(), between, limit;

	taken = 0;
	irq_enable();
	for (unsigned int i = 0; i < ROUNDS; i++)
		write(ICR_LOW, SELF_FIXED | vector);
	check(taken == ROUNDS, "%s: %u interrupts to oneself", mode, taken);
	between = exits();
	write(TIMER_DIVIDE, 0xb);
	write(LVT_TIMER, vector);
	limit = system_time() + 5000000000ul;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		write(TIMER_COUNT, 20000);
		while (taken == ROUNDS + i && system_time() < limit)
			barrier();
	}
	irq_disable();
	check(taken == 2 * ROUNDS, "%s: %u of the timer", mode, taken - ROUNDS);
	write(LVT_TIMER, 1u << 16);
	if (between)
		note("%s: %lu exits for %u to oneself, %lu for %u of the timer",
		     mode, between - from, ROUNDS, exits() - between, ROUNDS);
}

static void by_memory(unsigned int reg, uint32_t val)
{
	APIC(reg) = val;
}

static void on_round(struct trap_frame *f)
{
	(void)f;
	taken++;
	APIC(EOI) = 0;
}

static void send_by_memory(uint32_t vector)
{
	APIC(ICR_HIGH) = (other_id - 1) << 24;
	APIC(ICR_LOW) = vector;
}

/* The same by MSRs: it never goes back. */
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

static void by_wrmsr(unsigned int reg, uint32_t val)
{
	wrmsr(X2APIC(reg), val);
}

static void on_x_round(struct trap_frame *f)
{
	(void)f;
	taken++;
	wrmsr(X2APIC(EOI), 0);
}

static void send_by_wrmsr(uint32_t vector)
{
	wrmsr(X2APIC(ICR_LOW), (uint64_t)(other_id - 1) << 32 | vector);
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

static void bad_self(void *p)
{
	(void)p;
	wrmsr(0x83f, 0x152);
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
	trap_handler(0x61, on_x_round);
	rounds("x2APIC", by_wrmsr, 0x61);
	if (other_id) {
		if (check(until(is_there, 1), "the other follows"))
			to_other("x2APIC", send_by_wrmsr, 0x62);
	}
	check(try_call(bad_eoi, NULL) == 13, "#GP of an EOI that is not 0");
	check(try_call(read_reserved, NULL) == 13, "#GP of what is reserved");
	check(try_call(bad_self, NULL) == 13, "#GP of a vector that is none");
	check(!(rdmsr(X2APIC(IRR(0x52))) & 1u << (0x52 % 32)),
	      "and no interrupt of it");
}

static uint64_t stepped_to;

static void on_step(struct trap_frame *f)
{
	stepped_to = f->rip;
	f->rflags &= ~0x100ul;
}

/* A single step over a register's write traps after it, once the instruction
 * is known as well. */
static void steps(void)
{
	uint32_t was = APIC(SPURIOUS);
	uint64_t expected;

	trap_handler(1, on_step);
	for (unsigned int i = 0; i < 3; i++) {
		stepped_to = 0;
		__asm__ volatile("lea 1f(%%rip), %0\n\t"
				 "pushfq\n\t"
				 "orq $0x100, (%%rsp)\n\t"
				 "popfq\n\t"
				 "movl %1, (%2)\n"
				 "1: nop"
				 : "=&r"(expected)
				 : "r"(was), "r"(&APIC(SPURIOUS))
				 : "memory", "cc");
		check(stepped_to == expected, "a step over a write (%lx)",
		      stepped_to);
	}
	trap_handler(1, NULL);
}

void guest_main(void)
{
	registers();
	steps();
	forms();
	self_interrupts();
	timer();
	nmi();
	trap_handler(0x60, on_round);
	rounds("xAPIC", by_memory, 0x60);
	trap_handler(0x62, on_other);
	check_rc(smp_boot(1, second), 0, "start a second vCPU");
	if (check(until(is_there, 0), "it runs")) {
		to_other("xAPIC", send_by_memory, 0x62);
		to_x2apic = true;
		send_by_memory(0x62);
	}
	by_msr();
}
