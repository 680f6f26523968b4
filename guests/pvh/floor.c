/* SPDX-License-Identifier: MIT */
/*
 * The least that a round trip out of a guest takes: VMRUN in a loop, on the
 * bare machine. The guest is two instructions; nobody looks at why it came
 * out, no register is saved. What a hypervisor adds is the distance to this
 * (docs/bench.md). No hypervisor is below: QEMU starts it by the PVH entry.
 *
 *   bench vmrun_floor ticks=T ns=N     as bench.c: tenths of each
 */
#include "hvm/svm/vmcb.h"
#include "lib/x86.h"

#define COM1         0x3f8
#define MSR_EFER     0xc0000080
#define EFER_SVME    BIT(12)
#define MSR_HSAVE_PA 0xc0010117
#define PM1A_CONTROL 0x604 /* QEMU's "pc", as its firmware leaves it */
#define SLEEP_S5     0x2000

/* The interval timer's second channel, gated and read at port 0x61. */
#define PIT_HZ      1193182UL
#define PIT_TICKS   59659UL /* 50 ms */
#define PIT_CHANNEL 0x42
#define PIT_MODE    0x43
#define PIT_GATE    0x61
#define PIT_DONE    0x20

#define ROUNDS  2000
#define BATCHES 9

/* Also nested: all of it is writable, a user's, and maps one to one. */
extern uint64_t pml4[];

void guest_start(void);
void smp_start(void);

static struct vmcb vmcb __aligned(PAGE_SIZE);
static char host_save[PAGE_SIZE] __aligned(PAGE_SIZE);
static uint64_t guest_stack[16];

static void put(char c)
{
	while (!(inb(COM1 + 5) & 0x20))
		;
	outb(COM1, (uint8_t)c);
}

static void put_text(const char *s)
{
	while (*s)
		put(*s++);
}

static void put_number(uint64_t n)
{
	if (n >= 10)
		put_number(n / 10);
	put((char)('0' + n % 10));
}

/* head.S names it; no further CPU is started. */
void smp_start(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

static __attribute__((naked)) void guest(void)
{
	__asm__("1: vmmcall\n\tjmp 1b");
}

static void prepare_guest(void)
{
	const struct vmcb_seg code = {0x08, 0xa9b, ~0U, 0};
	const struct vmcb_seg data = {0x10, 0xc93, ~0U, 0};

	vmcb.intercept2 = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL;
	vmcb.asid = 1;
	vmcb.np_enable = 1;
	vmcb.ncr3 = (uint64_t)pml4;
	vmcb.cs = code;
	vmcb.ds = vmcb.es = vmcb.ss = data;
	vmcb.efer = rdmsr(MSR_EFER);
	vmcb.cr0 = read_cr0();
	vmcb.cr3 = (uint64_t)pml4;
	vmcb.cr4 = read_cr4();
	vmcb.pat = 0x0007040600070406UL;
	vmcb.dr6 = 0xffff0ff0;
	vmcb.dr7 = 0x400;
	vmcb.rflags = 2;
	vmcb.rsp = (uint64_t)(guest_stack + 16);
	vmcb.rip = (uint64_t)guest;
}

/* In ticks of the TSC. */
static uint64_t one_batch(void)
{
	uint64_t before = rdtsc(), rounds = ROUNDS;

	/* VMMCALL's three bytes; the guest jumps back by itself. */
	__asm__ volatile("1: vmrun %%rax\n\t"
			 "addq $3, %1\n\t"
			 "decq %0\n\t"
			 "jnz 1b"
			 : "+r"(rounds), "+m"(vmcb.rip)
			 : "a"(&vmcb)
			 : "memory", "cc");
	return rdtsc() - before;
}

/* Ticks of the TSC in PIT_TICKS of the interval timer. */
static uint64_t tsc_ticks(void)
{
	uint8_t gate = inb(PIT_GATE) & 0xfc;
	uint64_t before;

	outb(PIT_GATE, gate);
	outb(PIT_MODE, 0xb0); /* channel 2, both bytes, mode 0 */
	outb(PIT_CHANNEL, PIT_TICKS & 0xff);
	outb(PIT_CHANNEL, PIT_TICKS >> 8);
	before = rdtsc();
	outb(PIT_GATE, gate | 1);
	while (!(inb(PIT_GATE) & PIT_DONE))
		;
	return rdtsc() - before;
}

void guest_start(void)
{
	uint64_t per_period = tsc_ticks(), least = ~0UL;

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_HSAVE_PA, (uint64_t)host_save);
	prepare_guest();
	for (unsigned int i = 0; i < BATCHES; i++)
		least = min(least, one_batch());
	if (vmcb.exitcode != SVM_VMMCALL) {
		put_text("not ok - the guest came out for ");
		put_number(vmcb.exitcode);
	} else {
		put_text("bench vmrun_floor ticks=");
		put_number(least * 10 / ROUNDS);
		put_text(" ns=");
		put_number(least * 10 / ROUNDS *
			   (PIT_TICKS * 1000000000UL / PIT_HZ) / per_period);
	}
	put_text("\r\n1..1\r\n");
	outw(PM1A_CONTROL, SLEEP_S5);
}
