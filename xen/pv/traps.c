/* SPDX-License-Identifier: MIT */
/*
 * What ended a guest's run: calls go to the hypercalls or to the guest's own
 * kernel, interrupts to us, faults to the guest unless they are ours to mend.
 */
#include "pv/pv.h"

#include "console/printk.h"
#include "cpu/msr.h"
#include "domain/guest_access.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)
#define PF_RSVD    BIT(3)
#define EC_IDT     BIT(1)

/* Of a process: the kernel's are hypercalls (pv_hypercall()). */
static HOT void system_call(struct vcpu *v, const struct pv_vcpu *pv)
{
	if (!pv->syscall_entry) {
		domain_crash(v->domain, "v%u: system call and no entry", v->id);
		return;
	}
	pv_bounce(v, pv->syscall_entry, SEL_GUEST_CS64, pv->syscall_masks,
		  NO_ERROR_CODE);
}

/* From a 32-bit process; the guest's kernel has none. */
static void compat_call(struct vcpu *v, const struct pv_vcpu *pv)
{
	if (pv->in_kernel || !pv->syscall32_entry)
		pv_inject(v, 6, NO_ERROR_CODE);
	else
		pv_bounce(v, pv->syscall32_entry, SEL_GUEST_CS64,
			  pv->syscall32_masks, NO_ERROR_CODE);
}

/* From anywhere, and nobody knows where: that is the guest's to arrange. */
static void sysenter(struct vcpu *v, const struct pv_vcpu *pv)
{
	if (!pv->sysenter_entry)
		pv_inject(v, TRAP_GP, 0);
	else
		pv_bounce(v, pv->sysenter_entry, SEL_GUEST_CS64,
			  pv->sysenter_masks, NO_ERROR_CODE);
}

/* INT n: every gate is ours, so it faults; the guest's table says who may.
 * Which it was is the instruction's to say: QEMU's error code has another
 * number. */
static bool software_interrupt(struct vcpu *v, uint32_t error)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	const struct pv_trap *t;
	uint8_t insn[2];

	if (!(error & EC_IDT))
		return false;
	if (pv_fetch(v->regs.rip, insn, 2) != 2 || insn[0] != 0xcd)
		return false;
	t = &pv->traps[insn[1]];
	if ((t->flags & 3) < (pv->in_kernel ? 1 : 3))
		return false;
	v->regs.rip += 2;
	pv_inject(v, insn[1], NO_ERROR_CODE);
	return true;
}

static void general_protection(struct vcpu *v, uint32_t error)
{
	if (software_interrupt(v, error))
		return;
	if (!error && pv_emulate(v))
		return;
	pv_inject(v, TRAP_GP, error);
}

static void page_fault(struct vcpu *v, uint64_t addr, uint32_t error)
{
	const struct pv_vcpu *pv = pv_vcpu(v);

	if ((error & (PF_PRESENT | PF_WRITE | PF_RSVD)) ==
		    (PF_PRESENT | PF_WRITE) &&
	    pv->in_kernel && pv_table_write(v, addr))
		return;
	/* Nothing of ours shows as present. */
	if (addr >= M2P_VIRT_START && addr < DIRECT_VIRT_END)
		error &= ~(uint32_t)PF_PRESENT;
	pv_inject_page_fault(v, addr, error);
}

static void debug_trap(struct vcpu *v)
{
	uint64_t dr6;

	__asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
	pv_vcpu(v)->dr[6] = dr6;
	__asm__ volatile("mov %0, %%dr6" : : "r"(0xffff0ff0UL));
	pv_inject(v, 1, NO_ERROR_CODE);
}

/* Exceptions that push an error code: AMD APM Vol. 2, "Vectors". */
static bool has_error_code(uint32_t vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

static void interrupt(const struct vcpu *v, uint32_t vector)
{
	const struct pv_frame *f = &pv_vcpu(v)->frame;
	struct cpu_regs regs = {
		.entry_vector = vector,
		.rip = v->regs.rip,
		.cs = f->cs,
		.rflags = v->regs.rflags,
		.rsp = v->regs.rsp,
		.ss = f->ss,
	};

	trap_interrupt(&regs);
}

static void exception(struct vcpu *v, uint32_t vector)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	uint32_t error;

	switch (vector) {
	case 1:
		debug_trap(v);
		return;
	case 6:
		if (pv_forced_cpuid(v))
			return;
		break;
	case 7:
		/* The guest's CR0.TS: its handler clears it (CLTS). */
		pv->ts = false;
		write_cr0(read_cr0() & ~X86_CR0_TS);
		break;
	case TRAP_GP:
		general_protection(v, pv->frame.error_code);
		return;
	}
	error = has_error_code(vector) ? pv->frame.error_code : NO_ERROR_CODE;
	pv_inject(v, (uint8_t)vector, error);
}

/* IRETQ refused where the guest was to go: as if it had faulted there. */
static void bad_iret(struct vcpu *v)
{
	struct iret_fault f = this_cpu(trap_of_iret);

	pv_inject(v, f.vector,
		  has_error_code(f.vector) ? f.error_code : NO_ERROR_CODE);
}

/* What entry.S has a number for that is no vector. */
static void entry_exit(struct vcpu *v, struct pv_vcpu *pv, uint32_t vector)
{
	if (vector == PV_EXIT_BAD_IRET)
		bad_iret(v);
	else if (vector == PV_EXIT_SYSCALL32)
		compat_call(v, pv);
	else
		sysenter(v, pv);
}

HOT void pv_handle_exit(struct vcpu *v, uint32_t vector, uint64_t cr2)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (likely(vector == PV_EXIT_SYSCALL)) {
		local_irq_enable();
		system_call(v, pv);
		return;
	}
	pv->sysret = false;
	if (vector >= 32 && vector < 256) {
		interrupt(v, vector);
		return;
	}
	local_irq_enable();
	if (vector == TRAP_PF)
		page_fault(v, cr2, pv->frame.error_code);
	else if (unlikely(vector >= 256))
		entry_exit(v, pv, vector);
	else
		exception(v, vector);
}
