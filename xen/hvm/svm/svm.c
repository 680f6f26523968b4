/* SPDX-License-Identifier: MIT */
/*
 * AMD-V: finding and enabling it, loading a vCPU onto a CPU, entering it. The
 * table at the end is what hvm/ sees.
 *
 * A loaded vCPU's FS, GS, TR, LDTR and SYSCALL MSRs are on the CPU; of the
 * host's only GS.base comes back with every exit (entry.S). So the host's TSS
 * is not there while a vCPU is loaded, and stacks of the interrupt stack table
 * cannot be used: a second IDT without them is in use meanwhile. Nothing
 * switches to ring 0 here, so their handlers can run on the current stack.
 */
#include "hvm/svm/svm.h"

#include "console/printk.h"
#include "cpu/traps.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define MSR_VM_CR    0xc0010114
#define VM_CR_SVMDIS BIT(4)
#define EFER_SVME    BIT(12)
#define CR4_FSGSBASE BIT(16)
#define MSR_TSC_AUX  0xc0000103

struct idt_pointer {
	uint16_t limit;
	uint64_t base;
} __packed;

struct svm_cpu {
	paddr_t host_vmcb; /* what VMLOAD gives back to the host */
	paddr_t hsave;
	uint64_t host_gs;
	struct idt_pointer idt;
};
static DEFINE_PER_CPU(struct svm_cpu, svm);

uint32_t svm_features;
static uint32_t svm_asids;
static uint64_t clean_after_run; /* what an exit leaves clean */
static bool use_fsgsbase;
static struct idt_pointer plain_idt; /* without interrupt stacks */

static void clgi(void)
{
	__asm__ volatile("clgi" ::: "memory");
}

static void stgi(void)
{
	__asm__ volatile("stgi" ::: "memory");
}

static void load_idt(const struct idt_pointer *p)
{
	__asm__ volatile("lidt %0" : : "m"(*p));
}

static bool svm_probe(void)
{
	uint64_t vm_cr = 0;
	struct cpuid_regs r;

	if (!cpu_features.svm)
		return false;
	if (rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS)) {
		printk(XENLOG_WARNING "SVM: switched off by the firmware\n");
		return false;
	}
	r = cpuid(0x8000000a, 0);
	svm_features = r.d;
	svm_asids = r.b;
	if (!svm_has(SVM_FEATURE_NPT) || svm_asids < 2) {
		printk(XENLOG_WARNING
		       "SVM: no nested paging or no ASIDs: not used\n");
		return false;
	}
	if (cpu_features.pages_1g)
		npt_format.max_leaf_level = 3;
	if (svm_has(SVM_FEATURE_CLEAN))
		clean_after_run = GENMASK(10, 0);
	printk("SVM: nested paging, %u ASIDs, NRIP save %s, flush by ASID %s, "
	       "clean bits %s, pause filter %s\n",
	       svm_asids, svm_has(SVM_FEATURE_NRIP) ? "yes" : "no",
	       svm_has(SVM_FEATURE_FLUSH_ASID) ? "yes" : "no",
	       clean_after_run ? "yes" : "no",
	       svm_has(SVM_FEATURE_PAUSE) ? "yes" : "no");
	return true;
}

/* The IDT again, with no interrupt stack in any gate (bits 32-34). */
static int make_plain_idt(void)
{
	struct idt_pointer host;
	uint64_t *idt;

	if (plain_idt.base)
		return 0;
	__asm__ volatile("sidt %0" : "=m"(host));
	idt = alloc_page_virt(ALLOC_ZERO);
	if (!idt)
		return -ENOMEM;
	memcpy(idt, (void *)host.base, host.limit + 1UL);
	for (unsigned int i = 0; i < (host.limit + 1U) / 16; i++)
		idt[i * 2] &= ~GENMASK(34, 32);
	plain_idt.limit = host.limit;
	plain_idt.base = (uint64_t)idt;
	return 0;
}

static int svm_cpu_up(void)
{
	struct svm_cpu *c = &this_cpu(svm);
	void *hsave = alloc_page_virt(ALLOC_ZERO);
	void *vmcb = alloc_page_virt(ALLOC_ZERO);

	if (!hsave || !vmcb || make_plain_idt()) {
		free_page_virt(hsave);
		free_page_virt(vmcb);
		return -ENOMEM;
	}
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	c->hsave = virt_to_maddr(hsave);
	wrmsr(MSR_VM_HSAVE_PA, c->hsave);
	c->host_vmcb = virt_to_maddr(vmcb);
	c->host_gs = rdmsr(MSR_GS_BASE);
	__asm__ volatile("sidt %0" : "=m"(c->idt));
	if (cpu_features.fsgsbase) {
		write_cr4(read_cr4() | CR4_FSGSBASE);
		use_fsgsbase = true;
	}
	svm_asid_init_cpu(svm_asids);
	return 0;
}

static void svm_cpu_down(void)
{
	struct svm_cpu *c = &this_cpu(svm);

	wrmsr(MSR_VM_HSAVE_PA, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
	free_page_virt(maddr_to_virt(c->hsave));
	free_page_virt(maddr_to_virt(c->host_vmcb));
}

static int svm_vcpu_init(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	s->vmcb = alloc_page_virt(ALLOC_ZERO);
	if (!s->vmcb)
		return -ENOMEM;
	s->vmcb_pa = virt_to_maddr(s->vmcb);
	svm_vmcb_init(v);
	return 0;
}

static void svm_vcpu_destroy(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	free_page_virt(s->vmcb);
	s->vmcb = NULL;
}

/* The VMCB's half onto the CPU, but for GS.base. Interrupts off. */
static void load_guest_half(struct svm_vcpu *s)
{
	struct svm_cpu *c = &this_cpu(svm);
	uint64_t host_gs = c->host_gs;

	s->guest_gs = s->vmcb->gs.base;
	clgi();
	vmload(s->vmcb_pa);
	wrmsr(MSR_GS_BASE, host_gs);
	load_idt(&plain_idt);
	stgi();
}

void svm_reload(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);
	unsigned long flags;

	if (!s->loaded)
		return;
	flags = local_irq_save();
	load_guest_half(s);
	local_irq_restore(flags);
}

static void svm_vcpu_load(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	vmsave(this_cpu(svm).host_vmcb);
	if (s->last_cpu != smp_processor_id()) {
		s->vmcb->clean = 0;
		s->asid_generation = 0; /* another CPU's number */
	}
	s->last_cpu = smp_processor_id();
	load_guest_half(s);
	s->loaded = true;
	/* Armed: they must match what this guest means, not another's. */
	if (unlikely(s->vmcb->dr7 & DR7_ARMED))
		svm_load_debug_registers(s);
	if (cpu_features.rdtscp)
		wrmsr(MSR_TSC_AUX, hvm_vcpu(v)->tsc_aux);
}

static void svm_vcpu_unload(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);
	uint64_t dr[8];

	if (s->dr_dirty) {
		svm_get_dr(v, dr);
		s->dr_dirty = false;
		vmcb_set_dr_read(s->vmcb, 0xffff);
		vmcb_set_dr_write(s->vmcb, 0xffff);
	}
	svm_sync(v);
	s->loaded = false;
	clgi();
	vmload(this_cpu(svm).host_vmcb);
	load_idt(&this_cpu(svm).idt);
	stgi();
}

static HOT void svm_run(struct vcpu *v, struct vmexit *x)
{
	struct svm_vcpu *s = svm_vcpu(v);
	struct vmcb *vmcb = s->vmcb;

	svm_asid_assign(s);
	vmcb->rax = v->regs.rax;
	vmcb->rsp = v->regs.rsp;
	vmcb->rip = v->regs.rip;
	vmcb->rflags = v->regs.rflags;
	vmcb->eventinj = s->eventinj;
	if (use_fsgsbase)
		svm_enter_fsgs(&v->regs, s->vmcb_pa, &s->guest_gs);
	else
		svm_enter(&v->regs, s->vmcb_pa, &s->guest_gs);
	v->regs.rax = vmcb->rax;
	v->regs.rsp = vmcb->rsp;
	v->regs.rip = vmcb->rip;
	v->regs.rflags = vmcb->rflags;
	s->eventinj = 0;
	vmcb->clean = clean_after_run;
	vmcb->tlb_control = TLB_NOTHING;
	if (unlikely(vmcb->exitintinfo & EVENT_VALID))
		svm_reinject(v);
	svm_decode(v, x);
}

static void svm_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
	vmcb_set_tsc_offset(svm_vcpu(v)->vmcb, offset);
}

static void svm_intercept_tsc(struct vcpu *v, bool on)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	uint32_t i1 = vmcb->intercept1 & ~(uint32_t)INTERCEPT_RDTSC;
	uint32_t i2 = vmcb->intercept2 & ~(uint32_t)INTERCEPT2_RDTSCP;

	vmcb_set_intercept1(vmcb, on ? i1 | INTERCEPT_RDTSC : i1);
	vmcb_set_intercept2(vmcb, on ? i2 | INTERCEPT2_RDTSCP : i2);
}

static void svm_intercept_int3(struct vcpu *v, bool on)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	uint32_t exits = vmcb->exceptions & ~(uint32_t)BIT(TRAP_BP);

	uint32_t i1 = vmcb->intercept1 & ~(uint32_t)INTERCEPT_SWINT;

	vmcb_set_exceptions(vmcb, on ? exits | (uint32_t)BIT(TRAP_BP) : exits);
	/* TCG reports it as INT n, and has no NRIP save either. */
	if (!svm_has(SVM_FEATURE_NRIP))
		vmcb_set_intercept1(vmcb, on ? i1 | INTERCEPT_SWINT : i1);
}

/* A new number; its old one's translations are nobody's. */
static void svm_flush(struct vcpu *v)
{
	WRITE_ONCE(svm_vcpu(v)->flush, true);
}

const struct hvm_ops svm_ops = {
	.name = "SVM",
	.p2m = &npt_format,
	.hypercall_insn = {0x0f, 0x01, 0xd9}, /* VMMCALL */
	.vcpu_size = sizeof(struct svm_vcpu),
	.domain_size = sizeof(struct svm_domain),
	.probe = svm_probe,
	.cpu_up = svm_cpu_up,
	.cpu_down = svm_cpu_down,
	.domain_init = svm_maps_init,
	.domain_destroy = svm_maps_destroy,
	.vcpu_init = svm_vcpu_init,
	.vcpu_destroy = svm_vcpu_destroy,
	.vcpu_load = svm_vcpu_load,
	.vcpu_unload = svm_vcpu_unload,
	.run = svm_run,
	.skip = svm_skip,
	.get_creg = svm_get_creg,
	.set_creg = svm_set_creg,
	.get_seg = svm_get_seg,
	.set_seg = svm_set_seg,
	.cpl = svm_cpl,
	.code_bits = svm_code_bits,
	.kernel_bits = svm_kernel_bits,
	.get_paging = svm_get_paging,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.get_dr = svm_get_dr,
	.set_dr = svm_set_dr,
	.post_irq = svm_post_irq,
	.posted_irq = svm_posted_irq,
	.watch_tpr = svm_watch_tpr,
	.inject_exception = svm_inject_exception,
	.inject_nmi = svm_inject_nmi,
	.set_tsc_offset = svm_set_tsc_offset,
	.allow_port = svm_allow_port,
	.allow_msr = svm_allow_msr,
	.intercept_tsc = svm_intercept_tsc,
	.intercept_int3 = svm_intercept_int3,
	.end_shadow = svm_end_shadow,
	.forget_events = svm_forget_events,
	.flush = svm_flush,
	.dump = svm_dump,
};
