/* SPDX-License-Identifier: MIT */
/*
 * Where an emulator of instructions reads and writes at the ends: instructions
 * that touch a device and are the last bytes of a mapped page, or of memory;
 * that go on in a page that is not there, or are too long; operands half in
 * memory and half in nothing; and instructions that another CPU changes while
 * they are executed. Each does what it would on a processor, or faults.
 */
#include "test.h"
#include <xen/memory.h>

const char guest_name[] = "edges";

#define APIC_VERSION 0xfee00030ul
#define PF           14
#define GP           13
#define SLOT         20
#define CHANGES      5000

/* MOV (%rsi), %eax; RET */
static const uint8_t read_code[] = {0x8b, 0x06, 0xc3};

static uint8_t page[4096] PAGE_ALIGNED;
static uint32_t version;

/* Code at an address, with the local APIC's register in RSI: RAX. */
static uint64_t run(const void *code)
{
	uint64_t rax = 0, rsi = APIC_VERSION;

	__asm__ volatile("call *%2"
			 : "+a"(rax), "+S"(rsi)
			 : "r"(code)
			 : "rbx", "rdx", "memory", "cc");
	return rax;
}

static void try_run(void *code)
{
	run(code);
}

static void pages_end(void)
{
	uint8_t *at = window_map(SLOT, frame_of(page), WINDOW_RW);

	window_unmap(SLOT + 1);
	memcpy(at + PAGE_SIZE - sizeof(read_code), read_code,
	       sizeof(read_code));
	check(run(at + PAGE_SIZE - sizeof(read_code)) == version,
	      "a read by the last bytes of a page");
	at[PAGE_SIZE - 1] = read_code[0];
	check(try_call(try_run, at + PAGE_SIZE - 1) == PF,
	      "half an instruction, the rest is not mapped: #PF");
	memset(at, 0x66, 15);
	memcpy(at + 15, read_code, sizeof(read_code));
	check(try_call(try_run, at) == GP, "17 bytes: #GP");
	check(run(at + 4) == (version & 0xffff),
	      "13 bytes, all but the last two prefixes");
}

struct __attribute__((packed)) e820_entry {
	uint64_t start, size;
	uint32_t type;
};

/* The end of the highest RAM that the one-to-one map has. */
static uint64_t end_of_memory(void)
{
	static struct e820_entry e820[64];
	struct xen_memory_map op = {.nr_entries = ARRAY_SIZE(e820)};
	uint64_t end = 0;

	set_xen_guest_handle(op.buffer, e820);
	if (memory_op(XENMEM_memory_map, &op))
		return 0;
	for (uint32_t i = 0; i < op.nr_entries; i++) {
		uint64_t to = e820[i].start + e820[i].size;

		if (e820[i].type == 1 && to > end && to < 0xf0000000ul)
			end = to & ~(PAGE_SIZE - 1);
	}
	return end;
}

static uint64_t got;

static void read_across(void *p)
{
	got = *(volatile uint64_t *)p;
}

static void write_across(void *p)
{
	*(volatile uint64_t *)p = 0x5152535455565758;
}

static void memorys_end(void)
{
	uint8_t *end = (uint8_t *)end_of_memory();
	uint8_t kept[8];

	if (!check(end > page, "there is an end of memory"))
		return;
	note("memory ends at %p", end);
	memcpy(kept, end - 8, 8);
	memcpy(end - sizeof(read_code), read_code, sizeof(read_code));
	check(run(end - sizeof(read_code)) == version,
	      "a read by the last bytes of memory");
	memcpy(end - 4, "abcd", 4);
	check(try_call(read_across, end - 4) < 0 && (uint32_t)got == 0x64636261,
	      "a read half beyond memory has what there is");
	check(try_call(write_across, end - 4) < 0 &&
		      !memcmp(end - 4, "XWVU", 4),
	      "a write half beyond it, too");
	memcpy(end - 8, kept, 8);
}

/* All end with RET; a store of four bytes changes one into another. MOV from
 * and to memory, MOVZX, none. Who reads them byte by byte may meet a mixture:
 * none of these does harm. */
static const uint32_t forms[] = {0xc390068b, 0xc3900689, 0xc306b60f,
				 0xc3909090};
static volatile uint32_t *changed = (volatile uint32_t *)page;
static volatile bool stop, stopped;

static void change(unsigned int id)
{
	for (unsigned int i = id; !stop; i++)
		*changed = forms[i % ARRAY_SIZE(forms)];
	stopped = true;
	irq_disable();
	for (;;)
		cpu_halt();
}

static void changing_code(void)
{
	unsigned int faults = 0;

	*changed = forms[0];
	if (!check_rc(smp_boot(1, change), 0, "a second CPU"))
		return;
	for (unsigned int i = 0; i < CHANGES; i++)
		faults += try_call(try_run, page) >= 0;
	stop = true;
	while (!stopped)
		cpu_relax();
	note("%u faults of %u", faults, CHANGES);
	check(true, "code that changes is survived");
	*changed = forms[0];
	check(run(page) == version, "it is what it was last");
}

void guest_main(void)
{
	version = *(volatile uint32_t *)APIC_VERSION;
	pages_end();
	memorys_end();
	changing_code();
}
