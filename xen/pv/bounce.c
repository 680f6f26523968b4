/* SPDX-License-Identifier: MIT */
/*
 * The guest goes on at an entry of its own kernel: a frame as the processor
 * would make it, with RCX and R11 below, which the way in may have used up, is
 * written on its kernel's stack (public/arch-x86/xen-x86_64.h). And the way
 * back: the hypercall iret.
 */
#include "pv/pv.h"

#include "console/printk.h"
#include "domain/guest_access.h"
#include "lib/errno.h"

#define HOT __attribute__((section(".text.hot")))

#define FLAG_TF    BIT(8)
#define FLAG_IF    BIT(9)
#define FLAGS_IOPL (3UL << 12)
#define FLAG_NT    BIT(14)
#define FLAG_RF    BIT(16)
#define FLAG_VM    BIT(17)
#define FLAG_AC    BIT(18)
#define FLAGS_ONES BIT(1)

static HOT bool masked(const struct vcpu *v)
{
	return v->info && READ_ONCE(v->info->evtchn_upcall_mask);
}

/* Flags as the guest believes that they are: IF is its event mask. */
static HOT uint64_t shown_flags(const struct vcpu *v)
{
	uint64_t f = v->regs.rflags & ~(FLAG_IF | FLAGS_IOPL);

	return f | (masked(v) ? 0 : FLAG_IF) | (uint64_t)pv_vcpu(v)->iopl << 12;
}

/* CS with the event mask in its upper half, as the ABI has it; ring 0 for what
 * was the kernel. */
static HOT uint64_t shown_cs(const struct vcpu *v, bool kernel)
{
	uint64_t cs = pv_vcpu(v)->frame.cs & 0xffff;

	if (kernel)
		cs &= ~3UL;
	return cs | (uint64_t)masked(v) << 32;
}

HOT void pv_bounce(struct vcpu *v, uint64_t entry, uint16_t cs, bool masks,
		   uint32_t error)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	struct guest_regs *r = &v->regs;
	bool kernel = pv->in_kernel;
	uint64_t frame[8], sp = kernel ? r->rsp : pv->kernel_sp;
	unsigned int n = 0;

	frame[n++] = r->rcx;
	frame[n++] = r->r11;
	if (error != NO_ERROR_CODE)
		frame[n++] = error;
	frame[n++] = r->rip;
	frame[n++] = shown_cs(v, kernel);
	frame[n++] = shown_flags(v);
	frame[n++] = r->rsp;
	frame[n++] = pv->frame.ss & 0xffff;
	pv_set_mode(v, true);
	sp = (sp & ~15UL) - n * sizeof(frame[0]);
	if (pv_copy_to_guest(v, sp, frame, n * sizeof(frame[0]))) {
		domain_crash(v->domain,
			     "v%u: no stack at %#lx for an entry at %#lx "
			     "(from %#lx)",
			     v->id, sp, entry, r->rip);
		return;
	}
	r->rsp = sp;
	r->rip = entry;
	r->rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC);
	pv->frame.cs = cs;
	pv->frame.ss = SEL_GUEST_DS;
	pv->sysret = false;
	if (masks && v->info)
		WRITE_ONCE(v->info->evtchn_upcall_mask, 1);
}

/* The handler is where the guest said; one that said nothing is lost. */
HOT void pv_inject(struct vcpu *v, uint8_t vector, uint32_t error)
{
	const struct pv_trap *t = &pv_vcpu(v)->traps[vector];

	if (unlikely(!t->address)) {
		domain_crash(v->domain,
			     "v%u: trap %u (error code %#x) at %#lx, and no "
			     "handler",
			     v->id, vector, error == NO_ERROR_CODE ? 0 : error,
			     v->regs.rip);
		return;
	}
	pv_bounce(v, t->address, t->cs, t->flags & 4, error);
}

void pv_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error)
{
	pv_vcpu(v)->cr2 = addr;
	if (v->info)
		WRITE_ONCE(v->info->arch.cr2, addr);
	/* What the guest's kernel does is no user's doing. */
	if (pv_vcpu(v)->in_kernel)
		error &= ~4U;
	else
		error |= 4;
	pv_inject(v, TRAP_PF, error);
}

/* The state that the guest wants to go on with is none: its failsafe entry gets
 * the data segments, too. */
void pv_failsafe(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	uint64_t sel[4];
	uint64_t sp;

	if (!pv->failsafe_entry) {
		domain_crash(v->domain,
			     "v%u: bad state to return to (%#lx:%#lx) and no "
			     "failsafe entry",
			     v->id, pv->frame.cs, v->regs.rip);
		return;
	}
	pv_bounce(v, pv->failsafe_entry, SEL_GUEST_CS64, pv->failsafe_masks,
		  NO_ERROR_CODE);
	__asm__ volatile("movl %%ds, %k0" : "=r"(sel[0]));
	__asm__ volatile("movl %%es, %k0" : "=r"(sel[1]));
	__asm__ volatile("movl %%fs, %k0" : "=r"(sel[2]));
	__asm__ volatile("movl %%gs, %k0" : "=r"(sel[3]));
	/* Between RCX, R11 and the rest of the frame. */
	sp = v->regs.rsp;
	{
		uint64_t top[2], frame[6];

		if (pv_copy_from_guest(v, top, sp, sizeof(top)))
			return;
		frame[0] = top[0];
		frame[1] = top[1];
		for (unsigned int i = 0; i < 4; i++)
			frame[2 + i] = sel[i] & 0xffff;
		v->regs.rsp = sp - 32;
		if (pv_copy_to_guest(v, sp - 32, frame, sizeof(frame)))
			domain_crash(v->domain, "v%u: no stack at %#lx", v->id,
				     sp - 32);
	}
}

HOT void pv_iret(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	struct guest_regs *r = &v->regs;
	struct iret_context c;

	if (unlikely(pv_copy_from_guest(v, &c, r->rsp, sizeof(c)))) {
		domain_crash(v->domain, "v%u: iret with no frame at %#lx",
			     v->id, r->rsp);
		return;
	}
	if ((c.cs & 3) == 3) {
		if (mfn_eq(pv->mm.cr3_user, INVALID_MFN)) {
			domain_crash(v->domain,
				     "v%u: iret to user mode without tables "
				     "for it",
				     v->id);
			return;
		}
		pv_set_mode(v, false);
	}
	pv->in_nmi = false;
	r->rip = c.rip;
	r->rsp = c.rsp;
	r->rflags = (c.rflags & ~(FLAGS_IOPL | FLAG_VM)) | FLAG_IF | FLAGS_ONES;
	pv->frame.cs = (c.cs & 0xffff) | 3;
	pv->frame.ss = (c.ss & 0xffff) | 3;
	/* From a system call: RCX and R11 need not be what they were. */
	if (!(c.flags & VGCF_in_syscall)) {
		r->r11 = c.r11;
		r->rcx = c.rcx;
		pv->sysret = false;
	} else {
		pv->sysret = pv->frame.cs == SEL_GUEST_CS64 &&
			     pv_is_canonical(r->rip) && !(r->rip >> 47);
	}
	if (v->info)
		WRITE_ONCE(v->info->evtchn_upcall_mask, !(c.rflags & FLAG_IF));
	r->rax = c.rax;
}
