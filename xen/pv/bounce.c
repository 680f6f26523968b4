/* SPDX-License-Identifier: MIT */
/*
 * The guest goes on at an entry of its own kernel: a frame as the processor
 * would make it, with RCX and R11 below, which the way in may have used up, is
 * written on its kernel's stack (public/arch-x86/xen-x86_64.h). And the way
 * back: the hypercall iret.
 */
#include "pv/access.h"
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

#define STORE(n, value, at)                                                    \
	n ": movq %[" value "], " at "\n\t" EX_TABLE(n "b", "%l[fault]")

/* RCX and R11 at sp, what the processor would push below top. */
static inline bool put_frame(const struct guest_regs *r, uint64_t sp,
			     uint64_t top, uint64_t cs, uint64_t flags,
			     uint64_t ss)
{
	pv_open_user();
	__asm__ goto(
		STORE("1", "ss", "-8(%[top])") STORE("2", "rsp", "-16(%[top])")
			STORE("3", "flags", "-24(%[top])") STORE("4", "cs",
								 "-32(%[top])")
				STORE("5", "rip", "-40(%[top])")
					STORE("6", "rcx", "0(%[sp])")
						STORE("7", "r11", "8(%[sp])")
		:
		: [ss] "r"(ss), [rsp] "r"(r->rsp), [flags] "r"(flags),
		  [cs] "r"(cs), [rip] "r"(r->rip), [rcx] "r"(r->rcx),
		  [r11] "r"(r->r11), [sp] "r"(sp), [top] "r"(top)
		: "memory"
		: fault);
	pv_close_user();
	return true;
fault:
	pv_close_user();
	return false;
}

static HOT bool put_error_code(struct vcpu *v, uint64_t at, uint32_t error)
{
	uint64_t word = error;

	return !pv_copy_to_guest(v, at, &word, sizeof(word));
}

static __attribute__((noinline, cold)) void
no_stack(struct vcpu *v, uint64_t sp, uint64_t entry)
{
	domain_crash(v->domain,
		     "v%u: no stack at %#lx for an entry at %#lx (from %#lx)",
		     v->id, sp, entry, v->regs.rip);
}

/* On the frame are the event mask as IF and in CS's upper half, IOPL as the
 * guest believes that it is, and ring 0 for what was the kernel. */
HOT void pv_bounce(struct vcpu *v, uint64_t entry, uint16_t cs, bool masks,
		   uint32_t error)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	struct guest_regs *r = &v->regs;
	struct vcpu_info *info = v->info;
	uint64_t top = r->rsp, old_cs = pv->frame.cs & 0xfffc, sp, flags;
	bool masked = info && READ_ONCE(info->evtchn_upcall_mask);

	if (!pv->in_kernel) {
		top = pv->kernel_sp;
		old_cs = pv->frame.cs & 0xffff;
		pv_set_mode(v, true);
	}
	flags = (r->rflags & ~(FLAG_IF | FLAGS_IOPL)) | (uint64_t)pv->iopl
								<< 12;
	if (masked)
		old_cs |= BIT(32);
	else
		flags |= FLAG_IF;
	top &= ~15UL;
	sp = top - 7 * 8;
	if (error != NO_ERROR_CODE) {
		sp -= 8;
		if (!put_error_code(v, sp + 16, error)) {
			no_stack(v, sp, entry);
			return;
		}
	}
	if (unlikely(!pv_range_ok(sp, 8 * 8) ||
		     !put_frame(r, sp, top, old_cs, flags,
				pv->frame.ss & 0xffff))) {
		no_stack(v, sp, entry);
		return;
	}
	r->rsp = sp;
	r->rip = entry;
	r->rflags &= ~(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC);
	pv->frame.cs = cs;
	pv->frame.ss = SEL_GUEST_DS;
	pv->sysret = false;
	if (masks && info)
		WRITE_ONCE(info->evtchn_upcall_mask, 1);
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

/* Between RCX, R11 and the rest of the frame go the segments that it had. */
static bool put_segments(struct vcpu *v, const struct pv_segments *s)
{
	uint64_t frame[6] = {0, 0, s->ds, s->es, s->fs, s->gs};
	uint64_t sp = v->regs.rsp;

	if (pv_copy_from_guest(v, frame, sp, 2 * sizeof(frame[0])) ||
	    pv_copy_to_guest(v, sp - 32, frame, sizeof(frame)))
		return false;
	v->regs.rsp = sp - 32;
	return true;
}

/* Segments that it had when it last ran are none any more: they are 0 now, and
 * its failsafe entry learns what they were. */
void pv_failsafe(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	pv->segments_lost = false;
	if (!pv->failsafe_entry) {
		domain_crash(v->domain,
			     "v%u: segments that are none (%#x %#x %#x %#x) "
			     "and no failsafe entry",
			     v->id, pv->seg.ds, pv->seg.es, pv->seg.fs,
			     pv->seg.gs);
		return;
	}
	pv_bounce(v, pv->failsafe_entry, SEL_GUEST_CS64, pv->failsafe_masks,
		  NO_ERROR_CODE);
	if (!put_segments(v, &pv->seg))
		domain_crash(v->domain, "v%u: no stack below %#lx", v->id,
			     v->regs.rsp);
}

#define LOAD(n, at, value)                                                     \
	n ": movq " at "(%[sp]), %[" value "]\n\t" EX_TABLE(n "b", "10f")

static inline bool get_frame(struct iret_context *c, uint64_t sp)
{
	uint32_t bad = 1;

	if (unlikely(!pv_range_ok(sp, sizeof(*c))))
		return false;
	pv_open_user();
	__asm__ volatile(
		LOAD("1", "0", "rax") LOAD("2", "8", "r11") LOAD(
			"3", "16", "rcx") LOAD("4", "24", "flags")
			LOAD("5", "32", "rip") LOAD("6", "40", "cs") LOAD(
				"7", "48", "rflags") LOAD("8", "56", "rsp")
				LOAD("9", "64", "ss") "xorl %[bad], %[bad]\n"
						      "10:"
		: [rax] "=&r"(c->rax), [r11] "=&r"(c->r11), [rcx] "=&r"(c->rcx),
		  [flags] "=&r"(c->flags), [rip] "=&r"(c->rip),
		  [cs] "=&r"(c->cs), [rflags] "=&r"(c->rflags),
		  [rsp] "=&r"(c->rsp), [ss] "=&r"(c->ss), [bad] "+r"(bad)
		: [sp] "r"(sp)
		: "memory");
	pv_close_user();
	return !bad;
}

/* To a process: false if it has no tables. */
static HOT bool to_user(struct vcpu *v)
{
	if (unlikely(mfn_eq(v_mm(v)->cr3_user, INVALID_MFN))) {
		domain_crash(v->domain,
			     "v%u: iret to user mode without tables for it",
			     v->id);
		return false;
	}
	pv_set_mode(v, false);
	return true;
}

HOT void pv_iret(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	struct guest_regs *r = &v->regs;
	struct iret_context c;

	if (unlikely(!get_frame(&c, r->rsp))) {
		domain_crash(v->domain, "v%u: iret with no frame at %#lx",
			     v->id, r->rsp);
		return;
	}
	if ((c.cs & 3) == 3 && !to_user(v))
		return;
	pv->in_nmi = false;
	r->rax = c.rax;
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
		pv->sysret = pv->may_sysret && pv->frame.cs == SEL_GUEST_CS64 &&
			     !(r->rip >> 47);
	}
	if (v->info)
		WRITE_ONCE(v->info->evtchn_upcall_mask, !(c.rflags & FLAG_IF));
}
