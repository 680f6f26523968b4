/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's whole state as tools and VCPUOP_initialise give it, and as
 * DOMCTL_getvcpucontext shows it (public/arch-x86/xen.h,
 * vcpu_guest_context).
 */
#include "pv/io.h"

#include "console/printk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/layout.h"

#define FLAGS_ONES BIT(1)
#define FLAG_IF    BIT(9)
#define FLAGS_IOPL (3UL << 12)
#define FLAG_VM    BIT(17)

/* An entry of the guest's: an address that it can have. */
static uint64_t entry_address(uint64_t va)
{
	return pv_is_canonical(va) ? va : 0;
}

static void set_trap(struct pv_vcpu *pv, const struct trap_info *t)
{
	pv->traps[t->vector] = (struct pv_trap){
		.address = entry_address(t->address),
		.cs = pv_fix_selector(t->cs),
		.flags = t->flags,
	};
}

static void set_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
	const struct cpu_user_regs *u = &c->user_regs;
	struct pv_vcpu *pv = pv_vcpu(v);

	v->regs = (struct guest_regs){
		.rax = u->rax,
		.rcx = u->rcx,
		.rdx = u->rdx,
		.rbx = u->rbx,
		.rsp = u->rsp,
		.rbp = u->rbp,
		.rsi = u->rsi,
		.rdi = u->rdi,
		.r8 = u->r8,
		.r9 = u->r9,
		.r10 = u->r10,
		.r11 = u->r11,
		.r12 = u->r12,
		.r13 = u->r13,
		.r14 = u->r14,
		.r15 = u->r15,
		.rip = u->rip,
		.rflags = (u->rflags & ~(FLAGS_IOPL | FLAG_VM)) | FLAG_IF |
			  FLAGS_ONES,
	};
	pv->frame.cs = pv_fix_selector(u->cs);
	pv->frame.ss = u->ss ? (uint64_t)u->ss | 3 : SEL_GUEST_DS;
	pv->seg = (struct pv_segments){
		.ds = u->ds,
		.es = u->es,
		.fs = u->fs,
		.gs = u->gs,
		.fs_base = entry_address(c->fs_base),
		.gs_base = entry_address(c->gs_base_kernel),
		.gs_base_other = entry_address(c->gs_base_user),
	};
	pv->in_kernel = true;
	pv->sysret = false;
	pv->iopl = (u->rflags >> 12) & 3;
	pv->ts = false;
}

static void set_entries(struct pv_vcpu *pv, const struct vcpu_guest_context *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++) {
		struct trap_info t = c->trap_ctxt[i];

		t.vector = (uint8_t)i;
		set_trap(pv, &t);
	}
	pv->event_entry = entry_address(c->event_callback_eip);
	pv->failsafe_entry = entry_address(c->failsafe_callback_eip);
	pv->syscall_entry = entry_address(c->syscall_callback_eip);
	pv->failsafe_masks = c->flags & VGCF_failsafe_disables_events;
	pv->syscall_masks = c->flags & VGCF_syscall_disables_events;
	pv->kernel_sp = c->kernel_sp;
	pv->kernel_ss = c->kernel_ss;
}

static uint64_t cr3_mfn(uint64_t cr3)
{
	return xen_cr3_to_pfn(cr3);
}

int pv_set_context(struct vcpu *v, const void *ctx, size_t size)
{
	const struct vcpu_guest_context *c = ctx;
	struct pv_vcpu *pv = pv_vcpu(v);
	int rc;

	if (size != sizeof(*c) || !(c->flags & VGCF_in_kernel) ||
	    !pv_is_canonical(c->user_regs.rip))
		return -EINVAL;
	rc = pv_mm_set_context(v, cr3_mfn(c->ctrlreg[3]),
			       c->ctrlreg[1] ? cr3_mfn(c->ctrlreg[1]) : 0);
	if (!rc)
		rc = pv_set_gdt_frames(v, c->gdt_frames, c->gdt_ents);
	if (!rc)
		rc = pv_set_ldt(v, c->ldt_base, c->ldt_ents);
	if (rc)
		return rc;
	set_registers(v, c);
	set_entries(pv, c);
	fpu_reset(pv->fpu);
	if (c->flags & VGCF_i387_valid)
		fpu_load_legacy(pv->fpu, &c->fpu_ctxt);
	pv->ctrlreg4 = c->ctrlreg[4] ? c->ctrlreg[4] & read_cr4()
				     : X86_CR4_PAE | X86_CR4_OSFXSR |
					       X86_CR4_OSXMMEXCPT;
	memset(pv->dr, 0, sizeof(pv->dr));
	for (unsigned int i = 0; i < 8; i++)
		if (c->debugreg[i])
			pv_set_debugreg_value(v, i, c->debugreg[i]);
	/* Whoever built the domain has cleared shared info since. */
	vcpu_update_time(v);
	domain_update_wallclock(v->domain);
	return 0;
}

static void get_registers(const struct vcpu *v, struct cpu_user_regs *u)
{
	const struct pv_vcpu *pv = pv_vcpu(v);
	const struct guest_regs *r = &v->regs;

	*u = (struct cpu_user_regs){
		.r15 = r->r15,
		.r14 = r->r14,
		.r13 = r->r13,
		.r12 = r->r12,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.r11 = r->r11,
		.r10 = r->r10,
		.r9 = r->r9,
		.r8 = r->r8,
		.rax = r->rax,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rip = r->rip,
		.cs = (uint16_t)(pv->in_kernel ? pv->frame.cs & ~3UL
					       : pv->frame.cs),
		.rflags = (r->rflags & ~FLAGS_IOPL) | (uint64_t)pv->iopl << 12,
		.rsp = r->rsp,
		.ss = (uint16_t)pv->frame.ss,
		.ds = pv->seg.ds,
		.es = pv->seg.es,
		.fs = pv->seg.fs,
		.gs = pv->seg.gs,
	};
}

static void get_entries(const struct pv_vcpu *pv, struct vcpu_guest_context *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		c->trap_ctxt[i] = (struct trap_info){
			.vector = (uint8_t)i,
			.flags = pv->traps[i].flags,
			.cs = pv->traps[i].cs,
			.address = pv->traps[i].address,
		};
	c->event_callback_eip = pv->event_entry;
	c->failsafe_callback_eip = pv->failsafe_entry;
	c->syscall_callback_eip = pv->syscall_entry;
	c->kernel_sp = pv->kernel_sp;
	c->kernel_ss = pv->kernel_ss;
}

int pv_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct pv_vcpu *pv = pv_vcpu(v);
	const struct pv_mm_vcpu *m = &pv->mm;

	get_registers(v, &c->user_regs);
	get_entries(pv, c);
	memcpy(&c->fpu_ctxt, pv->fpu->area, sizeof(c->fpu_ctxt));
	c->flags = VGCF_i387_valid | (pv->in_kernel ? VGCF_in_kernel : 0) |
		   (v->online ? VGCF_online : 0) |
		   (pv->failsafe_masks ? VGCF_failsafe_disables_events : 0) |
		   (pv->syscall_masks ? VGCF_syscall_disables_events : 0);
	c->gdt_ents = m->gdt_entries;
	for (unsigned int i = 0; i * 512 < m->gdt_entries; i++)
		c->gdt_frames[i] = mfn_x(m->gdt[i]);
	c->ldt_base = m->ldt_base;
	c->ldt_ents = m->ldt_entries;
	c->ctrlreg[0] = (read_cr0() & ~X86_CR0_TS) | (pv->ts ? X86_CR0_TS : 0);
	c->ctrlreg[2] = pv->cr2;
	if (!mfn_eq(m->cr3_kernel, INVALID_MFN))
		c->ctrlreg[3] = xen_pfn_to_cr3(mfn_x(m->cr3_kernel));
	if (!mfn_eq(m->cr3_user, INVALID_MFN))
		c->ctrlreg[1] = xen_pfn_to_cr3(mfn_x(m->cr3_user));
	c->ctrlreg[4] = pv->ctrlreg4;
	memcpy(c->debugreg, pv->dr, sizeof(pv->dr));
	c->fs_base = pv->seg.fs_base;
	c->gs_base_kernel = pv->in_kernel ? pv->seg.gs_base
					  : pv->seg.gs_base_other;
	c->gs_base_user = pv->in_kernel ? pv->seg.gs_base_other
					: pv->seg.gs_base;
	return 0;
}
