/* SPDX-License-Identifier: MIT */
/*
 * Exits: the table of what answers each kind, and the handlers that need no
 * file of their own. A handler reads the exit and the registers, does its work
 * and returns a verdict; it knows no vendor.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "cpu/fpu.h"
#include "cpu/traps.h"
#include "domain/cpu_policy.h"
#include "hvm/debug.h"
#include "hvm/dev/vlapic.h"
#include "hvm/dm.h"
#include "hvm/guest_walk.h"
#include "hvm/portio.h"
#include "hvm/vram.h"
#include "hypercall/hypercall.h"

#define HOT __attribute__((section(".text.hot")))

typedef enum verdict exit_fn(struct vcpu *v, const struct vmexit *x);

static enum verdict resume(struct vcpu *v, const struct vmexit *x)
{
	(void)v;
	(void)x;
	return VERDICT_RESUME;
}

static enum verdict crash(struct vcpu *v, const struct vmexit *x)
{
	(void)v;
	(void)x;
	return VERDICT_CRASH;
}

static enum verdict inject_ud(struct vcpu *v, const struct vmexit *x)
{
	(void)x;
	hvm_inject_ud(v);
	return VERDICT_RESUME;
}

static enum verdict inject_gp(struct vcpu *v, const struct vmexit *x)
{
	(void)x;
	hvm_inject_gp(v);
	return VERDICT_RESUME;
}

/* RIP moves first: a hypercall may change it, or ask to be executed again. */
static HOT enum verdict exit_hypercall(struct vcpu *v, const struct vmexit *x)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	hv->restart_rip = v->regs.rip;
	if (unlikely(!hvm_ops->skip(v, x))) {
		hvm_inject_gp(v);
		return VERDICT_RESUME;
	}
	hypercall_dispatch(v, hvm_ops->kernel_bits(v));
	if (unlikely(READ_ONCE(hv->hd->stale_maps)))
		hvm_io_invalidate(v);
	return VERDICT_RESUME;
}

static HOT enum verdict exit_cpuid(struct vcpu *v, const struct vmexit *x)
{
	struct cpuid_regs r;

	(void)x;
	hvm_cpuid(v, (uint32_t)v->regs.rax, (uint32_t)v->regs.rcx, &r);
	v->regs.rax = r.a;
	v->regs.rbx = r.b;
	v->regs.rcx = r.c;
	v->regs.rdx = r.d;
	return VERDICT_SKIP;
}

static HOT enum verdict exit_rdmsr(struct vcpu *v, const struct vmexit *x)
{
	uint64_t val;

	if (!hvm_rdmsr(v, (uint32_t)v->regs.rcx, &val))
		return inject_gp(v, x);
	v->regs.rax = (uint32_t)val;
	v->regs.rdx = val >> 32;
	return VERDICT_SKIP;
}

static HOT enum verdict exit_wrmsr(struct vcpu *v, const struct vmexit *x)
{
	uint64_t val = (uint32_t)v->regs.rax | v->regs.rdx << 32;

	if (!hvm_wrmsr(v, (uint32_t)v->regs.rcx, val))
		return inject_gp(v, x);
	return VERDICT_SKIP;
}

static enum verdict exit_rdtsc(struct vcpu *v, const struct vmexit *x)
{
	uint64_t tsc = rdtsc() + v->tsc_offset;

	v->regs.rax = (uint32_t)tsc;
	v->regs.rdx = tsc >> 32;
	if (x->kind == VMEXIT_RDTSCP)
		v->regs.rcx = (uint32_t)hvm_vcpu(v)->tsc_aux;
	return VERDICT_SKIP;
}

/* With interrupts off only an NMI or INIT could end the wait: the vCPU is as
 * good as down. */
static HOT enum verdict exit_hlt(struct vcpu *v, const struct vmexit *x)
{
	if (likely(v->regs.rflags & X86_EFLAGS_IF))
		return VERDICT_BLOCK;
	if (hvm_ops->skip(v, x))
		vcpu_down(v);
	return VERDICT_RESUME;
}

static enum verdict exit_pause(struct vcpu *v, const struct vmexit *x)
{
	(void)x;
	sched_yield(&v->unit);
	return VERDICT_SKIP;
}

static enum verdict exit_skip(struct vcpu *v, const struct vmexit *x)
{
	(void)v;
	(void)x;
	return VERDICT_SKIP;
}

static enum verdict exit_xsetbv(struct vcpu *v, const struct vmexit *x)
{
	uint64_t val = (uint32_t)v->regs.rax | v->regs.rdx << 32;

	if (!(hvm_ops->get_creg(v, CR4) & BIT(18)))
		return inject_ud(v, x);
	if (hvm_ops->cpl(v) || (uint32_t)v->regs.rcx ||
	    (val & ~cpu_policy_xcr0(v->domain->policy)) ||
	    !fpu_set_xcr0(hvm_vcpu(v)->fpu, val, true))
		return inject_gp(v, x);
	return VERDICT_SKIP;
}

/* The ones we ask for come back to the guest (the vendor's state.c says why).
 */
static enum verdict exit_exception(struct vcpu *v, const struct vmexit *x)
{
	if (x->exc.vector == TRAP_MC)
		return VERDICT_RESUME; /* the machine's: its handler ran */
	if (hvm_debug_exception(v, x))
		return VERDICT_RESUME;
	hvm_ops->inject_exception(v, x->exc.vector, x->exc.has_error,
				  x->exc.error);
	return VERDICT_RESUME;
}

/* Tells a guest that has lost its tables from a processor that walked others
 * (docs/testing.md, "The emulators"). */
static void report_walk(struct vcpu *v)
{
	uint32_t error = 0;
	gpa_t gpa = 0;

	if (hvm_ops->code_bits(v) != 64)
		return;
	if (guest_walk(v, v->regs.rip, WALK_FETCH, &gpa, &error))
		printk(XENLOG_ERR "  its tables have that at %#lx\n", gpa);
	else
		printk(XENLOG_ERR "  its tables have nothing there (error "
				  "%#x)\n",
		       error);
}

/* Whether that is a crash or the restart that it is on a PC, the tools say; by
 * default it is a restart, as on Xen. */
static enum verdict exit_shutdown(struct vcpu *v, const struct vmexit *x)
{
	struct domain *d = v->domain;

	(void)x;
	printk(XENLOG_ERR "d%u ends: v%u: triple fault at %#lx\n", d->id, v->id,
	       v->regs.rip);
	hvm_ops->dump(v);
	report_walk(v);
	domain_end_as(d, (unsigned int)hvm_domain(d)
				 ->params[HVM_PARAM_TRIPLE_FAULT_REASON]);
	return VERDICT_RESUME;
}

static enum verdict exit_cr_write(struct vcpu *v, const struct vmexit *x)
{
	bool ok = false;

	switch (x->cr.cr) {
	case 0:
		ok = hvm_set_cr0(v, x->cr.value);
		break;
	case 2:
	case 3: /* where it exits there is no paging (yet) */
		hvm_ops->set_creg(v, x->cr.cr == 2 ? CR2 : CR3, x->cr.value);
		ok = true;
		break;
	case 4:
		ok = hvm_set_cr4(v, x->cr.value);
		break;
	case 8:
		ok = x->cr.value < 16 &&
		     vlapic_write(hvm_vcpu(v)->lapic, APIC_TPR,
				  (uint32_t)x->cr.value << 4);
		break;
	}
	return ok ? VERDICT_SKIP : inject_gp(v, x);
}

static enum verdict exit_cr_read(struct vcpu *v, const struct vmexit *x)
{
	(&v->regs.rax)[x->cr.gpr] = hvm_get_cr(v, x->cr.cr);
	return VERDICT_SKIP;
}

static enum verdict exit_log_full(struct vcpu *v, const struct vmexit *x)
{
	(void)x;
	vram_drain(v);
	return VERDICT_RESUME;
}

static const struct {
	exit_fn *fn;
	const char *name;
} exits[VMEXIT_KINDS] = {
	[VMEXIT_INTR] = {resume, "interrupt"},
	[VMEXIT_NMI] = {resume, "nmi"},
	[VMEXIT_HYPERCALL] = {exit_hypercall, "hypercall"},
	[VMEXIT_CPUID] = {exit_cpuid, "cpuid"},
	[VMEXIT_RDMSR] = {exit_rdmsr, "rdmsr"},
	[VMEXIT_WRMSR] = {exit_wrmsr, "wrmsr"},
	[VMEXIT_RDTSC] = {exit_rdtsc, "rdtsc"},
	[VMEXIT_RDTSCP] = {exit_rdtsc, "rdtscp"},
	[VMEXIT_RDPMC] = {inject_gp, "rdpmc"},
	[VMEXIT_IO] = {hvm_portio, "port i/o"},
	[VMEXIT_NPF] = {hvm_npf, "nested page fault"},
	[VMEXIT_HLT] = {exit_hlt, "hlt"},
	[VMEXIT_PAUSE] = {exit_pause, "pause"},
	[VMEXIT_CR_READ] = {exit_cr_read, "cr read"},
	[VMEXIT_CR_WRITE] = {exit_cr_write, "cr write"},
	[VMEXIT_EXCEPTION] = {exit_exception, "exception"},
	[VMEXIT_INVD] = {exit_skip, "invd"},
	[VMEXIT_INVLPG] = {exit_skip, "invlpg"},
	[VMEXIT_XSETBV] = {exit_xsetbv, "xsetbv"},
	[VMEXIT_TASK_SWITCH] = {hvm_task_switch, "task switch"},
	[VMEXIT_SHUTDOWN] = {exit_shutdown, "triple fault"},
	[VMEXIT_VIRT] = {inject_ud, "virtualisation instruction"},
	[VMEXIT_MONITOR] = {inject_ud, "monitor"},
	[VMEXIT_MWAIT] = {inject_ud, "mwait"},
	[VMEXIT_LOG_FULL] = {exit_log_full, "log full"},
	[VMEXIT_INTERNAL] = {resume, "internal"},
	[VMEXIT_EMULATE] = {hvm_interpret, "emulation"},
	[VMEXIT_UNKNOWN] = {crash, "unknown exit"},
};

const char *hvm_exit_name(enum vmexit_kind k)
{
	return k < VMEXIT_KINDS ? exits[k].name : "?";
}

HOT enum verdict hvm_exit(struct vcpu *v, const struct vmexit *x)
{
	hvm_vcpu(v)->exits[x->kind]++;
	return exits[x->kind].fn(v, x);
}
