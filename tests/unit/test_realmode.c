/* SPDX-License-Identifier: MIT */
/*
 * VT-x without unrestricted guest, on a VMCS that is made up: what the
 * processor has while the guest has no paging, and which states it cannot be
 * entered in.
 */
#include "fake_vmcs.h"
#include "harness.h"

#include "hvm/vmx/vmx.h"

struct cpu_features cpu_features = {.phys_bits = 40};
struct vmx_caps vmx_caps = {
	.cr0_fixed0 = 0x80000021,
	.cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000,
	.cr4_fixed1 = 0x7727ff,
	.proc2 = PROC2_EPT,
	.entry = 0x11fb,
};

void vmx_set_proc(struct vmx_vcpu *s, uint32_t proc)
{
	s->proc = proc;
	fields[VMCS_proc_controls] = proc;
}
static uint32_t event, event_error;
uint32_t vmx_take_event(struct vcpu *v, uint32_t *error)
{
	(void)v;
	*error = event_error;
	return event;
}

static struct {
	struct hvm_domain hvm;
	struct vmx_domain vmx;
} domain_arch;
static struct domain domain = {.arch = &domain_arch.hvm};
static struct {
	struct hvm_vcpu hvm;
	struct vmx_vcpu vmx;
} arch;
static struct vcpu v = {.domain = &domain, .arch = &arch.hvm};
static struct vmx_vcpu *const s = &arch.vmx;

#define CR3_EXITS ((uint32_t)(PROC_CR3_LOAD | PROC_CR3_STORE))

static void segment(unsigned int n, uint16_t sel, uint32_t ar)
{
	fields[VMCS_guest_es_sel + 2 * n] = sel;
	fields[VMCS_guest_es_ar + 2 * n] = ar;
	fields[VMCS_guest_es_limit + 2 * n] = 0xffff;
}

/* Flat protected mode, as far as entries look at it: ES CS SS DS FS GS, LDTR,
 * TR. */
static void fresh(uint64_t cr0)
{
	memset(fields, 0, sizeof(fields));
	memset(&arch, 0, sizeof(arch));
	for (unsigned int n = 0; n < 6; n++)
		segment(n, n == 1 ? 8 : 0x10, n == 1 ? 0x9b : 0x93);
	segment(6, 0, 0x10000);
	segment(7, 0x18, 0x8b);
	fields[VMCS_proc2_controls] = PROC2_EPT;
	fields[VMCS_guest_cr3] = 0x1000;
	domain_arch.hvm.params[HVM_PARAM_IDENT_PT] = 0xfeff5000;
	v.regs.rflags = 2;
	s->cr0 = cr0;
	vmx_put_mode(s);
}

static void on_and_off(void)
{
	fresh(0x11);
	CHECK(s->unpaged && s->cr3 == 0x1000);
	CHECK_EQ(s->proc & CR3_EXITS, CR3_EXITS);
	s->cr4 = 0x20; /* PAE: for what is to come */
	s->efer = EFER_LME;
	fields[VMCS_guest_cr4] = X86_CR4_PGE;
	vmx_put_mode(s);
	CHECK_EQ(fields[VMCS_guest_cr4], 0x2010 | X86_CR4_PGE);
	CHECK_EQ(fields[VMCS_guest_efer], 0);
	s->cr3 = 0x7000;
	fields[VMCS_guest_cr3] = 0xfeff5000;
	s->cr0 = 0x80000011;
	s->efer = EFER_LME | EFER_LMA;
	vmx_put_mode(s);
	CHECK(!s->unpaged);
	CHECK_EQ(fields[VMCS_guest_cr3], 0x7000);
	CHECK_EQ(fields[VMCS_guest_cr4], 0x2020 | X86_CR4_PGE);
	CHECK_EQ(fields[VMCS_guest_efer], EFER_LME | EFER_LMA);
	CHECK(fields[VMCS_entry_controls] & ENTRY_GUEST64);
	CHECK(!(s->proc & CR3_EXITS));
	s->cr0 = 0x11;
	s->efer = EFER_LME;
	vmx_put_mode(s);
	CHECK(s->cr3 == 0x7000);
	CHECK(!(fields[VMCS_entry_controls] & ENTRY_GUEST64));
}

static void which_states(void)
{
	fresh(0x11);
	CHECK(s->check_mode);
	CHECK(!vmx_must_emulate(&v));
	CHECK(!s->check_mode); /* nobody asks again */
	fresh(0x10);           /* real mode */
	CHECK(vmx_must_emulate(&v));
	CHECK(s->check_mode);
	fresh(0x11); /* no table */
	domain_arch.hvm.params[HVM_PARAM_IDENT_PT] = 0;
	CHECK(vmx_must_emulate(&v));
	s->cr0 = 0x80000011; /* its own */
	vmx_put_mode(s);
	CHECK(!vmx_must_emulate(&v));
	/* left by real mode: a CS of some RPL, a DS of another */
	fresh(0x11);
	fields[VMCS_guest_cs_sel] = 0x1003;
	CHECK(vmx_must_emulate(&v));
	fresh(0x11);
	fields[VMCS_guest_ds_sel] = 0x1002;
	CHECK(!vmx_must_emulate(&v));
	CHECK_EQ(fields[VMCS_guest_ds_ar], 0xf3);
	CHECK_EQ(fields[VMCS_guest_fs_ar], 0x93);
	/* the guest's own virtual-8086 mode */
	fresh(0x11);
	v.regs.rflags = X86_EFLAGS_VM | 2;
	CHECK(vmx_must_emulate(&v));
	for (unsigned int n = 0; n < 6; n++) {
		segment(n, 0x100, 0xf3);
		fields[VMCS_guest_es_base + 2 * n] = 0x1000;
	}
	CHECK(!vmx_must_emulate(&v));
}

static void events(void)
{
	struct vmexit x;

	event = 0;
	vmx_emulate(&v, &x);
	CHECK(x.kind == VMEXIT_EMULATE && !x.event.valid);
	event = 13 | EVENT_EXCEPTION | EVENT_ERROR | EVENT_VALID;
	event_error = 0x18;
	vmx_emulate(&v, &x);
	CHECK(x.event.valid && x.event.vector == 13 && x.event.has_error);
	CHECK_EQ(x.event.error, 0x18);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"realmode: paging off and on", on_and_off},
		{"realmode: what cannot be entered", which_states},
		{"realmode: events go along", events},
	};

	return RUN_CASES(cases);
}
