/* SPDX-License-Identifier: MIT */
/*
 * VT-x: finding and enabling it, loading a vCPU onto a CPU, entering it. The
 * table at the end is what hvm/ sees.
 *
 * A vCPU's VMCS is current on the CPU that it is loaded on, and cleared when it
 * leaves, so whoever wants to look at a vCPU that runs nowhere can make its
 * VMCS current for a moment (vmx_hold()). A loaded vCPU's SYSCALL MSRs and,
 * after their first use, debug registers are on the CPU; the host's come back
 * with vcpu_unload().
 */
#include "hvm/vmx/vmx.h"

#include "console/printk.h"
#include "cpu/traps.h"
#include "hvm/dev/vlapic.h"
#include "hvm/vmx/entry.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define MSR_FEATURE_CONTROL    0x3a
#define FEATURE_CONTROL_LOCKED BIT(0)
#define FEATURE_CONTROL_VMXON  BIT(2)
#define MSR_SYSENTER_CS        0x174
#define MSR_SYSENTER_ESP       0x175
#define MSR_SYSENTER_EIP       0x176
#define MSR_TSC_AUX            0xc0000103
#define NO_CPU                 (~0U)

static_assert(VMCS_host_rsp == FIELD_HOST_RSP, "entry.S");

struct vmx_cpu {
	struct vmcs *on;             /* the VMXON region */
	struct vmx_vcpu *loaded;     /* whose VMCS is current, for good */
	uint64_t lazy[NR_LAZY_MSRS]; /* the host's while a vCPU is loaded */
	unsigned long flags;         /* of vmx_hold_slowly() */
};
static DEFINE_PER_CPU(struct vmx_cpu, vmx);

struct vmx_caps vmx_caps;

static bool use_pml = true;
static bool use_unrestricted = true;
PARAM_BOOL("unrestricted_guest", use_unrestricted,
	   "the processor runs real mode, and protected mode without paging");
PARAM_BOOL("pml", use_pml,
	   "the processor logs which pages of guests were written");

struct idt_pointer {
	uint16_t limit;
	uint64_t base;
} __packed;

static uint64_t msr_or_zero(uint32_t msr)
{
	uint64_t val = 0;

	rdmsr_safe(msr, &val);
	return val;
}

static void read_msrs(struct vmx_msrs *m)
{
	uint32_t from;

	m->basic = msr_or_zero(MSR_VMX_BASIC);
	from = m->basic & VMX_BASIC_TRUE ? MSR_VMX_TRUE_PIN : MSR_VMX_PIN;
	m->pin = msr_or_zero(from);
	m->proc = msr_or_zero(from + 1);
	m->exit = msr_or_zero(from + 2);
	m->entry = msr_or_zero(from + 3);
	m->misc = msr_or_zero(MSR_VMX_MISC);
	m->cr0_fixed0 = msr_or_zero(MSR_VMX_CR0_FIXED0);
	m->cr0_fixed1 = msr_or_zero(MSR_VMX_CR0_FIXED1);
	m->cr4_fixed0 = msr_or_zero(MSR_VMX_CR4_FIXED0);
	m->cr4_fixed1 = msr_or_zero(MSR_VMX_CR4_FIXED1);
	/* Each is there only if what reports it is. */
	m->proc2 = (m->proc >> 32) & PROC_SECONDARY ? msr_or_zero(MSR_VMX_PROC2)
						    : 0;
	m->ept_vpid = (m->proc2 >> 32) & (PROC2_EPT | PROC2_VPID)
			      ? msr_or_zero(MSR_VMX_EPT_VPID)
			      : 0;
}

/* The firmware decides for good, unless it has not (SDM Vol. 3, "Enabling and
 * Entering VMX Operation"). */
static bool enable_feature(void)
{
	uint64_t val = 0;

	if (!rdmsr_safe(MSR_FEATURE_CONTROL, &val))
		return true; /* an emulator's: nothing forbids it */
	if (!(val & FEATURE_CONTROL_LOCKED)) {
		val |= FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON;
		wrmsr_safe(MSR_FEATURE_CONTROL, val);
	}
	return val & FEATURE_CONTROL_VMXON;
}

static void print_caps(const struct vmx_msrs *m)
{
	static char names[400];

	printk("VMX: EPT of 4 KiB%s%s%s; %s\n",
	       vmx_caps.ept_2m ? ", 2 MiB" : "",
	       vmx_caps.ept_1g ? ", 1 GiB" : "",
	       vmx_caps.ept_ad ? ", accessed and dirty bits" : "",
	       vmx_is_restricted()
		       ? "no unrestricted guest: real mode is emulated"
		       : "unrestricted guest");
	vmx_name_caps(m, &vmx_caps, true, names, sizeof(names));
	printk("VMX: used: %s\n", names);
	vmx_name_caps(m, &vmx_caps, false, names, sizeof(names));
	if (names[0])
		printk("VMX: not used: %s\n", names);
}

/* What is offered, and not wanted. */
static void apply_options(struct vmx_caps *c)
{
	if (!use_unrestricted)
		c->proc2 &= ~(uint32_t)PROC2_UNRESTRICTED;
	/* What is emulated takes its interrupts from us. (No processor has the
	 * one without the other.) */
	if (!vmx_use_apic || !(c->proc2 & PROC2_UNRESTRICTED))
		c->xapic = c->x2apic = false;
	if (!use_pml) {
		c->pml = false;
		c->proc2 &= ~(uint32_t)PROC2_PML;
	}
}

static bool vmx_probe(void)
{
	static char missing[300];
	struct vmx_msrs m;

	if (!cpu_features.vmx)
		return false;
	if (!enable_feature()) {
		printk(XENLOG_WARNING "VMX: switched off by the firmware\n");
		return false;
	}
	read_msrs(&m);
	if (!vmx_choose(&m, &vmx_caps, missing, sizeof(missing))) {
		printk(XENLOG_WARNING "VMX: not used: it lacks %s\n", missing);
		return false;
	}
	apply_options(&vmx_caps);
	if (!(vmx_caps.proc2 & PROC2_XSAVES))
		cpu_features.xsaves = false;
	vmx_ept_init();
	print_caps(&m);
	return true;
}

/* Every CPU must offer what was chosen on the first. */
static bool same_as_first(void)
{
	struct vmx_caps here;
	struct vmx_msrs m;
	char missing[200];

	read_msrs(&m);
	if (!vmx_choose(&m, &here, missing, sizeof(missing)))
		here.revision = ~0U;
	apply_options(&here);
	if (memcmp(&here, &vmx_caps, sizeof(here)) == 0)
		return true;
	printk(XENLOG_ERR "VMX: CPU %u differs from CPU 0\n",
	       smp_processor_id());
	return false;
}

static int vmx_cpu_up(void)
{
	struct vmx_cpu *c = &this_cpu(vmx);
	struct vmcs *on;

	if (!enable_feature() || !same_as_first())
		return -EINVAL;
	on = alloc_page_virt(ALLOC_ZERO);
	if (!on)
		return -ENOMEM;
	on->revision = vmx_caps.revision;
	write_cr4(read_cr4() | CR4_VMXE);
	if (!vmxon(virt_to_maddr(on))) {
		write_cr4(read_cr4() & ~CR4_VMXE);
		free_page_virt(on);
		printk(XENLOG_ERR "VMX: CPU %u: VMXON failed\n",
		       smp_processor_id());
		return -EIO;
	}
	c->on = on;
	c->loaded = NULL;
	invept(INV_ALL, 0);
	if (vmx_caps.vpid)
		invvpid(INV_ALL, 0);
	vmx_asid_init_cpu();
	return 0;
}

static void vmx_cpu_down(void)
{
	struct vmx_cpu *c = &this_cpu(vmx);

	vmxoff();
	write_cr4(read_cr4() & ~CR4_VMXE);
	free_page_virt(c->on);
	c->on = NULL;
}

void vmx_hold_slowly(struct vmx_vcpu *s)
{
	unsigned long flags = local_irq_save();

	BUG_ON(!vmptrld(s->vmcs_pa));
	s->held = true;
	this_cpu(vmx).flags = flags;
}

void vmx_release_slowly(struct vmx_vcpu *s)
{
	struct vmx_cpu *c = &this_cpu(vmx);

	s->held = false;
	s->launched = false;
	vmclear(s->vmcs_pa);
	if (c->loaded)
		vmptrld(c->loaded->vmcs_pa);
	local_irq_restore(c->flags);
}

static uint64_t make_eptp(const struct domain *d)
{
	return mfn_to_maddr(d->p2m.root) | EPTP_WB | EPTP_LEVELS |
	       (vmx_caps.ept_ad ? EPTP_AD : 0);
}

static int vmx_vcpu_init(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	s->vmcs = alloc_page_virt(ALLOC_ZERO);
	if (!s->vmcs || vmx_pml_init(s)) {
		free_page_virt(s->vmcs);
		return -ENOMEM;
	}
	s->vapic = hvm_vcpu(v)->lapic->page;
	s->vmcs_pa = virt_to_maddr(s->vmcs);
	s->vmcs->revision = vmx_caps.revision;
	vmclear(s->vmcs_pa);
	s->posted = -1;
	s->last_cpu = NO_CPU;
	s->eptp = make_eptp(v->domain);
	vmx_vmcs_init(v);
	return 0;
}

static void vmx_vcpu_destroy(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	vmx_pml_destroy(s);
	free_page_virt(s->vmcs);
	s->vmcs = NULL;
}

/* The host's half that is this CPU's own. */
static void set_host_cpu(void)
{
	struct idt_pointer p;

	__asm__ volatile("sgdt %0" : "=m"(p));
	vmcs_set_host_gdtr_base(p.base);
	__asm__ volatile("sidt %0" : "=m"(p));
	vmcs_set_host_idtr_base(p.base);
	vmcs_set_host_tr_base((uint64_t)&this_cpu(tss));
	vmcs_set_host_fs_base(rdmsr(MSR_FS_BASE));
	vmcs_set_host_gs_base(rdmsr(MSR_GS_BASE));
	vmcs_set_host_sysenter_cs((uint32_t)rdmsr(MSR_SYSENTER_CS));
	vmcs_set_host_sysenter_esp(rdmsr(MSR_SYSENTER_ESP));
	vmcs_set_host_sysenter_eip(rdmsr(MSR_SYSENTER_EIP));
}

static void swap_msrs_in(struct vmx_vcpu *s)
{
	struct vmx_cpu *c = &this_cpu(vmx);

	for (unsigned int i = 0; i < NR_LAZY_MSRS; i++) {
		c->lazy[i] = rdmsr(vmx_lazy_msrs[i]);
		wrmsr(vmx_lazy_msrs[i], s->lazy[i]);
	}
}

static void swap_msrs_out(struct vmx_vcpu *s)
{
	struct vmx_cpu *c = &this_cpu(vmx);

	for (unsigned int i = 0; i < NR_LAZY_MSRS; i++) {
		s->lazy[i] = rdmsr(vmx_lazy_msrs[i]);
		wrmsr(vmx_lazy_msrs[i], c->lazy[i]);
	}
}

static void vmx_vcpu_load(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	unsigned long flags = local_irq_save();

	BUG_ON(!vmptrld(s->vmcs_pa));
	this_cpu(vmx).loaded = s;
	s->loaded = true;
	vmx_asid_load(s);
	if (s->last_cpu != smp_processor_id())
		set_host_cpu();
	s->last_cpu = smp_processor_id();
	vmx_write_cr2(s->cr2);
	vmcs_set_host_cr0(read_cr0());
	vmcs_set_host_cr3(read_cr3());
	vmcs_set_host_cr4(read_cr4());
	swap_msrs_in(s);
	if (unlikely(s->dr_armed))
		vmx_load_debug_registers(s);
	if (cpu_features.rdtscp)
		wrmsr(MSR_TSC_AUX, hvm_vcpu(v)->tsc_aux);
	local_irq_restore(flags);
}

static void vmx_vcpu_unload(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	unsigned long flags = local_irq_save();

	s->cr2 = read_cr2();
	vmx_save_debug_registers(s);
	swap_msrs_out(s);
	vmclear(s->vmcs_pa);
	this_cpu(vmx).loaded = NULL;
	s->loaded = false;
	s->launched = false;
	local_irq_restore(flags);
}

/* RIP, RSP and RFLAGS: the last two are written where they differ from what the
 * last exit left there. */
static HOT void put_registers(const struct guest_regs *r, struct vmx_vcpu *s)
{
	if (likely(r->rip != s->rip))
		vmcs_set_guest_rip(r->rip);
	if (unlikely(r->rsp != s->rsp))
		vmcs_set_guest_rsp(r->rsp);
	if (unlikely(r->rflags != s->rflags))
		vmcs_set_guest_rflags(r->rflags);
}

static HOT void get_registers(struct guest_regs *r, struct vmx_vcpu *s)
{
	r->rip = s->rip = vmcs_get_guest_rip();
	r->rsp = s->rsp = vmcs_get_guest_rsp();
	r->rflags = s->rflags = vmcs_get_guest_rflags();
}

/* False: there is no entering in this state. */
static HOT bool prepare_entry(struct vcpu *v, struct vmx_vcpu *s)
{
	if (s->flush || s->flush_ept)
		vmx_asid_assign(s);
	if (s->load_pdptes)
		vmx_load_pdptes(v);
	if (s->check_mode && vmx_must_emulate(v))
		return false;
	if (s->tpr_watched)
		vmx_set_threshold(s);
	if (s->deliver)
		vmx_deliver(v);
	return true;
}

static HOT void vmx_run(struct vcpu *v, struct vmexit *x)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	uint32_t reason;
	int refused;

	if (unlikely(READ_ONCE(s->any)) && unlikely(!prepare_entry(v, s))) {
		vmx_emulate(v, x);
		return;
	}
	put_registers(&v->regs, s);
	refused = vmx_enter(&v->regs, &s->host_rsp, s->launched);
	if (unlikely(refused)) {
		vmx_decode_refusal(v, refused, x);
		return;
	}
	reason = vmcs_get_exit_reason();
	get_registers(&v->regs, s);
	if (unlikely(!s->launched))
		s->launched = !(reason & EXIT_REASON_ENTRY);
	vmx_decode(v, reason, x);
}

static void vmx_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	vmcs_set_tsc_offset(offset);
	vmx_release(s, held);
}

static void vmx_intercept_tsc(struct vcpu *v, bool on)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);
	uint32_t proc = s->proc & ~(uint32_t)PROC_RDTSC;

	vmx_set_proc(s, on ? proc | PROC_RDTSC : proc);
	vmx_release(s, held);
}

static void vmx_intercept_int3(struct vcpu *v, bool on)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);
	uint32_t exits = vmcs_get_exceptions() & ~(uint32_t)BIT(TRAP_BP);

	vmcs_set_exceptions(on ? exits | (uint32_t)BIT(TRAP_BP) : exits);
	vmx_release(s, held);
}

static int vmx_domain_init(struct domain *d)
{
	int rc = vmx_maps_init(d);

	if (!rc)
		rc = vmx_apic_domain_init(d);
	if (rc)
		vmx_maps_destroy(d);
	return rc;
}

static void vmx_domain_destroy(struct domain *d)
{
	vmx_apic_domain_destroy(d);
	vmx_maps_destroy(d);
}

static void vmx_flush(struct vcpu *v)
{
	WRITE_ONCE(vmx_vcpu(v)->flush_ept, true);
}

const struct hvm_ops vmx_ops = {
	.name = "VMX",
	.p2m = &ept_format,
	.hypercall_insn = {0x0f, 0x01, 0xc1}, /* VMCALL */
	.vcpu_size = sizeof(struct vmx_vcpu),
	.domain_size = sizeof(struct vmx_domain),
	.probe = vmx_probe,
	.cpu_up = vmx_cpu_up,
	.cpu_down = vmx_cpu_down,
	.domain_init = vmx_domain_init,
	.domain_destroy = vmx_domain_destroy,
	.vcpu_init = vmx_vcpu_init,
	.vcpu_destroy = vmx_vcpu_destroy,
	.vcpu_load = vmx_vcpu_load,
	.vcpu_unload = vmx_vcpu_unload,
	.run = vmx_run,
	.skip = vmx_skip,
	.get_creg = vmx_get_creg,
	.set_creg = vmx_set_creg,
	.get_seg = vmx_get_seg,
	.set_seg = vmx_set_seg,
	.cpl = vmx_cpl,
	.code_bits = vmx_code_bits,
	.kernel_bits = vmx_kernel_bits,
	.get_paging = vmx_get_paging,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.get_dr = vmx_get_dr,
	.set_dr = vmx_set_dr,
	.post_irq = vmx_post_irq,
	.posted_irq = vmx_posted_irq,
	.watch_tpr = vmx_watch_tpr,
	.apic_mode = vmx_apic_mode,
	.apic_sync = vmx_apic_sync,
	.inject_exception = vmx_inject_exception,
	.inject_nmi = vmx_inject_nmi,
	.set_tsc_offset = vmx_set_tsc_offset,
	.allow_port = vmx_allow_port,
	.allow_msr = vmx_allow_msr,
	.intercept_tsc = vmx_intercept_tsc,
	.intercept_int3 = vmx_intercept_int3,
	.end_shadow = vmx_end_shadow,
	.forget_events = vmx_forget_events,
	.flush = vmx_flush,
	.drain_log = vmx_drain_log,
	.dump = vmx_dump,
};
