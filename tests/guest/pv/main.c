/* SPDX-License-Identifier: MIT */
/*
 * A PV guest's processor: traps and their frames, callbacks, descriptors,
 * segment bases, the instructions that the hypervisor does for its kernel, its
 * user mode, and what a guest may not ask for in each of these. The documented
 * error or trap is what must come; everything else is an end that the console
 * shows.
 */
#include "../../../guests/pv/pv.h"
#include "event.h"
#include "test.h"
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

const char guest_name[] = "pv";

#define NONCANONICAL 0x0000800000000000ul
#define XEN_ADDRESS  0xffff830000000000ul
#define LSTAR        0xc0000082u
#define FS_BASE      0xc0000100u
#define KERNEL_GS    0xc0000102u

static uint64_t gdt_page[512] PAGE_ALIGNED;
static uint8_t user_stack[4096] PAGE_ALIGNED;

static void start_information(void)
{
	const uint64_t *m2p = (const uint64_t *)MACH2PHYS_VIRT_START;
	unsigned long pfn = (unsigned long)gdt_page / PAGE_SIZE;

	check(!memcmp(start_info->magic, "xen-3.0-x86_64", 14),
	      "start info has its magic");
	check(start_info->nr_pages >= 4096, "there are %lu pages",
	      start_info->nr_pages);
	check(m2p[frame_of(gdt_page)] == pfn, "M2P has frame %#lx as %#lx",
	      frame_of(gdt_page), pfn);
}

static void undefined(void *arg)
{
	(void)arg;
	__asm__ volatile("ud2");
}
static void divide(void *arg)
{
	(void)arg;
	__asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" ::
				 : "eax", "ecx", "edx");
}
static void breakpoint(void *arg)
{
	(void)arg;
	__asm__ volatile("int3");
}
static void touch(void *p)
{
	*(volatile char *)p = 1;
}
static void read_msr(void *msr)
{
	rdmsr((uint32_t)(unsigned long)msr);
}
static void write_lstar(void *arg)
{
	(void)arg;
	wrmsr(LSTAR, 0x1000);
}
static void bad_fs_base(void *arg)
{
	(void)arg;
	wrmsr(FS_BASE, NONCANONICAL);
}
static void software_int(void *arg)
{
	(void)arg;
	__asm__ volatile("int $0x84");
}
static void read_port(void *arg)
{
	(void)arg;
	inb(0x71);
}
static void load_task_register(void *arg)
{
	(void)arg;
	__asm__ volatile("ltr %w0" ::"r"(0xe040));
}
static void kernel_selector(void *arg)
{
	(void)arg;
	__asm__ volatile("movl %0, %%ss" ::"r"(0xe010));
}

static void traps(void)
{
	check_rc(try_call(undefined, NULL), 6, "UD2");
	check_rc(try_call(divide, NULL), 0, "a division by zero");
	check_rc(try_call(breakpoint, NULL), 3, "INT3");
	check_rc(try_call(touch, (void *)0x7000000000ul), 14, "a page fault");
	check(vcpu_info(0)->arch.cr2 == 0x7000000000ul, "CR2 is where it was");
	check_rc(try_call(touch, (void *)XEN_ADDRESS), 14,
		 "the hypervisor's memory");
	check_rc(try_call(touch, (void *)MACH2PHYS_VIRT_START), 14,
		 "M2P cannot be written to");
	check_rc(try_call(touch, (void *)start_info->pt_base), 14,
		 "a page table cannot be written to");
	check_rc(try_call(touch, (void *)NONCANONICAL), 13,
		 "an address that is none");
	check_rc(try_call(software_int, NULL), 13, "INT n without right");
	check_rc(try_call(load_task_register, NULL), 13, "LTR");
	check_rc(try_call(kernel_selector, NULL), 13, "a selector of ring 0");
}

static void trap_table(void)
{
	static struct trap_info t[2] = {
		{.vector = 0x90, .cs = FLAT_KERNEL_CS, .address = NONCANONICAL},
	};

	check_rc(hc(__HYPERVISOR_set_trap_table, t), -XEN_EINVAL,
		 "a handler at no address");
	check_rc(hc(__HYPERVISOR_set_trap_table, XEN_ADDRESS), -XEN_EFAULT,
		 "a trap table in the hypervisor");
}

static void callbacks(void)
{
	struct callback_register r = {.type = CALLBACKTYPE_event,
				      .address = NONCANONICAL};
	struct callback_unregister u = {.type = CALLBACKTYPE_event};

	check_rc(hc(__HYPERVISOR_callback_op, CALLBACKOP_register, &r),
		 -XEN_EINVAL, "a callback at no address");
	r.type = 99;
	r.address = 0x1000;
	check_rc(hc(__HYPERVISOR_callback_op, CALLBACKOP_register, &r),
		 -XEN_ENOSYS, "a callback of no type");
	check_rc(hc(__HYPERVISOR_callback_op, CALLBACKOP_unregister, &u),
		 -XEN_EINVAL, "the event callback stays");
	check_rc(hc(__HYPERVISOR_callback_op, 77, &r), -XEN_ENOSYS,
		 "an unknown callback operation");
}

static long set_gdt(unsigned long frame, unsigned int entries)
{
	static unsigned long frames[17];

	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = frame;
	return hc(__HYPERVISOR_set_gdt, frames, entries);
}

static long update_descriptor(unsigned int i, uint64_t desc)
{
	return hc(__HYPERVISOR_update_descriptor,
		  frame_of(gdt_page) * PAGE_SIZE + i * 8, desc);
}

static void descriptors(void)
{
	const uint64_t code = 0x00af9b000000ffff, tss = 0x0000890000000067,
		       gate = 0x00008e0000080000;

	check_rc(set_gdt(frame_of(gdt_page), 8193), -XEN_EINVAL,
		 "a GDT too long");
	check_rc(set_gdt(~0ul >> 12, 512), -XEN_EINVAL, "a GDT of no memory");
	check_rc(set_gdt(frame_of(gdt_page), 512), -XEN_EINVAL,
		 "a GDT in a page that is mapped writable");
	gdt_page[1] = tss;
	pv_protect(gdt_page, PTE_P | PTE_US | PTE_A);
	check_rc(set_gdt(frame_of(gdt_page), 512), -XEN_EINVAL,
		 "a GDT with a TSS descriptor");
	check_rc(update_descriptor(1, 0), 0, "the entry is cleared");
	check_rc(set_gdt(frame_of(gdt_page), 512), 0, "a GDT");
	check_rc(update_descriptor(2, tss), -XEN_EINVAL, "a TSS descriptor");
	check_rc(update_descriptor(2, gate), -XEN_EINVAL, "a gate");
	check_rc(update_descriptor(2, code), 0, "a code descriptor");
	check((gdt_page[2] >> 45 & 3) == 3, "it is for ring 3");
	check(pv_protect(gdt_page, PTE_P | PTE_RW | PTE_US | PTE_A) < 0,
	      "a page in use as GDT cannot be made writable");
	check_rc(set_gdt(0, 0), 0, "no GDT");
	check_rc(pv_protect(gdt_page, PTE_P | PTE_RW | PTE_US | PTE_A), 0,
		 "now it can");
}

static void segment_bases(void)
{
	check_rc(hc(__HYPERVISOR_set_segment_base, SEGBASE_FS, NONCANONICAL),
		 -XEN_EINVAL, "an FS base at no address");
	check_rc(hc(__HYPERVISOR_set_segment_base, 9, 0), -XEN_EINVAL,
		 "no such base");
	check_rc(hc(__HYPERVISOR_set_segment_base, SEGBASE_FS, 0x123000), 0,
		 "an FS base");
	check(rdmsr(FS_BASE) == 0x123000, "its MSR has it");
	wrmsr(KERNEL_GS, 0x456000);
	check(rdmsr(KERNEL_GS) == 0x456000, "the user's GS base by its MSR");
	check_rc(try_call(bad_fs_base, NULL), 13, "a base at no address");
}

static uint64_t read_cr0(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr0, %0" : "=r"(v));
	return v;
}

static uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v));
	return v;
}

static void instructions(void)
{
	uint32_t r[4];

	check(rdmsr(0xc0000080) & 1u << 10, "EFER says long mode");
	check_rc(try_call(write_lstar, NULL), 13, "WRMSR to LSTAR");
	check_rc(try_call(read_msr, (void *)0x12345678), 13, "no such MSR");
	hc(__HYPERVISOR_fpu_taskswitch, 1);
	check(read_cr0() & 8, "CR0.TS is set");
	__asm__ volatile("clts");
	check(!(read_cr0() & 8), "CLTS");
	check(read_cr3() == frame_of((const void *)start_info->pt_base) << 12,
	      "CR3 is the first tables'");
	__asm__ volatile("wbinvd" ::: "memory");
	check(true, "WBINVD");
	cpuid(1, 0, r);
	check(r[2] >> 31, "CPUID says that there is a hypervisor");
	check(!(r[3] & 1u << 3), "it offers no large pages");
	check_rc(try_call(read_port, NULL), 13, "a port without right");
}

static volatile uint64_t bytes_left;

static void on_event(struct trap_frame *f)
{
	bytes_left = f->rcx;
	event_upcall(f);
}

/* However much is to be written to a port by one instruction, others get their
 * turn, and the guest its events. */
static void long_output(void)
{
	static uint8_t bytes[128 << 10];
	struct evtchn_bind_virq b = {.virq = VIRQ_TIMER};
	struct evtchn_close c;
	struct vcpu_set_singleshot_timer t = {};
	const uint8_t *from = bytes;
	uint64_t n = sizeof(bytes);

	check_rc(event_channel_op(EVTCHNOP_bind_virq, &b), 0, "a timer");
	event_mask(b.port, false);
	trap_handler(UPCALL_VECTOR, on_event);
	irq_enable();
	t.timeout_abs_ns = system_time() + 1000000;
	vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0x80));
	check(!n && from == bytes + sizeof(bytes), "a long output");
	check(bytes_left, "it is interrupted (%lu bytes left)", bytes_left);
	irq_disable();
	trap_handler(UPCALL_VECTOR, event_upcall);
	event_take(b.port);
	c.port = b.port;
	event_channel_op(EVTCHNOP_close, &c);
}

static void ports(void)
{
	struct physdev_set_iopl s = {.iopl = 4};

	check_rc(physdev_op(PHYSDEVOP_set_iopl, &s), -XEN_EINVAL, "IOPL 4");
	s.iopl = 1;
	check_rc(physdev_op(PHYSDEVOP_set_iopl, &s), 0, "IOPL 1");
	check_rc(try_call(read_port, NULL), -1, "a port with right");
	long_output();
	s.iopl = 0;
	physdev_op(PHYSDEVOP_set_iopl, &s);
}

static void debug_registers(void)
{
	check_rc(hc(__HYPERVISOR_set_debugreg, 0, XEN_ADDRESS), -XEN_EPERM,
		 "a breakpoint in the hypervisor");
	check_rc(hc(__HYPERVISOR_set_debugreg, 0, NONCANONICAL), -XEN_EPERM,
		 "a breakpoint at no address");
	check_rc(hc(__HYPERVISOR_set_debugreg, 9, 0), -XEN_ENODEV,
		 "no such register");
	check_rc(hc(__HYPERVISOR_set_debugreg, 0, 0x5000), 0, "a breakpoint");
	check_rc(hc(__HYPERVISOR_get_debugreg, 0), 0x5000, "it is read back");
	hc(__HYPERVISOR_set_debugreg, 0, 0);
}

static unsigned long nmis, syscalls, user_faults;

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	nmis++;
}

static void nmi(void)
{
	trap_handler(2, on_nmi);
	check_rc(vcpu_op(VCPUOP_send_nmi, 0, NULL), 0, "an NMI to oneself");
	check(nmis == 1, "it came (%lu)", nmis);
}

static void events(void)
{
	struct evtchn_bind_ipi b = {.vcpu = 0};
	struct evtchn_send s;
	unsigned long before = upcalls;

	check_rc(event_channel_op(EVTCHNOP_bind_ipi, &b), 0, "an IPI port");
	s.port = b.port;
	irq_disable();
	event_channel_op(EVTCHNOP_send, &s);
	check(upcalls == before, "nothing comes while events are masked");
	irq_enable();
	check(upcalls == before + 1, "it comes when they are not");
	check(!vcpu_info(0)->evtchn_upcall_mask, "they stay so afterwards");
	irq_disable();
}

static void on_syscall(struct trap_frame *f)
{
	syscalls++;
	f->rax = f->cs == FLAT_USER_CS ? 77 : 0;
}

static long in_user_mode(void)
{
	register long rax __asm__("rax") = __HYPERVISOR_xen_version;

	__asm__ volatile("syscall"
			 : "+r"(rax)
			 : "D"(0), "S"(0)
			 : "rcx", "r11", "memory");
	return rax;
}

static long cli_in_user_mode(void)
{
	__asm__ volatile("wbinvd" ::: "memory");
	return 0;
}

static void on_user_fault(struct trap_frame *f)
{
	f->rip += 2; /* WBINVD */
	user_faults++;
}

/* Nothing says where it came from: RDX and RCX do, as SYSEXIT has them. */
static void on_sysenter(struct trap_frame *f)
{
	f->rip = f->rdx;
	f->rsp = f->rcx;
	f->cs = FLAT_USER_CS;
	f->ss = FLAT_USER_SS;
	f->rax = 78;
}

/* #UD, as AMD has it; in Bochs #GP, since its MSR has no code segment. */
static void on_no_sysenter(struct trap_frame *f)
{
	f->rip += 2;
	f->rax = f->vector == 6 || f->vector == 13 ? 6 : 0;
}

static long sysenter_in_user_mode(void)
{
	long rax = 0;

	__asm__ volatile("leaq 1f(%%rip), %%rdx\n\t"
			 "movq %%rsp, %%rcx\n\t"
			 "sysenter\n"
			 "1:"
			 : "+a"(rax)
			 :
			 : "rcx", "rdx", "r11", "memory");
	return rax;
}

static void sysenter(void *top)
{
	uint32_t r[4];
	bool intel;

	cpuid(0, 0, r);
	intel = r[1] == 0x756e6547;
	trap_handler(SYSENTER_VECTOR, on_sysenter);
	trap_handler(6, on_no_sysenter);
	trap_handler(13, on_no_sysenter);
	check_rc(user_call(sysenter_in_user_mode, top), intel ? 78 : 6,
		 intel ? "SYSENTER gets to the kernel" : "no SYSENTER on AMD");
	trap_handler(6, NULL);
	trap_handler(13, NULL);
}

static void user_mode(void)
{
	void *top = user_stack + sizeof(user_stack);

	trap_handler(SYSCALL_VECTOR, on_syscall);
	check_rc(user_call(in_user_mode, top), 77,
		 "a process's call is its kernel's");
	check(syscalls == 1, "once (%lu)", syscalls);
	trap_handler(13, on_user_fault);
	user_call(cli_in_user_mode, top);
	trap_handler(13, NULL);
	check(user_faults == 1, "what ring 0 may is not a process's");
	sysenter(top);
}

static struct trap_frame refused;

#define NO_SEGMENT 0xd000 /* in the GDT's page 13, which has none */

static void to_no_stack(struct trap_frame *f)
{
	f->ss = NO_SEGMENT;
}

static void on_refused(struct trap_frame *f)
{
	refused = *f;
	f->rip = f->r12;
	f->ss = FLAT_KERNEL_SS;
}

/* An iret that the processor refuses is a fault where the guest wanted to go;
 * all registers are those of before. */
static void bad_iret(void)
{
	const struct trap_frame *f = &refused;

	trap_handler(3, to_no_stack);
	trap_handler(13, on_refused);
	__asm__ volatile("movl $15, %%r8d\n\t"
			 "movl $16, %%r10d\n\t"
			 "movl $17, %%r11d\n\t"
			 "leaq 1f(%%rip), %%r12\n\t"
			 "int3\n"
			 "1:"
			 :
			 : "a"(10), "D"(11), "S"(12), "d"(13), "b"(14), "c"(18)
			 : "r8", "r10", "r11", "r12", "memory");
	trap_handler(3, NULL);
	trap_handler(13, NULL);
	check(f->rip == f->r12 && f->error == NO_SEGMENT,
	      "an iret to no stack is a fault there");
	check(f->rax == 10 && f->rdi == 11 && f->rsi == 12 && f->rdx == 13 &&
		      f->rbx == 14 && f->r8 == 15 && f->r10 == 16 &&
		      f->r11 == 17 && f->rcx == 18,
	      "with all registers as they were");
}

static volatile unsigned int started;

static volatile bool second_may_end;

static void second(unsigned int id)
{
	started = id;
	while (!second_may_end)
		sched_op(SCHEDOP_yield, NULL);
	vcpu_op(VCPUOP_down, id, NULL);
}

static uint64_t ldt[512] PAGE_ALIGNED;

static long set_ldt(unsigned int entries)
{
	struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
			       .arg1.linear_addr = (unsigned long)ldt,
			       .arg2.nr_ents = entries};

	return hc(__HYPERVISOR_mmuext_op, &op, 1, 0, DOMID_SELF);
}

static unsigned long failsafes;

static void on_failsafe(struct trap_frame *f)
{
	(void)f;
	failsafes++;
}

/* A segment that is gone when the vCPU runs again, the other having run on its
 * CPU meanwhile (the only one: the word together). */
static void segment_lost(void)
{
	unsigned int fs = 8 | 4 | 3;

	ldt[1] = 0x00cff3000000ffff;
	check_rc(pv_map(ldt, frame_of(ldt) * 4096ul | 5), 0,
		 "a page for an LDT");
	check_rc(set_ldt(2), 0, "it is one");
	trap_handler(FAILSAFE_VECTOR, on_failsafe);
	__asm__ volatile("movl %0, %%fs" : : "r"(fs));
	set_ldt(0);
	for (unsigned int i = 0; i < 1000 && !failsafes; i++)
		sched_op(SCHEDOP_yield, NULL);
	__asm__ volatile("movl %%fs, %0" : "=r"(fs));
	check(failsafes == 1 && !fs, "a lost segment is told of (%lu, %x)",
	      failsafes, fs);
	trap_handler(FAILSAFE_VECTOR, NULL);
}

static void processors(void)
{
	struct vcpu_guest_context *none = NULL;

	check_rc(vcpu_op(VCPUOP_initialise, 0, none), -XEN_EEXIST,
		 "a context for a vCPU that has one");
	if (vcpu_op(VCPUOP_is_up, 1, NULL) == -XEN_ENOENT) {
		skip("there is one only", "a second vCPU");
		return;
	}
	/* It may start with bits in MXCSR that no processor has. */
	smp_mxcsr = ~0u;
	check_rc(smp_boot(1, second), 0, "a second vCPU");
	for (uint64_t end = system_time() + 5000000000; !started;) {
		sched_op(SCHEDOP_yield, NULL);
		if (system_time() > end)
			break;
	}
	check(started == 1, "it runs");
	if (option("together", 0))
		segment_lost();
	second_may_end = true;
}

void guest_main(void)
{
	start_information();
	check_rc(event_init(), 0, "shared info is mapped");
	traps();
	trap_table();
	callbacks();
	descriptors();
	segment_bases();
	instructions();
	ports();
	debug_registers();
	nmi();
	events();
	bad_iret();
	user_mode();
	processors();
}
