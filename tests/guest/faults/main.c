/* SPDX-License-Identifier: MIT */
/*
 * A guest's own exceptions reach the guest, with the right vector, error code
 * and address, whether or not the hypervisor intercepts them; and what it does
 * wrong with model-specific and control registers is a #GP of its own, after
 * which nothing has changed.
 */
#include "test.h"

const char guest_name[] = "faults";

static struct trap_frame seen;
static uint64_t seen_cr2;

static void remember_fault(struct trap_frame *f)
{
	seen = *f;
	__asm__ volatile("mov %%cr2, %0" : "=r"(seen_cr2));
	f->rip += 3; /* the faulting access is a 3-byte MOV */
}

static void do_ud(void *p)
{
	(void)p;
	__asm__ volatile("ud2");
}

static void do_divide(void *p)
{
	(void)p;
	__asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; divl %%ecx" ::
				 : "eax", "ecx", "edx", "cc");
}

static void do_breakpoint(void *p)
{
	(void)p;
	__asm__ volatile("int3");
}

static void do_gp(void *p)
{
	(void)p;
	*(volatile char *)0x8000700000000000ul = 1;
}

static void do_selector(void *p)
{
	(void)p;
	__asm__ volatile("mov %w0, %%es" ::"r"(0x1230));
}

static void read_msr(void *p)
{
	rdmsr((uint32_t)(unsigned long)p);
}

static void write_msr(void *p)
{
	wrmsr((uint32_t)(unsigned long)p, ~0ull);
}

static void bad_cr0(void *p)
{
	unsigned long v;

	(void)p;
	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%cr0" ::"r"(v & ~1ul)); /* PG without PE */
}

static void bad_cr4(void *p)
{
	unsigned long v;

	(void)p;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%cr4" ::"r"(v | 1ul << 63));
}

static void no_pae(void *p)
{
	unsigned long v;

	(void)p;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%cr4" ::"r"(v & ~(1ul << 5)));
}

static void exceptions(void)
{
	check(try_call(do_ud, NULL) == 6, "#UD");
	check(try_call(do_divide, NULL) == 0, "#DE");
	check(try_call(do_breakpoint, NULL) == 3, "#BP");
	check(try_call(do_gp, NULL) == 13, "#GP");
	check(try_call(do_selector, NULL) == 13, "#GP of a selector");
}

/* Virtualisation is not offered, of neither vendor. */
static void do_vmlaunch(void *p)
{
	(void)p;
	__asm__ volatile("vmlaunch" ::: "cc", "memory");
}

static void do_vmxoff(void *p)
{
	(void)p;
	__asm__ volatile("vmxoff" ::: "cc", "memory");
}

static void do_vmptrld(void *p)
{
	__asm__ volatile("vmptrld (%0)" ::"r"(p) : "cc", "memory");
}

static void do_vmxon(void *p)
{
	__asm__ volatile("vmxon (%0)" ::"r"(p) : "cc", "memory");
}

static void do_vmrun(void *p)
{
	__asm__ volatile("vmrun %0" ::"a"(p) : "cc", "memory");
}

static void do_stgi(void *p)
{
	(void)p;
	__asm__ volatile("stgi" ::: "memory");
}

static void set_vmxe(void *p)
{
	unsigned long v;

	(void)p;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%cr4" ::"r"(v | 1ul << 13));
}

/* Nor are the clock counters that a guest is not to see. */
static void do_rdpru(void *p)
{
	(void)p;
	__asm__ volatile(".byte 0x0f, 0x01, 0xfd" ::"c"(0) : "eax", "edx");
}

static void virtualisation(void)
{
	static uint64_t region;

	check(try_call(set_vmxe, NULL) == 13, "#GP of CR4.VMXE");
	check(try_call(do_vmxon, &region) == 6, "#UD of VMXON");
	check(try_call(do_vmlaunch, NULL) == 6, "#UD of VMLAUNCH");
	check(try_call(do_vmptrld, &region) == 6, "#UD of VMPTRLD");
	check(try_call(do_vmxoff, NULL) == 6, "#UD of VMXOFF");
	check(try_call(do_vmrun, NULL) == 6, "#UD of VMRUN");
	check(try_call(do_stgi, NULL) == 6, "#UD of STGI");
	check(try_call(do_rdpru, NULL) == 6, "#UD of RDPRU");
}

static void page_faults(void)
{
	static uint8_t page[4096] PAGE_ALIGNED;
	volatile char *absent = window_slot(5);
	volatile char *fixed = window_map(6, frame_of(page), WINDOW_RO);
	register volatile char *at __asm__("r8");

	window_unmap(5);
	trap_handler(14, remember_fault);
	at = absent + 0x123;
	__asm__ volatile("movb (%0), %%al" ::"r"(at) : "rax", "memory");
	check(seen.vector == 14 && seen.error == 0, "#PF of a read (%lx)",
	      seen.error);
	check(seen_cr2 == (unsigned long)absent + 0x123, "CR2 is its address");
	at = fixed + 0x456;
	__asm__ volatile("movb %%al, (%0)" ::"r"(at) : "memory");
	check(seen.error == 3, "#PF of a write to a read-only page (%lx)",
	      seen.error);
	check(seen_cr2 == (unsigned long)fixed + 0x456, "CR2 is its address");
	trap_handler(14, NULL);
}

static void registers(void)
{
	unsigned long cr0, cr4, again;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	check(try_call(bad_cr0, NULL) == 13, "CR0 without PE");
	check(try_call(bad_cr4, NULL) == 13, "CR4 with a reserved bit");
	check(try_call(no_pae, NULL) == 13, "long mode without PAE");
	__asm__ volatile("mov %%cr0, %0" : "=r"(again));
	check(cr0 == again, "CR0 is as it was");
	__asm__ volatile("mov %%cr4, %0" : "=r"(again));
	check(cr4 == again, "CR4 is as it was");
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | 1ul << 7));
	__asm__ volatile("mov %%cr4, %0" : "=r"(again));
	check(again == (cr4 | 1ul << 7), "CR4.PGE can be set");
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4));
	check(try_call(read_msr, (void *)0x12345678ul) == 13,
	      "an MSR that is not there, read");
	check(try_call(write_msr, (void *)0x12345678ul) == 13,
	      "an MSR that is not there, written");
	check(try_call(write_msr, (void *)0xc0000080ul) == 13,
	      "EFER with reserved bits");
	wrmsr(0xc0000082, 0x123456789abcul);
	check(rdmsr(0xc0000082) == 0x123456789abcul, "LSTAR keeps its value");
	wrmsr(0xc0000102, 0xffff800012345678ul);
	check(rdmsr(0xc0000102) == 0xffff800012345678ul,
	      "so does KERNEL_GS_BASE");
}

void guest_main(void)
{
	exceptions();
	virtualisation();
	page_faults();
	registers();
}
