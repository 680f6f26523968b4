/* SPDX-License-Identifier: MIT */
/*
 * VT-x's exits, told by a VMCS that is made up: every reason there can be is
 * either answered as the kind that it is, or unknown, which ends that guest
 * with its name; entries that failed say which check it was, or which error.
 */
#include "fake_vmcs.h"
#include "harness.h"

#include "console/printk.h"
#include "emulate/emulate.h"
#include "hvm/vmx/vmx.h"

#include <stdarg.h>

struct cpu_features cpu_features = {.phys_bits = 40};
struct vmx_caps vmx_caps;

static char said[400];
void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

/* What decoding calls beyond its file. */
static unsigned int reinjected, timers, rewound, apics, loaded;
void vmx_reinject(struct vcpu *v, uint32_t vectoring)
{
	(void)v;
	reinjected = vectoring;
}
void vmx_restart_timer(void)
{
	timers++;
}
void vmx_rewind_log(void)
{
	rewound++;
}
void vmx_load_debug_registers(struct vmx_vcpu *s)
{
	(void)s;
	loaded++;
}
void vmx_decode_apic(struct vcpu *v, uint32_t reason, struct vmexit *x)
{
	(void)v;
	(void)reason;
	x->kind = VMEXIT_INTERNAL;
	apics++;
}
void vmx_end_shadow(struct vcpu *v)
{
	(void)v;
	fields[VMCS_guest_blocking] &= ~3UL;
}
unsigned int vmx_code_bits(struct vcpu *v)
{
	(void)v;
	return 64;
}
uint64_t vmx_get_creg(struct vcpu *v, enum hvm_creg r)
{
	(void)v;
	return r == CR0 ? 0x80000019 : 0;
}

static struct domain domain = {.id = 3};
static struct {
	struct hvm_vcpu hvm;
	struct vmx_vcpu vmx;
} arch;
static struct vcpu v = {.domain = &domain, .arch = &arch.hvm};

static struct vmexit decode(uint32_t reason)
{
	struct vmexit x = {.kind = VMEXIT_KINDS};

	said[0] = 0;
	vmx_decode(&v, reason, &x);
	return x;
}

static void fresh(void)
{
	memset(fields, 0, sizeof(fields));
	memset(&arch, 0, sizeof(arch));
	memset(&v.regs, 0, sizeof(v.regs));
	reinjected = timers = rewound = apics = loaded = 0;
}

/* "Basic Exit Reasons": those that nothing asks for are unknown, and so is what
 * no manual has yet. */
static void every_reason(void)
{
	static const uint8_t known[] = {
		VMX_EXCEPTION,    VMX_EXTINT,     VMX_TRIPLE_FAULT,
		VMX_INTR_WINDOW,  VMX_NMI_WINDOW, VMX_TASK_SWITCH,
		VMX_CPUID,        VMX_GETSEC,     VMX_HLT,
		VMX_INVD,         VMX_INVLPG,     VMX_RDPMC,
		VMX_RDTSC,        VMX_RSM,        VMX_CR,
		VMX_MOV_DR,       VMX_IO,         VMX_RDMSR,
		VMX_WRMSR,        VMX_MWAIT,      VMX_MONITOR,
		VMX_PAUSE,        VMX_TPR,        VMX_APIC_ACCESS,
		VMX_EOI,          VMX_INVEPT,     VMX_RDTSCP,
		VMX_TIMER,        VMX_INVVPID,    VMX_WBINVD,
		VMX_XSETBV,       VMX_APIC_WRITE, VMX_VMFUNC,
		VMX_PML_FULL,     VMX_XSAVES,     VMX_XRSTORS,
		VMX_EPT_VIOLATION};

	for (uint32_t reason = 0; reason < 0x200; reason++) {
		bool expected = reason >= VMX_VMCALL && reason <= VMX_VMXON;
		struct vmexit x;

		for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
			expected |= known[i] == reason;
		fresh();
		x = decode(reason);
		if ((x.kind < VMEXIT_UNKNOWN) == expected &&
		    x.kind <= VMEXIT_UNKNOWN && x.code == reason)
			continue;
		printf("# reason %u is of kind %d\n", reason, x.kind);
		test_failures++;
	}
}

static void operands(void)
{
	struct vmexit x;

	fresh();
	fields[VMCS_qualification] = 0x3f80008 | 1; /* in, 2 bytes */
	x = decode(VMX_IO);
	CHECK(x.kind == VMEXIT_IO && x.io.port == 0x3f8 && x.io.size == 2 &&
	      x.io.in && !x.io.string && !x.io.rep);
	fields[VMCS_qualification] = 2 | BIT(3) | BIT(7);
	fields[VMCS_guest_physical] = 0xfee00030;
	x = decode(VMX_EPT_VIOLATION);
	CHECK(x.kind == VMEXIT_NPF && x.npf.gpa == 0xfee00030 && x.npf.write &&
	      x.npf.present && !x.npf.fetch && x.npf.in_table);
	fields[VMCS_qualification] |= BIT(8);
	CHECK(!decode(VMX_EPT_VIOLATION).npf.in_table);
	fields[VMCS_qualification] = 2 | BIT(8); /* no linear address */
	CHECK(!decode(VMX_EPT_VIOLATION).npf.in_table);
	v.regs.rbx = 0x11;
	fields[VMCS_qualification] = 4 | 3 << 8; /* MOV RBX to CR4 */
	x = decode(VMX_CR);
	CHECK(x.kind == VMEXIT_CR_WRITE && x.cr.cr == 4 && x.cr.value == 0x11);
	fields[VMCS_qualification] = 2 << 4; /* CLTS */
	x = decode(VMX_CR);
	CHECK(x.kind == VMEXIT_CR_WRITE && x.cr.value == 0x80000011);
	fields[VMCS_qualification] = 3 << 4 | 2 << 16; /* LMSW: PE stays */
	x = decode(VMX_CR);
	CHECK(x.kind == VMEXIT_CR_WRITE && x.cr.value == 0x80000013);
	decode(VMX_TIMER);
	decode(VMX_MOV_DR);
	CHECK(timers == 1 && loaded == 1);
}

/* An exit in the middle of an event's delivery, or of an IRET from an NMI. */
static void interrupted(void)
{
	struct vmexit x;

	fresh();
	fields[VMCS_idt_vectoring] = EVENT_VALID | 0x31;
	decode(VMX_CPUID);
	CHECK_EQ(reinjected, 0); /* an instruction's: it cannot be */
	decode(VMX_EPT_VIOLATION);
	CHECK_EQ(reinjected, EVENT_VALID | 0x31);

	fresh();
	fields[VMCS_qualification] = BIT(12);
	decode(VMX_EPT_VIOLATION);
	CHECK_EQ(fields[VMCS_guest_blocking], BLOCKING_NMI);
	fields[VMCS_guest_blocking] = 0;
	x = decode(VMX_PML_FULL);
	CHECK(x.kind == VMEXIT_LOG_FULL && rewound == 1);
	CHECK_EQ(fields[VMCS_guest_blocking], BLOCKING_NMI);
	fields[VMCS_guest_blocking] = 0;
	arch.vmx.event = EVENT_VALID;
	decode(VMX_EPT_VIOLATION);
	CHECK_EQ(fields[VMCS_guest_blocking], 0);
}

static void failed_entries(void)
{
	struct vmexit x;

	fresh();
	fields[VMCS_guest_rflags] = 2;
	x = decode(VMX_BAD_GUEST | EXIT_REASON_ENTRY);
	CHECK_EQ(x.kind, VMEXIT_UNKNOWN);
	CHECK(strstr(said, "invalid guest state: CS is no accessed code"));
	x = decode(VMX_BAD_MSR | EXIT_REASON_ENTRY);
	CHECK_EQ(x.kind, VMEXIT_UNKNOWN);
	CHECK(strstr(said, "an MSR of the load list"));
	x = decode(VMX_BAD_MC | EXIT_REASON_ENTRY);
	CHECK_EQ(x.kind, VMEXIT_UNKNOWN);
	CHECK(strstr(said, "machine check"));
}

/* "VM-Instruction Error Numbers", and more than there are. */
static void refused_entries(void)
{
	struct vmexit x;

	fresh();
	for (uint32_t error = 0; error < 64; error++) {
		fields[VMCS_instruction_error] = error;
		vmx_decode_refusal(&v, 2, &x);
		CHECK(x.kind == VMEXIT_UNKNOWN && x.code == error);
		CHECK(strstr(said, "d3v0: VM entry refused: "));
		CHECK(!strstr(said, "(null)"));
	}
	fields[VMCS_instruction_error] = 7;
	vmx_decode_refusal(&v, 2, &x);
	CHECK(strstr(said, "invalid control fields (7)"));
	vmx_decode_refusal(&v, 1, &x);
	CHECK(strstr(said, "no current VMCS"));
}

/* "Exit Qualification for Task Switch"; a gate's event is no longer to be given
 * again. */
static void task_switches(void)
{
	struct vmexit x;

	for (unsigned int how = 0; how < 3; how++) {
		fresh();
		fields[VMCS_qualification] = 0x1230 | (uint64_t)how << 30;
		x = decode(VMX_TASK_SWITCH);
		CHECK(x.task.sel == 0x1230 && x.task.skip && !x.task.external);
		CHECK_EQ(x.task.how, how == 0   ? EMU_TASK_CALL
				     : how == 1 ? EMU_TASK_IRET
						: EMU_TASK_JMP);
	}
	fresh();
	fields[VMCS_qualification] = 0x28 | 3UL << 30;
	fields[VMCS_idt_vectoring] = 13 | EVENT_EXCEPTION | EVENT_ERROR |
				     EVENT_VALID;
	fields[VMCS_idt_vectoring_error] = 0x7654;
	arch.vmx.event = (uint32_t)fields[VMCS_idt_vectoring];
	x = decode(VMX_TASK_SWITCH);
	CHECK_EQ(x.task.how, EMU_TASK_GATE);
	CHECK(x.task.external && !x.task.skip && x.task.has_error);
	CHECK_EQ(x.task.error, 0x7654);
	CHECK_EQ(arch.vmx.event, 0);
	fresh();
	fields[VMCS_qualification] = 0x28 | 3UL << 30;
	fields[VMCS_idt_vectoring] = 0x40 | EVENT_SOFT_INTR | EVENT_VALID;
	x = decode(VMX_TASK_SWITCH);
	CHECK(!x.task.external && x.task.skip && !x.task.has_error);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"vmexit: every reason is a kind, or unknown", every_reason},
		{"vmexit: operands", operands},
		{"vmexit: events that an exit interrupted", interrupted},
		{"vmexit: task switches", task_switches},
		{"vmexit: entries that failed say why", failed_entries},
		{"vmexit: entries that were refused", refused_entries},
	};

	return RUN_CASES(cases);
}
