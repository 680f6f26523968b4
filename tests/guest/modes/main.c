/* SPDX-License-Identifier: MIT */
/*
 * Outside long mode: protected mode without paging, tasks that are switched by
 * CALL, JMP, IRET, an interrupt and exceptions, 32-bit paging, real mode with
 * its interrupts, "big" real mode, whose segments protected mode has left, and
 * a processor that starts there. Where a processor cannot run one of these as a
 * guest, or leaves task switches to the hypervisor, the guest must not notice.
 */
#include "low.h"
#include "test.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/memory.h>

const char guest_name[] = "modes";

extern uint8_t low_blob[], low_blob_end[], real_int[], real_zero[], real_into[];
extern uint8_t real_divide[], task_b[], task_c[], fault1[], fault2[];
extern uint8_t cpu_code[], cpu_code_end[], cpu_nmi[];
extern uint16_t real_segment, far_pointer[2];
extern struct __attribute__((packed)) {
	uint16_t limit;
	uint32_t base;
} real_idt, cpu_idt;
extern uint32_t low_marker;
void low_run(void);

uint64_t low_gdt[8], low_idt[256];
uint32_t low_results[RESULTS];
uint32_t low_directory[1024] PAGE_ALIGNED;
static uint8_t task_stacks[2][1024] __attribute__((aligned(16)));

struct tss {
	uint32_t link, stacks[6], cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt, trap;
};
_Static_assert(offsetof(struct tss, eip) == TSS_EIP, "low.h");
struct tss tss_a, tss_b, tss_c;

static uint64_t segment(uint32_t base, uint32_t limit, uint64_t attr)
{
	return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
	       attr << 40 | (uint64_t)(limit >> 16 & 15) << 48 |
	       (uint64_t)(base >> 24) << 56;
}

static uint32_t address(const void *p)
{
	return (uint32_t)(unsigned long)p;
}

static uint64_t tss_segment(const struct tss *t)
{
	return segment(address(t), sizeof(*t) - 1, 0x89);
}

static uint64_t task_gate(uint16_t tss)
{
	return (uint64_t)tss << 16 | 0xe500ul << 32;
}

static void make_task(struct tss *t, const void *code, uint8_t *stack_end)
{
	*t = (struct tss){
		.eip = address(code),
		.eflags = 2,
		.esp = address(stack_end),
		.es = DATA32,
		.cs = CODE32,
		.ss = DATA32,
		.ds = DATA32,
		.fs = DATA32,
		.gs = DATA32,
	};
}

static void make_tables(uint32_t page)
{
	low_gdt[CODE32 / 8] = segment(0, 0xfffff, 0xc09b);
	low_gdt[DATA32 / 8] = segment(0, 0xfffff, 0xc093);
	low_gdt[CODE16 / 8] = segment(page, 0xffff, 0x9b);
	low_gdt[DATA16 / 8] = segment(page, 0xffff, 0x93);
	low_gdt[TSS_A / 8] = tss_segment(&tss_a);
	low_gdt[TSS_B / 8] = tss_segment(&tss_b);
	low_gdt[TSS_C / 8] = tss_segment(&tss_c);
	make_task(&tss_b, task_b, task_stacks[0] + sizeof(task_stacks[0]));
	make_task(&tss_c, task_c, task_stacks[1] + sizeof(task_stacks[1]));
	low_idt[13] = task_gate(TSS_C);
	low_idt[TASK_VECTOR] = task_gate(TSS_B);
	for (unsigned int i = 0; i < 1024; i++)
		low_directory[i] = i << 22 | 0xe7;
	low_directory[0xc00 / 4] = 0x1000000 | 0xe7;
}

/* A vector of real mode at LOW_IVT. */
static void set_vector(uint32_t page, unsigned int n, const uint8_t *code)
{
	volatile uint32_t *ivt = (uint32_t *)(unsigned long)(page + LOW_IVT);

	ivt[n] = page / 16 << 16 | (uint32_t)(code - low_blob);
}

static void make_blob(uint32_t page)
{
	uint8_t *to = (uint8_t *)(unsigned long)page;

	real_segment = (uint16_t)(page / 16);
	far_pointer[1] = (uint16_t)(page / 16);
	real_idt.base = page + LOW_IVT;
	memset(to, 0, LOW_SIZE);
	memcpy(to, low_blob, (size_t)(low_blob_end - low_blob));
	set_vector(page, 0, real_zero);
	set_vector(page, 4, real_into);
	set_vector(page, 0x40, real_int);
}

/* The e820 entry that XENMEM_memory_map fills: 20 bytes, as the BIOS's. */
struct __attribute__((packed)) e820_entry {
	uint64_t start, size;
	uint32_t type;
};

/* 20 KiB of RAM below 640 KiB, at a segment of real mode; 0: there is none. */
static uint32_t find_page(void)
{
	static struct e820_entry map[64];
	struct xen_memory_map op = {.nr_entries = ARRAY_SIZE(map)};

	set_xen_guest_handle(op.buffer, map);
	if (!check_rc(memory_op(XENMEM_memory_map, &op), 0, "memory map"))
		return 0;
	for (unsigned int i = 0; i < op.nr_entries; i++) {
		uint64_t from = map[i].start, end = from + map[i].size;

		from = from < 0x10000 ? 0x10000 : (from + 0xfff) & ~0xffful;
		if (map[i].type == 1 && from + LOW_SIZE <= end &&
		    from + LOW_SIZE <= 0xa0000)
			return (uint32_t)from;
	}
	return 0;
}

#define NT 0x4000u

static void check_tasks(const uint32_t *r)
{
	check(r[R_CALL_VISITS] == 1, "a task that was called");
	check(r[R_CALL_EBX] == 0x600df00d,
	      "and returns to registers as before");
	check(r[R_B_FLAGS] & NT && !(r[R_CALL_FLAGS] & NT), "and is nested");
	check(r[R_B_TR] == TSS_B && r[R_B_LINK] == TSS_A,
	      "and has TR %x, and a way back to %x", r[R_B_TR], r[R_B_LINK]);
	check(r[R_GATE_VISITS] == 1, "INT through a task gate");
	check(!(r[R_JMP_FLAGS] & NT), "JMP to a task does not nest");
	check(r[R_JMP_TYPES] == 0x8b89, "and which leaves the old one: %x",
	      r[R_JMP_TYPES]);
	check(r[R_FAULTS] == 2, "exceptions handled by a task: %u",
	      r[R_FAULTS]);
	check(r[R_ERROR2] == 0x1230 && r[R_EIP1] == address(fault1),
	      "#GP of a selector: error %x at %x", r[R_ERROR2], r[R_EIP1]);
	check(r[R_ERROR1] == TSS_A && r[R_EIP2] == address(fault2),
	      "#GP of a busy task: error %x at %x", r[R_ERROR1], r[R_EIP2]);
	check(r[R_TYPES] == 0x898b, "which are busy in the end: %x",
	      r[R_TYPES]);
}

static void check_paging(const uint32_t *r)
{
	check(r[R_CR3] == 0x12345000, "CR3 without paging: %x", r[R_CR3]);
	check(r[R_PAGED] == low_marker, "32-bit paging: %x", r[R_PAGED]);
	check(r[R_UNPAGED_CR3] == address(low_directory),
	      "CR3 after paging: %x", r[R_UNPAGED_CR3]);
}

static uint32_t two(const uint16_t *w)
{
	return w[0] | (uint32_t)w[1] << 16;
}

static void check_real(const uint16_t *w, uint32_t page)
{
	check(w[W_INTS] == 2, "INT in real mode");
	check((w[W_INT_FLAGS] & 0x301) == 1, "and with IF and TF clear: %x",
	      w[W_INT_FLAGS]);
	check(w[W_FAR] == 1, "a far call");
	check(two(w + W_SIGNATURE) == XEN_CPUID_SIGNATURE_EBX, "CPUID: %x",
	      two(w + W_SIGNATURE));
	check(w[W_FPU_SW] == 0 && w[W_FPU_CW] == 0x37f, "FNINIT: %x %x",
	      w[W_FPU_SW], w[W_FPU_CW]);
	check(w[W_MSW] == 0 && !(w[W_CR0] & 1), "SMSW, MOV from CR0");
	check(w[W_EFER] == 0, "RDMSR of EFER: %x", w[W_EFER]);
	check(w[W_TSC] == 1, "RDTSC goes on");
	check(w[W_PORT] == 0xff, "IN from a port of nobody: %x", w[W_PORT]);
	check(w[W_STRING] == 0x1010, "STOS and LODS: %x", w[W_STRING]);
	check(w[W_PRODUCT] == 21, "MUL and DIV: %u", w[W_PRODUCT]);
	check(w[W_DIVIDES] == 1 && w[W_DIVIDE_IP] == real_divide - low_blob,
	      "#DE: at %x", w[W_DIVIDE_IP]);
	check(w[W_INTO] == 1, "INTO");
	check((w[W_FLAGS] & 0xa02) == 0xa02, "POPF and PUSHF: %x", w[W_FLAGS]);
	check(w[W_IDT] == 0x3ff && two(w + W_IDT + 1) == page + LOW_IVT,
	      "SIDT: %x at %x", w[W_IDT], two(w + W_IDT + 1));
	check(two(w + W_BIG) == low_marker, "a segment of 4 GiB: %x",
	      two(w + W_BIG));
}

/* The local APIC in xAPIC mode: an interrupt of that kind to vCPU 1. */
static void send_command(uint32_t what)
{
	volatile uint32_t *apic = (uint32_t *)0xfee00000ul;

	apic[0x310 / 4] = 2u << 24;
	apic[0x300 / 4] = what;
}

/* For at most two seconds. */
static bool comes(const volatile uint32_t *word, uint32_t more_than)
{
	uint64_t end = system_time() + 2000000000ul;

	while (*word <= more_than && system_time() < end)
		cpu_relax();
	return *word > more_than;
}

/* Started as a PC starts its processors, and interrupted there. */
static void check_cpu(uint32_t page)
{
	uint8_t *at = (uint8_t *)(unsigned long)(page + LOW_CPU);
	volatile uint32_t *count = (uint32_t *)(at + CPU_COUNT);
	volatile uint32_t *nmis = (uint32_t *)(at + CPU_NMIS);
	volatile uint32_t *version = (uint32_t *)(at + CPU_VERSION);

	event_init(); /* for the clock */
	cpu_idt.base = page + LOW_CPU + CPU_IVT;
	memcpy(at, cpu_code, (size_t)(cpu_code_end - cpu_code));
	*(uint32_t *)(at + CPU_IVT + 8) = (page + LOW_CPU) / 16 << 16 |
					  (uint32_t)(cpu_nmi - cpu_code);
	send_command(0x4500); /* INIT */
	send_command(0x4600 | (page + LOW_CPU) >> 12);
	check(comes(count, 0), "a vCPU starts in real mode");
	check(comes(count, *count + 10), "and goes on");
	send_command(0x4400); /* NMI */
	check(comes(nmis, 0), "an NMI in real mode");
	check(comes(version, 0) && *version >> 16 == 4,
	      "and on from there: version %x", *version);
	check(*nmis == 1, "it was one NMI: %u", *nmis);
}

void guest_main(void)
{
	uint32_t page = find_page();

	if (!page) {
		skip("no RAM below 640 KiB", "real mode");
		return;
	}
	make_tables(page);
	make_blob(page);
	low_run();
	check_paging(low_results);
	check_tasks(low_results);
	check_real((void *)(unsigned long)(page + LOW_RESULTS), page);
	check_cpu(page);
}
